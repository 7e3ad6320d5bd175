"""Followers carry one menu tag, the right one, whatever WeChat and crashes do."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from menus import offers, tagging, variants
from menus.offers import MenuOffer
from regions.branches import BranchCode
from regions.moves import FollowerMoved
from service import clock
from service.delivery.ledger import FAILED, Desk, Row
from service.happenings import OpenId
from tests.menus.conftest import WUXI, Bank


@pytest.fixture
def published(bank: Bank) -> Bank:
    bank.publish()
    return bank


def asked(bank: Bank) -> list[tuple[str, int]]:
    """The tagging calls so far: verb and how many openids."""
    return [
        (
            str(call["path"]).rsplit("/", 1)[1].removeprefix("batch"),
            len(json.loads(call["request"])["openid_list"]),
        )
        for call in bank.calls("tagging")
    ]


def row_of(bank: Bank, openid: OpenId) -> Any:
    with bank.wiring.reading() as unit:
        return unit.db.execute(select(MenuOffer).where(MenuOffer.openid == openid)).one_or_none()


def waiting(bank: Bank) -> list[str]:
    with bank.wiring.reading() as unit:
        return list(unit.db.execute(select(Row.kind).where(Row.kind == offers.SETTLE)).scalars())


def test_a_moved_follower_is_tagged_once(published: Bank) -> None:
    openid = published.follower("B310000")
    published.work()
    assert published.tags_of(openid) == ["菜单 B310000 约惠魔都"]
    published.work()
    assert asked(published) == [("tagging", 1)]


def test_the_new_tag_is_put_on_before_the_old_one_comes_off(published: Bank) -> None:
    openid = published.follower("B310000")
    published.work()
    published.move(openid, "B320000")
    published.work()
    assert asked(published)[1:] == [("tagging", 1), ("untagging", 1)]
    assert published.tags_of(openid) == ["菜单 B320000 礼遇江苏"]


def test_moving_within_one_variant_asks_wechat_for_nothing(published: Bank) -> None:
    openid = published.follower("B320000")
    published.work()
    published.move(openid, "B320200")
    assert waiting(published) == []
    assert row_of(published, openid).branch == "B320200"


def test_moving_there_and_back_before_the_worker_comes_changes_nothing(published: Bank) -> None:
    openid = published.follower("B310000")
    published.work()
    before = len(asked(published))
    published.move(openid, "B320000")
    published.move(openid, "B310000")
    published.work()
    assert len(asked(published)) == before
    assert published.third_column(openid) == "约惠魔都"


def test_head_offices_followers_carry_no_menu_tag(published: Bank) -> None:
    openid = published.follower("B310000")
    published.work()
    published.move(openid, "HQ")
    published.work()
    assert published.tags_of(openid) == []
    assert asked(published)[-1] == ("untagging", 1)
    assert published.third_column(openid) == "身边优惠"


def test_followers_are_tagged_fifty_at_a_time(published: Bank) -> None:
    openids = [published.follower("B310000") for _ in range(120)]
    published.work()
    assert sorted(asked(published)) == [("tagging", 20), ("tagging", 50), ("tagging", 50)]
    assert published.third_column(openids[119]) == "约惠魔都"


def test_one_who_left_spoils_a_batch_for_nobody_else(published: Bank) -> None:
    openids = [published.follower("B310000") for _ in range(50)]
    published.leave(openids[17], heard=False)
    published.work()
    tagged = [openid for openid in openids if published.tags_of(openid)]
    assert len(tagged) == 49
    assert openids[17] not in tagged
    assert waiting(published) == []


def test_one_who_left_and_came_back_gets_their_menu_again(published: Bank) -> None:
    openid = published.follower("B310000")
    published.leave(openid, heard=False)
    published.work()
    published.arrive(openid)
    published.work()
    assert published.third_column(openid) == "约惠魔都"


def test_a_leaving_we_did_not_hear_of_is_made_good_on_arrival(published: Bank) -> None:
    openid = published.follower("B310000")
    published.work()
    published.leave(openid, heard=False)
    published.arrive(openid)
    published.work()
    assert published.third_column(openid) == "约惠魔都"
    assert published.tags_of(openid) == ["菜单 B310000 约惠魔都"]


def test_a_new_follower_we_know_nothing_of_costs_no_delivery(published: Bank) -> None:
    published.arrive(published.follower())
    assert waiting(published) == []


def test_who_leaves_is_forgotten_with_what_was_to_be_done(published: Bank) -> None:
    openid = published.follower("B310000")
    published.leave(openid)
    assert row_of(published, openid) is None
    assert waiting(published) == []


def test_only_those_wechat_did_not_tag_are_tried_again(published: Bank) -> None:
    openids = [published.follower("B310000") for _ in range(5)]
    published.play(
        "/cgi-bin/tags/members/batchtagging", "partial", nth=1, openids=[openids[2], openids[4]]
    )
    published.work()
    assert asked(published) == [("tagging", 5), ("tagging", 2)]
    assert all(published.third_column(openid) == "约惠魔都" for openid in openids)


def test_twenty_tags_of_others_do_not_keep_a_follower_with_the_old_branch(published: Bank) -> None:
    full, other = published.follower("B310000"), published.follower("B310000")
    published.work()
    for number in range(19):
        published.gateway.tag([full], published.gateway.create_tag(f"营销{number}"))
    published.move(full, "B320000")
    published.move(other, "B320000")
    published.work()
    assert published.tags_of(full)[-1] == "菜单 B320000 礼遇江苏"
    assert published.third_column(other) == "礼遇江苏"
    assert "菜单 B310000 约惠魔都" not in published.tags_of(full)


def test_a_follower_with_twenty_tags_of_others_is_reported_and_harms_nobody(
    published: Bank,
) -> None:
    full = published.follower()
    for number in range(20):
        published.gateway.tag([full], published.gateway.create_tag(f"营销{number}"))
    published.move(full, "B310000")
    other = published.follower("B310000")
    published.work()
    assert published.third_column(other) == "约惠魔都"
    with published.wiring.reading() as unit:
        (why,) = unit.db.execute(select(Row.last_failure).where(Row.state == FAILED)).scalars()
    assert "20" in why
    assert full not in why


@pytest.mark.parametrize("verb", ["batchtagging", "batchuntagging"])
@pytest.mark.parametrize("target", ["B310000", "B320000", "B440300", "HQ"])
def test_a_crash_in_the_middle_of_a_move_leaves_exactly_one_tag_wherever_they_go_next(
    published: Bank, verb: str, target: str
) -> None:
    openid = published.follower("B310000")
    published.work()
    published.move(openid, "B320000")
    # The call takes effect, but the worker dies before it hears of that.
    published.play(f"/cgi-bin/tags/members/{verb}", "lost", nth=1)
    with pytest.raises(KeyboardInterrupt):
        settle_and_die(published, openid)
    published.move(openid, target)
    published.work()
    expected = {
        "B310000": ["菜单 B310000 约惠魔都"],
        "B320000": ["菜单 B320000 礼遇江苏"],
        "B440300": ["菜单 B440300 鹏城惠享"],
        "HQ": [],
    }
    assert published.tags_of(openid) == expected[target]
    assert row_of(published, openid).trying_tag_id is None


steps = st.lists(
    st.tuples(st.just("move"), st.sampled_from(["B310000", "B320000", "B440300", "HQ"]))
    | st.tuples(st.just("settle"), st.just(""))
    | st.tuples(
        st.sampled_from(["lost", "cut"]), st.sampled_from(["batchtagging", "batchuntagging"])
    )
    | st.tuples(st.just("refollow"), st.sampled_from(["heard", "unheard"])),
    max_size=10,
)


@given(steps)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_a_follower_ends_with_the_one_tag_of_their_branch(
    published: Bank, course: list[tuple[str, str]]
) -> None:
    openid = published.follower("B310000")
    for verb, how in course:
        published.sandbox.world.faults.play({})
        match verb:
            case "move":
                published.move(openid, how)
            case "settle":
                published.work()
            case "lost" | "cut":
                published.play(f"/cgi-bin/tags/members/{how}", verb, nth=1)
                with contextlib.suppress(KeyboardInterrupt):
                    settle_and_die(published, openid)
            case "refollow":
                published.leave(openid, heard=how == "heard")
                published.arrive(openid)
                published.move(openid, "B320000")
    published.sandbox.world.faults.play({})
    published.work()
    with published.wiring.reading() as unit:
        tag = variants.in_reach(unit).get(row_of(published, openid).branch)
    assert published.sandbox.world.followers[openid].tags == ([tag] if tag else [])


def settle_and_die(bank: Bank, openid: OpenId) -> None:
    """Settle one follower's offer, and die before anything is written down about it."""
    moves = tagging._begin(bank.desk, [openid])
    tagging._carry_out(bank.gateway, moves)
    raise KeyboardInterrupt


