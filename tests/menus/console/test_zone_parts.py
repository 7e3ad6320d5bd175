"""The other tabs of the zone editor, its preview, and who may look."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from shapely import Point, Polygon
from werkzeug.datastructures import MultiDict

from lightservices import promotion_section, zones
from lightservices.foryou.tags import tags
from regions.branches import BranchCode
from service import clock
from tests.lightservices.test_pictures import png
from tests.menus.console.office import GUANGDONG, ZONE, Office, Person

NEW = f"{ZONE}/promotions/new"


def section(office: Office, name: str) -> Any:
    return office.draft().content[name]


def live_promotions(office: Office) -> list[dict[str, Any]]:
    office.wiring.shelf.clear()
    with office.wiring.reading() as unit:
        return list(promotion_section.SECTION.read(unit, GUANGDONG, "") or ())


def add_promotion(editor: Person, **typed: Any) -> str:
    """A new promotion; its name."""
    answer = editor.send(NEW, **{"title": "早茶立减", "text": "本行卡**立减**", **typed})
    assert answer.status_code == 303, answer.text[-300:]
    return str(answer.location.rsplit("/", 1)[1].partition("?")[0])


def test_blocks_are_added_written_and_moved(office: Office, editor: Person) -> None:
    page = f"{ZONE}/page"
    editor.send(page, do="add blocks", add__blocks="text")
    editor.send(page, blocks__3__title="公告", blocks__3__text="**本周**调整")
    assert section(office, "zone")["blocks"][3] == {
        "kind": "text", "title": "公告", "text": "**本周**调整",
    }  # fmt: skip
    assert "<strong>本周</strong>调整" in editor.page(page)
    editor.send(page, do="up blocks 3")
    assert section(office, "zone")["blocks"][2]["title"] == "公告"
    editor.send(page, do="remove blocks 2")
    assert len(section(office, "zone")["blocks"]) == 3


def test_services_of_a_shelf_are_chosen_from_the_catalogue(office: Office, editor: Person) -> None:
    page = f"{ZONE}/page"
    before = editor.fields(page).getlist("services")
    editor.send(page, do="add services", add__services="car-fuel")
    assert section(office, "zone")["services"] == [*before, "car-fuel"]
    editor.send(page, do=f"remove services {before[0]}")
    assert section(office, "zone")["services"] == [*before[1:], "car-fuel"]
    editor.send(page, do="add blocks.0.services", add__blocks__0__services="outlets")
    assert section(office, "zone")["blocks"][0]["services"] == ["outlets"]


def upload(editor: Person, path: str, field: str, body: bytes) -> Any:
    sent: MultiDict[str, Any] = MultiDict(editor.fields(path))
    sent[field] = (io.BytesIO(body), "../../a.png")
    return editor.post(path, sent)


def test_a_picture_is_uploaded_with_the_form(office: Office, editor: Person) -> None:
    page = f"{ZONE}/page"
    editor.send(page, do="add blocks", add__blocks="banner")
    upload(editor, page, "upload.3", png(320, 160))
    kept = section(office, "zone")["blocks"][3]
    assert re.fullmatch("[0-9a-f]{32}", kept["picture"])
    assert "图片要有一句说明" in editor.page(page)
    assert editor.get(f"/i/{kept['picture']}").data == png(320, 160)
    editor.send(page, blocks__3__picture_says="早茶")
    assert "图片要有一句说明" not in editor.page(page)
    editor.send(page, do="unpicture 3")
    assert "picture" not in section(office, "zone")["blocks"][3]


def test_what_is_no_picture_is_refused_and_the_rest_kept(office: Office, editor: Person) -> None:
    page = f"{ZONE}/page"
    editor.send(page, do="add blocks", add__blocks="banner")
    editor.send(page, blocks__3__title="早茶")
    upload(editor, page, "upload.3", b"<svg onload=alert(1)>")
    assert "只能用 JPEG、PNG 或 WebP" in editor.page(page)
    upload(editor, page, "upload.3", b"\x89PNG" + b"\0" * 201 * 1024)
    assert "图片最大 200 KB" in editor.page(page)
    assert section(office, "zone")["blocks"][3] == {"kind": "banner", "title": "早茶"}
    assert upload(editor, page, "upload.3", b"\0" * 470 * 1024).status_code == 413


def test_a_picture_nobody_uploaded_is_a_fault(editor: Person) -> None:
    page = f"{ZONE}/page"
    editor.send(page, do="add blocks", add__blocks="banner")
    editor.send(page, blocks__3__picture="0" * 32, blocks__3__picture_says="x")
    assert "图片已经不在了" in editor.page(page)


def test_services_are_switched_off_and_on(office: Office, editor: Person) -> None:
    page = f"{ZONE}/services"
    on = editor.fields(page).getlist("on")
    assert "directory" not in on
    editor.send(page, on=[key for key in on if key != "car-fuel"])
    assert section(office, "zone")["switched_off"] == ["car-fuel"]
    assert "car-fuel" not in editor.fields(page).getlist("on")
    office.propose(editor)
    office.approve()
    with office.wiring.reading() as unit:
        assert "car-fuel" in zones.switched_off(unit, BranchCode("B441900"))
    below = office.person("ops.wang").page("/console/branches/B441900/zone/services")
    assert "上级已停用" in below


def test_a_promotion_is_written_and_goes_first(office: Office, editor: Person) -> None:
    before = len(live_promotions(office))
    name = add_promotion(
        editor, starts_at="2027-02-01T09:00", ends_at="2027-02-10T09:00", url="https://a.example.com",
        audience=["car", "home"], topics="春节",
    )  # fmt: skip
    first, *rest = section(office, "promotions")
    assert len(rest) == before
    assert first["name"] == name
    assert first["starts_at"] == "2027-02-01T09:00:00+08:00"
    assert (first["audience"], first["topics"]) == (["car", "home"], ["春节"])
    assert "<strong>立减</strong>" in editor.page(f"{ZONE}/promotions/{name}")
    editor.send(f"{ZONE}/promotions/{name}", title="早茶买一送一")
    assert section(office, "promotions")[0]["title"] == "早茶买一送一"
    office.propose(editor)
    office.approve()
    assert live_promotions(office)[0]["title"] == "早茶买一送一"


def test_whom_a_promotion_is_for_is_chosen_from_the_tags_there_are(
    office: Office, editor: Person
) -> None:
    name = add_promotion(editor, audience=["car", "long-gone"])
    page = editor.page(f"{ZONE}/promotions/{name}")
    boxes = dict(re.findall(r'name="audience" value="([^"]+)"( checked)?', page))
    assert boxes.keys() == {*tags(), "long-gone"}
    assert {key for key, ticked in boxes.items() if ticked} == {"car", "long-gone"}
    assert "long-gone<small>（没有这个标签，请取消）" in page
    editor.send(f"{ZONE}/promotions/{name}", audience=["car"])
    assert section(office, "promotions")[0]["audience"] == ["car"]
    assert "有车" in editor.page(f"/console/changes/{office.draft().id}")
    editor.send(f"{ZONE}/promotions/{name}", audience=[])
    assert section(office, "promotions")[0]["audience"] == []


def test_promotions_are_ordered_and_taken_away(office: Office, editor: Person) -> None:
    page = f"{ZONE}/promotions"
    names = editor.fields(page).getlist("promotions")
    editor.send(page, do=f"up promotions {names[1]}")
    now = [one["name"] for one in section(office, "promotions")]
    assert now == [names[1], names[0], *names[2:]]
    editor.send(page, do=f"remove promotions {names[0]}")
    assert names[0] not in [one["name"] for one in section(office, "promotions")]
    assert editor.get(f"{ZONE}/promotions/{names[0]}").status_code == 404


@pytest.mark.parametrize(
    ("typed", "kept", "fault"),
    [
        ({"place": "divisions", "division": ["441900"]}, {"divisions": ["441900"]}, ""),
        ({"place": "divisions", "division": ["310000"]}, {"divisions": ["310000"]}, "不在本行"),
        ({"place": "divisions"}, {"divisions": [""]}, "至少选一个城市或区县"),
        ({"place": "area", "corners": "22.5, 113.3\n22.6，113.3\n22.6,113.5\n\n22.5,113.4,800"},
         {"area": {"inside": {"polygons": [[[22.5, 113.3], [22.6, 113.3], [22.6, 113.5]]],
          "circles": [{"latitude": 22.5, "longitude": 113.4, "radius_m": 800.0}]}}}, ""),
        ({"place": "area", "corners": "22.5, 113.3\n22.6, 113.3"},
         {"area": {"inside": {"polygons": [[[22.5, 113.3], [22.6, 113.3]]], "circles": []}}},
         "写法有误"),
        ({"place": "area", "corners": "这里, 那里\nnan, inf"},
         {"area": {"inside": {"polygons": [[["这里", "那里"], ["nan", "inf"]]], "circles": []}}},
         "写法有误"),
        ({"place": "area", "corners": ""}, {"area": {"inside": {"polygons": [], "circles": []}}},
         "区域是空的"),
    ],
    ids=["districts", "elsewhere", "no district", "drawn", "two corners", "words", "nothing"],
)  # fmt: skip
def test_a_place_is_chosen_or_drawn(
    office: Office, editor: Person, typed: dict[str, Any], kept: dict[str, Any], fault: str
) -> None:
    name = add_promotion(editor, **typed)
    first = section(office, "promotions")[0]
    assert {key: first[key] for key in kept} == kept
    page = editor.page(f"{ZONE}/promotions/{name}")
    assert (fault in page) if fault else ('class="field-fault"' not in page)
    # What is shown again is sent again unchanged.
    seen = office.draft().hash
    editor.send(f"{ZONE}/promotions/{name}")
    assert office.draft().hash == seen


def test_the_preview_shows_the_edition_there_and_then(office: Office, editor: Person) -> None:
    tomorrow = clock.shanghai(clock.now() + timedelta(days=1))
    at = f"{tomorrow:%Y-%m-%d}T09:00"
    add_promotion(
        editor, title="天河专享", place="divisions", division=["440106"],
        starts_at=f"{tomorrow:%Y-%m-%d}T08:00", ends_at="2099-01-01T00:00",
    )  # fmt: skip
    editor.send(ZONE, do="own local-one")
    editor.send(ZONE, **{"items__local-one__0__name": "早茶地图"})
    page = editor.page(f"{ZONE}/preview?place=440106&at={at}")
    assert "粉丝在广东省广州市天河区" in page
    assert "早茶地图</b>：广东省分行填写的“本地特色”" in page
    frame = re.search(r'<iframe src="([^"]+)"', page)
    assert frame
    shown = editor.page(frame[1].replace("&amp;", "&"))
    assert "天河专享" in shown
    link = re.search(r'href="(/console/[^"]+name=[^"]+)"', shown)
    assert link
    assert "<strong>立减</strong>" in editor.page(link[1].replace("&amp;", "&"))
    for elsewhere in (f"place=440106&at={at[:-5]}07:59", f"place=440103&at={at}"):
        assert "天河专享" not in editor.page(f"{ZONE}/look?{elsewhere}")
    assert "天河专享" in editor.page(f"{ZONE}/look?latitude=23.125&longitude=113.36&at={at}")


def test_a_preview_elsewhere_says_whose_followers_those_are(editor: Person) -> None:
    page = editor.page(f"{ZONE}/preview?latitude=31.2304&longitude=121.4737")
    assert "这里由上海市分行服务" in page
    assert "约惠魔都" in page
    assert editor.get(f"{ZONE}/preview?place=999999").status_code == 200
    assert editor.get(f"{ZONE}/preview?latitude=nan&longitude=0&at=x&look=x").status_code == 200


def test_large_print_is_large(editor: Person) -> None:
    assert 'data-weui-mode="care"' in editor.page(f"{ZONE}/look?look=large")
    assert 'data-weui-mode="care"' not in editor.page(f"{ZONE}/look?look=light")


def test_a_checker_sees_what_they_are_asked_to_approve(office: Office, editor: Person) -> None:
    editor.send(f"{ZONE}/page", slogan="只在草稿里")
    office.propose(editor)
    checker = office.person("gd.checker")
    page = checker.page(f"/console/changes/{office.draft().id}")
    frame = re.search(r'<iframe src="([^"]+)"', page)
    assert frame
    path = frame[1].replace("&amp;", "&")
    assert "只在草稿里" in checker.page(path)
    assert "只在草稿里" not in checker.page(f"{ZONE}/look")
    assert office.person("sh.editor").get(path).status_code == 404
    assert checker.get(f"{ZONE}/look?edition={'0' * 64}").status_code == 404


def test_a_preview_begins_where_the_promotion_is_offered(office: Office, editor: Person) -> None:
    add_promotion(
        editor, title="天河专享", place="divisions", division=["440106"],
        starts_at="2020-01-01T08:00", ends_at="2099-01-01T00:00",
    )  # fmt: skip
    assert "粉丝在广东省广州市天河区" in editor.page(f"{ZONE}/preview")
    assert "粉丝在广东省广州市天河区" not in editor.page(f"{ZONE}/preview?place=")
    name = office.draft().content["promotions"][-1]["name"]
    assert f"preview?name={name}" in editor.page(f"{ZONE}/promotions/{name}")
    office.propose(editor)
    checker = office.person("gd.checker")
    change = checker.page(f"/console/changes/{office.draft().id}")
    frame = re.search(r'<iframe src="([^"]+)"', change)
    way = re.search(r'href="([^"]+)">按地点预览', change)
    assert frame
    assert way
    assert "天河专享" in checker.page(frame[1].replace("&amp;", "&"))
    page = checker.page(way[1].replace("&amp;", "&"))
    assert "粉丝在广东省广州市天河区" in page
    assert 'value="440106" selected' in page


@pytest.mark.parametrize(
    ("corners", "area"),
    [
        ("22.6,113.3,800", Point(22.6, 113.3).buffer(0.001)),
        (
            "22.5,113.3\n22.6,113.3\n22.6,113.5",
            Polygon([(22.5, 113.3), (22.6, 113.3), (22.6, 113.5)]),
        ),
    ],
    ids=["circle", "ring"],
)
def test_a_preview_begins_inside_the_area_a_promotion_is_drawn_for(
    editor: Person, corners: str, area: Polygon
) -> None:
    name = add_promotion(editor, title="湾区专享", place="area", corners=corners)
    page = editor.page(f"{ZONE}/preview?name={name}")
    found = re.search(r'name="latitude" value="([\d.]+)">.*name="longitude" value="([\d.]+)"', page)
    assert found
    assert area.contains(Point(float(found[1]), float(found[2])))
    assert "地图上点的位置" in page
