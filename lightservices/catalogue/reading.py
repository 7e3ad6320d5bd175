"""The pack read into a catalogue. A file with a fault is left out and reported, so that one slip of
an editor never takes the other pages down."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml
from marshmallow import Schema, ValidationError

from lightservices.catalogue import checks, placeholders
from lightservices.catalogue.checks import Known
from lightservices.catalogue.lines import Lines, Loader
from lightservices.catalogue.model import Catalogue, Fault, Scenario, Service
from lightservices.catalogue.schemas import ScenarioInput, ServiceInput
from service import wording

PACK: Final = Path(__file__).resolve().parents[1] / "packs" / "services"
SCENARIOS: Final = PACK.with_name("scenarios.yaml")

_WAYS_OUT: Final = {
    wording.MISSING: "补上这一项",
    wording.UNKNOWN: "检查拼写，或删去这一行",
    wording.MISTYPED: "参照同目录其他文件的写法改正",
}
_MEND: Final = "按提示改正后再检查"
_WHOLE: Final = "（整个文件）"
#: Keys that branches give their own services, see ``own``.
_OWN_KEY: Final = re.compile(r"(?:hq|b\d{6})-")

#: A schema is costly to make and keeps nothing between two loads.
_SERVICE: Final = ServiceInput()
_SCENARIO: Final = ScenarioInput()

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content: str

    def fault(self, path: Place, rule: str, way_out: str = "") -> Fault:
        where = ".".join(str(part) for part in path) or _WHOLE
        line = Lines(self.content).of(path)
        return Fault(self.name, line, where, rule, way_out or _WAYS_OUT.get(rule, _MEND))


def read(
    folder: Path = PACK,
    *,
    scenarios: Path = SCENARIOS,
    known: Known | None = None,
    side_by_side: bool = True,
) -> Catalogue:
    """Read every content file of this folder; what breaks a rule of its own is left out.

    What only shows ``side_by_side`` takes nothing away, so whoever serves pages need not look.
    """
    situations, faults = read_scenarios(scenarios)
    files: dict[str, _File] = {}
    sound: dict[str, Service] = {}
    for path in sorted(folder.glob("*.y*ml")):
        one = _read_one(path, files)
        if isinstance(one, Service):
            sound[one.key] = with_icon(one, situations)
        else:
            faults += one
    gaps = sum(len(placeholders.PATTERN.findall(file.content)) for file in files.values())
    if side_by_side:
        slips = checks.across(sound, situations, known or Known(), written=files.keys())
        faults += [files[slip.key].fault(slip.path, slip.rule, slip.way_out) for slip in slips]
    ordered = sorted(sound.values(), key=lambda service: (service.order, service.key))
    services = MappingProxyType({service.key: service for service in ordered})
    return Catalogue(services, tuple(sorted(faults)), situations, gaps)


@functools.lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The pack this program ships with, read once in the life of the process."""
    return read(side_by_side=False)


def read_scenarios(path: Path = SCENARIOS) -> tuple[Mapping[str, Scenario], list[Fault]]:
    """The scenarios in the order in which people see them, and what is wrong with the file."""
    loaded = _data(path)
    if isinstance(loaded, Fault):
        return MappingProxyType({}), [loaded]
    file, data = loaded
    entries = data.get("scenarios")
    if not isinstance(entries, list):
        return MappingProxyType({}), [file.fault(("scenarios",), wording.MISSING)]
    found: list[Scenario] = []
    faults: list[Fault] = []
    for number, entry in enumerate(entries):
        one = _loaded(_SCENARIO, file, entry, ("scenarios", number))
        if isinstance(one, Scenario):
            found.append(one)
        else:
            faults += one
    found.sort(key=lambda one: (one.order, one.name))
    return MappingProxyType({one.name: one for one in found}), faults


def loaded(content: Any) -> Service | list[Fault]:
    """One service that did not come from a file, such as one a branch wrote in the console."""
    file = _File("", yaml.safe_dump(content, allow_unicode=True))
    one: Service | list[Fault] = _loaded(_SERVICE, file, content, ())
    return one


def with_icon(service: Service, situations: Mapping[str, Scenario]) -> Service:
    """A service that names no icon wears that of its scenario."""
    if service.icon or service.scenario not in situations:
        return service
    return replace(service, icon=situations[service.scenario].icon)


def _read_one(path: Path, files: dict[str, _File]) -> Service | list[Fault]:
    read = _data(path)
    if isinstance(read, Fault):
        return [read]
    file, data = read
    if path.stem in files:
        return [file.fault(("key",), "同名文件有两个", "删去其中一个")]
    files[path.stem] = file
    one = _loaded(_SERVICE, file, data, ())
    if isinstance(one, Service) and one.key != path.stem:
        return [file.fault(("key",), "与文件名不一致", f"改为 {path.stem}，或改文件名")]
    if _OWN_KEY.match(path.stem):
        return [file.fault(("key",), "这样的编号留给分行自建的服务", "换一个不以机构号开头的编号")]
    found: Service | list[Fault] = one
    return found


def _data(path: Path) -> tuple[_File, dict[str, Any]] | Fault:
    try:
        content = path.read_text(encoding="utf-8")
        data = yaml.load(content, Loader)  # noqa: S506  # libyaml's own safe loader
    except FileNotFoundError:
        return Fault(path.name, 1, _WHOLE, "没有这个文件", "补上这个文件")
    except UnicodeDecodeError:
        return Fault(path.name, 1, _WHOLE, "不是 UTF-8 文字", "另存为 UTF-8 编码")
    except yaml.YAMLError as broken:
        line = getattr(getattr(broken, "problem_mark", None), "line", 0) + 1
        return Fault(path.name, line, _WHOLE, "YAML 写法有误", "检查缩进、冒号和引号")
    if not isinstance(data, dict):
        return Fault(path.name, 1, _WHOLE, "内容不是字段列表", "每行写成 字段: 内容")
    return _File(path.name, content), data


def _loaded(schema: Schema, file: _File, data: Any, base: Place) -> Any:
    try:
        return schema.load(data)
    except ValidationError as refused:
        return [
            file.fault((*base, *path), message.rstrip("."))
            for path, message in wording.each(wording.messages(refused))
        ]
