"""How a secret lies in the database: encrypted under a key derived from ``SECRET_KEY``.

Each purpose has a key of its own, so that what was sealed for one can never be opened as another.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from typing import Final

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: What WeChat gave the account for a time.
CREDENTIALS: Final = "credentials at rest"
SECOND_FACTOR: Final = "staff second factor"
SIGN_IN: Final = "staff sign-in under way"


@functools.cache
def vault(secret_key: str, purpose: str) -> Fernet:
    """Seals and opens; opening raises ``InvalidToken`` when ``SECRET_KEY`` has changed since."""
    key = HKDF(SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def digest_of(token: str) -> str:
    """What is kept of a random value that others hold: nobody can guess it, so it needs no key."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def keyed_digest(secret_key: str, purpose: str, text: str) -> str:
    """A name for a text that tells nothing of it to whoever lacks the key; 64 hex digits."""
    return hmac.new(secret_key.encode(), f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()
