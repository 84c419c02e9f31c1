"""Readers of the published set, each in its own process, during the kill loop: none may fail or see two sets mixed.

    python -m benchmarks.published_readers {duckdb,parquet} PUBLISHED_FOLDER [--file salesops.duckdb]

A reader resolves `published/current` once per round, as the documentation recommends, and reads the whole round from
that folder; every other round of a DuckDB reader opens `published/salesops.duckdb` itself. The old client runs this
module too, so its top level imports only the standard library.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

PUBLISHED_FILE = "salesops.duckdb"
PAUSE_SECONDS = 0.5  # the readers share the machine with the run
# Each holds in every set, with its two sides in different marts; the days and the leads differ from day to day.
IDENTITIES: dict[str, tuple[str, str]] = {
    "the last day": ("select max(date_day) from {fct_pipeline_daily}", "select cast('{as_of}' as date)"),
    "leads": (
        "select sum(leads_generated) from {kpi_company_period} where period_grain = 'month'",
        "select count(*) from {fct_leads} where is_counted",
    ),
    "calls": (
        "select sum(calls_placed) from {kpi_rep_period} where period_grain = 'month'",
        "select count(*) from {fct_activities} where is_counted and activity_type = 'call' and direction = 'outbound'",
    ),
    "bookings": (
        "select sum(bookings) from {kpi_company_period} where period_grain = 'month'",
        "select sum(amount_reporting) from {fct_opportunities} where is_counted and is_won",
    ),
}
MARTS = (
    "fct_pipeline_daily",
    "fct_leads",
    "fct_activities",
    "fct_opportunities",
    "kpi_company_period",
    "kpi_rep_period",
)


class MixedSets(Exception):
    """A reader saw data that does not belong to one set."""


def read_duckdb(published: Path, file_name: str, round_number: int) -> str:
    """One round of a DuckDB client.

    Args:
        published: The folder `published` of a home.
        file_name: Name of the DuckDB file in a set.
        round_number: An odd round opens the file by the name in the README, an even one in the folder behind `current`.

    Returns:
        The run that published the set.

    Raises:
        MixedSets: Counts or figures disagree.
        duckdb.Error: The file cannot be opened or read.
    """
    import duckdb

    is_direct = round_number % 2 == 1
    folder = (published / "current").resolve(strict=True)
    manifest = _read_manifest(published / "current" if is_direct else folder)
    file = published / file_name if is_direct else folder / file_name
    with duckdb.connect(str(file), read_only=True) as connection:
        # Qualified with the catalog, so that a client finds a mart whatever else it has attached.
        names = {mart: f'"{Path(file_name).stem}".marts."{mart}"' for mart in MARTS}

        def ask(question: str) -> Any:
            row = connection.execute(question).fetchone()
            return row[0] if row else None

        counts = {mart: ask(f"select count(*) from {name}") for mart, name in names.items()}
        if not is_direct:
            _compare(counts, manifest, folder)
            _check_identities(lambda question: ask(question.format(**names, as_of=manifest["as_of"])))
            return str(manifest["run_id"])
        _check_identities(
            lambda question: ask(question.format(**names, as_of=manifest["as_of"])), without=("the last day",)
        )
        # The link may have been swapped between reading the manifest and the file: they match only if it was not.
        if _read_manifest(published / "current")["run_id"] == manifest["run_id"]:
            _compare(counts, manifest, None)
    return str(manifest["run_id"])


def read_parquet(published: Path, file_name: str, round_number: int) -> str:
    """One round of pandas on Parquet; arguments, result and errors as in `read_duckdb`."""
    import pandas as pd

    folder = (published / "current").resolve(strict=True)
    manifest = _read_manifest(folder)
    columns = {
        "fct_pipeline_daily": ["date_day"],
        "fct_leads": ["is_counted"],
        "fct_activities": ["is_counted", "activity_type", "direction"],
        "fct_opportunities": ["is_counted", "is_won", "amount_reporting"],
        "kpi_company_period": ["period_grain", "leads_generated", "bookings"],
        "kpi_rep_period": ["period_grain", "calls_placed"],
    }
    marts = {
        name: pd.read_parquet(folder / "parquet" / f"{name}.parquet", columns=wanted)
        for name, wanted in columns.items()
    }
    _compare({name: len(frame) for name, frame in marts.items()}, manifest, folder)
    company, reps = (
        frame[frame["period_grain"] == "month"] for frame in (marts["kpi_company_period"], marts["kpi_rep_period"])
    )
    calls, deals = marts["fct_activities"], marts["fct_opportunities"]
    pairs = {
        "the last day": (
            pd.Timestamp(marts["fct_pipeline_daily"]["date_day"].max()).date(),
            date.fromisoformat(manifest["as_of"][:10]),
        ),
        "leads": (int(company["leads_generated"].sum()), int(marts["fct_leads"]["is_counted"].sum())),
        "calls": (
            int(reps["calls_placed"].sum()),
            int((calls["is_counted"] & (calls["activity_type"] == "call") & (calls["direction"] == "outbound")).sum()),
        ),
        "bookings": (
            sum(company["bookings"].dropna(), Decimal(0)),
            sum(deals.loc[deals["is_counted"] & deals["is_won"], "amount_reporting"].dropna(), Decimal(0)),
        ),
    }
    for name, (left, right) in pairs.items():
        if left != right:
            raise MixedSets(f"{name}: {left} in one mart, {right} in another")
    return str(manifest["run_id"])


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def _compare(counts: dict[str, int], manifest: dict[str, Any], folder: Path | None) -> None:
    if folder is not None and folder.name != manifest["run_id"]:
        raise MixedSets(f"the folder {folder.name} holds the manifest of run {manifest['run_id']}")
    for mart, count in counts.items():
        if count != manifest["row_counts"][mart]:
            raise MixedSets(
                f"{mart} has {count} rows, its manifest ({manifest['run_id']}) says {manifest['row_counts'][mart]}"
            )


def _check_identities(ask: Callable[[str], Any], without: Sequence[str] = ()) -> None:
    for name, (left, right) in IDENTITIES.items():
        if name not in without and (found := ask(left)) != (other := ask(right)):
            raise MixedSets(f"{name}: {found} in one mart, {other} in another")


def main() -> None:
    """Read until SIGTERM or the parent's death; the last line printed is a JSON object with rounds and sets seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["duckdb", "parquet"])
    parser.add_argument("published", type=Path)
    parser.add_argument("--file", default=PUBLISHED_FILE)
    chosen = parser.parse_args()
    is_over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: is_over.append(number))
    parent, rounds, seen = os.getppid(), 0, set()
    read = read_duckdb if chosen.kind == "duckdb" else read_parquet
    while not is_over and os.getppid() == parent:
        try:
            seen.add(read(chosen.published, chosen.file, rounds))
        except Exception as error:  # any exception from a client is a failure of the reader
            print(
                json.dumps({"rounds": rounds, "sets": len(seen), "fault": f"{type(error).__name__}: {error}"}),
                flush=True,
            )
            sys.exit(1)
        rounds += 1
        time.sleep(PAUSE_SECONDS)
    print(json.dumps({"rounds": rounds, "sets": len(seen), "fault": None}), flush=True)


if __name__ == "__main__":
    main()
