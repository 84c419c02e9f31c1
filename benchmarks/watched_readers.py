"""Start the readers of a published set and report which of them failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import ROOT
from benchmarks.published_readers import PUBLISHED_FILE
from benchmarks.run_processes import MARK

READER_MARK = "reader"
OLD_CLIENTS = "SALESOPS_OLD_DUCKDB"
_READY_SECONDS = 60.0


@dataclass
class Reader:
    """One reader at work.

    Attributes:
        name: What it reads with.
        process: Its process.
    """

    name: str
    process: subprocess.Popen[str]
    _report: dict[str, object] | None = None

    def stop(self) -> dict[str, object]:
        """Stop it and return its own report: reader, rounds, sets, fault."""
        self._report = self._report or self._end()
        return self._report

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def _end(self) -> dict[str, object]:
        self.process.terminate()
        printed, complaint = self.process.communicate(timeout=_READY_SECONDS)
        try:
            report: dict[str, object] = json.loads(printed.splitlines()[-1])
        except (IndexError, json.JSONDecodeError):
            report = {
                "rounds": 0,
                "sets": 0,
                "fault": f"it ended with exit code {self.process.returncode}: {complaint.strip()[-500:]}",
            }
        return {"reader": self.name, **report}


class Readers:
    """All readers of one home.

    Args:
        published: The folder `published` of a home that has published once.
        file_name: Name of the DuckDB file in a set.
        say: Prints a line.
    """

    def __init__(self, published: Path, file_name: str, say: Callable[[str], None]) -> None:
        import duckdb

        self._arguments = (str(published), "--file", file_name)
        self._readers = [
            self._start(f"DuckDB {duckdb.__version__}", "duckdb"),
            self._start("pandas on Parquet", "parquet"),
        ]
        folders = [folder for folder in os.environ.get(OLD_CLIENTS, "").split(os.pathsep) if folder]
        self._readers += [
            self._start(f"the DuckDB client of {Path(folder).name}", "duckdb", folder) for folder in folders
        ]
        if not folders:
            say(
                f"no reader with a DuckDB 1.x client: set {OLD_CLIENTS} to a folder made by `pip install --target FOLDER duckdb==1.1.3`"
            )

    def faults(self) -> list[str]:
        """Faults of the readers that have ended; empty while all are reading."""
        return [
            f"reader with {report['reader']}: {report['fault']}"
            for report in (each.stop() for each in self._readers if each.process.poll() is not None)
        ]

    def stop(self) -> list[dict[str, object]]:
        """Stop all readers; returns their own reports."""
        return [reader.stop() for reader in self._readers]

    def kill(self) -> None:
        """Kill all readers."""
        for reader in self._readers:
            reader.kill()

    def _start(self, name: str, kind: str, folder: str = "") -> Reader:
        # The old client's folder comes first, so that its duckdb is the one imported.
        search_path = os.pathsep.join(filter(None, (folder, str(ROOT))))
        command = [sys.executable, "-P", "-m", "benchmarks.published_readers", kind, *self._arguments]
        environment = {**os.environ, "PYTHONPATH": search_path, MARK: READER_MARK}
        return Reader(
            name, subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )


@contextmanager
def reading(
    published: Path, *, file_name: str = PUBLISHED_FILE, say: Callable[[str], None] = print
) -> Iterator[Readers]:
    """Run readers while the block lasts; they are killed at its end in any case."""
    readers = Readers(published, file_name, say)
    try:
        time.sleep(1.0)  # an unreadable set shows before the first disturbance
        yield readers
    finally:
        readers.kill()
