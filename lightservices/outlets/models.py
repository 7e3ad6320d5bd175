"""One outlet: where it is (GCJ-02), when it is open, what it does, whether it is only a sample."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from regions.branches import BranchRow
from service.db import Model


class OutletRow(Model):
    """The table of outlets."""

    __tablename__ = "outlets"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    branch_code: Mapped[str] = mapped_column(ForeignKey(BranchRow.code), index=True)
    division: Mapped[str] = mapped_column(String(6), index=True)
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(32))
    lat: Mapped[float]
    lng: Mapped[float]
    hours: Mapped[str] = mapped_column(String(200))
    services: Mapped[list[str]] = mapped_column(JSON)
    #: What makes it easier to get in and be served, such as 坡道.
    accessible: Mapped[list[str]] = mapped_column(JSON, default=list)
    synthetic: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True)
class Outlet:
    """As pages show it: ``lat`` and ``lng`` are GCJ-02 degrees, ``division`` is the county."""

    id: str
    branch_code: str
    division: str
    name: str
    address: str
    phone: str
    lat: float
    lng: float
    hours: str
    services: tuple[str, ...]
    synthetic: bool
    accessible: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"/o/{self.id}"
