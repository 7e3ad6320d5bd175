"""A small bank: head office, 广东 with 广州 below it, and 上海."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from regions import branches
from regions.branches import HEAD_OFFICE, Bank, Branch, BranchCode
from service.staff.models import Staff
from service.wiring import Unit

BANK = Bank(
    (
        Branch(HEAD_OFFICE, "示例银行总行", "总行", 0, None, None),
        Branch(BranchCode("B310000"), "上海市分行", "上海", 1, HEAD_OFFICE, None),
        Branch(BranchCode("B440000"), "广东省分行", "广东", 1, HEAD_OFFICE, None),
        Branch(BranchCode("B440100"), "广州分行", "广州", 2, BranchCode("B440000"), None),
    ),
    (),
)


@pytest.fixture
def bank(unit: Unit) -> Unit:
    unit.db.execute(delete(Staff))
    branches.install(unit, BANK)
    return unit
