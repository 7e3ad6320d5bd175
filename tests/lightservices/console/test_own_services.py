"""A branch's own light services: written, looked at, approved, found by followers, taken down."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightservices import catalogue
from lightservices.catalogue import own, own_section
from lightservices.console import own_form
from service.approvals import queries as versions
from tests.lightservices.console.conftest import BELOW, HERE, Bank, words

PATH = f"/console/branches/{HERE}/services"
KEY = "b440000-metro-card"
EVIL = "<script>alert(1)</script>"
FORM: dict[str, Any] = {
    "title": "地铁卡充值", "kind": "guide", "scenario": "线上办理",
    "summary": "用手机给地铁卡充值，不用去车站排队，充完贴卡即可",
    "words": "地铁卡\n羊城通\n公交卡充值\n坐地铁\n交通卡",
    "asks": "地铁卡怎么充值\n羊城通没钱了怎么办\n手机能给公交卡充值吗",
    "steps__title": ["打开手机银行", "贴卡"], "steps__text": ["首页搜索地铁卡", ""],
    "channels__name": ["附近网点"], "channels__how": ["问大堂经理"], "channels__via": ["outlet"],
}  # fmt: skip
ASKING = {
    "kind": "form", "category": "建议", "done": "已收到，我们会联系您",
    "fields__label": ["哪一站", "线路"], "fields__type": ["text", "choice"],
    "fields__required": ["1", ""], "fields__choices": ["", "一号线、二号线"],
    "fields__most": ["40", ""],
}  # fmt: skip


def begun(bank: Bank, **more: str) -> str:
    answer = bank.desk("maker").post(f"{PATH}/new", suffix="metro-card", title="地铁卡", **more)
    assert answer.status_code == 303
    return str(answer.location)


def written(bank: Bank, **change: Any) -> None:
    begun(bank)
    answer = bank.desk("maker").post(f"{PATH}/{KEY}", **{**FORM, **change})
    assert answer.status_code == 303


def faults(bank: Bank, **change: Any) -> list[dict[str, str]]:
    found = bank.desk("maker").post(f"{PATH}/{KEY}/check", **{**FORM, **change}).get_json()
    assert isinstance(found, list)
    return found


def test_from_the_form_to_the_followers_page(bank: Bank) -> None:
    where = begun(bank)
    desk = bank.desk("maker")
    assert "处要改" in words(desk.get(where))
    answer = desk.post(f"{PATH}/{KEY}", **FORM, propose="1")
    assert answer.location.startswith("/console/changes/")
    assert bank.app.test_client().get(f"/s/{KEY}").status_code == 404
    change = words(desk.get(answer.location))
    assert "步骤 ＋ 新增 （没有） 1. 标题：打开手机银行；说明：首页搜索地铁卡 2. 标题" in change
    bank.approved("services", KEY)
    bank.wiring.shelf.clear()
    with bank.wiring.reading() as unit:
        assert KEY in catalogue.offered(unit, [BELOW, HERE, "HQ"])
        assert KEY not in catalogue.offered(unit, ["B310000", "HQ"])
    assert "已上线" in words(desk.get(PATH))


def test_a_form_becomes_questions_with_names_that_stay(bank: Bank) -> None:
    written(bank, **ASKING)
    bank.approved("services", KEY)
    with bank.wiring.reading() as unit:
        content = own.of(unit, HERE)[KEY]
    assert [(one["name"], one["label"]) for one in content["form"]["fields"]] == [
        ("q1", "哪一站"), ("q2", "线路"),
    ]  # fmt: skip
    moved = {
        **ASKING, "fields__name": ["q2", "q1"], "fields__label": ["线路", "哪一站"],
        "fields__type": ["choice", "text"], "fields__choices": ["一号线、二号线", ""],
        "fields__most": ["", "40"],
    }  # fmt: skip
    bank.desk("maker").post(f"{PATH}/{KEY}", **{**FORM, **moved})
    with bank.wiring.reading() as unit:
        [draft] = versions.open_of(unit, "services", branch=HERE, key=KEY)
    fields = draft.content["service"]["service"]["form"]["fields"]
    assert [one["name"] for one in fields] == ["q2", "q1"]


@pytest.mark.parametrize(
    ("change", "called"),
    [
        ({"title": ""}, "名称"), ({"title": "长" * 13}, "名称"), ({"scenario": "没有"}, "场景"),
        ({"summary": ""}, "简介"), ({"words": "一个"}, "搜索词"), ({"asks": ""}, "常见问法"),
        ({"steps__title": [""], "steps__text": [""]}, "步骤"), ({"kind": "form"}, "表单的工单类别"),
        ({"steps__title": ["长" * 25]}, "步骤 1 的标题"), ({"fee": "【多少】"}, "费用"),
        ({"channels__via": ["web"], "channels__link": ["javascript:x"]}, "办理渠道 1 的网址"),
        ({**ASKING, "category": "没有"}, "表单的工单类别"),
        ({**ASKING, "fields__choices": ["", ""]}, "题目 2 的选项"),
        ({**ASKING, "fields__most": ["很多", ""]}, "题目 1 的字数"),
        ({"title": "查网点"}, ""), ({"asks": "地铁卡怎么充值\n" * 3}, "常见问法"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_while_typing_in_peoples_words(
    bank: Bank, change: dict[str, Any], called: str
) -> None:
    begun(bank)
    assert faults(bank) == []
    found = faults(bank, **change)
    if called:
        assert called in {one["called"] for one in found}, found
    for one in found:
        assert one["way_out"]
        assert not any(word in one["says"] + one["way_out"] for word in ("yaml", "kind:", "via"))


@pytest.mark.parametrize("kind", ["guide", "form"])
def test_a_new_service_has_as_many_faults_wherever_they_are_counted(bank: Bank, kind: str) -> None:
    where, desk = begun(bank, kind=kind), bank.desk("maker")
    checked = desk.post(f"{where}/check", kind=kind, title="地铁卡").get_json()
    called = {one["called"] for one in checked}
    assert {"简介", "场景", "搜索词", "常见问法"} < called
    assert ("步骤" in called) == (kind == "guide")
    with bank.wiring.reading() as unit:
        [draft] = versions.open_of(unit, "services", branch=HERE, key=KEY)
    assert f"还有 {len(checked)} 处要改" in words(desk.get(where))
    assert f"有 {len(checked)} 处不符合要求" in words(desk.get(f"/console/changes/{draft.id}"))
    desk.post(where, kind=kind, title="地铁卡", version=str(draft.id), seen=draft.hash)
    assert f"还有 {len(checked)} 处要改" in words(desk.get(where))


def test_steps_with_a_fault_of_their_own_are_not_said_to_be_missing(bank: Bank) -> None:
    begun(bank)
    found = faults(bank, summary="", steps__title=["长" * 25], steps__text=[""])
    assert [one["called"] for one in found] == ["步骤 1 的标题", "简介"]


def test_faulty_content_is_kept_and_not_proposed(bank: Bank) -> None:
    begun(bank)
    desk = bank.desk("maker")
    answer = desk.post(f"{PATH}/{KEY}", **{**FORM, "summary": ""}, propose="1")
    assert answer.location == f"{PATH}/{KEY}"
    assert "还有 1 处要改" in words(desk.get(answer.location))


def test_the_preview_is_the_followers_page_saved_or_typed(bank: Bank) -> None:
    written(bank)
    desk = bank.desk("maker")
    assert "打开手机银行" in desk.get(f"{PATH}/{KEY}/preview").text
    typed = desk.post(f"{PATH}/{KEY}/preview", **{**FORM, "title": "还没保存"})
    assert "还没保存" in typed.text
    assert "还没保存" not in desk.get(f"{PATH}/{KEY}/preview").text
    asking = desk.post(f"{PATH}/{KEY}/preview", **{**FORM, **ASKING})
    assert "哪一站" in asking.text
    unready = desk.post(f"{PATH}/{KEY}/preview", title="")
    assert "还不能预览" in unready.text
    assert "frame-ancestors 'self'" in typed.headers["Content-Security-Policy"]


def test_taking_down_is_decided_by_two_as_well(bank: Bank) -> None:
    written(bank)
    assert bank.desk("maker").post(f"{PATH}/{KEY}/remove").status_code == 404
    bank.approved("services", KEY)
    answer = bank.desk("maker").post(f"{PATH}/{KEY}/remove")
    assert answer.location.startswith("/console/changes/")
    change = words(bank.desk("checker").get(answer.location))
    assert "－ 删除 编号：b440000-metro-card 名称：地铁卡充值" in change
    with bank.wiring.reading() as unit:
        assert KEY in own.of(unit, HERE)
    bank.approved("services", KEY)
    with bank.wiring.reading() as unit:
        assert KEY not in own.of(unit, HERE)
    assert bank.desk("maker").get(f"{PATH}/{KEY}").status_code == 404


@pytest.mark.parametrize("suffix", ["", "Metro", "地铁", "a" * 26, "-a", "a/b", "a b"])
def test_a_key_that_is_no_address_is_refused(bank: Bank, suffix: str) -> None:
    answer = bank.desk("maker").post(f"{PATH}/new", suffix=suffix, title="地铁卡")
    assert (answer.status_code, "编号只能用" in answer.text) == (422, True)


def test_a_key_is_given_once(bank: Bank) -> None:
    begun(bank)
    answer = bank.desk("maker").post(f"{PATH}/new", suffix="metro-card", title="别的")
    assert (answer.status_code, "请换一个编号" in answer.text) == (422, True)


def test_two_windows_do_not_overwrite_each_other(bank: Bank) -> None:
    begun(bank)
    with bank.wiring.reading() as unit:
        [draft] = versions.open_of(unit, "services", branch=HERE, key=KEY)
    seen = {"version": draft.id, "seen": draft.hash}
    desk = bank.desk("maker")
    assert desk.post(f"{PATH}/{KEY}", **FORM, **seen).status_code == 303
    late = desk.post(f"{PATH}/{KEY}", **{**FORM, "title": "另一个窗口"}, **seen)
    assert (late.status_code, "又被改动了" in late.text) == (409, True)
    assert "另一个窗口" in late.text


def test_who_may_do_what(bank: Bank) -> None:
    written(bank)
    for path in (PATH, f"{PATH}/{KEY}", f"{PATH}/{KEY}/preview"):
        assert bank.desk("reader").get(path).status_code == 200
        assert bank.desk("outsider").get(path).status_code == 404
    assert bank.desk("maker").get(f"{PATH}/b440000-nothing").status_code == 404
    elsewhere = f"/console/branches/{BELOW}/services/{KEY}"
    assert bank.desk("maker").get(elsewhere).status_code == 404
    for verb in ("", "/check", "/remove"):
        assert bank.desk("reader").post(f"{PATH}/{KEY}{verb}").status_code == 403
        assert bank.desk("outsider").post(f"{PATH}/{KEY}{verb}").status_code == 404
    assert bank.desk("reader").post(f"{PATH}/new", suffix="x").status_code == 403


def test_what_is_typed_is_never_markup(bank: Bank) -> None:
    begun(bank)
    evil = {
        name: [EVIL] * len(value) if isinstance(value, list) else EVIL
        for name, value in {**FORM, **ASKING}.items()
    } | {"kind": "form"}
    desk = bank.desk("maker")
    desk.post(f"{PATH}/{KEY}", **evil)
    for page in (desk.get(f"{PATH}/{KEY}"), desk.get(PATH), desk.get(f"{PATH}/{KEY}/preview")):
        assert EVIL not in page.text
        assert EVIL in unescape(page.text) or "alert" not in page.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*own_section.PARTS, "fields", "name", "label", "via"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_content_of_any_shape_is_told_of_and_never_an_error(bank: Bank, content: Any) -> None:
    with bank.wiring.reading() as unit:
        for one in (content, {"service": content}):
            assert own_section.faults_of(unit, HERE, KEY, one)
            own_section.differences(unit, None, one)
            own_section.differences(unit, one, {"service": None})
    if isinstance(content, dict):
        own_form.shown(content)


ELSEWHERE = {
    "icon": "train", "related": ["lost-card", "", "lost-card", "outlets"],
    "legal__source": ["《城市公共交通条例》第九条"], "legal__text": ["运营单位应当明示票价"],
    "variants__branches": [BELOW, ""], "variants__kept": ["", ""],
    "variants__fee": ["充值满 50 元免费", ""], "variants__notes": ["只限汕头通\n旧卡要先换", ""],
}  # fmt: skip


def test_icon_basis_related_services_and_what_differs_below_are_written_in_the_form(
    bank: Bank,
) -> None:
    written(bank, **ELSEWHERE)
    assert faults(bank, **ELSEWHERE) == []
    desk = bank.desk("maker")
    page = desk.get(f"{PATH}/{KEY}").text
    assert 'value="train" checked' in page
    assert '<option value="lost-card" selected>' in page
    assert f'<option value="{BELOW}" selected>汕头分行' in page
    change = desk.post(f"{PATH}/{KEY}", **{**FORM, **ELSEWHERE}, propose="1").location
    told = words(desk.get(change))
    assert "图标 ＋ 新增 （没有） 火车" in told
    assert "机构：汕头分行；费用：充值满 50 元免费" in told.replace("\n", "")
    bank.approved("services", KEY)
    bank.wiring.shelf.clear()
    with bank.wiring.reading() as unit:
        assert own.of(unit, HERE)[KEY]["related"] == ["lost-card", "outlets"]
        below = catalogue.offered(unit, [BELOW, HERE, "HQ"])[KEY]
        here = catalogue.offered(unit, [HERE, "HQ"])[KEY]
    assert (below.fee, here.fee) == ("充值满 50 元免费", "")
    assert below.notes == ("只限汕头通", "旧卡要先换")
    assert (below.icon, below.legal[0].source) == ("train", "《城市公共交通条例》第九条")


_THERE = "各地不同的内容 1 的机构"


@pytest.mark.parametrize(
    ("change", "called", "says"),
    [
        ({"variants__branches": ["B310000"], "variants__fee": ["x"]}, _THERE, "下级机构"),
        ({"variants__branches": [HERE], "variants__fee": ["x"]}, _THERE, "下级机构"),
        ({"variants__branches": [BELOW]}, _THERE, "步骤、要准备的材料"),
        ({"variants__branches": [""], "variants__fee": ["x"]}, _THERE, "项"),
        ({"legal__source": ["没有说什么"]}, "依据 1 的说明", ""),
        ({"related": ["nothing"]}, "相关服务 1", "没有"),
        ({"icon": "rocket"}, "图标", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_them_is_told_in_peoples_words(
    bank: Bank, change: dict[str, Any], called: str, says: str
) -> None:
    begun(bank)
    found = faults(bank, **change)
    assert any(one["called"] == called and says in one["says"] for one in found), found
    assert not any("variants" in one["says"] + one["called"] for one in found)


def test_steps_that_differ_below_outlive_the_form_that_has_no_field_for_them(bank: Bank) -> None:
    before = {"variants": [{"branches": [BELOW, "B440600"], "steps": [{"title": "换卡"}]}]}
    typed = own_form.Typed(
        [
            ("variants.branches", f"{BELOW} B440600"),
            ("variants.kept", "0"),
            ("variants.fee", "免费"),
        ]
    )
    [one] = own_form.content(typed, before, key=KEY)["variants"]
    assert one == {
        "branches": [BELOW, "B440600"], "steps": [{"title": "换卡"}], "fee": "免费",
    }  # fmt: skip


def test_without_a_script_several_rows_wait_to_be_filled_in(bank: Bank) -> None:
    page = bank.desk("maker").get(begun(bank)).text
    for field in ("steps.title", "channels.name", "fields.label", "legal.source"):
        found = page.split("<noscript>")
        assert any(part.split("</noscript>")[0].count(f'name="{field}"') == 3 for part in found)
