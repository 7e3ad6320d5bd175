"""Lists that were uploaded and looked at, waiting for a day until somebody makes a draft of them.

Nothing here is live, and nothing here is about a person but who uploaded it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, String, Text, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from lightservices.outlets.branch_list import Entry
from lightservices.outlets.checking import Checked, Fault
from regions.branches import BranchRow
from service import clock
from service.db import Model, UtcTime, table_of
from service.wiring import Unit

KEPT: Final = timedelta(days=1)
#: Somebody who tries again and again leaves no more than this behind.
_MOST_OF_ONE: Final = 5


class UploadRow(Model):
    """The table of uploads."""

    __tablename__ = "outlet_uploads"

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code))
    staff_id: Mapped[int] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(80))
    #: The check's outcome as JSON.
    text: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload with what came of checking it."""

    token: str
    name: str
    checked: Checked
    added_at: datetime


_TABLE: Final = table_of(UploadRow)


def keep(unit: Unit, branch: str, checked: Checked, *, name: str, staff_id: int) -> str:
    """Keep the outcome of a check; under which token."""
    mine = select(_TABLE.c.token).where(_TABLE.c.staff_id == staff_id)
    older = mine.order_by(_TABLE.c.added_at.desc()).offset(_MOST_OF_ONE - 1)
    tokens = list(unit.db.execute(older).scalars())
    unit.db.execute(delete(_TABLE).where(_TABLE.c.token.in_(tokens)))
    token = secrets.token_hex(16)
    unit.db.execute(
        insert(_TABLE).values(
            token=token,
            branch_code=branch,
            staff_id=staff_id,
            name=name[:80],
            text=_text(checked),
            added_at=clock.now(),
        )
    )
    return token


def find(unit: Unit, token: str, *, branch: str, staff_id: int) -> Upload | None:
    """The upload of this person for this branch."""
    row = unit.db.execute(
        select(_TABLE.c.token, _TABLE.c.name, _TABLE.c.text, _TABLE.c.added_at).where(
            _TABLE.c.token == token,
            _TABLE.c.branch_code == branch,
            _TABLE.c.staff_id == staff_id,
        )
    ).first()
    return Upload(row.token, row.name, _checked(row.text), row.added_at) if row else None


def forget_old(unit: Unit) -> None:
    """The chore: drop what nobody made a draft of."""
    unit.db.execute(delete(_TABLE).where(_TABLE.c.added_at < clock.now() - KEPT))


def _text(checked: Checked) -> str:
    return json.dumps(
        asdict(checked) | {"entries": dict(checked.entries)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _checked(text: str) -> Checked:
    told = json.loads(text)
    entries: Mapping[str, Entry] = told["entries"]
    faults: Sequence[Fault] = [Fault(**one) for one in told["faults"]]
    return Checked(**{**told, "entries": entries, "faults": faults})
