"""The zone editor without a script: what a branch's people type becomes an edition, and no more."""

from __future__ import annotations

import re
from typing import Any

import pytest

from menus import fills
from menus.items import Item
from menus.slots import Fill
from tests.menus.console.office import GUANGDONG, ZONE, Office, Person

SLOT = "local-one"
NAME = f"items__{SLOT}__0__name"


def copy(editor: Person) -> None:
    """改成本行自己的."""
    assert editor.send(ZONE, do=f"own {SLOT}").status_code == 303


def item(office: Office, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = office.draft().content["menu"][SLOT]["fill"][place]
    return found


def test_what_head_office_decides_is_shown_and_locked(editor: Person) -> None:
    page = editor.page(ZONE)
    assert "银行卡挂失" in page
    assert "沿用总行默认" in page
    assert f"items.{SLOT}.0.name" not in page


def test_looking_leaves_nothing_behind(office: Office, editor: Person) -> None:
    for tab in ("", "/page", "/promotions", "/promotions/new", "/services", "/preview", "/propose"):
        editor.page(f"{ZONE}{tab}")
    answer = editor.send(ZONE, do=f"own {SLOT}", look=True)
    assert answer.status_code == 200
    assert f"items.{SLOT}.0.name" in answer.text
    with pytest.raises(Exception, match="No row"):
        office.draft()


def test_what_is_inherited_is_copied_renamed_and_shown_on_the_phone(
    office: Office, editor: Person
) -> None:
    copy(editor)
    assert item(office) == {"name": "附近网点", "target": "/s/outlets"}
    editor.send(ZONE, **{NAME: "早茶地图"})
    assert item(office)["name"] == "早茶地图"
    assert re.search(r"phone__button--own[^>]*>\s*<a[^>]*>早茶地图", editor.page(ZONE))
    with office.wiring.reading() as unit:
        assert fills.of(unit, GUANGDONG) == {}


def test_a_slot_is_hidden_and_inherited_again(office: Office, editor: Person) -> None:
    editor.send(ZONE, do=f"hide {SLOT}")
    assert office.draft().content["menu"] == {SLOT: {"hide": True}}
    assert "本行隐藏" in editor.page(ZONE)
    editor.send(ZONE, do=f"inherit {SLOT}")
    assert office.draft().content["menu"] == {}


def test_items_are_added_moved_and_taken_away_by_buttons(office: Office, editor: Person) -> None:
    copy(editor)
    editor.send(ZONE, do=f"add items.{SLOT}")
    editor.send(ZONE, **{f"items__{SLOT}__1__name": "第二"})
    editor.send(ZONE, do=f"up items.{SLOT} 1")
    assert [item(office, place)["name"] for place in (0, 1)] == ["第二", "附近网点"]
    editor.send(ZONE, do=f"down items.{SLOT} 0")
    assert item(office)["name"] == "附近网点"
    editor.send(ZONE, do=f"remove items.{SLOT} 0")
    assert item(office)["name"] == "第二"


def test_rows_count_in_the_order_in_which_they_are_sent(office: Office, editor: Person) -> None:
    """This is how a script that moves them says so."""
    copy(editor)
    editor.send(ZONE, do=f"add items.{SLOT}")
    editor.send(ZONE, **{f"items__{SLOT}__1__name": "第二", f"items__{SLOT}": ["1", "0"]})
    assert item(office)["name"] == "第二"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"kind": "answer", "service": "outlets"}, {"target": "svc:outlets"}),
        ({"kind": "home"}, {"target": "zone:home"}),
        ({"kind": "zone", "zone": "yuehui-modu"}, {"target": "/z/yuehui-modu"}),
        ({"kind": "web", "url": "https://a.example.com/x"}, {"target": "https://a.example.com/x"}),
        (
            {"kind": "mini", "appid": "wx1", "pagepath": "p", "fallback": "https://a.example.com"},
            {"type": "miniprogram", "appid": "wx1", "pagepath": "p",
             "target": "https://a.example.com"},
        ),
        ({"kind": "other", "type": "scancode_push", "target": "scan"},
         {"type": "scancode_push", "target": "scan"}),
        ({"starts_at": "2027-01-01T09:00"},
         {"target": "/s/outlets", "starts_at": "2027-01-01T09:00:00+08:00"}),
    ],
    ids=lambda value: value.get("kind", "window") if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_button_leads_where_its_kind_says(
    office: Office, editor: Person, typed: dict[str, str], kept: dict[str, str]
) -> None:
    copy(editor)
    editor.send(ZONE, **{f"items__{SLOT}__0__{name}": value for name, value in typed.items()})
    assert item(office) == {"name": "附近网点", **kept}
    # What is shown again is sent again unchanged.
    seen = office.draft().hash
    assert editor.send(ZONE).status_code == 303
    assert office.draft().hash == seen


def test_the_counter_tells_bytes_and_what_a_phone_shows(editor: Person) -> None:
    copy(editor)
    page = editor.send(ZONE, look=True, **{NAME: "一二三四五六七八九十"}).text
    assert "<b>30</b>/60 字节" in page
    assert "手机上显示“一二三四五六七八…”" in page


