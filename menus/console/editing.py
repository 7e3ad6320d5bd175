"""How every editor takes a form: look only, or keep it, or say why it cannot be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Response, abort, flash, request
from flask.typing import ResponseReturnValue

from lightservices import pictures
from lightservices.pictures import PictureRefused
from menus.console import desks
from menus.console.desks import Desk
from menus.console.forms import Form
from service.approvals.kinds import Json
from service.approvals.refusals import NotYours, Refused
from service.console import guard
from service.staff import door
from service.wiring import Unit, wiring

#: What was typed, as content of the sections it belongs to.
Reader = Callable[[Unit, Desk, Form], Mapping[str, Json]]
#: The page with this content and what is to be said on it.
Shower = Callable[[Unit, Desk, Mapping[str, Json], str], Response]


def desk_of(unit: Unit, kind: str, code: str, key: str = "", *, act: str = "edit") -> Desk:
    """The desk of whoever calls, at a branch they may do this at; 404 or 403 for the others."""
    me = guard.me()
    door(unit, me, code, act)
    number = request.args.get("edition", type=int)
    try:
        return desks.open_desk(unit, kind, branch=code, key=key, me=me, number=number)
    except NotYours:
        abort(404)


def edit(
    find: Callable[[Unit], Desk], read: Reader, show: Shower, *, onward: str
) -> ResponseReturnValue:
    """Show the page, look at what was typed without keeping it, or keep it and go on.

    Args:
        onward: where to go once it is kept, unless the form names another page of the console.
    """
    if request.method == "GET":
        with wiring().reading() as unit:
            desk = find(unit)
            return show(unit, desk, desk.content, "")
    form = Form(request.form)
    with wiring().reading() as unit:
        desk = find(unit)
        typed = {**desk.content, **read(unit, desk, form)}
        if "X-Look" in request.headers:
            return show(unit, desk, typed, "")
    problem = _keep(find, typed, seen=form.line("seen"))
    if problem is None:
        if form.do == "save":
            flash("草稿已保存。", "success")
        then = guard.own_path(form.line("then")) if form.line("then") else onward
        return guard.go(then)
    if isinstance(problem, Response):
        return problem
    with wiring().reading() as unit:
        return show(unit, find(unit), typed, problem)


def _keep(
    find: Callable[[Unit], Desk], typed: Mapping[str, Json], *, seen: str
) -> Response | str | None:
    try:
        with wiring().unit() as unit:
            desk = find(unit)
            if desk.version is not None or dict(typed) != desk.content:
                desks.save(unit, desk, typed, seen=seen, me=guard.me())
    except Refused as refusal:
        return desks.answered(refusal)
    return None


def uploads(code: str) -> dict[str, str]:
    """The pictures sent along, by field; the page says why one of them cannot be used.

    They are kept at once: what is typed beside them may be refused, and chosen files are not sent
    again by themselves.
    """
    found: dict[str, str] = {}
    try:
        for name, body in _files():
            with wiring().unit() as unit:
                door(unit, guard.me(), code, "edit")
                found[name] = pictures.add(unit, branch=code, body=body)
    except PictureRefused as refused:
        flash(f"{refused}。", "danger")
    return found


def block_uploads(code: str) -> dict[str, str]:
    """The pictures of a page's blocks, by row."""
    return {name.split(".")[1]: one for name, one in uploads(code).items() if "." in name}


def _files() -> Iterator[tuple[str, bytes]]:
    for name, file in request.files.items():
        if file.filename:
            yield name, file.read(pictures.MOST_BYTES + 1)


def flat(faults: Mapping[str, Any]) -> dict[str, dict[str, list[Any]]]:
    """Faults by section and by where they are, for the fields to show."""
    found: dict[str, dict[str, list[Any]]] = {}
    for section, some in faults.items():
        for one in some:
            found.setdefault(section, {}).setdefault(one.where, []).append(one)
    return found
