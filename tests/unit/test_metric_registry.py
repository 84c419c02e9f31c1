"""The metric registry: what is generated from it stands in the repository, and wrong declarations say what is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.summary import headlines
from incentives.boards import board_json_schema
from incentives.components import Measure
from storage.errors import SettingsError
from storage.generated_files import find_stale
from storage.metric_registry import ENTITIES, METRICS_FILE, read_metrics
from storage.settings import PROJECT_ROOT
from tests.conftest import minutes_long
from warehouse.generate import PERIOD_MARTS, SEMANTIC_LAYER, generated_files


def test_generated_files_are_what_the_registry_gives() -> None:
    assert find_stale(generated_files(read_metrics())) == [], "run `make generate`"


def test_a_stale_file_is_named_and_a_whole_one_is_not() -> None:
    page = (PROJECT_ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    files = {Path("docs/metrics.md"): page, Path("docs/nowhere.md"): "", Path("README.md"): "other"}
    assert find_stale(files) == [Path("docs/nowhere.md"), Path("README.md")]


def test_marts_boards_headlines_and_semantic_layer_name_the_registrys_metrics() -> None:
    registry = read_metrics()
    marts = {
        model["name"]: {column["name"] for column in model["columns"]}
        for model in yaml.safe_load((PROJECT_ROOT / PERIOD_MARTS).read_text())["models"]
    }
    assert set(marts) == {f"kpi_{entity}_period" for entity in ENTITIES}
    assert all({column.name for column in registry.columns()} <= columns for columns in marts.values())
    ranked = board_json_schema()["properties"]["metric"]["enum"]
    assert ranked == [metric.name for metric in registry.metrics if metric.rankable]
    assert list(Measure.__args__) == [metric.name for metric in registry.metrics if metric.payable]  # type: ignore[attr-defined]
    shown = [
        f"{each.name}_median" if each.kind == "duration" else each.name for each in registry.metrics if each.headline
    ]
    assert [headline.column for headline in headlines(registry)] == shown
    offered = {metric["name"] for metric in yaml.safe_load((PROJECT_ROOT / SEMANTIC_LAYER).read_text())["metrics"]}
    assert offered == {metric.name for metric in registry.metrics if metric.semantic}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"event": "rumours"}, "rumours, which is not among the events", id="an unknown event"),
        pytest.param({"event": None}, "says no event", id="a sum of nothing"),
        pytest.param({"unit": "furlongs"}, "metrics.0.unit", id="an unknown unit"),
        pytest.param(
            {"kind": "ratio", "numerator": "leads_qualified", "denominator": "leeds"},
            "leeds, which nothing declares",
            id="a slip in a name",
        ),
        pytest.param({"kind": "position"}, "not among the inputs", id="a position of nothing"),
        pytest.param(
            {"kind": "derived", "expression": "1", "rankable": True},
            "a board cannot rank by it",
            id="a board by what is no sum",
        ),
        pytest.param({"name": "bookings"}, "declared twice: bookings", id="twice"),
        pytest.param({"colour": "red"}, "metrics.0.colour", id="an unknown key"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    content = yaml.safe_load(METRICS_FILE.read_text(encoding="utf-8"))
    # A sum is ranked, paid and offered by name; the first metric is used by others, so a copy of it is changed.
    first = {**content["metrics"][0], "name": "leads_again", "rankable": False}
    content["metrics"].insert(0, {**first, **change})
    path = tmp_path / "metrics.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as raised:
        read_metrics(path)
    assert raised.value.where == str(path) and "make generate" in str(raised.value.fix)


ADDED = """  - name: calls_received
    label: Calls received
    description: Inbound calls.
    kind: additive
    unit: count
    event: activities
    where: activity_type = 'call' and direction = 'inbound'
    rankable: true
    headline: true
    semantic: true
"""

ASKED = """
import json
from cli.summary import headlines
from incentives.boards import board_json_schema
from storage.metric_registry import read_metrics
print(json.dumps([[each.column for each in headlines(read_metrics())], board_json_schema()["properties"]["metric"]["enum"]]))
"""


@minutes_long
def test_a_metric_added_by_its_declaration_appears_everywhere(tmp_path: Path) -> None:
    """The second edit, its oracle, is a test: nothing that runs reads it."""
    for package in ("cli", "config", "incentives", "publishing", "storage", "warehouse", "dbt_project", "docs"):
        shutil.copytree(
            PROJECT_ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
        )
    with (tmp_path / "dbt_project" / "metrics.yml").open("a", encoding="utf-8") as file:
        file.write(ADDED)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "SALESOPS_WAREHOUSE": str(tmp_path / "w.duckdb"),
        "SALESOPS_LAKE_SNAPSHOT": "s",
        "SALESOPS_RUN_CONTEXT": "r",
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert len(run(sys.executable, "-m", "warehouse.generate").splitlines()) == 4
    assert run(sys.executable, "-m", "incentives.generate").splitlines() == [
        "written: config/boards/schema/board.schema.json"
    ]
    shown, ranked = json.loads(run(sys.executable, "-c", ASKED))
    assert shown[-1] == "calls_received" and ranked[-1] == "calls_received"
    assert "`calls_received`" in (tmp_path / "docs" / "metrics.md").read_text(encoding="utf-8")
    dbt = str(Path(sys.executable).with_name("dbt"))
    folders = [
        "--project-dir",
        "dbt_project",
        "--profiles-dir",
        "dbt_project",
        "--target-path",
        str(tmp_path / "target"),
        "--log-path",
        str(tmp_path / "log"),
    ]
    models = ("int_metrics__daily", "kpi_rep_period", "leaderboard")
    run(dbt, "--quiet", "compile", "--no-introspect", "--select", *models, *folders)
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_bytes())
    assert "calls_received" in manifest["nodes"]["model.salesops.kpi_rep_period"]["columns"]
    assert "metric.salesops.calls_received" in manifest["metrics"]
    for name in models:
        (path,) = (tmp_path / "target" / "compiled").rglob(f"{name}.sql")
        assert "calls_received" in path.read_text(encoding="utf-8"), name
