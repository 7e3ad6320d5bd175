"""What a report of a place is worth: absurd, abroad, doubtful near a border, or clear."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from regions import atlas, branches
from regions.branches import BranchCode
from regions.coordinates import Datum, to_gcj02
from regions.divisions import DivisionCode
from service import clock
from service.happenings import LocationReported, OpenId, Surface
from service.wiring import Unit

#: A report this far ahead of our clock is absurd, and would silence every later one.
AHEAD = timedelta(minutes=10)


class Source(enum.StrEnum):
    """How we know a place."""

    CHOSEN = "chosen"  #: the follower picked a city; stands until they release it or it expires
    PAGE = "page"  #: a precise fix on one of our pages
    EVENT = "event"  #: the LOCATION event
    MESSAGE = "message"  #: a location the follower sent
    SCENE = "scene"  #: a branch's or an outlet's QR code
    RELEASED = "released"  #: what was chosen before and no longer binds


STRENGTH = {source: rank for rank, source in enumerate(reversed(Source))}
_SOURCE_OF = {
    Surface.PAGE: Source.PAGE,
    Surface.EVENT: Source.EVENT,
    Surface.MESSAGE: Source.MESSAGE,
}


@dataclass(frozen=True, slots=True)
class Fix:
    """A usable report, resolved."""

    openid: OpenId
    at: datetime
    source: Source
    latitude: float
    longitude: float
    margin_m: float
    division: DivisionCode
    branch: BranchCode


def fix_in(unit: Unit, fact: LocationReported) -> Fix | None:
    """The report resolved to a county and a branch, or nothing where it is absurd or outside."""
    settings = unit.settings
    if not _is_plausible(fact, limit_m=settings.precision_limit_m):
        return None
    datum = Datum(settings.location_datum) if fact.surface is Surface.EVENT else Datum.GCJ02
    latitude, longitude = to_gcj02(fact.latitude, fact.longitude, datum)
    division = atlas.current(settings).county_at(latitude, longitude)
    if division is None:
        return None
    serving = branches.directory(unit).serving(division, latitude=latitude, longitude=longitude)
    return Fix(
        openid=fact.openid,
        at=fact.at,
        source=_SOURCE_OF[fact.surface],
        latitude=latitude,
        longitude=longitude,
        margin_m=max(fact.precision_m or 0.0, float(settings.border_band_m)),
        division=division,
        branch=serving.branch.code,
    )


def _is_plausible(fact: LocationReported, *, limit_m: float) -> bool:
    """Phones without a fix report zeros; some report kilometres of doubt."""
    if fact.latitude == 0.0 and fact.longitude == 0.0:
        return False
    precision = fact.precision_m
    if precision is not None and not 0.0 <= precision <= limit_m:
        return False
    return fact.at <= clock.now() + AHEAD


def is_clear(unit: Unit, fix: Fix, *, by_county: bool = False) -> bool:
    """Whether the fix lies inside its branch (or county) by more than it may be wrong."""
    directory = branches.directory(unit)
    around = atlas.current(unit.settings).near(fix.latitude, fix.longitude, fix.margin_m)
    if by_county:
        return all(division == fix.division for division, _distance in around)
    return all(
        directory.serving(division).branch.code == fix.branch
        for division, _distance in around
        if division != fix.division
    )
