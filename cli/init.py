"""`salesops init`: a settings folder with its own copy of the configuration, so that nobody edits the project's."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from storage.errors import UsageError
from storage.settings import PROJECT_ROOT

_NAMES = (".env", "config", ".gitignore", "README.md")
_SET = {"SALESOPS_HOME": "data", "SALESOPS_CONFIG_DIR": "config"}
_IGNORED = "# Secrets, and what runs write.\n/.env\n/data/\n/trial/\n"
_HEADER = (
    "# Settings of this folder; everything is optional, and relative paths start here. "
    "Secrets belong here and nowhere else: keep it to yourself.\n"
)
_README = """# Salesops: settings and configuration

- `.env` says where your sources are and how to sign in. Every setting stands there with a comment; take away the `#` and fill in what you have.
- `config/` says how your company works: fiscal year, stages, holidays, commission plans, boards. Edit it here.
- `data/` comes with the first run and holds everything that runs write. Back up `data/lake/` and,
  apart from it, `data/pii.key`: the rest can be made again.

Run the commands from this folder. Without a source yet, look at a simulated company first; it has a home of its own, `trial/`:

    SALESOPS_HOME=trial {salesops} run --simulate

Then fill in `.env`, and:

    {salesops} doctor
    {salesops} run
"""


class FolderNotMade(UsageError):
    """The folder could not be created as requested."""


def make_folder(folder: Path) -> None:
    """Make the folder and print what to do next.

    Raises:
        FolderNotMade: Something with that name already exists, or the folder cannot be written. Nothing was written.
    """
    folder = folder.expanduser().absolute()
    salesops = find_command()
    taken = [name for name in _NAMES if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        raise FolderNotMade(
            f"The folder has {', '.join(taken)} already, and nothing is overwritten.",
            where=str(folder),
            fix="Name another folder.",
        )
    texts = {
        ".env": write_settings((PROJECT_ROOT / ".env.example").read_text(encoding="utf-8"), _SET),
        ".gitignore": _IGNORED,
        "README.md": _README.format(salesops=salesops),
    }
    # Assembled in a temporary folder, so that a full disk leaves nothing half-written.
    building = folder / f".init-{os.getpid()}"
    moved: list[Path] = []
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        building.mkdir(parents=True)
        shutil.copytree(PROJECT_ROOT / "config", building / "config")
        for name, text in texts.items():
            (building / name).touch(mode=0o600 if name == ".env" else 0o666)
            (building / name).write_text(text, encoding="utf-8")
        for name in _NAMES:
            moved.append((building / name).rename(folder / name))
        building.rmdir()
    except OSError as error:
        for path in (building, *moved):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in made:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        why = error.strerror or error
        raise FolderNotMade(
            f"The folder cannot be made: {why}.", where=str(folder), fix="Name a folder that you may write to."
        ) from None
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"Made {folder} with .env, config/, .gitignore and README.md. Next:")
    console.print(f"  cd {shlex.quote(str(folder))}")
    console.print(
        f"  SALESOPS_HOME=trial {salesops} run --simulate    a look at a simulated company, in a home of its own"
    )
    console.print("  fill in .env, edit config/")
    console.print(f"  {salesops} doctor    what is missing or wrong")
    console.print(f"  {salesops} run")


def write_settings(example: str, values: Mapping[str, str]) -> str:
    """The text of `.env.example` with some settings filled in and its introduction replaced by one line."""
    text = _HEADER + example[example.index("\n\n") :].removeprefix("\n")
    for name, value in values.items():
        text, count = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, count=1, flags=re.MULTILINE)
        assert count, f".env.example has no {name}"
    return text


def find_command() -> str:
    """How to call this program from a shell, whatever the working directory."""
    own = Path(sys.executable).with_name("salesops")
    found = shutil.which("salesops")
    if not own.exists() or (found and Path(found).resolve() == own.resolve()):
        return "salesops"
    return shlex.quote(str(own))
