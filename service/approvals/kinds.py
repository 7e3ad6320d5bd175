"""What can be put before a second person: kinds of documents, and the sections they consist of.

A *document* is named by its kind, a branch code and a key; its content is one JSON object with an
entry for each section. The package that owns a section's content brings its five functions, and
``wsgi.py`` puts the sections together into kinds (``Tables.changes``)::

    changes={
        "zone": ChangeKind(
            title="本地专区",
            sections={"zone": zones.SECTION, "menu": fills.SECTION},
        ),
    }

Everything a section's functions are given or give back is plain JSON (objects, lists, texts, whole
numbers, true, false, null), because it is hashed, kept and compared as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from service.audit import Actor
from service.staff.people import Me
from service.wiring import Unit

#: A section's content: whatever JSON its package decided on. Never written to in place.
Json = Any
#: A document's content: the sections' contents by the sections' names.
Content = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why content cannot go live, in words for whoever wrote it.

    ``where`` a path such as ``menu/3/title`` so that the form can mark the field; ``rule`` what is
    asked (``菜单名最多 8 个汉字，现在 10 个``); ``way_out`` what to do (``缩短两个字``).
    """

    where: str
    rule: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changes, in people's words: ``where`` it is, what it was, what it will be.

    "" before means added, "" after means removed. Both are plain text; the console escapes them.
    """

    where: str
    before: str
    after: str


def _nothing_yet(_unit: Unit, _branch: str, _key: str) -> Json:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a document, brought by the package that owns what it says.

    All but ``apply`` only read. None raises for content it dislikes: ``faults`` says what is wrong,
    also with content of the wrong shape.
    """

    title: str
    #: ``read(unit, branch, key)``: what is live now, in the very shape ``apply`` takes; None while
    #: there is nothing of this section.
    read: Callable[[Unit, str, str], Json | None]
    #: ``faults(unit, branch, key, content)``: what is wrong with it; asked while typing, when it is
    #: proposed, and once more when it is approved or its time has come.
    faults: Callable[[Unit, str, str, Json], Sequence[Fault]]
    #: ``apply(unit, branch, key, content, by)``: make it live, in the approving transaction; asks
    #: for deliveries and announces facts as needed. ``by`` is who approved it. Applying what is
    #: live already changes nothing. It runs under the locks of the approval, so it is quick. What
    #: it cannot do after all it says with a :class:`~service.approvals.refusals.Refused`.
    apply: Callable[[Unit, str, str, Json, Actor], None]
    #: ``differences(unit, before, after)``: ``before`` is None when nothing was live.
    differences: Callable[[Unit, Json | None, Json], Sequence[Difference]]
    #: ``fresh(unit, branch, key)``: what a draft starts with where ``read`` finds nothing.
    fresh: Callable[[Unit, str, str], Json] = _nothing_yet
    #: ``progress(unit, branch)``: what is still under way after it went live ("菜单正在发布：剩 12
    #: 步") or failing and why; None when everything is done.
    progress: Callable[[Unit, str], str | None] | None = None


def _anybody(_unit: Unit, _me: Me, _branch: str, _key: str) -> None:
    """Nothing beside the rights."""


def _no_consequences(_unit: Unit, _branch: str, _content: Content) -> Sequence[str]:
    return ()


def _nothing_to_beware(_unit: Unit, _key: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeKind:
    """One kind of document that goes live only after a second person said yes."""

    title: str
    sections: Mapping[str, Section]
    #: What somebody must be allowed to do at the branch to see it, to write it, to propose it and
    #: to decide on it: acts of :mod:`service.staff.rights`.
    reads: str = "read"
    edits: str = "edit"
    proposes: str = "propose"
    approves: str = "review"
    #: ``allows(unit, me, branch, key)``: asked, beside their rights, of whoever begins a version,
    #: writes to it or proposes it; raises a :class:`~service.approvals.refusals.Refused`.
    allows: Callable[[Unit, Me, str, str], None] = _anybody
    #: What the key of a document must look like, as a pattern. A kind that makes no use of keys
    #: allows one only: else there would be two documents of one thing, neither aware of the other.
    keys: str = r"[A-Za-z0-9._-]{0,64}"
    #: The one branch that has documents of this kind, "" for any: what concerns everybody must not
    #: be approved by whoever decides for a part.
    only_at: str = ""
    #: Whether one person may bring back what was live before.
    rolls_back: bool = True
    #: What approving means in numbers, one sentence each ("约 12.4 万名粉丝会看到新菜单").
    consequences: Callable[[Unit, str, Content], Sequence[str]] = field(default=_no_consequences)
    #: ``beware(unit, key)``: what whoever approves must know of the thing itself, in sentences.
    beware: Callable[[Unit, str], Sequence[str]] = field(default=_nothing_to_beware)
    #: ``preview(unit, branch, key, content, at)``: what a follower would see, as HTML of ours.
    preview: Callable[[Unit, str, str, Content, datetime], Markup] | None = None
    #: ``editor(branch, key)``: the path of the page where the maker goes on writing.
    editor: Callable[[str, str], str] | None = None
