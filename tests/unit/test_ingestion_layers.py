"""Who may import whom within ingestion: the door into the lake knows no source, and a source's settings know no client."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

INGESTION = Path(__file__).resolve().parents[2] / "ingestion"


@pytest.mark.parametrize("room", ["contracts", "landing", "settings"])
def test_only_the_sources_know_the_sources(room: str) -> None:
    for module in (INGESTION / room).rglob("*.py"):
        named = [
            node.module or ""
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        ]
        assert not [name for name in named if name.startswith("ingestion.sources")], module.name


def test_reading_the_settings_imports_no_client() -> None:
    heavy = "{'simple_salesforce', 'requests', 'imapclient', 'great_expectations', 'pandas'}"
    code = f"import sys, ingestion.sources.settings; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=INGESTION.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
