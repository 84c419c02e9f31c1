"""A small disk of our own (tmpfs) that can be filled up during a run."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOM_MB = 400
_FREE_MB = 200  # free space for a run when it starts


class NoSmallDisk(Exception):
    """A tmpfs cannot be mounted here."""


class SmallDisk:
    """A mounted tmpfs.

    Args:
        folder: Where it is mounted.
        room_mb: Its size.
    """

    def __init__(self, folder: Path, room_mb: int = ROOM_MB) -> None:
        self.folder = folder
        self._room_mb = room_mb

    def make_room(self) -> None:
        """Enlarge it as the home grows, so that only the ballast ever fills it."""
        used = os.statvfs(self.folder)
        used_mb = (used.f_blocks - used.f_bavail) * used.f_frsize // 1_000_000
        if used_mb + _FREE_MB > self._room_mb:
            self._room_mb = used_mb + 2 * _FREE_MB
            _mount("-o", f"remount,size={self._room_mb}m", str(self.folder))

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Keep the disk full while the block lasts, whatever is deleted meanwhile."""
        ballast = self.folder / "ballast"
        is_over = threading.Event()
        with ballast.open("wb") as file:
            _take_what_is_free(self.folder, file.fileno())
            filler = threading.Thread(target=_keep_full, args=(self.folder, file.fileno(), is_over), name="ballast")
            filler.start()
            try:
                yield
            finally:
                is_over.set()
                filler.join()
                ballast.unlink()


@contextmanager
def small_disk(folder: Path, *, keep: bool = False) -> Iterator[SmallDisk]:
    """Mount a small disk at a folder, and unmount it at the end.

    Args:
        folder: A folder that does not exist yet.
        keep: Leave it mounted, for inspection.

    Raises:
        NoSmallDisk: This user may not mount one.
    """
    folder.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", f"size={ROOM_MB}m", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        folder.rmdir()
        raise NoSmallDisk(
            f"no small disk can be mounted here ({str(error).splitlines()[0]}); mounting a tmpfs needs root"
        ) from None
    try:
        yield SmallDisk(folder)
    finally:
        if not keep:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


def _keep_full(folder: Path, descriptor: int, is_over: threading.Event) -> None:
    while not is_over.wait(0.01):
        _take_what_is_free(folder, descriptor)


def _take_what_is_free(folder: Path, descriptor: int) -> None:
    while True:
        room = os.statvfs(folder)
        free = room.f_bavail * room.f_frsize
        if not free:
            return
        with suppress(OSError):  # someone else has taken part of it meanwhile
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, free)
            continue
        # Then page by page, while any are left.
        try:
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, room.f_frsize)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return
            raise
