"""What the program needs to be told, read from the environment once, all problems reported at once.

Every setting ``X`` may also be given as ``X_FILE``, the path of a file that holds the value, which
is how container platforms hand over secrets.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints
from typing import Literal as OneOf
from urllib.parse import urlsplit

from environs import EnvError, EnvValidationError, FileAwareEnv

#: The account of the sandbox. Production refuses every one of these values.
SAMPLE_SECRETS: Final = {
    "wechat_appid": "wx0000000000sandbox",
    "wechat_secret": "sandbox-secret-not-for-production",
    "wechat_token": "sandboxtoken",
    "wechat_aes_key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "secret_key": "development-only-secret-key",
}
#: The same for the bank core's sandbox; asked for only where a core is named.
SAMPLE_CORE_SECRETS: Final = {
    "core_api_key": "sandbox-core-key",
    "core_api_secret": "sandbox-core-secret-not-for-production",
}
SAMPLE_BANK: Final = "示例银行"

HOME: Final = Path(__file__).resolve().parent


class SettingsRefused(Exception):
    """The environment cannot be used as it is; ``problems`` says all that is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = "\n".join(f"  {name}: {fault}" for name, fault in sorted(self.problems.items()))
        super().__init__(f"these settings need mending before the program can start:\n{lines}")


def _setting(default: Any, says: str) -> Any:
    """One setting with its default and the sentence that documents it."""
    return dataclasses.field(default=default, metadata={"says": says})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs between a newcomer's laptop and a bank's data centre."""

    environment: OneOf["development", "production"] = _setting(
        "development", "`production` refuses sample secrets and plain HTTP"
    )
    bank_name: str = _setting(SAMPLE_BANK, "the bank's name as followers read it")
    bot_name: str = _setting("小行", "the name by which the account speaks of itself in the chat")
    hotline: str = _setting(
        "", "the bank's service number; while empty, pages say that the bank must fill it in"
    )
    app_url: str = _setting(
        "", "where the mobile bank is opened or fetched; while empty, pages say it in words"
    )

    wechat_appid: str = _setting(SAMPLE_SECRETS["wechat_appid"], "AppID of the service account")
    wechat_secret: str = _setting(SAMPLE_SECRETS["wechat_secret"], "AppSecret")
    wechat_token: str = _setting(SAMPLE_SECRETS["wechat_token"], "Token of the message push")
    wechat_aes_key: str = _setting(
        SAMPLE_SECRETS["wechat_aes_key"], "EncodingAESKey, 43 characters"
    )
    wechat_aes_key_previous: str = _setting(
        "", "the EncodingAESKey before the last change; pushes under way still use it"
    )
    wechat_mode: OneOf["safe", "compat", "plain"] = _setting(
        "safe", "the weakest message mode that is accepted; `safe` lets no plaintext pass"
    )
    port: int = _setting(8000, "the web server's port")
    sandbox_port: int = _setting(8100, "the sandbox's port")
    core_sandbox_port: int = _setting(8200, "the port of the bank core's sandbox")
    core_api_base: str = _setting(
        "", "where the bank core's API answers; empty means its sandbox, or none in production"
    )
    core_api_key: str = _setting(SAMPLE_CORE_SECRETS["core_api_key"], "our name at the bank core")
    core_api_secret: str = _setting(
        SAMPLE_CORE_SECRETS["core_api_secret"], "signs what we ask the bank core"
    )
    wechat_api_base: str = _setting("", "where the WeChat API answers; empty means the sandbox")
    wechat_oauth_base: str = _setting(
        "", "where WeChat asks followers who they are; empty means the sandbox"
    )
    wechat_jssdk_url: str = _setting(
        "", "the JS-SDK script; empty takes it from the sandbox, or from WeChat in production"
    )
    public_base_url: str = _setting(
        "", "the address at which followers reach the pages; empty means this machine's PORT"
    )

    database_url: str = _setting("", "SQLAlchemy URL; empty means SQLite in the data folder")
    redis_url: str = _setting(
        "", "Redis, which tells all processes of a change at once; without it, within a second"
    )
    secret_key: str = _setting(
        SAMPLE_SECRETS["secret_key"], "signs visits and keys what is hashed; 32 characters or more"
    )
    oidc_issuer: str = _setting(
        "", "the issuer of the bank's single sign-on; empty means staff sign in by password alone"
    )
    oidc_client_id: str = _setting("", "our name at the issuer")
    oidc_client_secret: str = _setting("", "our secret at the issuer")
    proxy_hops: int = _setting(
        0, "how many proxies of yours stand in front; each adds to X-Forwarded-For"
    )
    data_dir: Path = _setting(HOME / "instance", "database, atlas and kept deliveries live here")

    freshness_seconds: int = _setting(300, "how old or how far ahead a push's timestamp may be")
    location_datum: OneOf["wgs84", "gcj02", "bd09"] = _setting(
        "wgs84", "datum of the LOCATION event, which WeChat does not document"
    )
    border_band_m: int = _setting(300, "within this many metres of a border a place is ambiguous")
    coast_m: int = _setting(
        3000, "a point off the mapped coast belongs to the nearest county within this distance"
    )
    precision_limit_m: int = _setting(
        2000, "a fix less precise than this many metres says nothing about a branch"
    )
    presence_days: int = _setting(30, "how long a place is remembered without a new report")
    menu_tags: int = _setting(90, "how many of WeChat's 100 tags may address menus")
    menu_ceiling: int = _setting(
        0, "how many conditional menus the account may hold; 0 learns it from WeChat's refusal"
    )
    kf_transfer: OneOf["off", "on"] = _setting(
        "off", "whether followers who ask for a person are passed to the account's agents"
    )
    link_hosts: str = _setting(
        "", "hosts that menus and pages may link to beside our own, with commas; empty allows any"
    )
    linked_mini_programs: str = _setting(
        "", "AppIDs of the mini programs linked to the account, with commas"
    )
    duty_webhook: str = _setting(
        "", "https address of the bank's paging, told when an emergency opens; empty: inbox alone"
    )
    log_format: OneOf["text", "json"] = _setting("text", "how log lines are written")

    def __post_init__(self) -> None:
        sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        for name, address in (
            ("wechat_api_base", sandbox),
            ("wechat_oauth_base", sandbox),
            ("public_base_url", f"http://127.0.0.1:{self.port}"),
        ):
            chosen = getattr(self, name) or address
            object.__setattr__(self, name, chosen.rstrip("/"))
        # Production has no core but the one it names.
        core = self.core_api_base or ("" if self.in_production else self._core_sandbox)
        object.__setattr__(self, "core_api_base", core.rstrip("/"))

    @property
    def database(self) -> str:
        """The SQLAlchemy URL, with psycopg 3 named explicitly for PostgreSQL."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'bank.sqlite3'}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def _core_sandbox(self) -> str:
        return f"http://127.0.0.1:{self.core_sandbox_port}"

    @property
    def uses_core_sandbox(self) -> bool:
        """Whether account queries are answered by the sandbox on this machine."""
        return not self.in_production and self.core_api_base == self._core_sandbox

    @property
    def jssdk_url(self) -> str:
        """The address of WeChat's page script: its own, or the sandbox's stand-in."""
        if self.wechat_jssdk_url:
            return self.wechat_jssdk_url
        if self.uses_sandbox:
            return f"{self.wechat_api_base}/jssdk/jweixin.js"
        return "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"

    @property
    def uses_sandbox(self) -> bool:
        """Whether the WeChat API address is not WeChat's own."""
        host = urlsplit(self.wechat_api_base).hostname or ""
        return not (host == "weixin.qq.com" or host.endswith(".weixin.qq.com"))


