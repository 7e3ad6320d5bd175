"""The fields of WeChat's XML: strict about form, which is UTF-8 without document type or entities.

Nearly every push is flat, and a flat one is read by one pattern; whatever does not fit it to the
letter is left to a real parser, which reads the same fields or says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

#: Element text by path below ``<xml>``: ``{"MsgType": "event", "ScanCodeInfo/ScanType": "qr"}``.
Fields = Mapping[str, str]

_DEPTH: Final = 8
#: WeChat's longest names have half of this. Long ones, nested, would make paths costly to build.
_NAME_SIGNS: Final = 64
_OPENS, _CLOSES = b"<xml>", b"</xml>"
_FIELD: Final = re.compile(
    rb"\s*<([A-Za-z_][A-Za-z0-9_]{0,63})>(?:<!\[CDATA\[((?:(?!]]>).)*)]]>|([^<>&\]]*))</\1>\s*",
    re.DOTALL,
)
#: Characters XML forbids or changes: control characters, carriage returns, U+FFFE and U+FFFF.
_DELICATE: Final = re.compile(rb"[\x00-\x08\x0b-\x1f]|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf]")


class Unreadable(Exception):
    """A push whose content cannot be understood. ``fault`` names the field, never its value."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(fault)


class _Reader:
    """Collects the text of every element by its path."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._path) == _DEPTH or len(name) > _NAME_SIGNS:
            raise Unreadable("depth")
        self._path.append(name)
        self._text.clear()

    def end(self, _name: str) -> None:
        # The root's own name is dropped: some platforms write <xml>, some <XML>.
        if len(self._path) > 1:
            self._close("/".join(self._path[1:]), "".join(self._text))
        self._path.pop()
        self._text.clear()

    def _close(self, path: str, text: str) -> None:
        if len(self._path) == 2 and path in self.fields:
            raise Unreadable(f"repeated {path[:32]}")
        # Lists repeat their items; the first stands for all where we need one at all.
        self.fields.setdefault(path, text)

    def refuse(self, *_declaration: object) -> None:
        raise Unreadable("document type")


def fields_of(document: bytes) -> dict[str, str]:
    """The fields of a push.

    Raises:
        Unreadable: not UTF-8 XML, or with a document type, a repeated field, or absurd nesting.
    """
    flat = _flat_fields(document)
    return _parsed_fields(document) if flat is None else flat


def _flat_fields(document: bytes) -> dict[str, str] | None:
    """The fields of a push without nesting, or nothing where the pattern does not fit."""
    if not (document.startswith(_OPENS) and document.endswith(_CLOSES)):
        return None
    if _DELICATE.search(document):
        return None
    found: dict[str, str] = {}
    at, end = len(_OPENS), len(document) - len(_CLOSES)
    while at < end:
        field = _FIELD.match(document, at, end)
        if field is None:
            return None
        name = field[1].decode("ascii")
        sealed, plain = field[2], field[3]
        try:
            value = (plain if sealed is None else sealed).decode()
        except UnicodeDecodeError:
            return None
        if name in found:
            return None
        found[name] = value
        at = field.end()
    return found


def _parsed_fields(document: bytes) -> dict[str, str]:
    reader = _Reader()
    # Naming the encoding here overrides what the document claims, so UTF-16 tricks end here.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader._text.append
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        raise Unreadable("XML") from None
    return reader.fields
