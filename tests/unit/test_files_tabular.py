"""Reading a tabular file: strict about its shape, lossless about its text."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.layout import FileFormat
from ingestion.sources.files.tabular import read_tabular


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "deals.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "file_format", "expected"),
    [
        pytest.param(b"a,b\n1,2\n", FileFormat(), [{"a": "1", "b": "2"}], id="numbers stay text"),
        pytest.param(
            b'a,b\n,""\nNA,x\n',
            FileFormat(),
            [{"a": None, "b": None}, {"a": "NA", "b": "x"}],
            id="blank is NULL, NA is a value",
        ),
        pytest.param(
            b"a,b\nNA,x\n",
            FileFormat(blank_values=("", "NA")),
            [{"a": None, "b": "x"}],
            id="NA is NULL where it is said to be",
        ),
        pytest.param(
            b'a,b\r\n1,"x\r\ny ""z"""\r\n',
            FileFormat(),
            [{"a": "1", "b": 'x\r\ny "z"'}],
            id="line breaks and quotes within a value",
        ),
        pytest.param(
            b"\xef\xbb\xbfa,b\n007,x\n", FileFormat(), [{"a": "007", "b": "x"}], id="byte order mark, leading zeros"
        ),
        pytest.param(
            "a;b\nÜ;1\n".encode("cp1252"),
            FileFormat(delimiter=";", encoding="cp1252"),
            [{"a": "Ü", "b": "1"}],
            id="semicolon, cp1252",
        ),
        pytest.param(b"a,b\n", FileFormat(), [], id="header only"),
    ],
)
def test_csv_is_read_as_text(
    tmp_path: Path, content: bytes, file_format: FileFormat, expected: list[dict[str, str | None]]
) -> None:
    file = read_tabular(write(tmp_path, content), file_format)
    assert file.rows.to_pylist() == expected
    assert set(file.rows.schema.types) <= {pa.string()}
    assert file.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "file_format", "said"),
    [
        pytest.param(
            b'a,b\n1,"x\ny"\n2,3,4\n',
            FileFormat(),
            "Line 4 of deals.csv has 3 fields, but the header has 2",
            id="a field too many",
        ),
        pytest.param(
            b"a,b\n1,2\n3\n",
            FileFormat(),
            "Line 3 of deals.csv has 1 fields, but the header has 2",
            id="a field too few",
        ),
        pytest.param(
            b'a,b\n1,"x\n2,y\n',
            FileFormat(),
            "the record that begins on line 2 does not end well",
            id="a quote that is never closed",
        ),
        pytest.param(
            b'a,b\n1,"x\n2,y\n3,"z"\n',
            FileFormat(),
            "the record that begins on line 2 does not end well",
            id="a quote closed by another's",
        ),
        pytest.param(b"", FileFormat(), "is empty", id="empty"),
        pytest.param(b"a,,c\n1,2,3\n", FileFormat(), "Column 2 of deals.csv has no name", id="a column without name"),
        pytest.param(b"a,b,a\n1,2,3\n", FileFormat(), "The column 'a' occurs 2 times", id="a name twice"),
        pytest.param("a\nÜ\n".encode("cp1252"), FileFormat(), "Save it as UTF-8", id="another encoding"),
        pytest.param(b"a\n1\n", FileFormat(encoding="no-such"), "'no-such' is no encoding", id="an unknown encoding"),
    ],
)
def test_csv_that_cannot_be_trusted_is_refused(
    tmp_path: Path, content: bytes, file_format: FileFormat, said: str
) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_tabular(write(tmp_path, content), file_format)
    assert said in str(caught.value)
    assert "deals.csv" in caught.value.where
    assert caught.value.fix


def test_missing_file_is_reported_with_the_files_there(tmp_path: Path) -> None:
    write(tmp_path, b"a\n")
    with pytest.raises(FileUnreadable, match=r"leads\.csv is missing") as caught:
        read_tabular(tmp_path / "leads.csv")
    assert "deals.csv" in caught.value.fix


def test_missing_column_is_reported_with_the_columns_there(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="lacks the column 'amount'") as caught:
        read_tabular(write(tmp_path, b"id,value\n1,2\n"), required=["id", "amount"])
    assert "id, value" in caught.value.fix


def test_parquet_is_read_as_the_text_an_export_would_write(tmp_path: Path) -> None:
    moment = dt.datetime(2026, 1, 5, 10, 30)  # noqa: DTZ001 - a Parquet value without zone
    table = pa.table(
        {
            "flag": [True, None],
            "day": pa.array([dt.date(2026, 1, 5), None]),
            "local": pa.array([moment, None], pa.timestamp("us")),
            "instant": pa.array([moment, None], pa.timestamp("us", "America/New_York")),
            "amount": pa.array([Decimal("12.50"), None], pa.decimal128(12, 2)),
            "word": pa.array(["x", ""]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "deals.parquet")

    rows = read_tabular(tmp_path / "deals.parquet").rows.to_pylist()

    assert rows[0] == {
        "flag": "true",
        "day": "2026-01-05",
        "local": "2026-01-05T10:30:00.000",
        "instant": "2026-01-05T10:30:00.000Z",
        "amount": "12.50",
        "word": "x",
    }
    assert set(rows[1].values()) == {None}


def test_a_uuid_of_parquet_is_the_text_that_everybody_else_writes(tmp_path: Path) -> None:
    path = tmp_path / "deals.parquet"
    duckdb.connect().sql(
        f"copy (select uuid '0a1b2c3d-0000-4000-8000-00000000000f' as id union all select null) to '{path}'"
    )
    assert read_tabular(path).rows.column("id").to_pylist() == ["0a1b2c3d-0000-4000-8000-00000000000f", None]


def test_bytes_of_parquet_are_refused_even_if_they_read_like_text(tmp_path: Path) -> None:
    path = tmp_path / "deals.parquet"
    duckdb.connect().sql(f"copy (select 1 as id, interval 3 day as lasted) to '{path}'")
    with pytest.raises(FileUnreadable, match="'lasted'"):
        read_tabular(path)


def test_parquet_with_nested_values_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"], "tags": [["a", "b"]]}), tmp_path / "deals.parquet")
    with pytest.raises(FileUnreadable, match="'tags'"):
        read_tabular(tmp_path / "deals.parquet")
