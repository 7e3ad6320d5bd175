"""The packs the program ships with: content for each kind of emergency, one YAML file each."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from lightservices.emergency import content
from lightservices.emergency.content import Content

FOLDER: Final = Path(__file__).resolve().parents[1] / "packs" / "emergency"


def read(path: Path) -> Content:
    """One pack.

    Raises:
        ContentRefused: naming every fault.
    """
    return content.read(yaml.safe_load(path.read_text(encoding="utf-8")))


@functools.cache
def shipped() -> Mapping[str, Content]:
    """Every pack by its key, read once."""
    found = [read(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {one.key: one for one in found}
