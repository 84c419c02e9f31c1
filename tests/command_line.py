"""The command line in this process, from its arguments to what it prints and its exit code; and what a folder holds before and after."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main


@dataclass(frozen=True)
class Done:
    """What a command printed, with its line breaks taken out, and its exit code."""

    code: int
    out: str
    error: str


Command = Callable[..., Done]


def make_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `salesops` with the arguments it is given; the variables that the command sets are gone after the test."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["salesops", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
            raise SystemExit(0)
        said = capsys.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, " ".join(said.out.split()), " ".join(said.err.split()))

    return run


def list_tree(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a folder, and the folder itself: mode, size and time of change."""
    found = {path: path.lstat() for path in (folder, *folder.rglob("*"))}
    return {
        str(path.relative_to(folder)): (stat.st_mode, stat.st_size, stat.st_mtime_ns) for path, stat in found.items()
    }
