"""A branch's outlets in the console: upload a list, see what it would change, have it approved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from flask import Blueprint, Response, abort, flash, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from lightservices import workbooks
from lightservices.outlets import branch_list, checking, overlapping, section, uploads
from lightservices.outlets.branch_list import COLUMNS, DATUMS, EXAMPLE_ROW
from lightservices.outlets.checking import Progress
from lightservices.outlets.section import KEY, KIND, SECTION_NAME
from lightservices.outlets.uploads import Upload
from lightservices.workbooks import BookRefused
from regions import jurisdiction
from regions.coordinates import Datum
from service import audit, clock
from service.access import access
from service.approvals import operations as changes
from service.approvals import queries as versions
from service.approvals.refusals import STATES, NotYours, Refused
from service.console import guard, shell
from service.staff import Me, door, may_at
from service.wiring import Unit, Wiring, wiring

branch_outlets = Blueprint(
    "console_outlets", __name__, url_prefix=f"{guard.ROOT}/branches/<code>/outlets",
    template_folder="../templates",
)  # fmt: skip

#: The form has a few fields beside the file.
_ROOM: Final = workbooks.MOST_BYTES + 64 * 1024
#: How many outlets of each sort, and how many faults, are shown on a page; files hold all.
SHOWN: Final = 100
#: Taking away more than this share of what is live must be confirmed.
_MANY_GONE: Final = 0.2
_STREAM: Final = "application/x-ndjson"
_TITLES: Final = tuple(COLUMNS.values())
_CSV, _XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@branch_outlets.url_value_preprocessor
def _make_room(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Forms are small and lists are not; the guard reads the form, so this must come before."""
    if endpoint == f"{branch_outlets.name}.check":
        request.max_content_length = _ROOM


@branch_outlets.get("")
@access("staff", may="read")
def page(code: str) -> Response:
    """How many outlets there are, files to take away, a list to upload, and what waits."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
        return _page(unit, code)


@branch_outlets.post("/check")
@access("staff", may="edit")
def check(code: str) -> ResponseReturnValue:
    """Look at an uploaded list without taking it in. A script is told how far it is."""
    me = guard.me()
    with wiring().reading() as unit:
        door(unit, me, code, "edit")
    sent = request.files.get("file")
    # All of the request is read now: what follows may be told line by line.
    raw, name = (sent.read(), sent.filename or "") if sent else (b"", "")
    steps = _checking(wiring(), code, me, raw, name or "未命名", _datum())
    if _STREAM in request.headers.get("Accept", ""):
        answer = Response(stream_with_context(_streamed(code, steps)), mimetype=_STREAM)
        # A proxy that gathers the lines would tell everything at the end.
        answer.headers["X-Accel-Buffering"] = "no"
        return answer
    try:
        token = _last(steps)
    except BookRefused as refused:
        with wiring().reading() as unit:
            return _page(unit, code, problem=str(refused), status=422)
    return guard.go(url_for("console_outlets.checked", code=code, token=token))


@branch_outlets.get("/checks/<token>")
@access("staff", may="edit")
def checked(code: str, token: str) -> Response:
    """What came of a check: every fault, or all that would change."""
    with wiring().reading() as unit:
        found = _upload(unit, code, token)
        return _outcome(unit, code, found)


@branch_outlets.get("/checks/<token>/faults.csv")
@access("staff", may="edit")
def faults(code: str, token: str) -> Response:
    """Every fault as a file, to mend the list beside it."""
    with wiring().reading() as unit:
        found = _upload(unit, code, token)
    rows = [[str(one.row), one.column, one.says, one.way_out] for one in found.checked.faults]
    return _file("faults.csv", workbooks.as_csv(("行号", "列", "问题", "怎样改"), rows))


@branch_outlets.post("/checks/<token>/draft")
@access("staff", may="edit")
def draft(code: str, token: str) -> ResponseReturnValue:
    """Make a draft of a list that was checked; proposing it is the next page's."""
    me = guard.me()
    problem = ""
    try:
        with wiring().unit() as unit:
            found = _upload(unit, code, token)
            problem = _hindrance(unit, code, found)
            if not problem:
                opened = changes.open_draft(unit, KIND, branch=code, by=me, key=KEY)
                content = section.content_of(found.checked.entries)
                saved = changes.save(unit, opened.id, content=content, seen=opened.hash, by=me)
    except Refused as refused:
        problem = f"{refused.says}。{refused.way_out}"
    if problem:
        with wiring().reading() as unit:
            found = _upload(unit, code, token)
            return _outcome(unit, code, found, problem=problem, status=422)
    flash("已存为草稿。请核对改动，写明原因，再提交审批。", "success")
    return guard.go(url_for("approvals.change", number=saved.id))


