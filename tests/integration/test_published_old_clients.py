"""The published files in the hands of older DuckDB clients."""

from __future__ import annotations

from pathlib import Path

from storage.home import Home
from tests.old_duckdb import OLDEST, ask, require_old_duckdb
from tests.published_sample import publish_run


def test_clients_of_the_last_two_years_open_both_files_and_read_the_schema_marts(tmp_path: Path) -> None:
    folders = require_old_duckdb()
    home = Home(tmp_path)
    publish_run(home)
    versions = set()
    for folder in folders:
        version, *rows = ask(folder, home.published / "salesops.duckdb", "select bookings, price from marts.kpi_month")
        assert rows == ["5 1.10"], version
        assert ask(folder, home.published / "salesops.duckdb", "select calls from marts.kpi_rep_month")[1:] == ["30"], (
            version
        )
        comments = "select comment from duckdb_columns() where column_name in ('activity_id') union all select comment from duckdb_tables() limit 1"
        assert ask(folder, home.published / "salesops.duckdb", comments)[1:] == ["Key."], version
        assert ask(
            folder, home.published / "current/restricted/pay.duckdb", "select line_id from marts.commission_lines"
        )[1:] == ["L1"], version
        parquet = f"select bookings, price from '{home.published}/parquet/kpi_month.parquet'"
        assert ask(folder, home.published / "salesops.duckdb", parquet)[1:] == ["5 1.10"], version
        versions.add(version)
    assert OLDEST in versions  # the oldest client that the documentation promises
