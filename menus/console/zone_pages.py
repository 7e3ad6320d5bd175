"""The editor a branch lives in: its menu, its page, its promotions, its services, tab by tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from lightservices import blocks, rich_text, zone_section, zones
from lightservices.blocks import BlockKind
from lightservices.console import ground
from lightservices.foryou.tags import tags
from menus import fills, frame
from menus.console import (
    desks,
    editing,
    item_forms,
    offer,
    preview_pages,
    seen,
    tabs,
    zone_forms,
)
from menus.console.blueprint import editors
from menus.console.desks import Desk
from menus.console.forms import Form, field_time
from menus.items import Item, write_item
from menus.slots import Fill, Slot
from regions.branches import BranchCode
from service import clock
from service.access import access
from service.approvals.kinds import Json
from service.console import guard, shell
from service.staff import door
from service.wiring import Unit, wiring

KIND: Final = "zone"


def _find(code: str) -> Any:
    return lambda unit: editing.desk_of(unit, KIND, code)


def _here(endpoint: str, code: str, **more: Any) -> str:
    return url_for(f"editors.{endpoint}", code=code, edition=request.args.get("edition"), **more)


# The menu


@editors.route("/branches/<code>/zone", methods=["GET", "POST"])
@access("staff", may="edit")
def zone(code: str) -> ResponseReturnValue:
    """What stands in the menu's positions that head office left to this branch."""
    return editing.edit(_find(code), _read_menu, _show_menu, onward=_here("zone", code))


def _read_menu(unit: Unit, desk: Desk, form: Form) -> Mapping[str, Json]:
    above = seen.inherited(unit, desk.branch, frame.current(unit), fills.all(unit))
    items = {
        slot.key: [write_item(one) for one in _inherited_items(slot, above[slot.key][1])]
        for slot in frame.current(unit).slots()
        if slot.key in above
    }
    return {"menu": zone_forms.menu(form, frame.current(unit), items)}


def _inherited_items(slot: Slot, fill: Fill | None) -> Sequence[Item]:
    return slot.items if fill is None or fill.hide else fill.items


