"""Whether a worker is at work: a time it writes down again and again, and everybody may read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from service import clock
from service.db import Model, UtcTime
from service.readiness import Finding
from service.wiring import Unit

#: How often a worker says that it is there: a chore of this period in ``wsgi.py``.
EVERY_SECONDS: Final = 10
#: Silence longer than this means that nobody works; a long call to WeChat must not look like it.
SILENCE: Final = timedelta(seconds=60)

_WORKER: Final = "worker"


class Heartbeat(Model):
    """When what bears this name was last known to be at work."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)


def beat(unit: Unit) -> None:
    """Write down that a worker is at work now."""
    statement = unit.insert(Heartbeat).values(name=_WORKER, at=clock.now())
    unit.db.execute(
        statement.on_conflict_do_update(
            index_elements=[Heartbeat.name], set_={"at": statement.excluded.at}
        )
    )


def heard(unit: Unit) -> Finding:
    """Whether any worker was at work within the last minute."""
    last = unit.db.execute(select(Heartbeat.at).where(Heartbeat.name == _WORKER)).scalar()
    way_out = "请启动 flask worker，标签、菜单和消息都由它送达微信"
    if last is None:
        return Finding(False, "后台进程还没有运行过", way_out)
    silence = clock.now() - last
    if silence > SILENCE:
        return Finding(False, f"后台进程已静默 {int(silence.total_seconds())} 秒", way_out)
    return Finding(True, "后台进程在工作")
