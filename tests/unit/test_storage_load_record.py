"""A lake written by another version of Salesops: older ones open, newer ones are refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from storage.errors import StorageError
from storage.lake import Lake
from storage.load_record import LOAD_FORMAT
from storage.upkeep import compact

TABLE = "crm__lead"
# Byte for byte what the first version wrote, which knew no format_version.
FIRST_FORM = {
    "load_id": f"{TABLE}:000001:20260105T110000Z",
    "known_at": "2026-01-05T11:00:00+00:00",
    "source_count": 2,
    "landed_count": 1,
    "set_aside_count": 1,
    "unchanged_count": 0,
    "cursor": "2026-01-05T10:00:00.000Z",
    "window": [None, "2026-01-05T11:00:00.000Z"],
    "run_id": "run",
    "details": {"api": "bulk"},
}
ROWS = pa.table(
    {
        "Id": ["1", "2"],
        "_load_id": [FIRST_FORM["load_id"]] * 2,
        "_known_from": pa.array([0, 0], pa.timestamp("us")),
        "_known_time_basis": ["load"] * 2,
        "_broken_rules": pa.array([None, "Id_required"], pa.string()),
    }
)


def write_table(root: Path, record: dict[str, object] | str) -> Lake:
    """A table made by hand, as its first commit lay on disk: with statistics of its values, and no table properties."""
    folder = root / TABLE
    (folder / "_delta_log").mkdir(parents=True)
    pq.write_table(ROWS, folder / "part-00000.parquet")
    types = {"_known_from": "timestamp_ntz"}
    fields = [
        {"name": name, "type": types.get(name, "string"), "nullable": True, "metadata": {}}
        for name in ROWS.column_names
    ]
    stats = {"numRecords": 2, "minValues": {"Id": "1"}, "maxValues": {"Id": "2"}, "nullCount": {"Id": 0}}
    size = (folder / "part-00000.parquet").stat().st_size
    features = {"readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"]}
    text = record if isinstance(record, str) else json.dumps(record)
    actions = [
        {
            "commitInfo": {
                "timestamp": 1767610800000,
                "operation": "WRITE",
                "operationParameters": {"mode": "Append"},
                "salesops_load": text,
            }
        },
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
        {
            "metaData": {
                "id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [],
                "createdTime": 1767610800000,
                "configuration": {},
            }
        },
        {
            "add": {
                "path": "part-00000.parquet",
                "partitionValues": {},
                "size": size,
                "modificationTime": 1767610800000,
                "dataChange": True,
                "stats": json.dumps(stats),
            }
        },
        {"txn": {"appId": "salesops_load", "version": 1}},
    ]
    (folder / "_delta_log" / f"{0:020}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))
    return Lake(root)


def test_a_lake_of_the_first_form_opens_and_is_kept_up(tmp_path: Path) -> None:
    lake = write_table(tmp_path, FIRST_FORM)
    newest = lake.newest_load(TABLE)
    assert newest is not None
    assert (newest.cursor, newest.window, newest.set_aside_count, newest.details) == (
        "2026-01-05T10:00:00.000Z",
        (None, "2026-01-05T11:00:00.000Z"),
        1,
        {"api": "bulk"},
    )
    assert (newest.format_version, newest.tombstone_count) == (1, 0)
    assert lake.count_rows() == {TABLE: 2}
    assert lake.snapshot().tables[0].newest_change == FIRST_FORM["load_id"]
    compact(lake)
    assert lake.newest_load(TABLE) == newest

    lake.commit(TABLE, ROWS.slice(0, 1), type(newest)("next", "2026-01-06T11:00:00+00:00", 1, 1, cursor="c2"))
    assert [(record.cursor, record.format_version) for record in lake.loads(TABLE)] == [
        ("c2", LOAD_FORMAT),
        (newest.cursor, 1),
    ]


def test_unknown_keys_are_ignored_and_missing_ones_have_their_default(tmp_path: Path) -> None:
    record = {
        "load_id": "l1",
        "known_at": "2026-01-05T11:00:00+00:00",
        "source_count": 2,
        "landed_count": 2,
        "mood": "sunny",
    }
    newest = write_table(tmp_path, {**record, "format_version": LOAD_FORMAT}).newest_load(TABLE)
    assert newest is not None and (newest.window, newest.details, newest.cursor) == ((None, None), {}, None)


def test_a_newer_form_is_refused_in_words(tmp_path: Path) -> None:
    lake = write_table(tmp_path, {"format_version": LOAD_FORMAT + 1, "load": {"id": "l1"}})
    with pytest.raises(StorageError, match="written by a newer Salesops") as caught:
        lake.newest_load(TABLE)
    assert TABLE in caught.value.where and "newer version" in caught.value.fix
    with pytest.raises(StorageError, match="written by a newer Salesops"):
        lake.snapshot()


@pytest.mark.parametrize(
    "record",
    [
        "not json",
        "[1, 2]",
        "{}",
        '{"load_id": "l1", "known_at": "x", "source_count": 1, "landed_count": 1, "window": 3}',
    ],
)
def test_what_is_no_record_is_a_clear_error(tmp_path: Path, record: str) -> None:
    with pytest.raises(StorageError, match="load record cannot be read"):
        write_table(tmp_path, record).newest_load(TABLE)
