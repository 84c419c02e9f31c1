"""The errors a user can act on."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from traceback import FrameSummary, extract_tb

_ROOT = Path(__file__).resolve().parents[1]


class SalesopsError(Exception):
    """Something the user or operator can fix.

    Every package raises its own subclass. The command line prints it without a traceback and exits with `exit_code`.

    Args:
        what: What went wrong, in one sentence.
        where: The file, server, table, row or setting where it happened.
        fix: What to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"Where: {self.where}")
        if self.fix:
            parts.append(f"What to do: {self.fix}")
        return "\n".join(parts)


class UsageError(SalesopsError):
    """The request does not make sense: nothing was read and nothing written."""

    exit_code = 2


class SettingsError(SalesopsError):
    """A setting is missing or wrong."""


class StorageError(SalesopsError):
    """The home folder, the lake or the warehouse cannot be read or written."""


def summarise(error: BaseException) -> str:
    """A library's multi-line error on one line, without colours and without the answer's body, which may name keys."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).partition("<?xml")[0]
    parts = [line.strip(" ↳\t") for line in plain.splitlines()]
    return ": ".join(part for part in parts if part)[:500] or type(error).__name__


def find_own_frame(error: BaseException) -> FrameSummary | None:
    """Our own innermost line that the error came through: the place to start reading."""
    frames = (frame for frame in reversed(extract_tb(error.__traceback__)) if _is_ours(Path(frame.filename)))
    return next(frames, None)


def name_file(frame: FrameSummary) -> str:
    """The file of one of our own lines, as a path within the project."""
    return Path(frame.filename).relative_to(_ROOT).as_posix()


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(_ROOT) and not any(
        part.startswith(".") or part == "site-packages" for part in path.relative_to(_ROOT).parts
    )


def temporary_file_error(what: str, error: Exception) -> StorageError:
    """The error when the disk for temporary files is full or read-only; `what` says what that prevents."""
    return StorageError(
        f"{what}: {summarise(error)}",
        where=f"temporary folder {tempfile.gettempdir()}",
        fix="Make room there, or set TMPDIR to a folder with more, and run again.",
    )
