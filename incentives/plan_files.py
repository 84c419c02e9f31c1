"""Read plan and board files, singly or by folder."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from incentives.boards import Board
from incentives.plans import Plan
from storage.operator_files import OperatorFile, file_error, read_file

Content = TypeVar("Content", Plan, Board)

REFERENCE = "docs/commission-plans.md lists every field."


def read_plan(path: Path) -> OperatorFile[Plan]:
    """Read one plan file.

    Raises:
        OperatorFileError: It cannot be used; the error lists each problem, its place, and what to do.
    """
    return read_file(path, Plan, reference=REFERENCE)


def read_board(path: Path) -> OperatorFile[Board]:
    """Read one board file.

    Raises:
        OperatorFileError: It cannot be used; the error lists each problem, its place, and what to do.
    """
    return read_file(path, Board, reference=REFERENCE)


def read_plans(folder: Path) -> list[OperatorFile[Plan]]:
    """Read every `*.yml` and `*.yaml` of a folder, ordered by name; a missing folder holds no plans.

    Raises:
        OperatorFileError: A file cannot be used, or two have the same id.
    """
    return _refuse_same_id([read_plan(path) for path in files_in(folder)])


def read_boards(folder: Path) -> list[OperatorFile[Board]]:
    """Read every `*.yml` and `*.yaml` of a folder, ordered by name; a missing folder holds no boards.

    Raises:
        OperatorFileError: A file cannot be used, or two have the same id.
    """
    return _refuse_same_id([read_board(path) for path in files_in(folder)])


def files_in(folder: Path) -> list[Path]:
    """Paths of the plan or board files in a folder, ordered by name; empty if there is no folder."""
    return sorted(path for path in folder.glob("*") if path.suffix in {".yml", ".yaml"}) if folder.is_dir() else []


def _refuse_same_id(files: list[OperatorFile[Content]]) -> list[OperatorFile[Content]]:
    seen: dict[str, Path] = {}
    for file in files:
        if first := seen.get(file.content.id):
            raise file_error(
                file.path,
                f"The id {file.content.id} is also used in {first.name}.",
                "Give each file its own id.",
                place="id",
            )
        seen[file.content.id] = file.path
    return files
