"""Ingestion compared with its alternatives, in one call: rates, memory, and the cost of a tick.

    python -m benchmarks.ingestion [--rows 1000000] [--large 5000000] [--repeats 3] [--iterated 150000] [--folder DIR]

The local Salesforce server runs in its own process on the same machine; so does every step. The compared methods
alternate, so that they see the same machine; each figure is the median of the repeats, followed by the range.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.children import run_child, sources_of
from benchmarks.opportunities import stamp_after, write_opportunities
from simulation.company import create_company
from simulation.servers import start_servers
from tests.support.fault_servers import ServerControl, start_fault_servers

OBJECT = "Opportunity"
STEPS = "benchmarks.ingestion_steps"
Figures = list[dict[str, Any]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="a multiple of a thousand")
    parser.add_argument(
        "--large", type=int, default=5_000_000, help="rows of the load whose memory is compared; 0 leaves it out"
    )
    parser.add_argument(
        "--iterated", type=int, default=150_000, help="rows that are read by simple-salesforce's iterator"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, help="where the lakes and files lie meanwhile (about 2 GB per million rows)"
    )
    chosen = parser.parse_args()
    console = Console(width=150)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        table = Table(title=f"Ingestion, {chosen.rows:,} rows, median of {chosen.repeats}", title_justify="left")
        for heading in ("what", "measured", "range", "aim"):
            table.add_column(heading, overflow="fold")
        measured = [*_measure_rates(Path(folder), chosen.rows, chosen.large, chosen.iterated, chosen.repeats, console)]
        measured += _measure_idle(Path(folder), chosen.repeats)
        for line in measured:
            table.add_row(*line)
        console.print(table)


def _measure_rates(
    folder: Path, rows: int, large: int, iterated: int, repeats: int, console: Console
) -> Iterator[tuple[str, str, str, str]]:
    simulation, file, target = folder / "opportunities", folder / "result.csv", folder / "result.parquet"
    write_opportunities(simulation, rows)
    until = stamp_after(rows).isoformat()
    with start_fault_servers(simulation) as endpoints:
        environment = sources_of(endpoints, folder)
        saved = run_child(STEPS, "save_result", OBJECT, until, str(file), environment=environment)
        console.print(
            f"the Bulk result: {saved['rows']:,} rows, {saved['columns']} fields, {saved['bytes'] / 1e6:,.0f} MB of CSV"
        )
        landed, arrow, arrow_alike, iterator = Figures(), Figures(), Figures(), Figures()
        for repeat in range(repeats):
            if repeat:
                shutil.rmtree(folder / "lake")
            landed.append(run_child(STEPS, "load_object", OBJECT, until, str(folder / "lake"), environment=environment))
            for figures, allocator in (
                (arrow, "mimalloc"),
                (arrow_alike, "jemalloc"),
            ):  # pyarrow's own choice, and the one `storage` asks for
                chosen = environment | {"ARROW_DEFAULT_MEMORY_POOL": allocator}
                figures.append(run_child(STEPS, "convert_with_arrow", str(file), str(target), environment=chosen))
            iterator.append(
                run_child(STEPS, "read_by_iterator", OBJECT, str(iterated), str(target), environment=environment)
            )
            console.print(
                f"repeat {repeat + 1}: {landed[-1]}\n  arrow {arrow[-1]}\n  with our allocator {arrow_alike[-1]}\n  iterator {iterator[-1]}"
            )
        assert all(figures["rows"] == saved["rows"] for figures in (*landed, *arrow))
        by_arrow, by_arrow_alike = _rates(arrow), _rates(arrow_alike)
        ours, ours_whole = _rates(landed, "seconds_from_completion"), _rates(landed)
        theirs, theirs_whole = _rates(iterator, "seconds_from_completion"), _rates(iterator)
        yield _line("(a) Bulk 2.0 → validated, committed lake, from the job's completion", "rows/s", ours)
        yield _line("(a) the same, whole: count, job, wait and sign-in included", "rows/s", ours_whole)
        yield _line("(b) pyarrow CSV → Parquet of the same bytes", "rows/s", by_arrow)
        yield _line("    the same with the allocator that (a) has", "rows/s", by_arrow_alike)
        yield _line("(c) query_all_iter → pandas → Parquet, from the first record", "rows/s", theirs)
        yield _line("(c) the same, whole", "rows/s", theirs_whole)
        yield _line("(a) ÷ (b), from the job's completion", "×", _ratios(ours, by_arrow), "≥ 0.6")
        yield _line("    (b) with the allocator that (a) has", "×", _ratios(ours, by_arrow_alike))
        yield _line(
            "(a) ÷ (b) by CPU seconds of the process",
            "×",
            _ratios(_rates(landed, "cpu_seconds"), _rates(arrow, "cpu_seconds")),
        )
        yield _line("(a) ÷ (c), from completion and first record", "×", _ratios(ours, theirs), "≥ 5")
        yield _line("(a) ÷ (c), whole", "×", _ratios(ours_whole, theirs_whole), "≥ 5")
        yield _line(
            f"(d) peak memory above the imports, {rows:,} rows",
            "MB",
            [each["peak_mb"] - each["imports_mb"] for each in landed],
            "≤ 250",
        )
        yield _line(f"    peak memory, imports included, {rows:,} rows", "MB", [each["peak_mb"] for each in landed])
        yield from _measure_changes(
            folder, ServerControl(endpoints.salesforce_login_url, endpoints.ca_file), environment, rows, repeats, landed
        )
    shutil.rmtree(folder / "lake")
    if large:
        yield from _measure_large(folder, large, rows, statistics.median(each["peak_mb"] for each in landed), console)


def _measure_large(
    folder: Path, large: int, rows: int, peak_mb: float, console: Console
) -> Iterator[tuple[str, str, str, str]]:
    """The memory of a load with many more rows, from a server that has only those."""
    write_opportunities(folder / "many", large)
    with start_servers(folder / "many") as endpoints:
        arguments = (OBJECT, stamp_after(large).isoformat(), str(folder / "many_lake"))
        most = run_child(STEPS, "load_object", *arguments, environment=sources_of(endpoints, folder))
    console.print(f"large: {most}")
    yield _line(
        f"(d) peak memory above the imports, {large:,} rows", "MB", [most["peak_mb"] - most["imports_mb"]], "≤ 250"
    )
    yield _line(f"(d) peak memory, {large:,} ÷ {rows:,} rows", "×", [most["peak_mb"] / peak_mb], "≤ 1.10")
    yield _line(f"    {large:,} rows from the job's completion", "rows/s", _rates([most], "seconds_from_completion"))


def _measure_changes(
    folder: Path, control: ServerControl, environment: Mapping[str, str], rows: int, repeats: int, landed: Figures
) -> Iterator[tuple[str, str, str, str]]:
    """Ticks over the full lake: alternately one row in a thousand changed, and nothing changed."""
    changed, idle, now = Figures(), Figures(), stamp_after(rows)
    for repeat in range(repeats):
        stamp = (now + timedelta(minutes=30)).isoformat()
        edited = [
            {"Id": f"006Ha{number:010d}AAA", "Amount": repeat + 0.5, "SystemModstamp": stamp}
            for number in range(1 + repeat, rows + 1, 1000)
        ]
        control.records(OBJECT, edited)
        for figures, minutes in ((changed, 60), (idle, 90)):
            until = (now + timedelta(minutes=minutes)).isoformat()
            figures.append(
                run_child(STEPS, "load_object", OBJECT, until, str(folder / "lake"), environment=environment)
            )
        assert (changed[-1]["rows"], idle[-1]["rows"]) == (len(edited), 0), (changed[-1], idle[-1], len(edited))
        now += timedelta(hours=2)
    full = statistics.median(each["seconds"] for each in landed)
    seconds, nothing = [each["seconds"] for each in changed], [each["seconds"] for each in idle]
    most = full * 0.05 + statistics.median(nothing)
    extra = [(a - b) / full for a, b in zip(seconds, nothing, strict=True)]
    yield _line("(f) a tick with 0.1 % of the rows changed, one object", "s", seconds, f"≤ {most:.2f} (5 % + idle)")
    yield _line("    of which the server thought", "s", [each["server_seconds"] for each in changed])
    yield _line("(f) an idle tick of that object", "s", nothing)
    yield _line("(f) the changed tick less the idle one ÷ a full load", "×", extra, "≤ 0.05")


def _measure_idle(folder: Path, repeats: int) -> Iterator[tuple[str, str, str, str]]:
    simulation, lake = folder / "company", folder / "company_lake"
    now = create_company(simulation, "tiny", 7).now
    with start_servers(simulation) as endpoints:
        environment = sources_of(endpoints, folder)
        full = run_child(STEPS, "load_all", now.isoformat(), str(lake), environment=environment)
        later = (now + timedelta(hours=1)).isoformat()
        idle = [run_child(STEPS, "load_all", later, str(lake), environment=environment) for _ in range(repeats)]
    assert full["rows"] and not any(each["rows"] for each in idle), (full, idle)
    yield _line(
        f"(e) a tick with nothing new, all {full['objects']} objects, imports aside",
        "s",
        [each["seconds"] for each in idle],
        "< 3",
    )
    yield _line("(e) requests of that tick", "", [each["requests"] for each in idle])
    yield _line("    its imports", "s", [each["import_seconds"] for each in idle])


def _rates(figures: Figures, seconds: str = "seconds") -> list[float]:
    return [each["rows"] / each[seconds] for each in figures]


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _line(what: str, unit: str, values: Sequence[float], aim: str = "") -> tuple[str, str, str, str]:
    shape = ",.0f" if unit in ("rows/s", "MB", "") else ".3f" if unit == "×" else ".2f"
    measured = f"{statistics.median(values):{shape}} {unit}".strip()
    return what, measured, f"{min(values):{shape}}–{max(values):{shape}}" if len(values) > 1 else "", aim


if __name__ == "__main__":
    main()
