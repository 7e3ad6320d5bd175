"""What the program says about itself: structured log lines and counters, without anybody's secrets.

Every line passes one formatter and in it one redaction: ours, those of the libraries, and the text
and traceback of any exception. Counters go to Prometheus, from one process or from several.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import IO, Any, Final
from urllib.parse import quote, urlsplit

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from config import Settings

HIDDEN: Final = "[hidden]"

#: Words after which a value is nobody's business, whether as ``name=value`` in an address, as JSON,
#: as XML, in the text of a dataclass or as a key of a log line.
PRIVATE_NAMES: Final = frozenset(
    {
        *("openid", "openids", "open_id", "openid_list", "touser", "fromusername", "unionid"),
        *("token", "secret", "appsecret", "secret_key", "password", "authorization", "cookie"),
        *("aes_key", "encodingaeskey", "encrypt", "ticket", "echostr", "nonce"),
        *("signature", "msgsignature"),
        *("latitude", "longitude", "lat", "lng", "lon", "location_x", "location_y"),
        *("point", "cell", "coordinates", "label", "phone", "mobile", "telephone"),
        # What a follower wrote or said to the bank.
        *("content", "said", "recognition"),
    }
)
#: Every repetition takes what it can and never gives back, and what was opened may end with the
#: text: so the time is proportional to the length, whatever somebody has us write.
_NAMED: Final = re.compile(
    r"(?P<name>(?=[a-z])(?<![A-Za-z0-9])(?:"
    + "|".join(sorted(PRIVATE_NAMES, key=lambda name: (-len(name), name)))
    + r")|(?<=[?&])(?:code|state))(?P<link>[\"']?\s*+[=:>]\s*+(?:<!\[CDATA\[)?)"
    r"(?P<value>(?<=CDATA\[)(?:[^\]]|\](?!\]>))*+"
    r"|\"[^\"]*+\"?|'[^']*+'?|[\[(][^\])]*+[\])]?|[^\s\"'&<>,;()\[\]{}]++)",
    re.IGNORECASE,
)
#: What gives itself away by its shape alone.
_SHAPES: Final = re.compile(
    r"""(?=[\w+-])(?:
      (?<![\w-])o[\w-]{27}(?![\w-])                                     # an openid
    | (?<![\w-])[A-Za-z0-9]{43}=?(?![\w=-])                             # an EncodingAESKey
    | (?<![\w-])[\w-]{80,}(?![\w-])                                     # an access token
    | (?<![0-9A-Za-z])[0-9a-f]{40}(?![0-9A-Za-z])                       # a signature
    | (?<![\w.-])-?\d{1,3}\.\d{3,}+(?:\s*+[,;/|]\s*+|\s++)-?\d{1,3}\.\d{3,}+(?![\w.])  # a place
    | (?<!\d)(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)       # a mobile number
    | (?<!\d)0\d{2,3}-\d{7,8}(?!\d)                                     # a fixed line
    | (?<!\d)\d{15,19}[Xx]?(?!\d)                                       # a card or identity number
    )
    """,
    re.VERBOSE | re.ASCII,
)

#: The account's own secrets, hidden wherever and however they turn up.
_secrets: re.Pattern[str] | None = None


def redacted(text: str) -> str:
    """The text with secrets, people and places replaced by ``[hidden]``."""
    if _secrets is not None:
        text = _secrets.sub(HIDDEN, text)
    text = _NAMED.sub(lambda found: f"{found['name']}{found['link']}{HIDDEN}", text)
    return _SHAPES.sub(HIDDEN, text)


def _redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The one processor that every line passes just before it is rendered."""
    return {str(key): _clean(str(key), value) for key, value in line.items()}


def _clean(key: str, value: Any) -> Any:
    if key and _NAMED.search(f"{key}=-"):
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return HIDDEN if _SHAPES.search(str(value)) else value
    if isinstance(value, Mapping):
        return {str(name): _clean(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    return redacted(value if isinstance(value, str) else str(value))


class _ToStderr(logging.StreamHandler[IO[str]]):
    """Writes to whatever standard error is at the moment of writing; tests exchange it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.name = "journal"

    @property
    def stream(self) -> IO[str]:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: IO[str]) -> None:
        raise AttributeError("the journal always writes to standard error")


_BEFORE: Final[list[structlog.typing.Processor]] = [
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_BEFORE,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for one part of the program: ``log.info("moved", branch=code)``."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found


def set_up(settings: Settings) -> None:
    """Write every line of this process, the libraries' too, to standard error."""
    global _secrets
    _secrets = _pattern_of(settings)
    handler = _ToStderr()
    handler.setFormatter(_formatter(settings))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _ToStderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # Servers bring handlers of their own, which would write past the redaction.
    for server in ("gunicorn.error", "gunicorn.access", "_granian", "granian.access", "werkzeug"):
        theirs = logging.getLogger(server)
        theirs.handlers.clear()
        theirs.propagate = True
    # At DEBUG these write addresses with tokens in them and whole statements with their values.
    for chatty in ("urllib3", "sqlalchemy.engine", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    _hear_what_nobody_catches()


def _formatter(settings: Settings) -> logging.Formatter:
    as_json = settings.log_format == "json"
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_BEFORE,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _redact,
            render,
        ],
    )


def _pattern_of(settings: Settings) -> re.Pattern[str]:
    values = {
        settings.wechat_secret,
        settings.wechat_token,
        settings.wechat_aes_key,
        settings.wechat_aes_key_previous,
        settings.secret_key,
        settings.core_api_key,
        settings.core_api_secret,
        settings.oidc_client_secret,
        urlsplit(settings.database_url).password or "",
        urlsplit(settings.redis_url).password or "",
    }
    spellings = {spelt for value in values if value for spelt in (value, quote(value, safe=""))}
    longest_first = sorted(spellings, key=lambda spelt: (-len(spelt), spelt))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _hear_what_nobody_catches() -> None:
    """Python would print an uncaught exception as it is, with whatever its text holds."""
    log = logger("uncaught")

    def died(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, fault, trace)
        else:
            log.critical("stopped by an exception", exc_info=(kind, fault, trace))

    def thread_died(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            died(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = died
    # A test runner that listens for dying threads keeps its own ear.
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = thread_died


_counters: dict[str, Counter] = {}
_children: dict[tuple[Any, ...], Any] = {}
_making = threading.Lock()


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to the counter ``account_<name>_total``; labels are few and never name a person.

    Raises:
        ValueError: when the counter is already kept under other labels.
    """
    key = (name, *labels.items())
    child = _children.get(key)
    if child is None:
        child = _children[key] = _child(name, labels)
    child.inc(amount)


def _child(name: str, labels: Mapping[str, str]) -> Any:
    with _making:
        counter = _counters.get(name)
        if counter is None:
            counter = _counters[name] = Counter(
                f"account_{name}", name.replace("_", " "), sorted(labels)
            )
    return counter.labels(**labels) if labels else counter


def exposition() -> bytes:
    """All counters in Prometheus' text format, summed over the processes that share the folder
    ``PROMETHEUS_MULTIPROC_DIR``, or of this process when there is none."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return generate_latest(registry)
