"""Room on the disk: how much a run needs, and the error when there is too little.

What belongs here: the estimate and the error. What does not: deciding when to look (`orchestration`).
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

from storage.errors import StorageError
from storage.home import Home

# What any run writes: its events, the lake snapshot, a log.
LEAST_BYTES = 16 << 20
# The first build of a home needs at least this much, and this many times the lake's size (measured: 123 MB from 23 MB).
_FIRST_BUILD_BYTES = 64 << 20
_FIRST_BUILD_TIMES = 6
_FULL = re.compile(r"no space left|disk is full|disk full|disk quota exceeded|ENOSPC|EDQUOT", re.IGNORECASE)
_FULL_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskFull(StorageError):
    """There is no room left for what a run writes."""

    @classmethod
    def of(cls, home: Home, needed: int | None = None, doing: str = "") -> DiskFull:
        """The error, with the space that is free and the space that is needed.

        Args:
            home: The home folder.
            needed: Bytes that must be free; by default what a build needs.
            doing: What could not be done because of it, as a sentence.
        """
        folder = _existing(home.root)
        needed = needed or bytes_for_build(home)
        free = shutil.disk_usage(folder).free
        said = f"{_in_megabytes(free)} are free, and a run needs about {_in_megabytes(needed)}"
        if free > needed:  # freed since, or another disk
            said = f"it was while the run wrote; now {said}. The folder for temporary files is {tempfile.gettempdir()}"
        return cls(
            f"{doing} The disk is full: {said}.".strip(),
            where=f"{home.root} (on the disk mounted at {_mount_of(folder)})",
            fix="Make room there, or move the home to a larger disk (SALESOPS_HOME), and run again. "
            "What had landed and what was published before stays.",
        )


def check_room(home: Home, needed: int) -> None:
    """Refuse to begin what would not fit.

    Raises:
        DiskFull: Fewer than `needed` bytes are free on the home's disk.
    """
    if shutil.disk_usage(_existing(home.root)).free < needed:
        raise DiskFull.of(home, needed)


def bytes_for_build(home: Home) -> int:
    """Bytes a build writes, judged by the last one: a new warehouse beside old blocks, and one more published set."""
    published = (home.published / "current").resolve()
    last = _size_of(published)
    warehouse = home.warehouse.stat().st_size if home.warehouse.exists() else 0
    if last:
        return LEAST_BYTES + last + warehouse // 2
    return max(_FIRST_BUILD_BYTES, _FIRST_BUILD_TIMES * _size_of(home.lake))


def is_out_of_room(home: Home) -> bool:
    """Whether hardly any room is left for the home: SQLite reports that as an I/O error, without the cause."""
    return shutil.disk_usage(_existing(home.root)).free < LEAST_BYTES


def is_disk_full(error: BaseException) -> bool:
    """Whether an error of any library says that the disk, or the user's share of it, is full."""
    return (isinstance(error, OSError) and error.errno in _FULL_NUMBERS) or bool(_FULL.search(str(error)))


def has_room(home: Home) -> bool:
    """Whether a build would fit."""
    return shutil.disk_usage(_existing(home.root)).free >= bytes_for_build(home)


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _in_megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _mount_of(path: Path) -> Path:
    return next(parent for parent in (path.resolve(), *path.resolve().parents) if os.path.ismount(parent))
