"""The settings file: where it is searched for, and what its relative paths mean.

What belongs here: finding the file, and reading it so that it means the same from every working directory. What does
not: the settings themselves (`storage.settings`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from dotenv import dotenv_values
from pydantic_settings import DotEnvSettingsSource

from storage.errors import SettingsError

FILE_VARIABLE = "SALESOPS_ENV_FILE"
FILE_NAME = ".env"
DEFAULT_HOME = "data"
_FIX = f"Set {FILE_VARIABLE} to a settings file, or unset it; `salesops init DIR` makes a folder with one."


def find_settings_file() -> Path | None:
    """Find the settings file; None if there is none.

    It is the one that `SALESOPS_ENV_FILE` names, else `.env` in the working directory, else `salesops/.env` in the
    user's configuration folder.

    Raises:
        SettingsError: `SALESOPS_ENV_FILE` names a file that does not exist.
    """
    if named := os.environ.get(FILE_VARIABLE):
        path = absolute(Path(named))
        if not path.is_file():
            raise SettingsError(f"{FILE_VARIABLE} names a file that does not exist.", where=str(path), fix=_FIX)
        return path
    candidates = [absolute(Path(FILE_NAME))]
    with suppress(ValueError):  # a service's user may have no home folder
        candidates.append(absolute(Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config")) / "salesops" / FILE_NAME)
    return next((path for path in candidates if path.is_file()), None)


def read_names(path: Path) -> list[str]:
    """Names of the variables that a settings file sets, in upper case."""
    return [name.upper() for name in dotenv_values(path, encoding="utf-8")]


def absolute(path: Path, folder: Path | None = None) -> Path:
    """The path relative to `folder`, by default the working directory, with `~` for the user's own folder."""
    try:
        return (folder or Path.cwd()) / path.expanduser()
    except RuntimeError:  # how pathlib reports an unknown user
        raise ValueError(f"'{path}' names a user who does not exist") from None


def absolute_lake(address: str, folder: Path | None = None) -> str:
    """A lake's address: a URI as it is, a folder as an absolute path."""
    return address if "://" in address else str(absolute(Path(address), folder))


def holds_path(annotation: Any) -> bool:
    """Whether a field's type is a path, or a union with one."""
    return annotation is Path or any(holds_path(part) for part in get_args(annotation))


class SettingsFileSource(DotEnvSettingsSource):
    """The settings file as a source: relative paths start at its folder, where the home is unless it names another."""

    def __call__(self) -> dict[str, Any]:
        """The file's values, with paths absolute."""
        said = super().__call__()
        if self.env_file is None:
            return said
        assert isinstance(self.env_file, str | os.PathLike)  # one file, see `find_settings_file`
        folder = absolute(Path(self.env_file)).parent
        for name in self._path_fields():
            if isinstance(said.get(name), str) and said[name]:
                said[name] = absolute(Path(said[name]), folder)
        if isinstance(said.get("lake"), str):
            said["lake"] = absolute_lake(said["lake"], folder)
        return {"home": folder / DEFAULT_HOME, **said}

    def _path_fields(self) -> Iterable[str]:
        return (name for name, field in self.settings_cls.model_fields.items() if holds_path(field.annotation))
