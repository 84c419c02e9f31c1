"""`salesops commissions …`: print what the incentives package finds."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from ingestion.sources.settings import load_settings
from storage.warehouse import open_published


def lint_plan(path: Path) -> int:
    """Print the problems of a plan file and return the exit code: 1 if any is an error, 0 if all are warnings."""
    from incentives.lint import lint_file

    console = Console(highlight=False, soft_wrap=True, markup=False)
    problems = lint_file(path)
    for problem in problems:
        console.print(str(problem))
    if not problems:
        console.print(f"{path}: no problems found.")
    return 1 if any(problem.severity == "error" for problem in problems) else 0


def explain_line(line_id: str) -> None:
    """Print the chain behind a commission line of the published set."""
    from incentives.explain import explain_line as explain

    with open_published(load_settings().home_folder, needs_pay=True) as published:
        Console(highlight=False, soft_wrap=True).print(str(explain(published, line_id)))
