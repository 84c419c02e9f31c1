"""Who may import whom, held by reading the source: storage is the ground floor, five packages stand side by side on it, and nothing goes round."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MIDDLE = {"ingestion", "warehouse", "models_ml", "incentives", "publishing"}
PACKAGES = {*MIDDLE, "storage", "simulation", "orchestration", "cli"}
ALLOWED = {
    "storage": set(),
    **{package: {"storage"} for package in MIDDLE},
    "simulation": {"storage"},
    "orchestration": {"storage", *MIDDLE, "simulation"},
    "cli": {"storage", *MIDDLE, "simulation", "orchestration"},
}


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in (*PACKAGES, "benchmarks")
    for path in (ROOT / package).rglob("*.py")
}


def imported_modules(path: Path) -> set[str]:
    """Our modules that a module imports, wherever in it: for types alone, or inside a function, is an import too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else node.module for name in named}
    return found & MODULES.keys()


def imported_packages(path: Path) -> set[str]:
    """Top-level names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_package_imports_only_what_it_stands_on(package: str) -> None:
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules, f"{package} has no modules"
    for module in modules:
        strangers = (imported_packages(module) & PACKAGES) - {package} - ALLOWED[package]
        assert not strangers, f"{module.relative_to(ROOT)} imports {sorted(strangers)}"


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_package_imports_tests(package: str) -> None:
    for module in (ROOT / package).rglob("*.py"):
        assert "tests" not in imported_packages(module), (
            f"{module.relative_to(ROOT)} imports tests, which are not installed with it"
        )


@pytest.mark.parametrize("package", sorted(PACKAGES - {"orchestration"}))
def test_only_orchestration_imports_dagster(package: str) -> None:
    for module in (ROOT / package).rglob("*.py"):
        assert not imported_packages(module) & {"dagster", "dagster_dbt"}, f"{module.relative_to(ROOT)} imports Dagster"


@pytest.mark.parametrize("package", sorted(MIDDLE))
def test_no_model_and_no_package_calls_the_wall_clock(package: str) -> None:
    for module in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            assert called not in {"now", "utcnow", "today"}, (
                f"{module.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} calls {called}()"
            )


def test_no_sql_model_calls_the_wall_clock() -> None:
    for model in (ROOT / "dbt_project").rglob("*.sql"):
        text = model.read_text(encoding="utf-8").lower()
        for clock in ("current_timestamp", "current_date", "now(", "getdate(", "today("):
            assert clock not in text, f"{model.relative_to(ROOT)} uses {clock}"


@pytest.mark.parametrize("path", sorted((ROOT / "storage").rglob("*.py")), ids=lambda path: path.stem)
def test_storage_knows_no_source(path: Path) -> None:
    named = re.findall(
        r"salesforce|twilio|aircall|ringcentral|imap\b|maildir|mbox|(?:feed|files|mail|telephony)__",
        strip_docstrings(path),
        re.I,
    )
    assert not named, f"{path.relative_to(ROOT)} names {sorted(set(named))}"


def strip_docstrings(path: Path) -> str:
    """A module's code without docstrings and comments: an example may name a table."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def test_no_circle_of_imports() -> None:
    graph = {name: imported_modules(path) - {name} for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(
            f"modules import one another in a circle: {' -> '.join(reversed(error.args[1]))}"
        ) from None


def test_a_circle_is_found_wherever_the_import_stands(tmp_path: Path) -> None:
    inner = tmp_path / "inner.py"
    inner.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from storage import lake\n"
        "def late():\n    import storage.home\n    from storage.sql import quote_name\n    from storage import PROJECT\n"
    )
    assert imported_modules(inner) == {"storage.lake", "storage.home", "storage.sql", "storage"}
