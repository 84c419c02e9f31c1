"""Peak memory and time of taking an invoices file from the drop folder, small and large, versus reading it whole.

python -m benchmarks.feed_memory [--megabytes 300]

Each figure comes from its own process; peaks are the kernel's (Linux), minus the imports.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

_SMALL_SHARE = 5
_ROWS_AT_A_TIME = 100_000

_BEGIN = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
import great_expectations, pandas
import great_expectations.expectations
from ingestion.sources.feeds.drops import ingest_drops
from ingestion.sources.files.tabular import open_tabular, read_tabular
from storage.lake import Lake
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
before, started = peak(), time.perf_counter()
folder, home = Path(sys.argv[1]), Path(sys.argv[2])
(path,) = folder.iterdir()
"""
_END = """
print(f"{peak() - before:.0f} {time.perf_counter() - started:.1f}")
"""
_WAYS = {
    "read whole": "read_tabular(path)",
    "read as a stream": "sum(batch.num_rows for batch in open_tabular(path).batches)",
    "drop folder to committed lake": (
        "ingest_drops(Lake(home), folder, known_at=datetime(2026, 1, 1, tzinfo=UTC), run_id='bench', earlier=None, settle_seconds=0)"
    ),
}


def main() -> None:
    """Print one line per method and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=300)
    largest = parser.parse_args().megabytes
    for megabytes in (largest // _SMALL_SHARE, largest):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "incoming").mkdir()
            rows = _write_invoices(folder / "incoming" / "invoices_bench.csv", megabytes)
            for way, call in _WAYS.items():
                arguments = [
                    sys.executable,
                    "-c",
                    f"{_BEGIN}{call}{_END}",
                    str(folder / "incoming"),
                    str(folder / "lake"),
                ]
                done = subprocess.run(arguments, check=True, capture_output=True, text=True)
                memory, seconds = done.stdout.split()[-2:]
                print(f"{megabytes} MB, {rows:,} rows, {way}: peak {memory} MB above the imports, {seconds} s")


def _write_invoices(path: Path, megabytes: int) -> int:
    count = 0
    with path.open("w") as file:
        file.write("invoice_id,opportunity_id,invoice_date,amount,currency,note\n")
        while file.tell() < megabytes << 20:
            numbers = range(count, count + _ROWS_AT_A_TIME)
            file.writelines(
                f'I{n:09d},O{n // 3:09d},2026-01-{n % 28 + 1:02d},{n % 99991}.{n % 100:02d},USD,"services, as agreed"\n'
                for n in numbers
            )
            count += _ROWS_AT_A_TIME
    return count


if __name__ == "__main__":
    main()
