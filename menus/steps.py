"""The steps a publication is made of, each small enough that a crash may come after any of them."""

from __future__ import annotations

from dataclasses import dataclass

from menus.buttons import Menu


@dataclass(frozen=True, slots=True)
class CreateDefault:
    """Put the default menu in place of what is there; conditional menus stay."""

    menu: Menu


@dataclass(frozen=True, slots=True)
class CreateTag:
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class RenameTag:
    """Let a tag name another variant from now on, because most who carry it will see that one."""

    tag_id: int
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class AddMenu:
    """Add a variant's menu under its tag. From here on its branches' followers may be tagged."""

    key: str
    menu: Menu


@dataclass(frozen=True, slots=True)
class DeleteMenu:
    menu_id: str
    key: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """Let branches fall to the default for a while, because there is no safe way for them: no slot
    is free, or two variants would have to exchange followers before either may change."""

    key: str
    branches: tuple[str, ...]
    followers: int


@dataclass(frozen=True, slots=True)
class MoveOut:
    """Wait until these branches' followers carry the tag no more, as its menu will not be theirs.

    ``most`` of them may still be on their way: followers cross borders all the time.
    """

    tag_id: int
    key: str
    branches: tuple[str, ...]
    followers: int
    most: int = 0


@dataclass(frozen=True, slots=True)
class EmptyTag:
    """Wait until nobody carries the tag any more; ``followers`` is how many do now."""

    tag_id: int
    key: str
    followers: int


@dataclass(frozen=True, slots=True)
class DeleteTag:
    tag_id: int
    key: str


Step = (
    CreateDefault
    | CreateTag
    | RenameTag
    | AddMenu
    | DeleteMenu
    | LetGo
    | MoveOut
    | EmptyTag
    | DeleteTag
)
