"""Services as content: sound files are served, faulty ones named with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightservices import catalogue
from lightservices.catalogue import Kind, ServiceClass
from lightservices.pages.queries import view_of

GUIDE = """
key: new-guide
title: 新指南
class: 业务办理
scenario: 办业务
kind: guide
icon: guide
summary: 一句话说清楚
steps:
  - title: 第一步
"""


def write(folder: Path, text: str, name: str = "new-guide.yaml") -> catalogue.Catalogue:
    (folder / name).write_text(text, encoding="utf-8")
    return catalogue.read(folder)


def test_the_shipped_pack_has_no_fault_and_every_service_a_page() -> None:
    read = catalogue.read()
    assert read.faults == ()
    assert {
        "outlets", "exchange-rates", "deposit-rates", "loan-rates", "loan-calculator",
        "deposit-calculator", "lost-card", "password-reset", "mobile-bank", "scam-warning",
        "moving-house", "promotions", "my-city", "directory", "contact",
    } == set(read.services)  # fmt: skip
    assert all(view_of(service) for service in read.services.values())


def test_a_new_file_is_a_new_guide(tmp_path: Path) -> None:
    service = write(tmp_path, GUIDE).services["new-guide"]
    assert (service.kind, service.service_class) == (Kind.GUIDE, ServiceClass.BUSINESS)
    assert service.path == "/s/new-guide"
    assert view_of(service) is not None


@pytest.mark.parametrize(
    ("change", "field", "way_out"),
    [
        (("title: 新指南\n", ""), "title", "补上这一项"),
        (("class: 业务办理", "class: 别的"), "class", "按提示改正后再检查"),
        (("scenario:", "scenarios:"), "scenarios", "检查拼写，或删去这一行"),
        (("  - title: 第一步", "  - text: 没有标题"), "steps.0.title", "补上这一项"),
        (("key: new-guide", "key: other"), "key", "改为 new-guide，或改文件名"),
        (("icon: guide", "icon: dragon"), "icon", "按提示改正后再检查"),
        (("steps:\n  - title: 第一步\n", ""), "steps", "按提示改正后再检查"),
        (("kind: guide", "kind: link\nurl: http://bank.example/"), "url", "按提示改正后再检查"),
        (("kind: guide", "kind: [guide"), "第 7 行", "检查缩进、冒号和引号"),
    ],
)
def test_a_fault_names_file_field_and_way_out(
    tmp_path: Path, change: tuple[str, str], field: str, way_out: str
) -> None:
    read = write(tmp_path, GUIDE.replace(*change))
    assert not read.services
    assert {(fault.file, fault.field, fault.way_out) for fault in read.faults} >= {
        ("new-guide.yaml", field, way_out)
    }


def test_one_faulty_file_does_not_take_the_others_away(tmp_path: Path) -> None:
    write(tmp_path, "不是字段", "broken.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\xff")
    read = write(tmp_path, GUIDE)
    assert list(read.services) == ["new-guide"]
    assert [fault.file for fault in read.faults] == ["broken.yaml", "latin.yaml"]


def test_a_service_may_be_offered_by_some_branches_only() -> None:
    local = catalogue.Availability(("B310000",))
    assert local.reaches(("B310000", "HQ"))
    assert not local.reaches(("B320500", "HQ"))
    assert catalogue.Availability().reaches(("HQ",))
