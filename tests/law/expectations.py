"""What the matrix needs to know of routes that name no branch, or ask for more than their stamp.

A staff route whose address names a branch (``<code>``) needs nothing here. Any other stands in one
of the tables below, or the matrix fails: whoever adds it says what it names, or why nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from lightservices.emergency import content as contents
from lightservices.emergency import packs
from lightservices.emergency.models import EmergencyRow, VersionRow
from lightservices.tickets import operations as tickets
from lightservices.tickets.contents import Content
from regions import areas
from service import clock
from service.approvals import operations as approvals
from service.approvals.models import as_text
from service.staff import Me
from service.staff.rights import Grant
from service.wiring import Unit

#: Somebody of head office who wrote what is laid, so that nobody of the matrix had a hand in it.
MAKER: Final = Me(987_654, "maker", "编写人", (Grant("operations", "HQ"),))

#: In the open sea, where no branch serves anybody.
_AT_SEA: Final = areas.read(
    {"inside": {"circles": [{"latitude": 18.0, "longitude": 117.0, "radius_m": 1000}]}}
)

#: What lies at a branch, and how the address of the route names it.
Laid = Callable[[Unit, str], dict[str, Any]]


def a_version(unit: Unit, code: str) -> dict[str, Any]:
    """A draft of the branch's zone."""
    draft = approvals.open_draft(unit, "zone", branch=code, by=MAKER)
    return {"number": draft.id, "to": 0}


def a_ticket(unit: Unit, code: str) -> dict[str, Any]:
    """A ticket of the branch."""
    asked = tickets.Request(
        category="投诉", service="complaint", branch=code, openid=None,
        token=secrets.token_hex(32), content=Content((("经过", "柜员"),), "13800138000"),
    )  # fmt: skip
    return {"number": tickets.open_ticket(unit, asked)[0]}


def an_emergency(unit: Unit, code: str) -> dict[str, Any]:
    """A proposal that touches this branch, wherever its area is: the branch is what decides."""
    text, digest = as_text(contents.write(replace(packs.shipped()["typhoon"], area=_AT_SEA)))
    key, present = f"typhoon-{secrets.token_hex(6)}", clock.now()
    number = unit.db.execute(
        unit.insert(EmergencyRow)
        .values(
            key=key, branch_code=code, drill=False, broke_glass=False, state="proposed",
            ended_by="", created_at=present, revision=1, next=2, warned=0,
        )
        .returning(EmergencyRow.id)
    ).scalar_one()  # fmt: skip
    unit.db.execute(
        unit.insert(VersionRow).values(
            emergency_id=number, number=1, kind="open", stage="proposed", text=text, hash=digest,
            seal="0", hours=24, branches=[code], covered={"whole": [], "parts": {}}, certain=0,
            likely=0, unknown=0, maker_id=MAKER.id, maker=MAKER.name, why="试",
            proposed_at=present, decider="", reason="",
        )
    )  # fmt: skip
    return {"key": key, "number": 1}


def a_telling(unit: Unit, code: str) -> dict[str, Any]:
    """The same, and by which channel its followers are told of what."""
    return an_emergency(unit, code) | {"event": "opened", "channel": "service"}


#: By the first part of an endpoint: what its routes name. Absent ones name a number nobody has.
NAMES: Final[Mapping[str, tuple[Laid, dict[str, Any]]]] = {
    "approvals": (a_version, {"number": 987_654, "to": 0}),
    "api_changes": (a_version, {"number": 987_654}),
    "console_emergency": (an_emergency, {"key": "typhoon-0000", "number": 1}),
    "console_emergency_amend": (an_emergency, {"key": "typhoon-0000"}),
    "console_emergency_messages": (a_telling, {"key": "typhoon-0000"}),
    "console_tickets": (a_ticket, {"number": "T0000000000"}),
}

_OWN: Final = "concerns whoever is signed in, and nobody else"
_LIST: Final = "lists what is within the caller's own rights; its query is narrowed by them"
_HEAD: Final = "concerns head office alone and asks its door"
_PEOPLE: Final = "people have no branch of their own; tests of the people pages say who sees whom"

