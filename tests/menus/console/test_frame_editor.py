"""Head office's frame: who decides what, and what becomes of what branches filled in."""

from __future__ import annotations

import pytest

from menus import fills, frame
from menus.items import Item
from menus.slots import Fill, SlotKind
from tests.menus.console.office import GUANGDONG, Office, Person

FRAME = "/console/frame"
#: 本地特色 in the frame the program ships with.
LOCAL = "columns__2__slots__3"


@pytest.fixture
def head(office: Office) -> Person:
    return office.person("ops.wang")


def test_what_is_shown_is_sent_again_unchanged(office: Office, head: Person) -> None:
    assert head.send(FRAME).status_code == 303
    with pytest.raises(Exception, match="No row"):
        office.draft("frame")


def test_a_position_is_given_to_branches_and_goes_live(office: Office, head: Person) -> None:
    head.send(
        FRAME,
        columns__0__slots__4__kind="delegated",
        columns__0__slots__4__levels=["1"],
        columns__0__slots__4__may_override="on",
    )
    assert "交给分行" in head.page(f"{FRAME}/propose")
    office.propose(head, f"{FRAME}/propose", kind="frame")
    office.approve("frame", checker="ops.li")
    with office.wiring.reading() as unit:
        slot = frame.current(unit).slot("contact")
    assert slot is not None
    assert (slot.kind, slot.levels, slot.may_override) == (SlotKind.DELEGATED, (1,), True)


def test_columns_and_positions_are_added_moved_and_taken_away(office: Office, head: Person) -> None:
    head.send(FRAME, do="add columns.1.slots")
    slots = office.draft("frame").content["frame"]["columns"][1]["slots"]
    assert slots[-1] == {"key": "place-1", "kind": "fixed"}
    assert "没有项目" in head.page(FRAME)
    head.send(FRAME, do="up columns.1.slots 5")
    head.send(FRAME, do="add columns.1.slots.4.items")
    slots = office.draft("frame").content["frame"]["columns"][1]["slots"]
    assert slots[4] == {"key": "place-1", "kind": "fixed", "items": [{"name": ""}]}
    head.send(FRAME, do="remove columns 0")
    head.send(FRAME, do="add columns")
    columns = office.draft("frame").content["frame"]["columns"]
    assert [column["title"] for column in columns] == ["查询", "身边优惠", ""]


def test_saving_tells_whose_items_would_go(office: Office, head: Person) -> None:
    with office.wiring.unit() as unit:
        fills.put(unit, GUANGDONG, "local-one", Fill((Item("早茶地图", "/s/outlets"),)))
    office.wiring.shelf.clear()
    assert "会受影响" not in head.page(FRAME)
    head.send(FRAME, **{f"{LOCAL}__kind": "fixed", f"{LOCAL}__levels": []})
    sent = head.fields(FRAME)
    for name in ("may_override", "may_hide"):
        sent.pop(f"{LOCAL.replace('__', '.')}.{name}")
    head.post(FRAME, sent)
    said = "广东省分行在“本地特色”填写的内容将不再显示"
    assert said in head.page(FRAME)
    assert said in head.page(f"{FRAME}/propose")


def test_only_head_office_may(office: Office, head: Person) -> None:
    assert office.person("gd.editor").get(FRAME).status_code == 403
    assert office.person("reader").get(FRAME).status_code == 403
    head.send(FRAME, columns__0__title="办事")
    office.propose(head, f"{FRAME}/propose", kind="frame")
    number = office.draft("frame").id
    assert head.get(f"/console/changes/{number}/approve").status_code == 403
    assert office.person("gd.checker").get(f"/console/changes/{number}").status_code == 404
