"""Which dbt model may read which, by the parsed project: each layer reads only those above it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from warehouse.manifest import manifest_path

# In this order; predictions and incentives stand side by side.
LAYERS = ("staging", "conformed", "core", "planning", "metrics", "predictions", "incentives", "quality")
# The only layer that reads what a source, the settings, the plans or our own models put into the lake.
READER_OF_STAGING = {
    **dict.fromkeys(("salesforce", "files", "feeds", "mail", "telephony", "settings", "run"), "conformed"),
    "plans": "incentives",
    "predictions": "predictions",
}
# Pay may not change with a KPI: of the incentives only boards read metrics.
MAY_READ_METRICS = {"leaderboard"}


@pytest.fixture(scope="module")
def models(parsed_dbt: Path) -> dict[str, Any]:
    """The models of the parsed project by their key."""
    nodes = json.loads(manifest_path(Home(parsed_dbt.parent)).read_bytes())["nodes"]
    return {key: node for key, node in nodes.items() if node["resource_type"] == "model"}


def test_a_model_reads_only_its_own_layer_and_those_above(models: dict[str, Any]) -> None:
    wrong = [
        f"{node['name']} ({node['fqn'][1]}) reads {models[parent]['name']} ({models[parent]['fqn'][1]})"
        for node in models.values()
        for parent in node["depends_on"]["nodes"]
        if parent in models and not _may_read(node, models[parent])
    ]
    assert not wrong, "\n".join(wrong)


def _may_read(reader: dict[str, Any], read: dict[str, Any]) -> bool:
    own, other = reader["fqn"][1], read["fqn"][1]
    if own != "staging" == other:
        return bool(own == READER_OF_STAGING[read["fqn"][2]])
    if own == "incentives" and other == "metrics":
        return reader["name"] in MAY_READ_METRICS
    return LAYERS.index(other) <= LAYERS.index(own) and {own, other} != {"predictions", "incentives"}


def test_a_mart_lies_in_the_schema_marts_and_any_other_model_in_that_of_its_layer(models: dict[str, Any]) -> None:
    for node in models.values():
        assert node["schema"] == ("marts" if node["access"] == "public" else node["fqn"][1]), node["name"]
        assert node["access"] != "public" or node["description"], node["name"]
