"""What the platform says about the way between itself and the account's server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from service.sandbox.calls import Call, Json, Refused

if TYPE_CHECKING:
    from service.sandbox.world import World

_ADDRESS: Final = "127.0.0.1"
_ACTIONS: Final = ("dns", "ping", "all")
_OPERATORS: Final = ("DEFAULT", "CHINANET", "UNICOM", "CAP")


def addresses(world: World, call: Call) -> Json:
    """``GET /cgi-bin/getcallbackip`` and ``get_api_domain_ip``: all from this machine."""
    return {"ip_list": [_ADDRESS]}


def check(world: World, call: Call) -> Json:
    """``POST /cgi-bin/callback/check``; the way is this machine's, so it is always short."""
    action, operator = call.word("action"), call.word("check_operator") or "DEFAULT"
    if action not in _ACTIONS or operator not in _OPERATORS:
        raise Refused(40035)
    answer: Json = {}
    if action in ("dns", "all"):
        answer["dns"] = [{"ip": _ADDRESS, "real_operator": operator}]
    if action in ("ping", "all"):
        answer["ping"] = [
            {"ip": _ADDRESS, "from_operator": operator, "package_loss": "0%", "time": "0.1ms"}
        ]
    return answer
