"""The built atlas on disk: one file, written at one stroke, mapped into memory and shared.

A fixed mark, the length of a JSON header, the header, then arrays at places it names. Everything is
little-endian. Worker processes map the same pages, so the file costs its memory once.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from regions.survey import Survey

#: Changes whenever a file of the older kind would be read wrongly.
FORMAT = 1
_MARK = b"atlas\r\n\x1a"
_ALIGNMENT = 64
_ARRAYS = tuple(field.name for field in fields(Survey) if field.name != "codes")


def write(path: Path, survey: Survey, *, source: str) -> None:
    """Put the file in its place whole, or not at all, whoever else is reading or writing it."""
    arrays = {name: np.ascontiguousarray(getattr(survey, name)) for name in _ARRAYS}
    described: dict[str, dict[str, Any]] = {}
    end = 0
    for name, array in arrays.items():
        start = -(-end // _ALIGNMENT) * _ALIGNMENT
        described[name] = {"dtype": array.dtype.str, "shape": array.shape, "at": start}
        end = start + array.nbytes
    header = json.dumps(
        {
            "format": FORMAT,
            "source": source,
            "size": end,
            "codes": survey.codes,
            "arrays": described,
        }
    ).encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_MARK + len(header).to_bytes(8, "little") + header)
            base = _base(len(header))
            for key, array in arrays.items():
                file.seek(base + described[key]["at"])
                file.write(array.data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path, *, source: str) -> Survey | None:
    """The survey in this file; None if there is none made from ``source`` that is whole."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (FileNotFoundError, ValueError):  # ValueError: the file is empty.
        return None
    length = int.from_bytes(mapped[8:16], "little")
    if mapped[:8] != _MARK or len(mapped) < 16 + length:
        return None
    header = json.loads(mapped[16 : 16 + length])
    base = _base(length)
    if (header["format"], header["source"]) != (FORMAT, source):
        return None
    if len(mapped) != base + header["size"]:
        return None
    return Survey(
        codes=tuple(header["codes"]),
        **{
            name: np.frombuffer(
                mapped,
                told["dtype"],
                count=int(np.prod(told["shape"])),
                offset=base + told["at"],
            ).reshape(told["shape"])
            for name, told in header["arrays"].items()
        },
    )


@contextmanager
def only_builder(path: Path) -> Iterator[None]:
    """Wait until no other process builds this file. The system ends the claim of one that dies."""
    with path.with_name(f".{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _base(header_length: int) -> int:
    return -(-(16 + header_length) // _ALIGNMENT) * _ALIGNMENT
