"""Figures: what is opened and what helped, by day and branch; a person appears nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, inspect, update

from lightservices import counts
from lightservices.pages import tally
from lightservices.pages.tally import Tally, tally_of
from service.db import table_of
from service.wiring import Unit
from tests.lightservices.conftest import WHO, Site


@pytest.fixture
def fresh(site: Site) -> Site:
    """The site with nothing counted."""
    site.wiring.shelf.pop(Tally, None)
    with site.wiring.unit() as unit:
        for model in (counts.OpenRow, counts.FeedbackRow):
            unit.db.execute(table_of(model).delete())
    return site


def opens(site: Site) -> dict[tuple[str, str], int]:
    with site.wiring.reading() as unit:
        rows = unit.db.execute(table_of(counts.OpenRow).select())
        return {(row.branch_code, row.service): row.total for row in rows}


def test_openings_are_counted_by_branch_and_written_in_one_go(fresh: Site) -> None:
    follower, guest = fresh.visitor(openid=WHO), fresh.visitor()
    for _ in range(3):
        follower.get("/s/lost-card")
    guest.get("/s/lost-card")
    guest.get("/s/outlets")
    guest.get("/s/nothing")
    assert opens(fresh) == {}
    tally_of(fresh.wiring).write(fresh.wiring)
    assert opens(fresh) == {
        ("B310000", "lost-card"): 3, ("HQ", "lost-card"): 1, ("HQ", "outlets"): 1,
    }  # fmt: skip
    follower.get("/s/lost-card")
    tally_of(fresh.wiring).write(fresh.wiring)
    assert opens(fresh)["B310000", "lost-card"] == 4


def test_a_page_writes_only_when_it_is_time(fresh: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = fresh.visitor()
    client.get("/s/lost-card").close()
    assert opens(fresh) == {}
    monkeypatch.setattr(tally, "EVERY_SECONDS", 0)
    client.get("/s/lost-card").close()
    assert opens(fresh) == {("HQ", "lost-card"): 2}


def test_what_the_database_does_not_take_is_kept(fresh: Site) -> None:
    fresh.visitor().get("/s/lost-card")
    kept = tally_of(fresh.wiring)
    nowhere: Engine = create_engine("sqlite:////nowhere/at/all.sqlite3")
    kept.write(replace(fresh.wiring, engine=nowhere))
    assert opens(fresh) == {}
    kept.write(fresh.wiring)
    assert opens(fresh) == {("HQ", "lost-card"): 1}


def test_whether_a_page_helped_is_counted_without_a_script(fresh: Site) -> None:
    client = fresh.visitor(openid=WHO)
    assert 'action="/visit/useful"' in client.get("/s/lost-card").text
    for answer in ("yes", "yes", "no"):
        said = client.post("/visit/useful", data={"page": "lost-card", "answer": answer})
        assert (said.status_code, said.location) == (303, f"/s/lost-card?said={answer}#useful")
    assert "谢谢，很高兴帮到您" in client.get("/s/lost-card?said=yes").text
    sorry = client.get("/s/lost-card?said=no").text
    assert "抱歉没有帮到您" in sorry
    assert 'href="/s/contact"' in sorry
    with fresh.wiring.reading() as unit:
        told = counts.feedback(unit, since=counts.today(), branches=["B310000"])
        assert told == {"lost-card": (2, 1)}
        assert counts.feedback(unit, since=counts.today(), branches=["HQ"]) == {}


@pytest.mark.parametrize(
    "form", [{"page": "lost-card"}, {"page": "nothing", "answer": "yes"}, {"answer": "no"}]
)
def test_an_answer_about_nothing_is_refused(fresh: Site, form: dict[str, str]) -> None:
    assert fresh.visitor().post("/visit/useful", data=form).status_code == 400
    foreign = fresh.visitor().post(
        "/visit/useful",
        data={"page": "lost-card", "answer": "yes"},
        headers={"Origin": "https://evil.example"},
    )
    assert foreign.status_code == 403


def test_the_most_opened_come_first_and_old_figures_go(unit: Unit) -> None:
    today = counts.today()
    long_ago = today - timedelta(days=counts.KEPT_DAYS + 1)
    counts.add_opens(unit, {(today, "HQ", "a"): 1, (today, "B310000", "b"): 5})
    counts.add_opens(unit, {(today, "HQ", "a"): 2})
    counts.add_feedback(unit, branch="HQ", page="a", is_useful=True)
    assert list(counts.opens(unit, since=today).items()) == [("b", 5), ("a", 3)]
    assert counts.opens(unit, since=today, branches=["HQ"]) == {"a": 3}
    table = table_of(counts.OpenRow)
    unit.db.execute(update(table).where(table.c.service == "a").values(day=long_ago))
    counts.tidy(unit)
    assert counts.opens(unit, since=long_ago) == {"b": 5}
    assert counts.feedback(unit, since=long_ago) == {"a": (1, 0)}


def test_no_figure_has_room_for_a_person(fresh: Site) -> None:
    columns = {
        column["name"]
        for table in ("service_opens", "feedback_counts")
        for column in inspect(fresh.wiring.engine).get_columns(table)
    }
    assert columns == {"day", "branch_code", "service", "page", "answer", "total"}