def _show_menu(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
    columns = tabs.columns(unit, desk.branch, content.get("menu"))
    return _page(
        unit, desk, content, "menu", problem,
        columns=columns,
        strangers=tabs.strangers(columns, content.get("menu")),
        kinds=item_forms.KINDS,
        scenarios=offer.by_scenario(offer.services(unit, desk.branch)),
        zone_names=offer.zone_names(unit),
    )  # fmt: skip


# The page


@editors.route("/branches/<code>/zone/page", methods=["GET", "POST"])
@access("staff", may="edit")
def zone_page(code: str) -> ResponseReturnValue:
    """The zone's name and what its page consists of."""
    pictures = editing.block_uploads(code)

    def read(_unit: Unit, desk: Desk, form: Form) -> Mapping[str, Json]:
        return {"zone": zone_forms.page(form, desk.content["zone"], pictures)}

    return editing.edit(_find(code), read, _show_page, onward=_here("zone_page", code))


def _show_page(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
    offered = offer.services(unit, desk.branch)
    shown = content["zone"]
    return _page(
        unit, desk, content, "page", problem,
        fields=shown | {name: field_time(shown.get(name)) for name in ("starts_at", "ends_at")},
        title_length=seen.measured(str(shown.get("title", "")), "column"),
        most_title=zone_section.MOST_TITLE,
        block_titles=blocks.TITLES,
        rendered=[
            rich_text.rendered(str(one.get("text", "")))
            if one.get("kind") == BlockKind.TEXT else ""
            for one in shown.get("blocks", ())
        ],
        offered=offered,
        scenarios=offer.by_scenario(offered),
    )  # fmt: skip


# The services


@editors.route("/branches/<code>/zone/services", methods=["GET", "POST"])
@access("staff", may="edit")
def zone_services(code: str) -> ResponseReturnValue:
    """Which services followers of this branch are offered."""

    def read(_unit: Unit, desk: Desk, form: Form) -> Mapping[str, Json]:
        return {"zone": zone_forms.switches(form, desk.content["zone"])}

    return editing.edit(_find(code), read, _show_services, onward=_here("zone_services", code))


def _show_services(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
    offered = offer.services(unit, desk.branch)
    above = offer.chain(unit, desk.branch)[1:]
    gone = zones.switched_off(unit, BranchCode(above[0])) if above else frozenset()
    switchable = [key for key in offered if key not in gone and key not in offer.ALWAYS]
    return _page(
        unit, desk, content, "services", problem,
        scenarios=offer.by_scenario(offered),
        off=frozenset(content["zone"].get("switched_off") or ()),
        gone=gone,
        always=offer.ALWAYS,
        switchable=switchable,
    )  # fmt: skip


# The promotions


@editors.route("/branches/<code>/zone/promotions", methods=["GET", "POST"])
@access("staff", may="edit")
def zone_promotions(code: str) -> ResponseReturnValue:
    """All promotions of this branch in their order."""

    def read(_unit: Unit, desk: Desk, form: Form) -> Mapping[str, Json]:
        before = desk.content["promotions"]
        names = {str(one.get("name")) for one in before}
        return {"promotions": zone_forms.ordered(form, before, names=names)}

    return editing.edit(_find(code), read, _show_promotions, onward=_here("zone_promotions", code))


def _show_promotions(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
    rows = [tabs.promotion_line(one, clock.now()) for one in content["promotions"]]
    return _page(unit, desk, content, "promotions", problem, rows=rows)


@editors.route("/branches/<code>/zone/promotions/<name>", methods=["GET", "POST"])
@access("staff", may="edit")
def zone_promotion(code: str, name: str) -> ResponseReturnValue:
    """One promotion; ``new`` begins another one."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "edit")
    sent = editing.uploads(code)
    called = request.form.get("name", "") if name == "new" else name
    if name == "new" and not called:
        called = f"p{clock.shanghai(clock.now()):%y%m%d-%H%M%S}"

    def read(_unit: Unit, desk: Desk, form: Form) -> Mapping[str, Json]:
        listed = list(desk.content["promotions"])
        place = tabs.place_of(listed, called)
        if place is None and name != "new":
            abort(404)
        before = listed[place] if place is not None else {"name": called, "sort": 0}
        edited = zone_forms.promotion(form, before, sent.get("upload"))
        if place is None:
            listed.insert(0, edited)
        else:
            listed[place] = edited
        return {"promotions": listed}

    def show(unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str) -> Response:
        return _show_promotion(unit, desk, content, problem, called, is_new=name == "new")

    onward = _here("zone_promotion", code, name=called)
    return editing.edit(_find(code), read, show, onward=onward)


def _show_promotion(
    unit: Unit, desk: Desk, content: Mapping[str, Json], problem: str, name: str, *, is_new: bool
) -> Response:
    listed = content["promotions"]
    place = tabs.place_of(listed, name)
    if place is None and not is_new:
        abort(404)
    one = listed[place] if place is not None else tabs.new_promotion(name, clock.now())
    return _page(
        unit, desk, content, "promotion", problem,
        name=name, is_new=is_new, place=place if place is not None else -1,
        fields=zone_forms.promotion_fields(one),
        rendered=rich_text.rendered(str(one.get("text", ""))),
        cities=(cities := offer.territory(unit, desk.branch)),
        outside=offer.outside(cities, one.get("divisions") or ()),
        ground=ground.of(unit, desk.branch),
        audiences={key: one.title for key, one in tags().items()},
    )  # fmt: skip


# What is around every tab


def _page(
    unit: Unit,
    desk: Desk,
    content: Mapping[str, Json],
    tab: str,
    problem: str,
    **values: Any,
) -> Response:
    found = desks.faults(unit, desk, content)
    phone, trouble = tabs.phone(unit, desk.branch, content)
    names = unit.wiring.tables.branch_names(unit)
    status = 409 if problem else 200
    return shell.page(
        f"editor/{tab}.html",
        title="本地专区",
        status=status,
        desk=desk,
        content=content,
        tab="promotions" if tab == "promotion" else tab,
        tabs=tabs.TABS,
        faults=editing.flat(found),
        fault_links=tabs.fault_links(found, content),
        phone=phone,
        trouble=trouble,
        sight=""
        if tab == "menu"
        else preview_pages.zone_html(
            unit, desk.branch, content, preview_pages.asked(unit, desk.branch)
        ),
        problem=problem,
        names=names,
        code=desk.branch,
        edition=request.args.get("edition"),
        measured=seen.measured,
        **values,
    )
