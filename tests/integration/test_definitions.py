"""The asset graph: it loads in a fresh interpreter, nothing in it is an orphan, and a change of it is seen in review."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory, parsed_dbt: Path) -> dg.AssetGraph:
    """The graph as `dagster dev` would load it, over a home without data."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(parsed_dbt, home / "dbt")
    os.environ["SALESOPS_HOME"] = str(home)
    try:
        from orchestration.definitions import defs

        return defs().resolve_asset_graph()
    finally:
        del os.environ["SALESOPS_HOME"]


def test_definitions_load_in_a_fresh_interpreter(tmp_path: Path, parsed_dbt: Path) -> None:
    shutil.copytree(parsed_dbt, tmp_path / "dbt")
    code = "from orchestration.definitions import defs; print(len(defs().resolve_job_def('salesops').nodes))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "SALESOPS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


@pytest.mark.skipif(sys.platform != "linux", reason="only there pyarrow is sure to have jemalloc")
@pytest.mark.parametrize("module", ["orchestration.definitions", "cli.main", "ingestion.sources.salesforce"])
def test_rows_are_kept_by_the_allocator_that_loads_are_measured_with(module: str) -> None:
    code = f"import {module}, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    asked = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=asked, capture_output=True, text=True, check=True
        ).stdout
        == "jemalloc\n"
    )


def test_every_asset_says_whose_it_is_and_what(graph: dg.AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description and node.owners and node.kinds and node.group_name != "default", key.to_user_string()


def test_no_asset_depends_on_one_that_nothing_makes(graph: dg.AssetGraph) -> None:
    assert (
        sorted(key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).is_materializable) == []
    )


def test_every_lake_table_leads_to_the_published_set(graph: dg.AssetGraph) -> None:
    upstream = graph.get_ancestor_asset_keys(dg.AssetKey("published_set"))
    assert (
        sorted(key.to_user_string() for key in graph.get_all_asset_keys() - upstream - {dg.AssetKey("published_set")})
        == []
    )


def test_the_way_from_crm_to_leaderboard_is_unbroken(graph: dg.AssetGraph) -> None:
    upstream = graph.get_ancestor_asset_keys(dg.AssetKey("leaderboard"))
    for origin in ("salesforce__opportunity", "feed__personnel", "plans__board", "fct_opportunities"):
        assert dg.AssetKey(origin) in upstream, origin


def test_only_pool_warehouse_touches_the_warehouse(graph: dg.AssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if node.group_name not in {"lake"}:
            assert node.pools == {"warehouse"}, key.to_user_string()


def test_graph_is_the_reviewed_one(graph: dg.AssetGraph) -> None:
    """To accept a change: delete asset_graph.txt, run this test, and commit what it writes."""
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string()):
        node = graph.get(key)
        lines.append(
            f"{node.group_name}/{key.to_user_string()}: {' '.join(sorted(parent.to_user_string() for parent in node.parent_keys))}"
        )
    text = "\n".join(lines) + "\n"
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(text, encoding="utf-8")
        pytest.fail(f"{SNAPSHOT.name} did not exist; it was written now: review and commit it")
    assert text == SNAPSHOT.read_text(encoding="utf-8")
