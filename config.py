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

import click
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

_SOURCE: Final = r"(title|headline|message|state|entry|opened_at|ends_at|bank|hotline)"
#: Each field of a template and what fills it.
_TEMPLATE_FIELDS: Final = re.compile(rf"([a-z_]+[0-9]+={_SOURCE}(,(?!$)|$))*")

HOME: Final = Path(__file__).resolve().parent


#: What is said of an address that would travel in the clear.
_HTTPS: Final = "上线时要以 https:// 开头"
_POSITIVE: Final = (
    "freshness_seconds", "coast_m", "border_band_m", "precision_limit_m", "presence_days",
)  # fmt: skip


class SettingsRefused(click.ClickException):
    """The environment cannot be used as it is; ``problems`` says all that is wrong with it.

    In a terminal its words are shown alone, without where in the program they were found.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        lines = "\n".join(f"  {name}: {fault}" for name, fault in sorted(self.problems.items()))
        super().__init__(f"请先改好这些设置，程序才能启动：\n{lines}")


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
        "", "the bank's service number; while empty, followers are told to look on their bank card"
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
    rates_source: OneOf["table", "core"] = _setting(
        "table", "where rates come from: `table` as imported, `core` from the bank core's API"
    )
    wechat_api_base: str = _setting(
        "", "where the WeChat API answers; empty means the sandbox, or WeChat in production"
    )
    wechat_oauth_base: str = _setting(
        "", "where WeChat asks followers who they are; empty likewise"
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
    emergency_template_id: str = _setting(
        "", "the service notice by which followers in an emergency are told; empty: no template"
    )
    emergency_template_fields: str = _setting(
        "", "what fills its fields, such as `thing1=headline,time2=ends_at`; see docs/emergency.md"
    )
    log_format: OneOf["text", "json"] = _setting("text", "how log lines are written")

    def __post_init__(self) -> None:
        # What is left empty is WeChat itself in production, and the sandbox before.
        sandbox = "" if self.in_production else f"http://127.0.0.1:{self.sandbox_port}"
        for name, address in (
            ("wechat_api_base", sandbox or "https://api.weixin.qq.com"),
            ("wechat_oauth_base", sandbox or "https://open.weixin.qq.com"),
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
    def speaks_https(self) -> bool:
        """Whether browsers reach us over https: cookies and headers then insist on it."""
        return self.public_base_url.startswith("https://")

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


def from_environment(file: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        file: one line ``NAME=value`` each, for what the environment itself does not say.

    Raises:
        SettingsRefused: with every problem found, not only the first.
    """
    problems: dict[str, str] = {}
    values: dict[str, Any] = {}
    env = FileAwareEnv(eager=True, strip_whitespace=True)
    if file is not None:
        env.read_env(file, recurse=False)
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
            raise ValueError(f"写成了 {value!r}，只能是 {'、'.join(allowed)} 之一")
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
            found[name.upper()] = "应是公众平台上显示的 43 位字母和数字"
    for name in ("wechat_api_base", "wechat_oauth_base", "public_base_url"):
        url = urlsplit(getattr(settings, name))
        if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/"):
            found[name.upper()] = "应写成 https://bank.example 这样的协议加域名，不带路径"
        elif settings.in_production and url.scheme != "https":
            found[name.upper()] = _HTTPS
    found |= _faults_of_sign_on(settings)
    if fault := _fault_of_core(settings):
        found["CORE_API_BASE"] = fault
    if settings.rates_source == "core" and not settings.core_api_base:
        found["RATES_SOURCE"] = "needs CORE_API_BASE, or there is nobody to ask"
    if fault := _fault_of_duty(settings):
        found["DUTY_WEBHOOK"] = fault
    fields = settings.emergency_template_fields
    if not _TEMPLATE_FIELDS.fullmatch(fields) or bool(fields) != bool(
        settings.emergency_template_id
    ):
        found["EMERGENCY_TEMPLATE_FIELDS"] = (
            "应写成 thing1=headline,time2=ends_at 这样，并同时填写模板编号"
        )
    script = urlsplit(settings.jssdk_url)
    if script.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", script.netloc):
        found["WECHAT_JSSDK_URL"] = "应是脚本的完整地址"
    elif settings.in_production and script.scheme != "https":
        found["WECHAT_JSSDK_URL"] = _HTTPS
    found |= {name.upper(): "应大于 0" for name in _POSITIVE if getattr(settings, name) <= 0}
    if not 1 <= settings.menu_tags <= 100:
        found["MENU_TAGS"] = "应在 1 至 100 之间，这是微信的上限"
    app = urlsplit(settings.app_url)
    if settings.app_url and (app.scheme != "https" or not app.hostname):
        found["APP_URL"] = "应是 https:// 开头的地址"
    if settings.menu_ceiling < 0:
        found["MENU_CEILING"] = "应是 0（由程序探知）或更大"
    if settings.in_production:
        found |= _sample_secrets_in(settings)
    return found


