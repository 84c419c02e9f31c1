"""Room on the disk: how much a run needs, and the error when there is too little.

What belongs here: the estimate and the words. What does not: deciding when to look (`orchestration`).
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

# What any run writes: its events, the picture of the lake, a log.
LEAST_BYTES = 16 << 20
# What the first build of a home needs at least, and how many times what the lake holds (measured: 123 MB from 23 MB).
_FIRST_BUILD_BYTES = 64 << 20
_FIRST_BUILD_TIMES = 6
_FULL = re.compile(r"no space left|disk is full|disk full|disk quota exceeded|ENOSPC|EDQUOT", re.IGNORECASE)
_FULL_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskFull(StorageError):
    """There is no room left for what a run writes."""

    @classmethod
    def of(cls, home: Home, needed: int | None = None, doing: str = "") -> DiskFull:
        """The error, with what is free and what is needed now.

        Args:
            home: The home folder.
            needed: Bytes that have to be free; what a build needs by default.
            doing: What could not be done for it, as a sentence.
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
        DiskFull: Fewer than `needed` bytes are free where the home lies.
    """
    if shutil.disk_usage(_existing(home.root)).free < needed:
        raise DiskFull.of(home, needed)


def bytes_for_build(home: Home) -> int:
    """What a build writes, by the size of the last one: the warehouse anew beside its old blocks, and one more published set."""
    published = (home.published / "current").resolve()
    last = _size_of(published)
    warehouse = home.warehouse.stat().st_size if home.warehouse.exists() else 0
    if last:
        return LEAST_BYTES + last + warehouse // 2
    return max(_FIRST_BUILD_BYTES, _FIRST_BUILD_TIMES * _size_of(home.lake))


def is_out_of_room(home: Home) -> bool:
    """Whether hardly anything is left where the home lies: SQLite calls that an I/O error, without a word of why."""
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
