"""Whatever list was taken in, exported and uploaded again it is the same list."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightservices import workbooks
from lightservices.outlets import branch_list, checking, section
from lightservices.outlets.branch_list import COLUMNS
from regions.coordinates import Datum
from service.staff import Me
from service.wiring import Unit
from tests.lightservices.console.conftest import HERE, Bank, row, sheet

BY = Me(1, "checker", "复核")
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
LISTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": WORDS, "address": WORDS, "services": WORDS, "accessible": WORDS,
            "phone": st.sampled_from(["020-12345678", "+86 20 1234 5678", "95588"]),
            "hours": st.sampled_from(["每天 09:00-17:00", "周一至周五 09:00-12:00，13:00-17:00"]),
            "datum": st.sampled_from(["GCJ-02", "WGS-84", "百度"]),
            "lat": st.floats(23.12, 23.13).map(repr), "lng": st.floats(113.35, 113.37).map(repr),
        },
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(LISTS, st.booleans())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_exporting_and_uploading_is_the_identity(
    bank: Bank, rows: list[dict[str, str]], as_book: bool
) -> None:
    raw = sheet([row(f"GZ{number:03d}", **one) for number, one in enumerate(rows)])
    with bank.wiring.engine.connect() as connection, connection.begin() as transaction:
        unit = Unit(connection, bank.wiring)

        def looked_at(file: bytes) -> checking.Checked:
            book = workbooks.read(file)
            return checking.finished(checking.check(unit, HERE, book, datum=Datum.BD09))

        first = looked_at(raw)
        if not first.faults:
            section.apply(unit, HERE, "", {"outlets": first.entries}, BY)
        live = branch_list.live(unit, HERE)
        titles, told = list(COLUMNS.values()), list(branch_list.rows(live))
        text = "".join(workbooks.as_csv(titles, told)).encode()
        again = looked_at(workbooks.as_xlsx("表", titles, told) if as_book else text)
        assert again.faults == []
        assert branch_list.compare(live, again.entries).is_same
        assert first.faults or live == first.entries == again.entries
        transaction.rollback()
