"""Who may read a published set: modes and group of its files and of the folders above it.

The owner may read everything; a group named in the settings may read the general part, never the restricted part.
"""

from __future__ import annotations

import grp
import os
from pathlib import Path

from storage.errors import SettingsError
from storage.home import Home

_SETTING = "SALESOPS_PUBLISH_GROUP"


def find_group(name: str | None) -> int | None:
    """The id of the reading group; None if no group is named.

    Args:
        name: A group's name or numeric id.

    Raises:
        SettingsError: The group does not exist, or we may not assign files to it.
    """
    if not name:
        return None
    try:
        group = int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise SettingsError(
            f"There is no group '{name}' on this machine.",
            where=_SETTING,
            fix="Name a group that exists, or its number.",
        ) from None
    if os.geteuid() != 0 and group not in {os.getegid(), *os.getgroups()}:
        raise SettingsError(
            f"Published files cannot be given to the group '{name}': the user who runs Salesops is not in it.",
            where=_SETTING,
            fix="Add that user to the group and sign in again, or name another group.",
        )
    return group


def protect(folder: Path, group: int | None, *, restricted: Path) -> None:
    """Set a finished set's modes before anyone else can reach it.

    Args:
        folder: The set.
        group: The group that may read the general part besides the owner.
        restricted: The part that only the owner may read.
    """
    for path in [*folder.rglob("*"), folder]:
        if path == restricted or restricted in path.parents or group is None:
            path.chmod(0o700 if path.is_dir() else 0o600)
        else:
            os.chown(path, -1, group)
            path.chmod(0o750 if path.is_dir() else 0o640)


def open_way(home: Home, group: int | None) -> None:
    """Let the group through the folders above the sets; without a group, let nobody.

    The group may traverse the home folder but not list it. Folders owned by someone else are left alone.
    """
    published, sets = home.published, home.published / "sets"
    if group is None:
        for path in (published, sets):
            _set(path, None, 0o700)
        return
    _set(home.root, group, home.root.stat().st_mode & 0o707 | 0o010)
    _set(published, group, 0o750)
    _set(sets, group, 0o710)


def _set(path: Path, group: int | None, mode: int) -> None:
    if path.stat().st_uid != os.geteuid():
        return
    if group is not None and path.stat().st_gid != group:
        os.chown(path, -1, group)
    path.chmod(mode)
