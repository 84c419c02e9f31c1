"""The marts as described in dbt's parsed manifest.

What belongs here: reading descriptions and marks from the manifest. What does not: deciding how each is published
(`publishing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from publishing.marts import Column, Mart
from storage.errors import SalesopsError

_AUDIENCES = ("general", "pay")


def read_marts(manifest: Path) -> dict[str, Mart]:
    """The marts of a parsed project; see `describe_marts`."""
    return describe_marts(orjson.loads(manifest.read_bytes())["nodes"])


def describe_marts(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Mart]:
    """Every mart (a model with `access: public`) with its description, its audience, and its columns with their marks.

    Args:
        nodes: `nodes` of dbt's manifest.

    Raises:
        SalesopsError: A mart has an unknown audience, or reads a mart about pay and is not marked as pay itself.
    """
    models = {
        key: node for key, node in nodes.items() if node["resource_type"] == "model" and node["access"] == "public"
    }
    return {
        node["name"]: Mart(
            str(node["description"]).strip(), _describe_columns(node), _read_audience(node, models), _read_grains(node)
        )
        for node in sorted(models.values(), key=lambda node: str(node["name"]))
    }


def _describe_columns(node: Mapping[str, Any]) -> dict[str, Column]:
    return {
        name: Column(str(column["description"]).strip(), bool(_meta(column).get("pii")), _meta(column).get("pii_where"))
        for name, column in node["columns"].items()
    }


def _read_grains(node: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_meta(node).get("grain_views") or ())


def _read_audience(node: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> Any:
    audience = _meta(node).get("audience", _AUDIENCES[0])
    about_pay = [
        models[parent]["name"]
        for parent in node["depends_on"]["nodes"]
        if parent in models and _meta(models[parent]).get("audience") == "pay"
    ]
    if about_pay and audience != "pay":
        raise SalesopsError(
            f"The mart {node['name']} reads {', '.join(about_pay)}, which is about pay, but would be published for everybody.",
            where=str(node["original_file_path"]),
            fix="Mark it in its YAML: config: {meta: {audience: pay}}.",
        )
    if audience not in _AUDIENCES:
        raise SalesopsError(
            f"The mart {node['name']} has the unknown audience '{audience}'.",
            where=str(node["original_file_path"]),
            fix=f"Its meta.audience is one of: {', '.join(_AUDIENCES)}.",
        )
    return audience


def _meta(described: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**(described.get("meta") or {}), **((described.get("config") or {}).get("meta") or {})}
