"""How versions, faults and refusals read in the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from http import HTTPStatus
from typing import Any, Final

from service.api.problems import Named, Problem
from service.approvals.console import STATUS
from service.approvals.kinds import ChangeKind, Difference, Fault, Json
from service.approvals.merging import MISSING, merge
from service.approvals.models import Version
from service.approvals.refusals import ContentChanged, Faulty, Refused, StaleBase
from service.wiring import Unit

#: What of a version nobody outside needs.
_INSIDE: Final = frozenset({"text", "basis", "editors", "maker_id", "reviewer_id"})


def brief(version: Version) -> dict[str, Any]:
    """A version without its content."""
    told = {
        one.name: getattr(version, one.name) for one in fields(version) if one.name not in _INSIDE
    }
    return told | {"seal": version.seal}


def whole(version: Version) -> dict[str, Any]:
    """A version with its content."""
    return brief(version) | {"content": version.content}


def mark(version: Version) -> list[Any]:
    """What an ETag stands for: the version as it was after its latest move, and what is live."""
    return [version.id, version.revision, version.hash, version.live]


@contextmanager
def refusals(*, changed: HTTPStatus = HTTPStatus.CONFLICT) -> Iterator[None]:
    """A refusal inside the block is answered as a problem.

    Args:
        changed: the status when somebody wrote after the caller had read.
    """
    try:
        yield
    except Refused as refusal:
        status = STATUS.get(type(refusal), HTTPStatus.CONFLICT)
        if isinstance(refusal, ContentChanged):
            status = changed
        raise Problem(
            status,
            detail=refusal.says,
            way_out=refusal.way_out,
            faults=named(refusal.faults) if isinstance(refusal, Faulty) else (),
            conflicts=conflicts(refusal) if isinstance(refusal, StaleBase) else (),
        ) from None


def named(faults: Mapping[str, Sequence[Fault]]) -> list[Named]:
    """Faults by section as one list, each under its whole path."""
    return [
        Named(f"{section}/{one.where}".removesuffix("/"), one.rule, one.way_out)
        for section, found in faults.items()
        for one in found
    ]


def differences(found: Mapping[str, Sequence[Difference]]) -> list[dict[str, str]]:
    """Differences by section as one list."""
    return [
        {"section": section, "where": one.where, "before": one.before, "after": one.after}
        for section, some in found.items()
        for one in some
    ]


def conflicts(refusal: StaleBase) -> list[dict[str, Any]]:
    """Where two people changed the same, with all three texts; null for what is not there."""
    found = merge(refusal.base, mine=refusal.mine, theirs=refusal.theirs).conflicts
    return [
        {
            "where": one.path,
            **{
                side: None if (value := getattr(one, side)) is MISSING else value
                for side in ("base", "mine", "theirs")
            },
        }
        for one in found
    ]


def require_sections(kind: ChangeKind, content: Mapping[str, Json]) -> None:
    """Refuse sections the kind does not have."""
    if unknown := sorted(set(content) - set(kind.sections)):
        known = "、".join(kind.sections)
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            faults=[Named(f"content/{one}", "没有这个部分", f"只能有：{known}") for one in unknown],
        )


def require_sound(
    unit: Unit, kind: ChangeKind, version: Version, content: Mapping[str, Json]
) -> None:
    """Refuse content with faults: people may leave a page half filled in, a program need not.

    It also keeps out content of shapes that no page could show to whoever decides on it.
    """
    found = {
        name: kind.sections[name].faults(unit, version.branch, version.key, content[name])
        for name in content
    }
    if any(found.values()):
        raise Faulty({name: some for name, some in found.items() if some})
