"""For you: a pure ranking, consent before counting, one word that ends it, and who left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from lightservices import catalogue, promotions
from lightservices.foryou import operations, ranking
from lightservices.foryou.models import FollowerTagRow, FollowerTasteRow, FollowerWordRow
from lightservices.foryou.operations import Word
from lightservices.foryou.ranking import Given, Source, Tag, Taste
from lightservices.foryou.tags import tags
from lightservices.promotions import PromotionRow
from regions.branches import BranchCode
from service import clock
from service.epochs import bump
from service.happenings import OpenId, Scanned, Subscribed, Unfollowed
from service.wiring import Unit
from tests.lightservices.conftest import PEOPLES_SQUARE, WHO, Site, stand

TODAY = date(2026, 11, 20)
SERVICES = list(catalogue.services().values())
SCENARIOS = sorted({one.scenario for one in SERVICES})
MODELS = (FollowerTagRow, FollowerTasteRow, FollowerWordRow)

some_tags = st.lists(
    st.builds(Given, st.sampled_from(list(tags().values())), st.sampled_from(Source)), max_size=6
)
some_tastes = st.dictionaries(
    st.sampled_from(SCENARIOS),
    st.builds(Taste, st.floats(0.2, 20), st.dates(TODAY - timedelta(60), TODAY)),
    max_size=8,
)


def keys(given_tags: list[Given], tastes: dict[str, Taste], most: int = 8) -> list[str]:
    found = ranking.pick(SERVICES, given=given_tags, tastes=tastes, today=TODAY, most=most)
    return [one.service.key for one in found]


# Ranking


@given(some_tags, some_tastes, st.integers(0, 12))
def test_only_what_something_speaks_for_is_picked_each_with_its_reason(
    given_tags: list[Given], tastes: dict[str, Taste], most: int
) -> None:
    found = ranking.pick(SERVICES, given=given_tags, tastes=tastes, today=TODAY, most=most)
    known = {name for one in given_tags for name in one.tag.scenarios} | tastes.keys()
    assert len(found) <= most
    assert len({one.service.key for one in found}) == len(found)
    assert all(one.why and one.service.scenario in known for one in found)
    alike = [one.service.scenario for one in found]
    assert all(alike.count(name) <= ranking.MOST_ALIKE for name in alike)


@given(some_tags, some_tastes)
def test_a_shorter_list_is_the_beginning_of_a_longer_one(
    given_tags: list[Given], tastes: dict[str, Taste]
) -> None:
    assert keys(given_tags, tastes, 8)[:3] == keys(given_tags, tastes, 3)


@given(some_tags, some_tastes, st.sampled_from(SCENARIOS))
def test_one_more_opening_never_pushes_its_situation_back(
    given_tags: list[Given], tastes: dict[str, Taste], scenario: str
) -> None:
    order = _situations(given_tags, tastes)
    more = tastes | {scenario: tastes.get(scenario, Taste(0.0, TODAY)).opened(TODAY)}
    after = _situations(given_tags, more)
    before = order.index(scenario) if scenario in order else len(SCENARIOS)
    assert after.index(scenario) <= before


def _situations(given_tags: list[Given], tastes: dict[str, Taste]) -> list[str]:
    found = ranking.pick(SERVICES, given=given_tags, tastes=tastes, today=TODAY, most=len(SERVICES))
    return list(dict.fromkeys(one.service.scenario for one in found))


@given(some_tags, some_tastes)
def test_ranking_depends_on_nothing_but_what_it_is_given(
    given_tags: list[Given], tastes: dict[str, Taste]
) -> None:
    turned = dict(reversed(tastes.items()))
    assert keys(given_tags, tastes) == keys(list(reversed(given_tags)), turned)


@given(st.floats(0.2, 50), st.integers(0, 400))
def test_a_count_fades_and_halves_every_two_weeks(weight: float, days: int) -> None:
    taste = Taste(weight, TODAY)
    later = TODAY + timedelta(days)
    assert 0 <= taste.on(later) <= weight
    half = taste.on(later + timedelta(ranking.HALF_LIFE_DAYS))
    assert half == pytest.approx(taste.on(later) / 2)
    assert taste.on(TODAY - timedelta(1)) == weight


def test_many_openings_on_one_day_are_one() -> None:
    once = Taste(0.0, TODAY).opened(TODAY)
    assert once == Taste(1.0, TODAY)
    assert once.opened(TODAY) is once
    assert once.opened(TODAY + timedelta(1)).weight > once.weight


def test_the_reason_is_the_follower_own_word_before_the_banks() -> None:
    tag = Tag("car", "有车", ("车主服务",), choice=True)
    both = [Given(tag, Source.BANK), Given(tag, Source.CHOSEN)]
    assert ranking.weigh("车主服务", given=both, tastes={}, today=TODAY) == (
        ranking.TAG_WEIGHT, "您选了“有车”",
    )  # fmt: skip
    tastes = {"车主服务": Taste(9.0, TODAY)}
    assert ranking.weigh("车主服务", given=both, tastes=tastes, today=TODAY)[1] == (
        "您最近看过“车主服务”"
    )


# What is kept


@pytest.fixture
def here(bank: Unit) -> Unit:
    stand(bank, PEOPLES_SQUARE)
    return bank


def rows(unit: Unit, openid: OpenId = WHO) -> int:
    return sum(
        len(unit.db.execute(select(model.openid).where(model.openid == openid)).all())
        for model in MODELS
    )


def test_nothing_is_counted_before_a_yes_and_all_is_gone_after_a_no(here: Unit) -> None:
    operations.count(here, WHO, "信用卡", today=TODAY)
    assert operations.is_counted(here, WHO, "信用卡", today=TODAY)
    assert rows(here) == 0
    operations.switch_on(here, WHO)
    operations.count(here, WHO, "信用卡", today=TODAY)
    operations.choose(here, WHO, ["car", "payroll-client", "no-such"])
    known = operations.known(here, WHO)
    assert known.audiences == {"car"}
    assert set(known.tastes or ()) == {"信用卡"}
    operations.switch_off(here, WHO)
    assert operations.known(here, WHO) == operations.Known(Word.OFF)
    assert rows(here) == 1
    operations.choose(here, WHO, ["car"])
    here.announce(Scanned(WHO, clock.now(), scene="tag_car"))
    operations.replace_given(here, [(WHO, "merchant-client")])
    operations.count(here, WHO, "信用卡", today=TODAY)
    assert rows(here) == 1


def test_an_opening_keeps_a_situation_and_a_day_and_nothing_else() -> None:
    columns = set(FollowerTasteRow.__table__.columns.keys())
    assert columns == {"openid", "scenario", "weight", "stamped"}


def test_a_qr_code_gives_the_tag_it_names_and_no_other(here: Unit) -> None:
    for scene in ("tag_car", "tag_nothing", "car", "branch_B310000", None):
        here.announce(Subscribed(WHO, clock.now(), scene=scene))
    assert operations.known(here, WHO).audiences == {"car"}


def test_the_banks_list_replaces_its_own_tags_and_leaves_the_followers(here: Unit) -> None:
    operations.choose(here, WHO, ["car"])
    stranger = OpenId("oNobodyWhoFollows00000000001")
    pairs = [(WHO, "merchant-client"), (WHO, "merchant-client"), (stranger, "car")]
    assert operations.replace_given(here, pairs) == (1, 1)
    assert operations.known(here, WHO).audiences == {"car", "merchant-client"}
    assert operations.replace_given(here, []) == (0, 0)
    assert operations.known(here, WHO).audiences == {"car"}


def test_who_leaves_takes_it_all_along_and_the_faded_goes_by_itself(here: Unit) -> None:
    operations.switch_on(here, WHO)
    operations.choose(here, WHO, ["car"])
    operations.count(here, WHO, "信用卡", today=TODAY - timedelta(days=400))
    operations.forget_old(here)
    assert not operations.tastes(here, WHO)
    assert rows(here) == 2
    here.announce(Unfollowed(WHO, clock.now()))
    assert rows(here) == 0


# Pages


@pytest.fixture(autouse=True)
def blank(site: Site) -> Iterator[None]:
    yield
    with site.wiring.unit() as unit:
        for model in MODELS:
            unit.db.execute(delete(model))


def form_token(page: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_follower_chooses_sees_why_and_switches_off(site: Site) -> None:
    client = site.visitor(openid=WHO)
    page = client.get("/s/for-you").text
    assert "还没有可以推荐的" in page
    answer = client.post(
        "/for-you/choose", data={"form": form_token(page), "tag": ["car", "abroad"]}
    )
    page = client.get(answer.location).text
    assert "为什么看到这个：您选了“有车”" in page
    for path in ("/z/local", "/s/directory"):
        shown = client.get(path).text
        assert "您选了“" in shown
        assert "调整或关闭推荐" in shown
    client.post("/for-you/off", data={"form": form_token(page)})
    assert "推荐已关闭" in client.get("/s/for-you").text
    assert "为您推荐</h2>" not in client.get("/z/local").text


def test_openings_count_only_after_yes_and_only_once_a_day(site: Site) -> None:
    client = site.visitor(openid=WHO)
    client.get("/s/credit-card-apply").close()
    token = form_token(client.get("/s/for-you").text)
    client.post("/for-you/on", data={"form": token})
    for _time in range(3):
        client.get("/s/credit-card-apply").close()
    client.get("/s/directory").close()
    with site.wiring.reading() as unit:
        assert [(name, one.weight) for name, one in operations.tastes(unit, WHO).items()] == [
            ("信用卡", 1.0)
        ]
    page = client.get("/s/for-you").text
    assert "您最近看过“信用卡”" in page


def test_guests_and_foreign_forms_change_nothing(site: Site) -> None:
    assert "请从微信里打开" in site.visitor().get("/s/for-you").text
    assert site.visitor().post("/for-you/on").location == "/s/for-you"
    client = site.visitor(openid=WHO)
    assert client.post("/for-you/on", data={"form": "x"}).status_code == 403
    with site.wiring.reading() as unit:
        assert operations.word(unit, WHO) is Word.UNSAID


def test_a_promotion_for_a_tag_is_shown_to_its_bearers_with_the_reason(site: Site) -> None:
    with site.wiring.unit() as unit:
        present = clock.now()
        number = promotions.add(
            unit, branch=BranchCode("B310000"), title="洗车立减", text="示例", sort=900,
            starts_at=present - timedelta(hours=1), ends_at=present + timedelta(hours=1),
        )  # fmt: skip
        unit.db.execute(
            update(PromotionRow).where(PromotionRow.id == number).values(audience=["car"])
        )
        bump(unit, "promotions")
    # What a process keeps may be a second old; this test does not wait for it.
    site.wiring.shelf.clear()
    client = site.visitor(openid=WHO)
    assert "洗车立减" not in client.get("/s/promotions").text
    with site.wiring.unit() as unit:
        operations.choose(unit, WHO, ["car"])
    page = client.get("/s/promotions").text
    assert "洗车立减" in page
    assert "您有这项优惠的标签" in page
    assert page.index("洗车立减") < page.index("示例优惠")
    with site.wiring.unit() as unit:
        unit.db.execute(delete(PromotionRow).where(PromotionRow.id == number))
        bump(unit, "promotions")


# The bank's list


def test_a_list_is_taken_whole_or_not_at_all(site: Site, tmp_path: Path) -> None:
    runner = site.app.test_cli_runner()
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(f"粉丝,标签\n{WHO},merchant-client\n", "utf-8")
    bad.write_text(f"openid,tag\n{WHO},merchant-client\nx,car\n{WHO},rich\n", "utf-8")
    refused = runner.invoke(args=["followers", "tags", "import", str(bad)])
    assert refused.exit_code == 1
    assert "第 3 行" in refused.output
    dry = runner.invoke(args=["followers", "tags", "import", str(good), "--dry-run"])
    assert "没有写入" in dry.output
    with site.wiring.reading() as unit:
        assert not operations.known(unit, WHO).given
    taken = runner.invoke(args=["followers", "tags", "import", str(good)])
    assert "已导入 1 个标签" in taken.output
    with site.wiring.reading() as unit:
        assert operations.known(unit, WHO).audiences == {"merchant-client"}
    assert "merchant-client" in runner.invoke(args=["followers", "tags", "list"]).output