def from_environment() -> Settings:
    """Read the settings.

    Raises:
        SettingsRefused: with every problem found, not only the first.
    """
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    env = FileAwareEnv(eager=True, strip_whitespace=True)
    hints = get_type_hints(Settings)
    for field in dataclasses.fields(Settings):
        name = field.name.upper()
        try:
            values[field.name] = _read(env, name, hints[field.name], field.default)
        except EnvValidationError as refused:
            problems[name] = "; ".join(str(message) for message in refused.error_messages)
        except (EnvError, ValueError) as refused:
            problems[name] = str(refused)
    candidate = Settings(**values)
    problems |= {name: fault for name, fault in faults(candidate).items() if name not in problems}
    if problems:
        raise SettingsRefused(problems)
    return candidate


def _read(env: FileAwareEnv, name: str, kind: Any, default: Any) -> Any:
    if get_origin(kind) is OneOf:
        value = env.str(name, default)
        allowed = get_args(kind)
        if value not in allowed:
            raise ValueError(f"is {value!r}; choose one of {', '.join(allowed)}")
        return value
    if kind is int:
        return env.int(name, default)
    if kind is Path:
        return Path(env.str(name, str(default))).resolve()
    return env.str(name, default)


def faults(settings: Settings) -> dict[str, str]:
    """What is wrong with these settings, by setting name; empty when they can be used."""
    found: dict[str, str] = {}
    for name in ("wechat_aes_key", "wechat_aes_key_previous"):
        key = getattr(settings, name)
        if (key or name == "wechat_aes_key") and not _is_aes_key(key):
            found[name.upper()] = (
                "must be the 43 letters and digits shown beside it in WeChat's console"
            )
    for name in ("wechat_api_base", "wechat_oauth_base", "public_base_url"):
        url = urlsplit(getattr(settings, name))
        if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/"):
            found[name.upper()] = (
                "must be a scheme and host such as https://bank.example, without a path"
            )
        elif settings.in_production and url.scheme != "https":
            found[name.upper()] = "must start with https:// in production"
    found |= _faults_of_sign_on(settings)
    if fault := _fault_of_core(settings):
        found["CORE_API_BASE"] = fault
    if fault := _fault_of_duty(settings):
        found["DUTY_WEBHOOK"] = fault
    script = urlsplit(settings.jssdk_url)
    if script.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", script.netloc):
        found["WECHAT_JSSDK_URL"] = "must be the whole address of a script"
    elif settings.in_production and script.scheme != "https":
        found["WECHAT_JSSDK_URL"] = "must start with https:// in production"
    for name in (
        "freshness_seconds",
        "coast_m",
        "border_band_m",
        "precision_limit_m",
        "presence_days",
    ):
        if getattr(settings, name) <= 0:
            found[name.upper()] = "must be greater than zero"
    if not 1 <= settings.menu_tags <= 100:
        found["MENU_TAGS"] = "must be between 1 and 100, WeChat's own limit"
    app = urlsplit(settings.app_url)
    if settings.app_url and (app.scheme != "https" or not app.hostname):
        found["APP_URL"] = "must be an https:// address"
    if settings.menu_ceiling < 0:
        found["MENU_CEILING"] = "must be zero (learn it) or greater"
    if settings.in_production:
        found |= _sample_secrets_in(settings)
    return found


