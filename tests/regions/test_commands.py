"""``flask regions`` as its operators use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from config import Settings
from regions import branches, sample
from regions.atlas import FILE_NAME, Atlas
from service.db import db
from service.wiring import Wiring
from wsgi import create_app


@pytest.fixture
def run(app: Flask, wiring: Wiring, atlas: Atlas) -> Iterator[FlaskCliRunner]:
    """A command line on a database that holds the sample bank."""
    del atlas  # Only so that no command has to build it.
    with wiring.unit() as unit:
        sample.seed(unit)
    yield app.test_cli_runner()
    with wiring.engine.begin() as connection:
        for table in reversed(db.metadata.sorted_tables):
            connection.execute(table.delete())
    wiring.shelf.clear()


@pytest.fixture
def bare(settings: Settings, atlas: Atlas, tmp_path: Path) -> Iterator[Flask]:
    """An application whose database has no tables yet."""
    del atlas
    (tmp_path / FILE_NAME).symlink_to(settings.data_dir / FILE_NAME)
    app = create_app(replace(settings, data_dir=tmp_path, database_url=""))
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["wiring"].reader.dispose()


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_point_is_one_line_of_json(run: FlaskCliRunner) -> None:
    result = run.invoke(args=["regions", "locate", "31.2990", "120.5853"])
    (answer,) = lines(result)
    assert "苏州分行" in result.stdout  # Chinese is printed as it is.
    assert answer["division"] == "320508"
    assert answer["names"] == ["江苏省", "苏州市", "姑苏区"]
    assert answer["label"] == "江苏省苏州市姑苏区"
    assert answer["province"] == {"code": "320000", "name": "江苏省"}
    assert answer["prefecture"] == {"code": "320500", "name": "苏州市"}
    assert answer["county"] == {"code": "320508", "name": "姑苏区"}
    assert answer["branch"]["code"] == "B320500"
    assert [step["name"] for step in answer["branch"]["chain"]] == ["苏州分行", "总行"]
    assert answer["distance_to_border_m"] > 300
    assert answer["ambiguous"] is False
    assert answer["point"]["datum"] == "gcj02"
    assert "样例" not in answer["why"]


@pytest.mark.parametrize(
    ("point", "prefecture"),
    [
        (("35.067199", "112.602256"), {"code": "419001", "name": "济源市"}),
        (("39.928341", "116.41649"), {"code": "110000", "name": "北京市"}),
        (("23.0207", "113.7518"), {"code": "441900", "name": "东莞市"}),
    ],
)
def test_every_place_has_a_prefecture_or_what_stands_for_it(
    run: FlaskCliRunner, point: tuple[str, str], prefecture: dict[str, str]
) -> None:
    (answer,) = lines(run.invoke(args=["regions", "locate", *point]))
    assert answer["prefecture"] == prefecture


def test_the_datum_moves_the_point(run: FlaskCliRunner) -> None:
    answers = [
        lines(run.invoke(args=["regions", "locate", "31.23", "121.47", "--datum", datum]))[0]
        for datum in ("gcj02", "wgs84", "bd09")
    ]
    points = [tuple(answer["point"]["gcj02"]) for answer in answers]
    assert points[0] == (31.23, 121.47)
    assert len(set(points)) == 3


def test_far_away_nothing_is_claimed(run: FlaskCliRunner) -> None:
    (answer,) = lines(run.invoke(args=["regions", "locate", "-33.87", "151.21"]))
    assert answer["division"] is answer["prefecture"] is answer["distance_to_border_m"] is None
    assert answer["branch"]["code"] == "HQ"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["121.47", "31.23"], "写反"),
        (["north", "121.47"], "不是数字"),
        (["31.23"], "缺少经度"),
        ([], "二者选一"),
        (["31.23", "121.47", "--csv", "-"], "二者选一"),
    ],
)
def test_a_point_that_is_none_is_refused_with_a_way_out(
    run: FlaskCliRunner, args: list[str], says: str
) -> None:
    result = run.invoke(args=["regions", "locate", *args])
    assert result.exit_code == 2
    assert says in result.output


def test_a_file_is_answered_row_by_row_and_bad_rows_do_not_stop_it(run: FlaskCliRunner) -> None:
    given = (
        "\ufeffid,lat,lng,label\n"
        "a,31.2990,120.5853,家\n"
        "b,abc,120,\n"
        "c,,120,\n"
        "d,121.47,31.23,\n"
        "e,31.2,121.4,x,y\n"
        "f,nan,120,\n"
        "g,32.0603,118.7969,\n"
    )
    result = run.invoke(args=["regions", "locate", "--csv", "-"], input=given.encode())
    answers = lines(result)
    assert [answer["id"] for answer in answers] == list("abcdefg")
    assert [answer["row"] for answer in answers] == [2, 3, 4, 5, 6, 7, 8]
    assert [answer.get("field") for answer in answers] == [
        None, "lat", "lat", "lat", "", "lat", None,
    ]  # fmt: skip
    for answer in answers[1:6]:
        assert answer["error"]
        assert answer["way_out"]
    assert (answers[0]["branch"]["code"], answers[6]["branch"]["code"]) == ("B320500", "B320000")
    assert answers[0]["input_label"] == "家"
    assert "有 5 行无法处理" in result.stderr


def test_a_spreadsheet_saved_on_a_chinese_system_is_read(
    run: FlaskCliRunner, tmp_path: Path
) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes("网点,lat,lng\n观前街,31.3108,120.6236\n".encode("gb18030"))
    (answer,) = lines(run.invoke(args=["regions", "locate", "--csv", str(path)]))
    assert (answer["网点"], answer["prefecture"]["code"]) == ("观前街", "320500")


@pytest.mark.parametrize("given", ["latitude,longitude\n1,2\n", "", "lat\n31\n"])
def test_a_file_without_the_two_columns_is_refused(run: FlaskCliRunner, given: str) -> None:
    result = run.invoke(args=["regions", "locate", "--csv", "-"], input=given.encode())
    assert result.exit_code == 2
    assert "lng" in result.output


def test_before_the_database_exists_the_sample_bank_answers_and_says_so(bare: Flask) -> None:
    (answer,) = lines(
        bare.test_cli_runner().invoke(args=["regions", "locate", "31.2990", "120.5853"])
    )
    assert answer["branch"]["code"] == "B320500"
    assert "样例银行" in answer["why"]


def test_in_production_nobody_is_told_about_the_sample_bank(bare: Flask) -> None:
    wiring: Wiring = bare.extensions["wiring"]
    bare.extensions["wiring"] = replace(
        wiring, settings=replace(wiring.settings, environment="production")
    )
    (answer,) = lines(
        bare.test_cli_runner().invoke(args=["regions", "locate", "31.2990", "120.5853"])
    )
    assert answer["division"] == "320508"
    assert answer["branch"] is None
    assert "还没有分行" in answer["why"]
    refused = bare.test_cli_runner().invoke(args=["regions", "check"])
    assert refused.exit_code == 1


def test_the_branches_are_printed_as_a_tree(run: FlaskCliRunner) -> None:
    printed = run.invoke(args=["regions", "branches"]).stdout.splitlines()
    assert printed[0] == "HQ 总行"
    assert "  B320500 苏州分行" in printed
    assert printed[printed.index("  B320000 江苏省分行") + 1] == "    B320200 无锡分行"


def test_check_finds_no_gap_in_the_sample_bank(run: FlaskCliRunner) -> None:
    result = run.invoke(args=["regions", "check"])
    assert result.exit_code == 0, result.output
    assert "0 个没有分行" in result.stdout


def test_check_names_the_counties_nobody_serves(run: FlaskCliRunner, wiring: Wiring) -> None:
    bank = sample.bank()
    with wiring.unit() as unit:
        branches.install(
            unit,
            replace(
                bank,
                territories=tuple(claim for claim in bank.territories if claim[0] != "310000"),
            ),
        )
    wiring.shelf.clear()
    result = run.invoke(args=["regions", "check"])
    assert result.exit_code == 1
    assert "310101 上海市黄浦区 没有分行" in result.stdout


def test_build_makes_an_atlas_anew(bare: Flask, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).unlink()
    result = bare.test_cli_runner().invoke(args=["regions", "build"])
    assert result.exit_code == 0, result.output
    assert "完成" in result.stdout
    assert (tmp_path / FILE_NAME).stat().st_size > 10_000_000


def test_a_build_that_fails_says_what_to_do(bare: Flask, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).unlink()
    (tmp_path / FILE_NAME).mkdir()
    result = bare.test_cli_runner().invoke(args=["regions", "build"])
    assert result.exit_code == 1
    assert "数据目录可写" in result.output
