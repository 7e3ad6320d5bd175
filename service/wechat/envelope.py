"""WeChat's signature and encryption: how a push is proved genuine and a reply is sealed.

The rules are those of the platform's message encryption page: SHA-1 over the sorted parts, and
AES-256-CBC with the first half of the key as IV over ``16 random bytes ‖ length ‖ message ‖
AppID``, padded to 32 bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32
_RANDOM = 16
_HEADER = struct.Struct(">I")


class EnvelopeRefused(Exception):
    """A push that is not what it claims to be. ``fault`` is for counters, never for the sender."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(fault)


def sign(*parts: str) -> str:
    """SHA-1 over the parts in lexicographic order, in lower-case hexadecimal."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def is_signed(signature: str, *parts: str) -> bool:
    """Whether the signature is the one over these parts, compared in constant time."""
    return hmac.compare_digest(sign(*parts).encode(), signature.encode("utf-8", "replace"))


class Envelope:
    """Opens what WeChat encrypted for this account and seals what it must be answered.

    Args:
        appid: the account's AppID, which every message names at its end.
        keys: EncodingAESKeys of 43 characters, the current one first. WeChat goes on using the
            previous key for pushes that were under way when the key was changed.
    """

    def __init__(self, *, token: str, appid: str, keys: Sequence[str]) -> None:
        self._token = token
        self._appid = appid.encode()
        self._ciphers = [_cipher(base64.b64decode(key + "=")) for key in keys if key]

    def open(self, encrypted: str) -> bytes:
        """The message inside, in UTF-8.

        Raises:
            EnvelopeRefused: the text is not Base64, not whole blocks, wrongly padded, of an
                impossible length, or meant for another account.
        """
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise EnvelopeRefused("base64") from None
        if not sealed or len(sealed) % 16:
            raise EnvelopeRefused("blocks")
        fault = "key"
        for cipher in self._ciphers:
            decryptor = cipher.decryptor()
            try:
                return self._unwrapped(decryptor.update(sealed) + decryptor.finalize())
            except EnvelopeRefused as refused:
                fault = refused.fault
        raise EnvelopeRefused(fault)

    def seal(self, message: bytes) -> str:
        """The message encrypted with the current key, as Base64 text."""
        plain = os.urandom(_RANDOM) + _HEADER.pack(len(message)) + message + self._appid
        pad = _BLOCK - len(plain) % _BLOCK
        encryptor = self._ciphers[0].encryptor()
        sealed = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def sealed_reply(self, message: bytes, *, timestamp: str, nonce: str) -> bytes:
        """The XML that answers a push in safe mode; mind WeChat's capitals."""
        encrypted = self.seal(message)
        signature = sign(self._token, timestamp, nonce, encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp>"
            f"<Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        ).encode()

    def _unwrapped(self, plain: bytes) -> bytes:
        pad = plain[-1]
        if not 1 <= pad <= _BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise EnvelopeRefused("padding")
        plain = plain[:-pad]
        if len(plain) < _RANDOM + _HEADER.size:
            raise EnvelopeRefused("length")
        (length,) = _HEADER.unpack_from(plain, _RANDOM)
        start = _RANDOM + _HEADER.size
        if length > len(plain) - start:
            raise EnvelopeRefused("length")
        if not hmac.compare_digest(plain[start + length :], self._appid):
            raise EnvelopeRefused("appid")
        return plain[start : start + length]


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