def test_a_fault_stands_at_its_field_and_in_a_list_that_leads_there(editor: Person) -> None:
    copy(editor)
    editor.send(ZONE, **{NAME: ""})
    page = editor.page(ZONE)
    assert "名称是空的" in page
    link = re.search(r'<li><a href="([^"]+)#(at-[^"]+)">菜单</a>', page)
    assert link
    assert f'id="{link[2]}"' in editor.page(link[1])
    refused = editor.page(f"{ZONE}/propose")
    assert "改好后才能提交" in refused
    assert 'name="why"' not in refused


def test_two_windows_do_not_overwrite_each_other_unseen(office: Office, editor: Person) -> None:
    copy(editor)
    old = editor.fields(ZONE)
    editor.send(ZONE, **{NAME: "另一个窗口"})
    answer = editor.post(ZONE, old, **{NAME: "这个窗口"})
    assert answer.status_code == 409
    assert "在别处被保存过" in answer.text
    assert 'value="这个窗口"' in answer.text
    assert item(office)["name"] == "另一个窗口"


def test_what_went_live_meanwhile_is_merged_not_lost(office: Office, editor: Person) -> None:
    editor.send(f"{ZONE}/page", slogan="我的标语")
    other = office.person("ops.wang")
    other.send(f"{ZONE}/page", slogan="总行改的标语")
    with office.wiring.reading() as unit:
        rows = unit.db.exec_driver_sql(
            "select v.id, v.maker from approval_versions v where v.state = 'draft'"
        ).all()
    (theirs,) = [number for number, maker in rows if "ops.wang" in maker]
    action = f"/console/changes/{theirs}/propose"
    answer = other.send(f"{ZONE}/propose", action, onto=action, why="统一标语")
    assert answer.status_code == 303, re.findall(r'role="alert">([^<]*)', answer.text)
    checker, path = office.person("gd.checker"), f"/console/changes/{theirs}/approve"
    assert checker.send(path, path).status_code == 303
    office.wiring.shelf.clear()
    page = editor.page(f"{ZONE}/page")
    assert "先合并再继续" in page
    answer = editor.send(f"{ZONE}/page", slogan="我又改了")
    assert answer.status_code == 409
    assert "总行改的标语" in answer.text
    assert "我又改了" in answer.text


def test_the_whole_way_to_followers_and_back(office: Office, editor: Person) -> None:
    copy(editor)
    editor.send(ZONE, **{NAME: "早茶地图"})
    page = editor.page(f"{ZONE}/propose")
    assert "共 1 处改动" in page
    assert "菜单会变：广东省分行" in page
    assert "菜单接口约" in page
    assert office.propose(editor).status_code == 303
    assert "正在等待审批" in editor.page(ZONE)
    office.approve()
    with office.wiring.reading() as unit:
        assert fills.of(unit, GUANGDONG) == {SLOT: Fill((Item("早茶地图", "/s/outlets"),))}
    assert "与线上相同" in editor.page(ZONE)


def test_saving_what_waits_for_approval_takes_it_back(office: Office, editor: Person) -> None:
    copy(editor)
    editor.send(ZONE, **{NAME: "早茶"})
    office.propose(editor)
    assert office.draft().state == "proposed"
    editor.send(ZONE, **{NAME: "晚茶"})
    assert office.draft().state == "draft"


@pytest.mark.parametrize(
    "path", ["", "/page", "/promotions", "/promotions/new", "/services", "/preview", "/look",
             "/propose", "/look/promotion"],
)  # fmt: skip
def test_nobody_of_another_branch_sees_it(office: Office, path: str) -> None:
    assert office.person("sh.editor").get(f"{ZONE}{path}").status_code == 404
    if path in ("", "/page", "/promotions", "/services"):
        assert office.person("reader").get(f"{ZONE}{path}").status_code == 403


def test_a_branch_below_starts_with_what_it_inherits(office: Office, editor: Person) -> None:
    copy(editor)
    editor.send(ZONE, **{NAME: "早茶地图"})
    office.propose(editor)
    office.approve()
    below = editor.page("/console/branches/B441900/zone")
    assert "沿用广东省分行" in below
    assert "早茶地图" in below


def test_the_buttons_of_a_slot_say_whose_content_comes(office: Office, editor: Person) -> None:
    slot = re.compile(rf'id="slot-{SLOT}".*?</fieldset>', re.DOTALL)

    def offered(page: str) -> list[str]:
        found = slot.search(page)
        assert found
        return re.findall(r'name="do" value="(?:own|inherit|hide) [^"]+">([^<]+)<', found[0])

    assert offered(editor.page(ZONE))[0] == "改成本行自己的"
    copy(editor)
    assert offered(editor.page(ZONE))[0] == "改回沿用总行的"
    office.propose(editor)
    office.approve()
    below = "/console/branches/B441900/zone"
    editor.send(below, do=f"own {SLOT}")
    assert offered(editor.page(below))[0] == "改回沿用广东省分行的"


def test_each_goes_on_with_their_own_edition(office: Office, editor: Person) -> None:
    copy(editor)
    page = office.person("ops.wang").page(ZONE)
    assert "还有 1 份在编写或等待审批" in page
    mine = office.draft()
    page = office.person("ops.wang").page(f"{ZONE}?edition={mine.id}")
    assert f"items.{SLOT}.0.name" in page
    assert office.person("ops.wang").get(f"{ZONE}?edition=987654").status_code == 404