@branch_outlets.post("/export")
@access("staff", may="export")
def export(code: str) -> ResponseReturnValue:
    """The list as it is live, in the columns in which it is uploaded again."""
    me = guard.me()
    with wiring().unit() as unit:
        door(unit, me, code, "export")
        found = branch_list.live(unit, code)
        rows = list(branch_list.rows(found))
        _note(unit, code, "outlets.export", count=len(rows))
    name = f"outlets-{code}-{_today()}"
    if request.form.get("format") == "xlsx":
        return _book(f"{name}.xlsx", rows)
    return _file(f"{name}.csv", workbooks.as_csv(_TITLES, rows))


@branch_outlets.get("/template.<suffix>")
@access("staff", may="read")
def template(code: str, suffix: str) -> Response:
    """The columns with one row that shows how they are filled and is never taken in."""
    with wiring().reading() as unit:
        door(unit, guard.me(), code, "read")
    if suffix == "xlsx":
        return _book("outlets-template.xlsx", [EXAMPLE_ROW])
    if suffix != "csv":
        abort(404)
    return _file("outlets-template.csv", workbooks.as_csv(_TITLES, [EXAMPLE_ROW]))


@branch_outlets.post("/versions/<int:number>.csv")
@access("staff", may="export")
def differences(code: str, number: int) -> Response:
    """All that a version changes against what is live, field by field."""
    me = guard.me()
    with wiring().unit() as unit:
        door(unit, me, code, "export")
        try:
            version = versions.find(unit, number, by=me)
        except NotYours:
            abort(404)
        if (version.kind, version.branch) != (KIND, code):
            abort(404)
        new = section.entries_of(version.content.get(SECTION_NAME)) or {}
        found = branch_list.compare(branch_list.live(unit, code), new)
        _note(unit, code, "outlets.export_changes", version=version.subject)
    titles = ("怎样", "网点编号", "网点名称", "哪一项", "现在", "改为")
    return _file(f"outlets-{code}-changes.csv", workbooks.as_csv(titles, _told(found)))


def _checking(
    wired: Wiring, code: str, me: Me, raw: bytes, name: str, datum: Datum
) -> Iterator[Progress | str]:
    """Read and check the file, telling how far it is and at last under which token it is kept."""
    book = workbooks.read(raw)
    yield Progress(0, len(book.lines))
    with wired.reading() as unit:
        outcome = yield from checking.check(unit, code, book, datum=datum)
    with wired.unit() as unit:
        token = uploads.keep(unit, code, outcome, name=name, staff_id=me.id)
    yield token


def _streamed(code: str, steps: Iterable[Progress | str]) -> Iterator[str]:
    try:
        for step in steps:
            if isinstance(step, Progress):
                told: dict[str, object] = {"done": step.done, "total": step.total}
            else:
                told = {"goto": url_for("console_outlets.checked", code=code, token=step)}
            yield json.dumps(told, ensure_ascii=False) + "\n"
    except BookRefused as refused:
        yield json.dumps({"problem": str(refused)}, ensure_ascii=False) + "\n"


def _last(steps: Iterable[Progress | str]) -> str:
    token = ""
    for step in steps:
        token = step if isinstance(step, str) else ""
    return token


