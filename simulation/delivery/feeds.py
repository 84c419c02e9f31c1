"""CSV feeds at a clock value: one UTF-8 file with a header row each, replaced whole and only if the content changes."""

from __future__ import annotations

import filecmp
from datetime import datetime
from pathlib import Path

import duckdb

KEYS = {
    "personnel": ("employee_id", "effective_date"),
    "absences": ("employee_id", "start_date"),
    "quotas": ("employee_id", "period_start"),
    "invoices": ("invoice_id",),
    "payments": ("payment_id",),
    "campaign_costs": ("campaign_id", "cost_date"),
    "product_costs": ("product_code", "valid_from"),
}
"""What identifies a row; of several versions of one the newest visible holds. A feed that is not named here keeps all its rows."""


def write_feeds(simulation_dir: Path, until: datetime) -> list[Path]:
    """Write the feeds as of `until` (UTC without zone) and return the changed files."""
    folder = simulation_dir / "feeds"
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    with duckdb.connect(":memory:") as connection:
        for source in sorted((simulation_dir / "company" / "feeds").glob("*.parquet")):
            file = folder / f"{source.stem}.csv"
            fresh = folder / f".{file.name}.new"
            _write_csv(connection, source, until, fresh)
            if file.exists() and filecmp.cmp(fresh, file, shallow=False):
                fresh.unlink()
            else:
                fresh.replace(file)
                changed.append(file)
    return changed


def _write_csv(connection: duckdb.DuckDBPyConnection, source: Path, until: datetime, target: Path) -> None:
    key = KEYS.get(source.stem)
    newest = f"qualify row_number() over (partition by {', '.join(key)} order by _visible_from desc) = 1" if key else ""
    # Ordered by every column, so that equal rows give equal bytes.
    connection.execute(
        f"""
        copy (
            select * exclude (_visible_from)
            from read_parquet(?)
            where _visible_from <= ?
            {newest}
            order by all
        ) to '{_quote(target)}' (format csv, header true)
        """,
        [str(source), until],
    )


def _quote(path: Path) -> str:
    return str(path).replace("'", "''")
