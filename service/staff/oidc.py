"""The bank's single sign-on: OpenID Connect, authorization code with PKCE, mapped by subject.

What belongs to one attempt (state, nonce, verifier) lies sealed in our own table under the digest
of a cookie, works once and for ten minutes. Nobody is taken on here: whoever the issuer vouches
for must be known already. Only ``keep``, ``take`` and ``tidy`` may be called in a transaction.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from cryptography.fernet import InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete

from config import Settings
from service import clock
from service.sealing import SIGN_IN, digest_of, vault
from service.staff.models import SsoAttempt
from service.wiring import Unit, Wiring

#: To connect, and to hear anything. A person is waiting, and a thread of ours with them.
_PATIENCE: Final = (2.0, 3.0)
_SCOPE: Final = "openid"
#: How long an attempt, and the cookie that names it, is good.
LIFE: Final = timedelta(minutes=10)
#: How long what the issuer says about itself, its keys among it, is believed without asking again.
_KEPT_SECONDS: Final = 600.0
#: Signatures that prove the issuer made them: with a shared secret, or none, anybody could.
_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
_LEEWAY_SECONDS: Final = 60
_SHELF: Final = "staff.oidc"


class SsoRefused(Exception):
    """The single sign-on did not vouch for anybody, or not in a way we believe."""


class SsoUnreachable(Exception):
    """The issuer does not answer properly; trying again later may help."""


@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """One browser on its way to the issuer and back."""

    state: str
    nonce: str
    verifier: str
    next: str
    #: When asked to prove themselves anew: the session that will be believed again.
    proving: str = ""
    began: int = 0


@dataclass(frozen=True, slots=True)
class _Issuer:
    """What the issuer says about itself."""

    about: Mapping[str, Any]
    keys: Any


def is_offered(settings: Settings) -> bool:
    return bool(settings.oidc_issuer)


def start(wiring: Wiring, *, next_path: str, proving: str = "") -> tuple[str, Attempt]:
    """Where to send the browser, and what to keep until it is back.

    ``proving`` names a session: the issuer is then told to ask the person anew.

    Raises:
        SsoUnreachable: when the issuer does not say where that is.
    """
    issuer = _issuer(wiring)
    attempt = Attempt(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=next_path,
        proving=proving,
        began=clock.epoch(),
    )
    anew = {"prompt": "login", "max_age": 0} if proving else {}
    with _client(wiring.settings, issuer) as client:
        url, _state = client.create_authorization_url(
            issuer.about["authorization_endpoint"],
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
            **anew,
        )
    return url, attempt


def subject(wiring: Wiring, attempt: Attempt, answer: Mapping[str, str]) -> str:
    """Whom the issuer vouches for in its answer, by the subject it knows them under.

    Raises:
        SsoRefused: when it vouches for nobody, or the answer is not the one to this attempt.
        SsoUnreachable: when the issuer does not answer properly.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
        raise SsoRefused("the state is not this browser's")
    if "error" in answer or not answer.get("code"):
        raise SsoRefused("the issuer vouched for nobody")
    issuer = _issuer(wiring)
    told = answer.get("iss")
    if issuer.about.get("authorization_response_iss_parameter_supported") and told is None:
        raise SsoRefused("the answer does not say who gives it")
    if told is not None and told != issuer.about["issuer"]:
        raise SsoRefused("another issuer answered")
    return _subject_of(wiring, issuer, attempt, _token(wiring, issuer, attempt, answer["code"]))


def keep(unit: Unit, attempt: Attempt) -> str:
    """Keep the attempt until the browser is back; what its cookie must hold."""
    token = secrets.token_urlsafe(32)
    box = vault(unit.settings.secret_key, SIGN_IN)
    sealed = box.encrypt(json.dumps(asdict(attempt)).encode()).decode()
    unit.db.execute(
        unit.insert(SsoAttempt).values(
            digest=digest_of(token), sealed=sealed, until=clock.now() + LIFE
        )
    )
    return token


