"""A branch's list of outlets: uploaded, looked at, approved, live; and all that keeps it out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import openpyxl
import pytest
from sqlalchemy import select

from lightservices import workbooks
from lightservices.outlets import branch_list, nearest, section, uploads
from lightservices.outlets.uploads import UploadRow
from regions.coordinates import Datum, to_gcj02
from service import clock
from service.approvals import operations as changes
from service.approvals import queries as versions
from service.audit.models import AuditEntry
from service.db import table_of
from tests.lightservices.console.conftest import BELOW, HERE, Bank, row, sheet, words

PATH = f"/console/branches/{HERE}/outlets"


def exported(bank: Bank, suffix: str = "csv") -> bytes:
    answer = bank.desk("maker").post(f"{PATH}/export", format=suffix)
    assert answer.status_code == 200
    return answer.data


def rows_of(bank: Bank) -> list[dict[str, str]]:
    lines = csv.reader(io.StringIO(exported(bank).decode("utf-8-sig")))
    next(lines)
    return [dict(zip(branch_list.COLUMNS, line, strict=True)) for line in lines]


def faults(bank: Bank, *rows: Mapping[str, str], **form: str) -> list[tuple[str, str, str]]:
    """Row, column and what is said of each fault, from the file one takes away."""
    desk = bank.desk("maker")
    page = desk.upload(sheet(list(rows)), **form)
    text = desk.get(f"{page.request.path}/faults.csv").data.decode("utf-8-sig")
    _header, *found = csv.reader(io.StringIO(text))
    assert all(way_out for *_rest, way_out in found)
    return [(line[0], line[1], line[2]) for line in found]


def drafted(bank: Bank, raw: bytes, **form: str) -> str:
    """Where the draft of this file leads."""
    desk = bank.desk("maker")
    page = desk.upload(raw)
    answer = desk.post(f"{page.request.path}/draft", **form)
    assert answer.status_code == 303, words(answer)
    return answer.location


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_is_exported_and_uploaded_changes_nothing(bank: Bank, suffix: str) -> None:
    page = bank.desk("maker").upload(exported(bank, suffix))
    assert "名单与线上完全相同" in words(page)
    assert "存为草稿" not in page.text


def test_from_the_file_to_the_page_of_followers(bank: Bank) -> None:
    rows = rows_of(bank)
    assert [one["id"] for one in rows] == ["GZ001", "GZ002", "ST001"]
    rows[0]["hours"] = "周一至周五 08:30-17:00"
    raw = sheet([rows[0], rows[2], row("GZ003", phone="020-12345678")])
    page = bank.desk("maker").upload(raw)
    assert "新增 1 修改 1 撤下 1 不变 1" in words(page)
    assert "营业时间 周一至周五 09:00-17:00 周一至周五 08:30-17:00" in words(page)
    assert set(bank.live()) == {"GZ001", "GZ002", "ST001"}
    where = drafted(bank, raw)
    assert "共 3 个：新增 1，修改 1，撤下 1，不变 1" in words(bank.desk("checker").get(where))
    bank.approved("outlets", "")
    assert set(bank.live()) == {"GZ001", "GZ003", "ST001"}
    assert set(bank.live("B310000")) == {"SH001"}
    with bank.wiring.unit() as unit:
        bank.wiring.shelf.clear()
        found = nearest.outlet(unit, "GZ001")
        assert found is not None
        assert found.hours == "周一至周五 08:30-17:00"
        assert nearest.outlet(unit, "GZ002") is None


def test_rolling_back_brings_the_old_list_again(bank: Bank) -> None:
    before = bank.live()
    drafted(bank, sheet([row("GZ003")]), sure="1")
    live = bank.approved("outlets", "")
    assert set(bank.live()) == {"GZ003"}
    with bank.wiring.unit() as unit:
        changes.roll_back(
            unit, live.id, to=0, why="传错了", seen_live=live.number, by=bank.people["checker"]
        )
    assert bank.live() == before


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"id": ""}, "网点编号"), ({"id": "广州1"}, "网点编号"), ({"id": "SYN-1"}, "网点编号"),
        ({"id": "SH001"}, "网点编号"), ({"name": ""}, "网点名称"),
        ({"name": "名" * 81}, "网点名称"),
        ({"address": ""}, "地址"), ({"address": "广东省深圳市福田区某某路"}, "地址"),
        ({"address": "上海市某某路"}, "地址"), ({"city": "深圳市"}, "城市"),
        ({"city": "440300"}, "城市"), ({"phone": "打电话"}, "电话"), ({"lng": "abc"}, "经度"),
        ({"lng": "23.1250", "lat": "113.3610"}, "经度"), ({"lat": ""}, "纬度"),
        ({"lng": "nan"}, "经度"), ({"lng": "121.4737", "lat": "31.2304"}, "分行"),
        ({"datum": "北京54"}, "坐标系"), ({"hours": "全年无休"}, "营业时间"),
        ({"branch": "B999999"}, "分行"), ({"branch": "B310000"}, "分行"),
        ({"branch": BELOW}, "分行"), ({"lng": "135.5", "lat": "20.0"}, "经度"),
    ],
)  # fmt: skip
def test_every_faulty_cell_is_named_by_row_and_column(
    bank: Bank, change: dict[str, str], column: str
) -> None:
    found = faults(bank, row("GZ001"), {**row("GZ009"), **change})
    assert {(number, name) for number, name, _says in found} >= {("3", column)}
    assert {number for number, _name, _says in found} == {"3"}


def test_a_row_of_another_branch_says_whose_it_is(bank: Bank) -> None:
    [(_row, _column, says)] = faults(bank, row("GZ009", lng="121.4737", lat="31.2304"))
    assert says == "这个网点归上海市分行，不在广东省分行的管辖范围"


@pytest.mark.parametrize("city", ["广州市", "广州", "天河区", "440100", "广东省广州市"])
def test_a_city_is_known_by_all_its_names(bank: Bank, city: str) -> None:
    assert faults(bank, row("GZ001", city=city)) == []


def test_the_same_number_twice_is_a_fault(bank: Bank) -> None:
    assert faults(bank, row("GZ001"), row("GZ001")) == [("3", "网点编号", "与第 2 行的编号相同")]


def test_the_same_number_twice_is_told_in_the_round_of_the_other_faults(bank: Bank) -> None:
    found = faults(bank, row("GZ001", hours="周一 25:00-17:00"), row("GZ001", lat="95"))
    assert {(number, column) for number, column, _says in found} == {
        ("2", "营业时间"), ("3", "纬度"), ("3", "网点编号"),
    }  # fmt: skip


def test_the_datum_of_the_form_holds_where_the_file_says_nothing(bank: Bank) -> None:
    told = {**row("GZ001"), "datum": ""}
    wgs = to_gcj02(23.1250, 113.3610, Datum.WGS84)
    with bank.wiring.reading() as unit:
        page = bank.desk("maker").upload(sheet([told]), datum="wgs84")
        token = page.request.path.rpartition("/")[2]
        found = uploads.find(unit, token, branch=HERE, staff_id=bank.people["maker"].id)
    assert found is not None
    entry = found.checked.entries["GZ001"]
    assert (float(entry["lat"]), float(entry["lng"])) == wgs


@pytest.mark.parametrize("told", ["GCJ02", "高德", "gcj-02 坐标系", "火星坐标"])
def test_a_datum_is_known_by_its_usual_names(bank: Bank, told: str) -> None:
    assert faults(bank, row("GZ001", datum=told), datum="bd09") == []


def test_a_formula_in_a_workbook_is_a_fault_of_its_cell(bank: Bank) -> None:
    book = openpyxl.Workbook()
    book.active.append([branch_list.COLUMNS[name] for name in row("GZ001")])
    book.active.append([*list(row("GZ001").values())[:3], "=113+0.36", "23.125", ""])
    raw = io.BytesIO()
    book.save(raw)
    page = words(bank.desk("maker").upload(raw.getvalue()))
    assert "2 经度 单元格里是公式 复制这一列，再“选择性粘贴”为数值" in page


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("编号,名称\nA,B\n".encode(), "缺少这些列：地址、经度、纬度"),
        ("编号,网点编号,名称\n".encode(), "几列说的是同一件事"),
        (sheet([row("示例（删去）")]), "没有数据"), (b"", "文件是空的"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused_on_the_page(bank: Bank, raw: bytes, says: str) -> None:
    answer = bank.desk("maker").upload(raw)
    assert (answer.status_code, says in answer.text) == (422, True)


def test_only_this_form_may_be_large_and_only_so_large(bank: Bank) -> None:
    desk = bank.desk("maker")
    assert "大于 5 MB" in desk.upload(b"a" * (workbooks.MOST_BYTES + 1)).text
    assert desk.upload(b"a" * (workbooks.MOST_BYTES + 70_000)).status_code == 413
    assert desk.post(f"{PATH}/export", format="x" * 70_000).status_code == 413


def test_columns_nobody_needs_and_examples_are_told_of(bank: Bank) -> None:
    rows = [row("示例", 备注="x"), row("GZ001", 备注="y")]
    page = words(bank.desk("maker").upload(sheet(rows, columns=[*row("x"), "备注"])))
    assert "跳过了 1 行示例" in page
    assert "这些列没有用到：备注" in page


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_template_is_a_list_with_nothing_in_it(bank: Bank, suffix: str) -> None:
    desk = bank.desk("maker")
    template = desk.get(f"{PATH}/template.{suffix}").data
    assert list(workbooks.read(template).header) == list(branch_list.COLUMNS.values())
    assert "除了表头和示例行，没有数据" in words(desk.upload(template))
    assert desk.get(f"{PATH}/template.exe").status_code == 404


def test_taking_many_away_must_be_confirmed(bank: Bank) -> None:
    desk = bank.desk("maker")
    page = desk.upload(sheet([row("GZ001")]))
    assert "会撤下 2 个网点（现有 3 个）" in words(page)
    answer = desk.post(f"{page.request.path}/draft")
    assert (answer.status_code, "请先勾选确认" in answer.text) == (422, True)
    assert desk.post(f"{page.request.path}/draft", sure="1").status_code == 303


def test_faults_and_no_change_make_no_draft(bank: Bank) -> None:
    desk = bank.desk("maker")
    for raw in (sheet([row("GZ001", hours="全年无休")]), exported(bank)):
        page = desk.upload(raw)
        assert desk.post(f"{page.request.path}/draft", sure="1").status_code == 422


def test_a_list_too_large_for_one_document_says_what_to_do(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(section, "MOST_BYTES", 300)
    desk = bank.desk("maker")
    page = desk.upload(sheet([row("GZ001"), row("GZ002"), row("GZ003")]))
    assert "请由下级机构分别导入自己的网点" in page.text
    assert desk.post(f"{page.request.path}/draft", sure="1").status_code == 422
    with bank.wiring.reading() as unit:
        [fault] = section.faults(unit, HERE, "", {"outlets": bank.live()})
    assert "名单太大" in fault.rule


def test_a_script_is_told_how_far_it_is(bank: Bank) -> None:
    desk, accept = bank.desk("maker"), "application/x-ndjson"
    rows = [row(f"GZ{number:04d}") for number in range(1200)]
    answer = desk.upload(sheet(rows), accept=accept)
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [(one["done"], one["total"]) for one in told[:-1]] == [
        (0, 1200), (500, 1200), (1000, 1200),
    ]  # fmt: skip
    assert "新增 1,200" in words(desk.get(told[-1]["goto"]))
    assert "文件是空的" in json.loads(desk.upload(b"", accept=accept).text)["problem"]


def test_an_upload_is_its_owners_alone_and_gone_after_a_day(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = bank.desk("maker").upload(exported(bank)).request.path
    assert bank.desk("head").get(where).status_code == 404
    assert bank.desk("checker").get(where).status_code == 403
    assert bank.desk("outsider").get(where).status_code == 404
    assert bank.desk("maker").get(where.replace(HERE, BELOW)).status_code == 404
    for _ in range(7):
        bank.desk("maker").upload(exported(bank))
    with bank.wiring.unit() as unit:
        assert len(unit.db.execute(select(table_of(UploadRow).c.token)).all()) == 5
        later = clock.now() + uploads.KEPT * 1.1
        monkeypatch.setattr(clock, "now", lambda: later)
        uploads.forget_old(unit)
        assert not unit.db.execute(select(table_of(UploadRow).c.token)).all()


def test_who_may_do_what(bank: Bank) -> None:
    raw = exported(bank)
    assert bank.desk("reader").get(PATH).status_code == 200
    assert bank.desk("reader").post(f"{PATH}/export").status_code == 403
    assert bank.desk("reader").upload(raw).status_code == 403
    assert bank.desk("checker").post(f"{PATH}/export").status_code == 200
    for verb in ("", "/template.csv"):
        assert bank.desk("outsider").get(f"{PATH}{verb}").status_code == 404
    assert bank.desk("outsider").post(f"{PATH}/export").status_code == 404
    assert bank.desk("outsider").upload(raw).status_code == 404


def test_taking_a_list_away_is_in_the_audit(bank: Bank) -> None:
    exported(bank)
    table = table_of(AuditEntry)
    with bank.wiring.reading() as unit:
        last = unit.db.execute(select(table.c.act, table.c.actor, table.c.branch).order_by(
            table.c.seq.desc()).limit(1)).one()  # fmt: skip
    assert (last.act, last.branch) == ("outlets.export", HERE)


def test_all_changes_of_a_version_come_as_a_file(bank: Bank) -> None:
    number = drafted(bank, sheet([row("GZ001"), row("GZ009")]), sure="1").rpartition("/")[2]
    text = bank.desk("checker").post(f"{PATH}/versions/{number}.csv").data.decode("utf-8-sig")
    told = [line[:2] for line in csv.reader(io.StringIO(text))][1:]
    assert told.count(["撤下", "GZ002"]) == 1
    assert ["新增", "GZ009"] in told
    assert ["修改", "GZ001"] in told
    elsewhere = f"/console/branches/{BELOW}/outlets/versions/{number}.csv"
    assert bank.desk("checker").post(elsewhere).status_code == 404


def test_a_long_list_of_changes_is_cut_and_says_so(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(section, "MOST_TOLD", 2)
    with bank.wiring.reading() as unit:
        found = section.differences(unit, {"outlets": bank.live()}, {"outlets": {}})
    assert [one.where for one in found] == [
        "合计", "GZ001 GZ001 支行", "GZ002 GZ002 支行", "其余改动",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"branch": "B310000"}, "管辖范围"), ({"division": "310101"}, "对不上"),
        ({"hours": "随时"}, "营业时间"), ({"lat": "x"}, "纬度"), ({"name": ""}, "网点名称"),
        ({"services": ["a、b"]}, "写法"), ({"script": "x"}, "写法"), ({"lat": 23.1}, "写法"),
    ],
)  # fmt: skip
def test_content_that_came_by_another_way_keeps_the_same_rules(
    bank: Bank, change: dict[str, object], rule: str
) -> None:
    live = bank.live()
    content = {"outlets": {**live, "GZ001": {**live["GZ001"], **change}}}
    with bank.wiring.reading() as unit:
        assert section.faults(unit, HERE, "", {"outlets": live}) == []
        [*found] = section.faults(unit, HERE, "", content)
        assert any(rule in fault.rule for fault in found), found
        stolen = {"outlets": {**live, "SH001": live["GZ001"], "SYN-9": live["GZ001"]}}
        told = {fault.where for fault in section.faults(unit, HERE, "", stolen)}
    assert told == {"SH001", "SYN-9"}


@pytest.mark.parametrize("content", [None, [], {}, {"outlets": []}, {"outlets": {"A": 1}}, "x"])
def test_content_of_another_shape_is_a_fault_and_never_an_error(
    bank: Bank, content: object
) -> None:
    with bank.wiring.reading() as unit:
        assert section.faults(unit, HERE, "", content)
        section.differences(unit, None, content)


def test_lists_of_a_branch_and_one_below_it_under_way_at_once_are_told_of_by_both_names(
    bank: Bank,
) -> None:
    """Whichever goes live last takes all it says, and neither is a version of the other."""
    told = "广东省分行的名单包含汕头分行的网点"
    head, page = bank.desk("head"), f"/console/branches/{BELOW}/outlets"
    assert told not in words(head.get(page))
    drafted(bank, sheet([row("GZ003")]), sure="1")
    assert f"广东省分行也有一份名单（草稿）。{told}" in words(head.get(page))
    assert "也有一份名单" not in words(head.get("/console/branches/B310000/outlets"))
    with bank.wiring.unit() as unit:
        changes.open_draft(unit, section.KIND, branch=BELOW, by=bank.people["maker"])
    mine = bank.desk("maker")
    assert f"汕头分行也有一份名单（草稿）。{told}" in words(mine.get(PATH))
    assert told in words(mine.upload(sheet([row("GZ003")])))
    with bank.wiring.unit() as unit:
        [draft] = versions.open_of(unit, section.KIND, branch=HERE)
        asked = changes.propose(
            unit, draft.id, why="换季", seen=draft.hash, by=bank.people["maker"]
        )
    assert told in words(bank.desk("checker").get(f"/console/changes/{asked.id}/approve"))