#: Routes that name nothing of a branch, and why that is right.
NO_BRANCH: Final[Mapping[str, str]] = {
    "api_audit.listing": _LIST,
    "api_changes.kinds": "the same for everybody",
    "api_changes.shelf": _LIST,
    "api_menus.at_place": "names a place; tests of the API say whose place may be looked at",
    "api_menus.plan": _HEAD,
    "api_reference.page": "the same for everybody",
    "api_staff.branches": _LIST,
    "api_staff.me": _OWN,
    "approvals.shelf": _LIST,
    "audit.export": _LIST,
    "audit.page": _LIST,
    "console_account.change_password": _OWN,
    "console_account.choose_branch": "names the branch in its form and asks the door",
    "console_account.choose_theme": _OWN,
    "console_account.home": _OWN,
    "console_account.new_recovery_codes": _OWN,
    "console_account.overview": _OWN,
    "console_account.prove": _OWN,
    "console_account.prove_form": _OWN,
    "console_account.sign_out_everywhere": _OWN,
    "console_emergency.listing": _LIST,
    "console_emergency_begin.area": "tells nothing of where its caller may not act; tested there",
    "console_emergency_begin.begin": "names a plan, which is the same for everybody",
    "console_emergency_begin.map_of": "the same for everybody",
    "console_emergency_begin.search": "the same for everybody",
    "console_emergency_begin.send_begun": "names a plan; its area decides; tested there",
    "console_emergency_plans.listing": "the same for everybody",
    "console_emergency_plans.page": "the same for everybody",
    "console_emergency_plans.save": _HEAD,
    "console_people.add": _PEOPLE,
    "console_people.ask_for_grants": _PEOPLE,
    "console_people.listing": _PEOPLE,
    "console_people.lock": _PEOPLE,
    "console_people.new": _PEOPLE,
    "console_people.person": _PEOPLE,
    "console_people.reset": _PEOPLE,
    "console_people.unlock": _PEOPLE,
    "console_tickets.figures": _LIST,
    "console_tickets.listing": _LIST,
    "editors.stylesheet": "the same for everybody",
    "frames.frame": _HEAD,
    "frames.frame_propose": _HEAD,
}

#: What an operation asks for beyond its stamp, because it depends on the kind of the document.
ASKS: Final[Mapping[str, str]] = {
    "api_changes.approve": "review",
    "api_changes.begin": "edit",
    "api_changes.check": "edit",
    "api_changes.propose": "propose",
    "api_changes.roll_back": "review",
    "api_changes.save": "edit",
    "api_changes.send_back": "review",
    "api_changes.withdraw": "propose",
    "approvals.approve": "review",
    "approvals.merge": "edit",
    "approvals.propose": "propose",
    "approvals.roll_back": "review",
    "approvals.send_back": "review",
    "approvals.withdraw": "propose",
}


def _draft(kind: str, key: str = "") -> Laid:
    def lay(unit: Unit, code: str) -> dict[str, Any]:
        name = key.format(code=code.lower())
        draft = approvals.open_draft(unit, kind, branch=code, by=MAKER, key=name)
        return {"key": name, "number": draft.id}

    return lay


def _called(**values: str) -> Laid:
    return lambda _unit, _code: dict(values)


_SERVICE: Final = _draft("services", "{code}-x")
_VENUE: Final = _called(key="spring")
_ZONE: Final = _called(kind="zone", key="-")
#: What the address names beside the branch, so that it is the branch that decides.
BESIDE: Final[Mapping[str, Laid]] = {
    "api_changes.begin": _ZONE,
    "api_changes.check": _ZONE,
    "api_changes.document": _ZONE,
    "console_outlets.differences": _draft("outlets"),
    "console_outlets.template": _called(suffix="csv"),
    "console_own_services.check": _SERVICE,
    "console_own_services.edit": _SERVICE,
    "console_own_services.save": _SERVICE,
    "venues.campaign": _VENUE,
    "venues.campaign_propose": _VENUE,
}
_NO_CHANGE: Final = "it is only proposed, so no change of it waits; tests of its page lay one"
_NO_REVIEW: Final = "no glass was broken, so no review is owed; tests of its page break one"
_UPLOAD: Final = "nobody uploaded a list; tests of the outlet pages lay one"
_PROMOTION: Final = "names a promotion, and the zone has none; tests of the editor write one"
_UNFINISHED: Final = "a service that is only begun has no page to look at"
#: Where nothing is laid, so that the branch's own people are told 404 too, and what is missing.
MISSING: Final[Mapping[str, str]] = {
    "console_emergency.adopt": _NO_CHANGE,
    "console_emergency.decline": _NO_CHANGE,
    "console_emergency.retract": _NO_CHANGE,
    "console_emergency.review": _NO_REVIEW,
    "console_outlets.checked": _UPLOAD,
    "console_outlets.draft": _UPLOAD,
    "console_outlets.faults": _UPLOAD,
    "console_own_services.preview": _UNFINISHED,
    "console_own_services.remove": "no service is live that could be taken away",
    "editors.promotion_look": _PROMOTION,
    "editors.zone_promotion": _PROMOTION,
    "venues.campaign_look": "no venue is written that could be looked at",
}
