"""Services as content: sound files are served, faulty ones named with line, rule and way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightservices import catalogue
from lightservices.catalogue import Kind, Known, ServiceClass, Via, numbered, placeholders
from lightservices.pages.kinds import known, view_of

GUIDE = """key: new-guide
title: 新指南
class: 业务办理
scenario: 生活缴费
kind: guide
summary: 一句话说清楚
words: [一, 二, 三, 四, 五]
asks: [第一问怎么办, 第二问怎么办, 第三问怎么办]
steps:
  - title: 第一步
"""
OTHER = (
    GUIDE.replace("new-guide", "other")
    .replace("新指南", "旧指南")
    .replace("一句话说清楚", "另外一回事情")
    .replace("问怎么办", "问去哪里")
    .replace("第一步", "先看清楚")
)


def write(folder: Path, text: str, name: str = "new-guide.yaml") -> catalogue.Catalogue:
    (folder / name).write_text(text, encoding="utf-8")
    return catalogue.read(folder)


def test_the_pack_is_a_bank_s_worth_and_nothing_in_it_is_faulty() -> None:
    read = catalogue.read(known=known())
    assert read.faults == ()
    assert len(read.services) >= 150
    used = {one.scenario for one in read.services.values()}
    assert used == set(read.scenarios)
    assert len(used) >= 30


def test_every_service_of_the_pack_has_a_page_and_an_icon() -> None:
    services = catalogue.services().values()
    assert not [one.key for one in services if one.icon not in catalogue.ICONS]
    assert not [one.key for one in services if view_of(one) is None]


def test_every_icon_that_a_file_may_name_is_drawn() -> None:
    folder = Path(catalogue.__file__).parents[1] / "templates" / "pages"
    drawn = (folder / "icons.html").read_text("utf-8")
    assert not [name for name in catalogue.ICONS if f'"{name}":' not in drawn]


def test_a_new_file_is_a_new_guide_with_the_icon_of_its_scenario(tmp_path: Path) -> None:
    read = write(tmp_path, GUIDE)
    service = read.services["new-guide"]
    assert read.faults == ()
    assert (service.kind, service.service_class) == (Kind.GUIDE, ServiceClass.BUSINESS)
    assert (service.path, service.icon) == ("/s/new-guide", "drop")
    assert view_of(service) is not None


@pytest.mark.parametrize(
    ("change", "line", "field", "rule"),
    [
        (("title: 新指南\n", ""), 1, "title", "缺少必填内容"),
        (("class: 业务办理", "class: 别的"), 3, "class", "只能是"),
        (("scenario: ", "scenarios: "), 4, "scenarios", "没有这个字段"),
        (("scenario: 生活缴费", "scenario: 火星旅行"), 4, "scenario", "没有登记"),
        (("  - title: 第一步", "  - text: 没有标题"), 10, "steps.0.title", "缺少必填内容"),
        (("key: new-guide", "key: other"), 1, "key", "与文件名不一致"),
        (("summary:", "icon: dragon\nsummary:"), 6, "icon", "只能是"),
        (("steps:\n  - title: 第一步\n", ""), 1, "steps", "至少要有一个步骤"),
        (("kind: guide", "kind: link\nurl: http://bank.example/"), 6, "url", "https"),
        (("kind: guide", "kind: [guide"), 6, "（整个文件）", "YAML 写法有误"),
        (("kind: guide", "kind: form"), 1, "form", "表单类"),
        (("words: [一, 二, 三, 四, 五]", "words: [一, 二]"), 7, "words", "应有 5 至 20 项"),
        (("五]", "四]"), 7, "words", "“四”写了两遍"),
        (("第一步", "找【经理】"), 10, "steps.0.title", "方头括号"),
        (("第一步", "交【请填写：金额】"), 10, "steps.0.title", "方头括号"),
        (("steps:", "related: [nobody]\nsteps:"), 9, "related.0", "没有 nobody 这项服务"),
        (("steps:", "related: [new-guide]\nsteps:"), 9, "related", "自己"),
        (("steps:", "variants: [{branches: [B310000]}]\nsteps:"), 9, "variants.0.branches", "至少"),
        (("steps:", "channels: [{name: 物业, how: 打, via: phone}]\nsteps:"), 9,
         "channels.0.name", "号码"),
        (("steps:", "channels: [{name: 别家, how: 打开, via: app}]\nsteps:"), 9,
         "channels.0.name", "手机银行"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_field_and_rule(
    tmp_path: Path, change: tuple[str, str], line: int, field: str, rule: str
) -> None:
    read = write(tmp_path, GUIDE.replace(*change))
    named = {(one.file, one.line, one.field) for one in read.faults if rule in one.rule}
    assert named == {("new-guide.yaml", line, field)}
    assert all(fault.way_out for fault in read.faults)


def test_the_keys_of_branches_are_left_to_them(tmp_path: Path) -> None:
    read = write(tmp_path, GUIDE.replace("new-guide", "b310000-x"), "b310000-x.yaml")
    assert [(one.field, one.rule) for one in read.faults] == [
        ("key", "这样的编号留给分行自建的服务")
    ]


def test_a_faulty_file_does_not_take_the_others_away(tmp_path: Path) -> None:
    write(tmp_path, "不是字段", "broken.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\xff")
    read = write(tmp_path, GUIDE)
    assert list(read.services) == ["new-guide"]
    assert [fault.file for fault in read.faults] == ["broken.yaml", "latin.yaml"]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (("旧指南", "新指南"), "title", "标题“新指南”与 new-guide.yaml 的相同"),
        (("第二问去哪里", "第一问怎么办？"), "asks.1", "问法“第一问怎么办？”"),
        (("另外一回事情", "一句话说清楚。"), "summary", "简介与 new-guide.yaml 的几乎一样"),
    ],
)
def test_two_services_may_not_say_the_same(
    tmp_path: Path, change: tuple[str, str], field: str, rule: str
) -> None:
    write(tmp_path, GUIDE)
    alike = write(tmp_path, OTHER.replace(*change), "other.yaml")
    assert [(one.file, one.field) for one in alike.faults] == [("other.yaml", field)]
    assert rule in alike.faults[0].rule
    assert write(tmp_path, OTHER, "other.yaml").faults == ()


def test_what_only_the_program_knows_is_checked_against_it(tmp_path: Path) -> None:
    query = GUIDE.replace("kind: guide", "kind: query\nprovider: oracle")
    (tmp_path / "new-guide.yaml").write_text(query, encoding="utf-8")
    assert catalogue.read(tmp_path).faults == ()
    assert catalogue.read(tmp_path, known=Known(providers=("oracle",))).faults == ()
    refused = catalogue.read(tmp_path, known=Known(providers=("fees",))).faults
    assert [(one.field, one.way_out) for one in refused] == [("provider", "可以选 fees")]


def test_gaps_are_counted_and_do_not_count_against_the_length(tmp_path: Path) -> None:
    gap = "【请填写：收费标准；来源：本行服务价格目录第一章第二节】"
    read = write(tmp_path, GUIDE.replace("第一步", gap) + f"fee: {gap}\n")
    assert read.faults == ()
    assert read.placeholders == 2
    assert placeholders.signs(gap) == 4


def test_a_nearer_branch_words_a_service_for_its_followers(tmp_path: Path) -> None:
    variants = """variants:
  - {branches: [B440100], fee: 广州的}
  - {branches: [B440000], fee: 广东的, time: 广东的}
"""
    service = write(tmp_path, GUIDE + "fee: 通用的\n" + variants).services["new-guide"]
    assert service.read_by(("B310000", "HQ")).fee == "通用的"
    canton = service.read_by(("B440100", "B440000", "HQ"))
    assert (canton.fee, canton.time) == ("广州的", "广东的")


def test_a_service_may_be_offered_by_some_branches_only() -> None:
    local = catalogue.Availability(("B310000",))
    assert local.reaches(("B310000", "HQ"))
    assert not local.reaches(("B320500", "HQ"))
    assert catalogue.Availability().reaches(("HQ",))


@pytest.mark.parametrize(
    ("name", "number"),
    [("供电客服 95598", "95598"), ("110", "110"), ("热线400-800-0000", "400-800-0000"),
     ("客服热线", ""), ("2026", "2026"), ("尾号 123456", "")],
)  # fmt: skip
def test_the_number_of_a_channel_stands_at_the_end_of_its_name(name: str, number: str) -> None:
    assert numbered(name) == number
    assert Via("phone") is Via.PHONE
