"""The sample bank a newcomer starts with, read from ``data/sample_bank.yaml``."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from sqlalchemy import select

from regions import branches, divisions
from regions.branches import HEAD_OFFICE, Bank, Branch, BranchCode, DrawnException
from regions.divisions import Division, DivisionCode
from service.wiring import Unit

#: What stands behind a place's own name: its kind, and before 自治州 the peoples who give it its
#: name. 恩施土家族苗族自治州 is 恩施, 克孜勒苏柯尔克孜自治州 is 克孜勒苏.
_PEOPLES = (
    "朝鲜族|土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族|壮族|傣族|白族|景颇族|傈僳族|回族"
    "|蒙古族|蒙古|哈萨克|柯尔克孜"
)
_KIND = re.compile(rf"(市|盟|地区|({_PEOPLES})+自治州)$")


@cache
def bank() -> Bank:
    """The sample bank, the same on every call."""
    with (divisions.DATA / "sample_bank.yaml").open(encoding="utf-8") as file:
        told: dict[str, Any] = yaml.safe_load(file)
    head = told["head_office"]
    first = [
        _branch(entry["division"], entry["name"], entry["short_name"], 1, HEAD_OFFICE)
        for entry in told["provinces"] + told["carved_out"]
    ]
    second = list(_second_tier({branch.division for branch in first}, told["second_tier"]))
    below = tuple(sorted(first + second, key=lambda branch: branch.code))
    return Bank(
        (Branch(HEAD_OFFICE, head["name"], head["short_name"], 0, None, None), *below),
        tuple((DivisionCode(code), HEAD_OFFICE) for code in head["serves"])
        + tuple((branch.division, branch.code) for branch in below if branch.division),
        tuple(
            DrawnException(
                entry["name"],
                DivisionCode(entry["within"]),
                BranchCode(entry["served_by"]),
                tuple((longitude, latitude) for longitude, latitude in entry["outline"]),
            )
            for entry in told["exceptions"]
        ),
    )


def seed(unit: Unit) -> None:
    """Store the sample bank where there is none; branches that are there stay as they are."""
    if unit.db.execute(select(branches.BranchRow.code).limit(1)).first() is None:
        branches.install(unit, bank())


def _second_tier(taken: set[DivisionCode | None], rule: dict[str, Any]) -> list[Branch]:
    return [
        _branch(
            city.code,
            rule["name"].format(place=_place(city, rule["places"])),
            _place(city, rule["places"]),
            2,
            BranchCode(f"B{city.parent}"),
        )
        for city in divisions.table()
        if city.level == "prefecture" and city.code not in taken and city.code[2:] != "0100"
    ]


def _place(city: Division, exceptions: dict[str, str]) -> str:
    return exceptions.get(city.code) or _KIND.sub("", city.name)


def _branch(division: str, name: str, short_name: str, level: int, parent: BranchCode) -> Branch:
    return Branch(
        BranchCode(f"B{division}"), name, short_name, level, parent, DivisionCode(division)
    )
