"""Reading a file a piece at a time: the same rows as whole, and never a part of a file that is not the one that was judged."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.sources.files import tabular
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.layout import FileFormat
from ingestion.sources.files.strict_csv import ScannedCsv
from ingestion.sources.files.tabular import open_tabular, read_tabular

ROWS = 3000


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 4096)
    monkeypatch.setattr(tabular, "_BATCH_ROWS", 100)


def values(seed: int) -> list[list[str]]:
    """Values with everything in them that a cut through a file could go wrong at."""
    draw = random.Random(seed)
    letters = string.ascii_letters + ' ,"\n\r;Ü日'
    return [[str(number), "".join(draw.choices(letters, k=draw.randint(1, 60))) + "x"] for number in range(ROWS)]


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    lines = ["id,text", *(f'{number},"{text.replace(chr(34), chr(34) * 2)}"' for number, text in rows)]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
    return path


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_a_csv_are_the_whole(tmp_path: Path, seed: int) -> None:
    rows = values(seed)
    stream = open_tabular(write_csv(tmp_path / "deals.csv", rows))
    batches = list(stream.batches)
    assert len(batches) > 10
    assert stream.row_count == ROWS
    assert [list(row.values()) for row in pa.Table.from_batches(batches).to_pylist()] == rows


@pytest.mark.usefixtures("small_pieces")
def test_pieces_of_a_parquet_file_are_the_whole(tmp_path: Path) -> None:
    table = pa.table({"id": range(ROWS), "flag": [number % 2 == 0 for number in range(ROWS)]})
    pq.write_table(table, tmp_path / "deals.parquet", row_group_size=700)
    stream = open_tabular(tmp_path / "deals.parquet")
    batches = list(stream.batches)
    assert (len(batches) > 10, stream.row_count) == (True, ROWS)
    assert {batch.schema for batch in batches} == {stream.schema}
    assert pa.Table.from_batches(batches) == read_tabular(tmp_path / "deals.parquet").rows
    assert pa.Table.from_batches(batches).to_pylist()[-1] == {"id": str(ROWS - 1), "flag": "false"}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_changed_while_it_is_read_is_refused_at_the_end(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"deals.{ending}"
    if ending == "csv":
        write_csv(path, values(1))
    else:
        pq.write_table(pa.table({"id": range(ROWS)}), path)
    stream = open_tabular(path)
    next(stream.batches)
    other = tmp_path / "other"
    other.write_bytes(path.read_bytes())
    other.replace(path)
    with pytest.raises(FileUnreadable, match="changed while it was read"):
        list(stream.batches)


def test_a_file_that_two_readers_count_differently_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "scan_csv", lambda *_: ScannedCsv(["id", "text"], ROWS + 1, FileFormat()))
    with pytest.raises(FileUnreadable, match=f"finds {ROWS + 1} records in it, another {ROWS}"):
        read_tabular(write_csv(tmp_path / "deals.csv", values(1)))


def test_a_row_that_cannot_be_read_is_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "scan_csv", lambda *_: ScannedCsv(["id", "mail"], 1, FileFormat()))
    (tmp_path / "deals.csv").write_text("id,mail\n1,jane.doe@example.com,x\n")
    with pytest.raises(FileUnreadable, match="Expected 2 columns, got 3") as caught:
        read_tabular(tmp_path / "deals.csv")
    assert "jane" not in str(caught.value)


def test_columns_of_a_file_without_header_are_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("E1,jane.doe@example.com\nE2,x@example.com\n")
    with pytest.raises(FileUnreadable, match="lacks the column 'employee_id', 'email'") as caught:
        read_tabular(tmp_path / "people.csv", required=["employee_id", "email"])
    assert "jane" not in str(caught.value) and "first line is the header" in caught.value.fix


def test_parquet_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([["1"], ["2"]], names=["id", "id"]), tmp_path / "deals.parquet")
    with pytest.raises(FileUnreadable, match="occurs 2 times"):
        read_tabular(tmp_path / "deals.parquet")


def test_parquet_without_rows_has_its_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), tmp_path / "deals.parquet")
    file = read_tabular(tmp_path / "deals.parquet", required=["id"])
    assert (file.rows.num_rows, file.rows.schema) == (0, pa.schema([("id", pa.string())]))
