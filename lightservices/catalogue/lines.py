"""On which line of a content file a field stands, so that an editor goes straight there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

#: libyaml reads the pack ten times as fast; the plain loader stands in where it is not built.
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lines:
    """The places of the fields in one file; composed only when there is a fault to place."""

    def __init__(self, content: str) -> None:
        self._root = yaml.compose(content, Loader=Loader)

    def of(self, path: Sequence[str | int]) -> int:
        """The line, from 1, of the field at this path, or of what should hold it."""
        node, line = self._root, 1
        for part in path:
            found = _inside(node, part)
            if found is None:
                break
            node, line = found
        return line


def _inside(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and str(part).isdigit() and int(part) < len(node.value):
        inner = node.value[int(part)]
        return inner, inner.start_mark.line + 1
    return None
