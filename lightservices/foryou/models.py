"""What is kept for recommendations: tags, fading counts by situation, the follower's word."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Float, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Model, UtcTime


class FollowerTagRow(Model):
    """The table of followers' tags."""

    __tablename__ = "follower_tags"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    tag: Mapped[str] = mapped_column(String(24), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)


class FollowerTasteRow(Model):
    """The table of fading counts: no page, no hour, only a situation, a weight and its day."""

    __tablename__ = "follower_tastes"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    scenario: Mapped[str] = mapped_column(String(24), primary_key=True)
    weight: Mapped[float] = mapped_column(Float)
    stamped: Mapped[date] = mapped_column(Date, index=True)


class FollowerWordRow(Model):
    """The table of what followers said of recommendations: yes to which text, or no, and when."""

    __tablename__ = "follower_words"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    is_on: Mapped[bool]
    version: Mapped[str] = mapped_column(String(16))
    said_at: Mapped[datetime] = mapped_column(UtcTime)