def _page(unit: Unit, code: str, *, problem: str = "", status: int = 200) -> Response:
    me = guard.me()
    below = jurisdiction.below(unit, code)
    counts = branch_list.counts(unit, below)
    names = unit.wiring.tables.branch_names(unit)
    return shell.page(
        "console/branch_outlets.html", title="网点名单", code=code, problem=problem,
        name=shell.branch_name(unit, code), total=sum(counts.values()), names=names,
        counts=[(names.get(one, one), counts[one]) for one in names if counts.get(one)],
        samples=branch_list.samples(unit, below), datums=DATUMS,
        waiting=versions.open_of(unit, KIND, branch=code, key=KEY), states=STATES,
        may_edit=may_at(unit, me, code, "edit"), may_export=may_at(unit, me, code, "export"),
        limits=(workbooks.MOST_BYTES >> 20, workbooks.MOST_ROWS, workbooks.MOST_COLUMNS),
        required=[COLUMNS[name] for name in branch_list.REQUIRED], columns=_TITLES,
        overlapping=overlapping.said(unit, code),
        status=status,
    )  # fmt: skip


def _outcome(
    unit: Unit, code: str, found: Upload, *, problem: str = "", status: int = 200
) -> Response:
    outcome = found.checked
    compared = branch_list.compare(branch_list.live(unit, code), outcome.entries)
    return shell.page(
        "console/branch_outlets_checked.html", title="核对名单", code=code, upload=found,
        name=shell.branch_name(unit, code), outcome=outcome, compared=compared, shown=SHOWN,
        told=branch_list.told, one_line=branch_list.in_one_line, problem=problem, status=status,
        is_large=_takes_many(compared), too_large=_too_large(outcome.entries),
        overlapping=overlapping.said(unit, code),
    )  # fmt: skip


def _hindrance(unit: Unit, code: str, found: Upload) -> str:
    """Why no draft can be made of it; "" when one can."""
    if found.checked.faults:
        return "名单里还有问题，改好后重新上传"
    if said := _too_large(found.checked.entries):
        return said
    compared = branch_list.compare(branch_list.live(unit, code), found.checked.entries)
    if compared.is_same:
        return "名单与线上完全相同，没有要提交的改动"
    if _takes_many(compared) and "sure" not in request.form:
        return "这份名单会撤下很多网点，请先勾选确认"
    return ""


def _too_large(entries: branch_list.Entries) -> str:
    size = section.size_of(entries)
    if size <= section.MOST_BYTES:
        return ""
    most = f"{section.MOST_BYTES / 1e6:g} MB"
    return f"名单太大（{size / 1e6:.1f} MB），一份最多 {most}。{section.TOO_LARGE_WAY_OUT}"


def _takes_many(compared: branch_list.Comparison) -> bool:
    return len(compared.gone) > max(_MANY_GONE * compared.live, 1)


def _told(found: branch_list.Comparison) -> Iterator[Sequence[str]]:
    for one in found:
        if one.before is None:
            yield "新增", one.id, one.name, "整个网点", "", branch_list.in_one_line(one.after)
        elif one.after is None:
            yield "撤下", one.id, one.name, "整个网点", branch_list.in_one_line(one.before), ""
        else:
            for field, before, after in branch_list.told(one):
                yield "修改", one.id, one.name, field, before, after


def _upload(unit: Unit, code: str, token: str) -> Upload:
    """The caller's own upload; foreign and absent look alike."""
    me = guard.me()
    door(unit, me, code, "edit")
    return uploads.find(unit, token, branch=code, staff_id=me.id) or abort(404)


def _datum() -> Datum:
    told = request.form.get("datum", "")
    return next((datum for datum in DATUMS if datum.value == told), Datum.GCJ02)


def _note(unit: Unit, code: str, act: str, **what: object) -> None:
    audit.note(
        unit, actor=guard.me(), act=act, subject=f"outlets:{code}", branch=code, after=what
    )  # fmt: skip


def _today() -> str:
    return f"{clock.shanghai(clock.now()):%Y%m%d}"


def _file(name: str, lines: Iterable[str]) -> Response:
    return _attached(name, "".join(lines).encode(), _CSV)


def _book(name: str, rows: Iterable[Sequence[str]]) -> Response:
    return _attached(name, workbooks.as_xlsx("网点名单", _TITLES, rows), _XLSX)


def _attached(name: str, raw: bytes, media_type: str) -> Response:
    answer = Response(raw, mimetype=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
