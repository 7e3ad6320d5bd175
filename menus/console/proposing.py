"""Before an edition is put before a second person: all it changes, all that is wrong, all it means.

The form leads on to the approvals' own pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request, url_for

from menus.console import desks, editing, tabs
from menus.console.blueprint import editors
from menus.console.desks import Desk
from service.access import access
from service.console import shell
from service.wiring import Unit, wiring


@editors.get("/branches/<code>/zone/propose")
@access("staff", may="propose")
def zone_propose(code: str) -> Response:
    """A branch's edition, before it is proposed."""
    with wiring().reading() as unit:
        desk = editing.desk_of(unit, "zone", code, act="propose")
        back = url_for("editors.zone", code=code, edition=request.args.get("edition"))
        look = url_for("editors.zone_preview", code=code, edition=request.args.get("edition"))
        return propose_page(unit, desk, back=back, look=look)


def propose_page(unit: Unit, desk: Desk, *, back: str, look: str = "") -> Response:
    """The summary of what is on a desk, with the form that proposes it."""
    changed = desks.differences(unit, desk, desk.content)
    wrong = desks.faults(unit, desk, desk.content)
    parts: list[Mapping[str, Any]] = [
        {"title": part.title, "differences": changed[name], "faults": wrong.get(name, ())}
        for name, part in desk.kind.sections.items()
    ]
    return shell.page(
        "editor/propose.html",
        title=f"提交审批：{desk.kind.title}",
        desk=desk,
        code=desk.branch,
        names=unit.wiring.tables.branch_names(unit),
        parts=parts,
        changed=sum(map(len, changed.values())),
        fault_links=tabs.fault_links(wrong, desk.content) if desk.name == "zone" else [],
        faulty=sum(map(len, wrong.values())),
        consequences=desk.kind.consequences(unit, desk.branch, desk.content),
        back=back,
        look=look,
        edition=request.args.get("edition"),
    )