def take(unit: Unit, token: str) -> Attempt | None:
    """The attempt this browser made, which is over with that; None when there is none."""
    row = unit.db.execute(
        delete(SsoAttempt)
        .where(SsoAttempt.digest == digest_of(token))
        .returning(SsoAttempt.sealed, SsoAttempt.until)
    ).one_or_none()
    if row is None or row.until < clock.now():
        return None
    try:
        return Attempt(**json.loads(vault(unit.settings.secret_key, SIGN_IN).decrypt(row.sealed)))
    except InvalidToken:
        return None


def tidy(unit: Unit) -> None:
    """A chore: forget whoever went to the issuer and did not come back."""
    unit.db.execute(delete(SsoAttempt).where(SsoAttempt.until < clock.now()))


def _client(settings: Settings, issuer: _Issuer) -> OAuth2Session:
    offered = issuer.about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
    client = OAuth2Session(
        settings.oidc_client_id,
        settings.oidc_client_secret,
        token_endpoint_auth_method=method,
        scope=_SCOPE,
        redirect_uri=f"{settings.public_base_url}/console/sso/back",
        code_challenge_method="S256",
        default_timeout=_PATIENCE,
    )
    # Proxies and netrc of whoever started the program are none of this conversation's business.
    client.trust_env = False
    return client


def _token(wiring: Wiring, issuer: _Issuer, attempt: Attempt, code: str) -> Mapping[str, Any]:
    with _client(wiring.settings, issuer) as client:
        try:
            found: Mapping[str, Any] = client.fetch_token(
                issuer.about["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=attempt.verifier,
                allow_redirects=False,
            )
        except AuthlibBaseError as refused:
            raise SsoRefused("the issuer refused the code") from refused
        except (requests.RequestException, ValueError) as fault:
            raise SsoUnreachable("the token endpoint did not answer") from fault
    return found


def _subject_of(wiring: Wiring, issuer: _Issuer, attempt: Attempt, token: Mapping[str, Any]) -> str:
    client_id = wiring.settings.oidc_client_id
    expected = {"iss": {"values": [issuer.about["issuer"]]}, "aud": {"values": [client_id]}}
    given: dict[str, Any] = {"nonce": attempt.nonce, "client_id": client_id}
    if attempt.proving:
        given["max_age"] = clock.epoch() - attempt.began + _LEEWAY_SECONDS
    try:
        decoded = jwt.decode(str(token.get("id_token", "")), issuer.keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(decoded.claims, decoded.header, expected, given)
        claims.validate(now=clock.epoch(), leeway=_LEEWAY_SECONDS)
    except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as fault:
        # Its keys may have changed since: the next attempt reads them anew.
        wiring.shelf.pop(_SHELF, None)
        raise SsoRefused("the identity token is not to be believed") from fault
    if attempt.proving and int(claims.get("auth_time", 0)) < attempt.began - _LEEWAY_SECONDS:
        raise SsoRefused("the issuer did not ask the person anew")
    return str(claims["sub"])


def _issuer(wiring: Wiring) -> _Issuer:
    kept: tuple[float, _Issuer] | None = wiring.shelf.get(_SHELF)
    if kept is not None and time.monotonic() - kept[0] < _KEPT_SECONDS:
        return kept[1]
    name = wiring.settings.oidc_issuer
    about = _read(f"{name.rstrip('/')}/.well-known/openid-configuration")
    if about.get("issuer") != name:
        raise SsoUnreachable("the issuer calls itself something else")
    for endpoint in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        parts = urlsplit(str(about.get(endpoint, "")))
        if parts.scheme != urlsplit(name).scheme or not parts.hostname:
            raise SsoUnreachable(f"the issuer has no proper {endpoint}")
    try:
        keys = KeySet.import_key_set(_read(about["jwks_uri"]))  # type: ignore[arg-type]  # checked within
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise SsoUnreachable("the issuer's keys cannot be read") from fault
    found = _Issuer(about, keys)
    wiring.shelf[_SHELF] = (time.monotonic(), found)
    return found


def _read(url: str) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(url, timeout=_PATIENCE, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, ValueError) as fault:
            raise SsoUnreachable("the issuer did not answer") from fault
    if not isinstance(found, dict):
        raise SsoUnreachable("the issuer did not answer in JSON")
    return found