def test_a_move_during_a_settlement_is_not_lost(published: Bank) -> None:
    openid = published.follower("B310000")
    moves = tagging._begin(published.desk, [openid])
    published.move(openid, "B320000")
    undone = tagging._carry_out(published.gateway, moves)
    tagging._record(published.desk, moves, undone)
    published.work()
    assert published.tags_of(openid) == ["菜单 B320000 礼遇江苏"]


def test_a_second_crash_on_the_way_elsewhere_loses_no_tag_from_sight(published: Bank) -> None:
    openid = published.follower("B310000")
    published.work()
    for target in ("B320000", "B440300"):
        published.move(openid, target)
        published.play("/cgi-bin/tags/members/batchuntagging", "cut")
        with pytest.raises(KeyboardInterrupt):
            settle_and_die(published, openid)
    published.sandbox.world.faults.play({})
    published.move(openid, "B310000")
    published.work()
    assert published.tags_of(openid) == ["菜单 B310000 约惠魔都"]


def test_one_who_left_and_came_back_during_a_settlement_is_not_taken_for_tagged(
    published: Bank,
) -> None:
    openid = published.follower("B310000")
    moves = tagging._begin(published.desk, [openid])
    undone = tagging._carry_out(published.gateway, moves)
    published.leave(openid)
    published.arrive(openid)
    published.move(openid, "B310000")
    tagging._record(published.desk, moves, undone)
    assert row_of(published, openid).applied_tag_id is None
    published.work()
    assert published.third_column(openid) == "约惠魔都"


