"""Files that are generated from code and committed: write them, and report which are out of date.

What belongs here: the command of every generator. What does not: what a file says (the generators, which the Makefile
lists).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from storage.home import write_atomically
from storage.settings import PROJECT_ROOT


def find_stale(files: Mapping[Path, str]) -> list[Path]:
    """The files whose text is out of date; paths are relative to the project's root, texts complete."""
    return [
        path
        for path, text in files.items()
        if not (file := PROJECT_ROOT / path).exists() or file.read_text(encoding="utf-8") != text
    ]


def run_generator(files: Mapping[Path, str]) -> None:
    """The command line of a generator: write what is out of date, or with `--check` list it and exit with code 1."""
    parser = argparse.ArgumentParser(description="Write what is generated from code.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 where something is out of date"
    )
    check, stale = parser.parse_args().check, find_stale(files)
    for path in stale:
        print(f"{'out of date, run `make generate`' if check else 'written'}: {path}")
        if not check:
            write_atomically(PROJECT_ROOT / path, files[path])
    sys.exit(1 if check and stale else 0)