def _faults_of_sign_on(settings: Settings) -> dict[str, str]:
    """An issuer compares its own address sign by sign, so it is taken exactly as it is given."""
    found: dict[str, str] = {}
    if not 0 <= settings.proxy_hops <= 8:
        found["PROXY_HOPS"] = "应在 0 至 8 之间"
    if not settings.oidc_issuer:
        return found
    issuer = urlsplit(settings.oidc_issuer)
    if issuer.scheme not in ("http", "https") or not issuer.hostname or issuer.query:
        found["OIDC_ISSUER"] = "应是统一认证的完整地址，不带问号后面的部分"
    elif settings.in_production and issuer.scheme != "https":
        found["OIDC_ISSUER"] = _HTTPS
    for name in ("oidc_client_id", "oidc_client_secret"):
        if not getattr(settings, name):
            found[name.upper()] = "填了 OIDC_ISSUER 就必须填写"
    return found


def _fault_of_core(settings: Settings) -> str:
    """What is wrong with the core's address; a core may live below a path of a shared host."""
    if not settings.core_api_base:
        return ""
    core = urlsplit(settings.core_api_base)
    if core.scheme not in ("http", "https") or not core.hostname or core.query or core.fragment:
        return "应写成 https://core.bank.example/wechat 这样，不带问号后面的部分"
    if settings.in_production and core.scheme != "https":
        return _HTTPS
    return ""


def _fault_of_duty(settings: Settings) -> str:
    """What is wrong with the paging's address; only a trial may page itself in the clear."""
    if not settings.duty_webhook:
        return ""
    url = urlsplit(settings.duty_webhook)
    is_here = url.hostname in ("127.0.0.1", "localhost") and not settings.in_production
    if not url.hostname or (url.scheme != "https" and not (is_here and url.scheme == "http")):
        return "应是 https:// 开头的地址"
    if url.username or url.password or url.fragment:
        return "不能带用户名、密码或 # 后面的部分"
    return ""


def _sample_secrets_in(settings: Settings) -> dict[str, str]:
    samples = SAMPLE_SECRETS | (SAMPLE_CORE_SECRETS if settings.core_api_base else {})
    found = {
        name.upper(): "还是样例的值，上线要换成自己的"
        for name, sample in samples.items()
        if getattr(settings, name) in (sample, "")
    }
    if "SECRET_KEY" not in found and len(settings.secret_key) < 32:
        found |= {"SECRET_KEY": "太短了，请用 32 个以上的随机字符"}
    if settings.uses_sandbox:
        found.setdefault(
            "WECHAT_API_BASE", "不是微信的地址；上线时留空，或填 https://api.weixin.qq.com"
        )
    if settings.bank_name == SAMPLE_BANK:
        found["BANK_NAME"] = "还是样例银行，请填写本行的名称"
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