def _faults_of_sign_on(settings: Settings) -> dict[str, str]:
    """An issuer compares its own address sign by sign, so it is taken exactly as it is given."""
    found: dict[str, str] = {}
    if not 0 <= settings.proxy_hops <= 8:
        found["PROXY_HOPS"] = "must be between 0 and 8"
    if not settings.oidc_issuer:
        return found
    issuer = urlsplit(settings.oidc_issuer)
    if issuer.scheme not in ("http", "https") or not issuer.hostname or issuer.query:
        found["OIDC_ISSUER"] = "must be the issuer's whole address, without a query"
    elif settings.in_production and issuer.scheme != "https":
        found["OIDC_ISSUER"] = "must start with https:// in production"
    for name in ("oidc_client_id", "oidc_client_secret"):
        if not getattr(settings, name):
            found[name.upper()] = "is needed as soon as OIDC_ISSUER is given"
    return found


def _fault_of_core(settings: Settings) -> str:
    """What is wrong with the core's address; a core may live below a path of a shared host."""
    if not settings.core_api_base:
        return ""
    core = urlsplit(settings.core_api_base)
    if core.scheme not in ("http", "https") or not core.hostname or core.query or core.fragment:
        return "must be an address such as https://core.bank.example/wechat, without a query"
    if settings.in_production and core.scheme != "https":
        return "must start with https:// in production"
    return ""


def _fault_of_duty(settings: Settings) -> str:
    """What is wrong with the paging's address; only a trial may page itself in the clear."""
    if not settings.duty_webhook:
        return ""
    url = urlsplit(settings.duty_webhook)
    is_here = url.hostname in ("127.0.0.1", "localhost") and not settings.in_production
    if not url.hostname or (url.scheme != "https" and not (is_here and url.scheme == "http")):
        return "must be an https:// address"
    if url.username or url.password or url.fragment:
        return "must not hold a user name, a password or a fragment"
    return ""


def _sample_secrets_in(settings: Settings) -> dict[str, str]:
    samples = SAMPLE_SECRETS | (SAMPLE_CORE_SECRETS if settings.core_api_base else {})
    found = {
        name.upper(): "is the sample value; production needs your own"
        for name, sample in samples.items()
        if getattr(settings, name) in (sample, "")
    }
    if "SECRET_KEY" not in found and len(settings.secret_key) < 32:
        found |= {"SECRET_KEY": "is too short; use 32 random characters or more"}
    if settings.uses_sandbox:
        found.setdefault(
            "WECHAT_API_BASE", "is not a WeChat address; production needs https://api.weixin.qq.com"
        )
    if settings.bank_name == SAMPLE_BANK:
        found["BANK_NAME"] = "is the sample bank; give your bank's name"
    return found


def _is_aes_key(text: str) -> bool:
    if len(text) != 43 or not text.isalnum():
        return False
    try:
        return len(base64.b64decode(text + "=")) == 32
    except (binascii.Error, ValueError):
        return False


def documented() -> list[tuple[str, str, str]]:
    """Each setting's name, default and sentence, for the README and ``.env.example``."""
    return [
        (
            field.name.upper(),
            "" if isinstance(field.default, Path) else str(field.default),
            str(field.metadata["says"]),
        )
        for field in dataclasses.fields(Settings)
    ]