def test_a_branch_without_a_zone_up_the_chain_offers_nothing(published: Bank) -> None:
    openid = published.follower("B650000")
    assert waiting(published) == []
    assert row_of(published, openid).wanted_tag_id is None


def test_the_webhook_pays_two_statements_for_a_move(published: Bank) -> None:
    openid = published.follower()
    statements: list[str] = []

    def listen(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement.split()[0])

    with published.wiring.unit() as unit:
        # What every move reads is kept in the process from the first one on.
        unit.announce(FollowerMoved(published.follower(), clock.now(), BranchCode("B310000"), None))
        event.listen(published.wiring.engine, "before_cursor_execute", listen)
        unit.announce(FollowerMoved(openid, clock.now(), BranchCode("B310000"), None))
        event.remove(published.wiring.engine, "before_cursor_execute", listen)
    assert statements == ["INSERT", "INSERT"]


def test_no_openid_is_settled_twice_at_once(published: Bank) -> None:
    openids = [published.follower("B310000") for _ in range(3)]
    for openid in openids:
        published.move(openid, "B320000")
        published.move(openid, "B310000")
    assert len(waiting(published)) == 3


@pytest.fixture
def on_postgresql(bank_on_postgresql: Bank) -> Bank:
    bank_on_postgresql.publish()
    return bank_on_postgresql


@pytest.mark.postgresql
def test_moves_walks_and_forgetting_work_on_postgresql(on_postgresql: Bank) -> None:
    bank = on_postgresql
    openids = [bank.follower("B320200") for _ in range(60)]
    bank.leave(openids[0])
    bank.leave(openids[1], heard=False)
    bank.open_zone(WUXI)
    bank.publish()
    assert bank.third_column(openids[59]) == "锡享生活"
    bank.arrive(openids[1])
    bank.work()
    assert bank.third_column(openids[1]) == "锡享生活"
    assert isinstance(bank.desk, Desk)
