"""``flask services|rates|outlets``: what operators read, and that a refusal changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from lightservices import rates
from lightservices.outlets import nearest
from tests.lightservices.conftest import OUTLETS, Site


def test_the_content_is_checked_in_words_and_in_json(site: Site) -> None:
    run = site.app.test_cli_runner()
    told = json.loads(run.invoke(args=["services", "check", "--json"]).stdout)
    assert told["services"] == len(told["keys"]) >= 15
    assert told["scenarios"] >= 5
    assert told["placeholders"] >= 5
    assert all({"file", "line", "field", "rule", "way_out"} == set(one) for one in told["errors"])
    words = run.invoke(args=["services", "check"]).stdout
    assert f"{told['services']} 项服务可用" in words
    assert f"{len(told['errors'])} 处问题" in words


def test_a_fault_in_the_content_is_an_exit_code(site: Site, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("key: broken\n", "utf-8")
    run = site.app.test_cli_runner()
    checked = run.invoke(args=["services", "check", "--folder", str(tmp_path)])
    assert checked.exit_code == 1
    assert "broken.yaml 第 1 行：title：缺少必填内容 → 补上这一项" in checked.stderr


def test_a_list_is_tried_before_it_is_taken_and_a_faulty_one_never_is(
    site: Site, tmp_path: Path
) -> None:
    run = site.app.test_cli_runner()
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    row = "B1,支行,示例路,121.4737,{},gcj02\n"
    heading = "id,name,address,lng,lat,datum\n"
    good.write_text(heading + row.format("31.2304"), "utf-8")
    bad.write_text(heading + row.format("x"), "utf-8")
    dry = run.invoke(args=["outlets", "import", "--dry-run", str(good)])
    assert (dry.exit_code, dry.output) == (0, "1 个网点检查通过，没有写入\n")
    refused = run.invoke(args=["outlets", "import", str(bad)])
    assert refused.exit_code == 1
    assert "第 2 行 lat" in refused.output
    with site.wiring.reading() as unit:
        assert len(nearest.index(unit).outlets) == len(OUTLETS)


def test_rates_are_tried_before_they_are_taken(site: Site, tmp_path: Path) -> None:
    run = site.app.test_cli_runner()
    path = tmp_path / "rates.csv"
    path.write_text("table,as_of,code,name,annual_percent\nloan,2026-11-20,a,甲,1\n", "utf-8")
    dry = run.invoke(args=["rates", "import", "--dry-run", str(path)])
    assert dry.output == "贷款利率：1 行检查通过，没有写入\n"
    path.write_text("table,as_of,code,name\nloan,2026-11-20,a,甲\n", "utf-8")
    assert "要有年利率" in run.invoke(args=["rates", "import", str(path)]).output
    with site.wiring.reading() as unit:
        assert rates.tables(unit)["loan"].sample
