"""What the program can be told is written down where people look for it."""

from __future__ import annotations

import re

import pytest

from config import HOME, documented

#: A settings row, and how a setting looks in ``.env.example``.
ROW = "| `{name}` | {default} |"


@pytest.mark.parametrize(
    ("name", "default", "_says"), documented(), ids=lambda value: str(value)[:24]
)
def test_every_setting_is_in_the_table_with_its_default(
    name: str, default: str, _says: str
) -> None:
    table = (HOME / "docs" / "settings.md").read_text("utf-8")
    row = next((line for line in table.splitlines() if line.startswith(f"| `{name}` |")), "")
    assert row.startswith(ROW.format(name=name, default=f"`{default}`" if default else "（空）"))
    assert len(row.split("|")) == 5
    assert row.split("|")[3].strip()


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (HOME / ".env.example").read_text("utf-8")
    named = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE)
    assert dict(named) == {name: default for name, default, _says in documented()}


def test_the_table_names_no_setting_that_is_gone() -> None:
    table = (HOME / "docs" / "settings.md").read_text("utf-8")
    named = re.findall(r"^\| `([A-Z0-9_]+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(name for name, _default, _says in documented())
