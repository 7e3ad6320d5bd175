"""Every staff route is guarded, and the guard stands before anything else."""

from __future__ import annotations

from flask import Flask

from service.access import stamp_of
from service.console import guard

#: Who may have pages of the console for people whom nobody knows yet.
OPEN = {"console_entrance", "console_sso", "console_assets"}
#: What of the API is for everybody: its description.
DESCRIBED = {"api_reference.openapi"}


def test_every_staff_route_and_every_route_of_the_console_is_guarded(app: Flask) -> None:
    assert guard.check in app.before_request_funcs[None]
    for rule in app.url_map.iter_rules():
        stamp = stamp_of(app.view_functions[rule.endpoint])
        assert stamp is not None, rule
        if str(rule).startswith("/api/"):
            assert stamp.audience == "staff" or rule.endpoint in DESCRIBED, rule
        if not str(rule).startswith("/console"):
            continue
        assert stamp.audience in ("staff", "public"), rule
        if stamp.audience == "public":
            assert rule.endpoint.split(".")[0] in OPEN, rule


def test_the_guard_stands_first(app: Flask) -> None:
    """Whatever ran before it would run for everybody."""
    assert app.before_request_funcs[None][0] is guard.check
