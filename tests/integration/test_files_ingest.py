"""An export through its mapping into the lake: what lands, what is set aside, what is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.errors import IngestionError
from ingestion.landing import LandingReport
from ingestion.settings import load_settings_into_lake
from ingestion.sources.files.canonical import CANONICAL_OBJECTS, CanonicalObject
from ingestion.sources.files.errors import FileUnreadable, MappingError
from ingestion.sources.files.ingest import ingest_files
from ingestion.sources.files.mapping import load_mapping
from storage.lake import Lake
from storage.settings import PROJECT_ROOT

MAPPING = """
version: 1
name: shop
timezone: Europe/Oslo
org: {business_timezone: Europe/Oslo}
stages:
  - {name: Vunnet, stage: won, order: 6, category: won, qualified: true, probability: 1}
files:
  deals: {path: deals.csv, delimiter: ";"}
  people: people.parquet
aliases:
  goods: {Skr: Skrivebord}
objects:
  files__opportunity:
    source: deals
    join:
      - {source: people, match: {selger: name}}
    columns:
      opportunity_id: nr
      opportunity_name: {template: "{vare} #{nr}"}
      owner_id: people.id
      stage_name: {constant: Vunnet}
      amount: {from: verdi, decimal_mark: ",", thousands_mark: "."}
      currency: {constant: NOK}
      closed_at: {from: dato, format: "%d.%m.%Y"}
      close_date: {from: dato, format: "%d.%m.%Y"}
      product_id: {from: vare, normalise: [strip, casefold], aliases: goods}
  files__product:
    distinct:
      - {source: deals, column: vare, values: {family: ukjent}}
    columns:
      product_id: {from: value, normalise: [strip, casefold], aliases: goods}
      product_name: {from: value, aliases: goods}
      family: family
"""
DEALS = """nr;vare;selger;verdi;dato;Intern merknad
1;Skrivebord;Ann;1.200,50;05.02.2026;a
2;Skr;Bo;900,00;06.02.2026;
3;stol;Nobody;;07.02.2026;c
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "shop.yml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "deals.csv").write_text(DEALS, encoding="utf-8")
    pq.write_table(
        pa.table({"id": [7, 8], "name": ["Ann", "Bo"], "phone": ["555-1", "555-2"]}), tmp_path / "people.parquet"
    )
    return tmp_path


@pytest.fixture
def lake(export: Path) -> Lake:
    return Lake(export / "lake")


def ingest(lake: Lake, export: Path, day: int = 1, *, only: str | None = None) -> list[LandingReport]:
    mapping, known_at = load_mapping(export / "shop.yml"), datetime(2026, 3, day, tzinfo=UTC)
    load_settings_into_lake(lake, PROJECT_ROOT / "config", known_at=known_at, run_id="run", mapping=mapping)
    return ingest_files(lake, mapping, export, known_at=known_at, run_id="run", only=only)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def landed(lake: Lake, table: str) -> list[dict[str, object]]:
    rows = lake.query(
        table, "select * exclude (_load_id, _known_from, _known_time_basis) from lake order by all nulls last"
    )
    assert rows is not None
    return list(rows.to_pylist())


def test_rows_are_canonical_and_nothing_the_export_said_is_lost(lake: Lake, export: Path) -> None:
    ingest(lake, export)
    first, second, third = landed(lake, "files__opportunity")
    assert first == {
        "opportunity_id": "1",
        "opportunity_name": "Skrivebord #1",
        "owner_id": "7",
        "stage_name": "Vunnet",
        "amount": "1200.50",
        "currency": "NOK",
        "close_date": "2026-02-05",
        "closed_at": "2026-02-04T23:00:00.000Z",
        "product_id": "skrivebord",
        "extra_vare": "Skrivebord",
        "extra_selger": "Ann",
        "extra_intern_merknad": "a",
        "extra_phone": "555-1",
        "_broken_rules": None,
    }
    assert (second["product_id"], second["extra_vare"]) == ("skrivebord", "Skr")
    assert (third["owner_id"], third["amount"], third["extra_selger"]) == (None, None, "Nobody")


def test_distinct_values_make_an_object_with_one_row_a_key(lake: Lake, export: Path) -> None:
    ingest(lake, export, only="files__product")
    products = landed(lake, "files__product")
    assert [(row["product_id"], row["product_name"], row["family"]) for row in products] == [
        ("skrivebord", "Skrivebord", "ukjent"),
        ("stol", "stol", "ukjent"),
    ]
    assert "files__opportunity" not in lake.tables()


def test_the_same_export_lands_once_and_a_correction_lands_alone(lake: Lake, export: Path) -> None:
    assert [report.landed for report in ingest(lake, export)] == [3, 2]
    assert [(report.landed, report.unchanged, report.version) for report in ingest(lake, export, 2)] == [
        (0, 3, None),
        (0, 2, None),
    ]
    edit(export / "deals.csv", "900,00", "950,00")
    assert [(report.landed, report.unchanged) for report in ingest(lake, export, 3)] == [(1, 2), (0, 2)]


def test_every_file_and_the_mapping_can_be_traced(lake: Lake, export: Path) -> None:
    ingest(lake, export)
    newest = lake.newest_load("files__opportunity")
    assert newest is not None
    assert set(newest.details) == {"key", "mapping", "mapping_sha256", "sha256:deals.csv", "sha256:people.parquet"}
    assert all(len(value) == 64 for name, value in newest.details.items() if "sha256" in name)


def test_a_value_that_does_not_parse_is_set_aside_as_it_came(lake: Lake, export: Path) -> None:
    edit(export / "deals.csv", "06.02.2026", "31.02.2026")
    opportunity, _ = ingest(lake, export)
    assert (opportunity.landed, opportunity.set_aside) == (2, 1)
    (broken,) = [row for row in landed(lake, "files__opportunity") if row["_broken_rules"]]
    assert (broken["opportunity_id"], broken["close_date"]) == ("2", "31.02.2026")


@pytest.mark.parametrize(
    ("file", "old", "new", "error", "said"),
    [
        pytest.param(
            "shop.yml",
            "{from: verdi,",
            "{from: value,",
            MappingError,
            [
                "columns.amount names the column 'value', which deals.csv does not have",
                "nr, vare, selger, verdi, dato, Intern merknad",
            ],
            id="a column that is not there",
        ),
        pytest.param(
            "shop.yml",
            "people.id",
            "people.nr",
            MappingError,
            ["'people.nr', which people.parquet", "id, name, phone"],
            id="nor in the joined file",
        ),
        pytest.param(
            "shop.yml",
            "column: vare",
            "column: goods",
            FileUnreadable,
            ["deals.csv lacks the column 'goods'"],
            id="nor for distinct values",
        ),
        pytest.param(
            "shop.yml",
            "family: family",
            "family: group",
            MappingError,
            ["'group'", "value, family"],
            id="a name distinct does not give",
        ),
        pytest.param(
            "shop.yml",
            "path: deals.csv",
            "path: sales.csv",
            FileUnreadable,
            ["sales.csv is missing", "deals.csv"],
            id="a missing file",
        ),
        pytest.param(
            "deals.csv",
            "2;Skr;",
            "2;Skr;;",
            FileUnreadable,
            ["Line 3 of deals.csv has 7 fields, but the header has 6"],
            id="a ragged row",
        ),
        pytest.param(
            "deals.csv",
            "3;stol",
            "1;stol",
            MappingError,
            ["opportunity_id is not unique", "rows 1, 3"],
            id="a key twice",
        ),
        pytest.param(
            "shop.yml",
            "%d.%m.%Y",
            "%Y/%m/%d",
            MappingError,
            ["none of 3 values reads as", "99.99.9999"],
            id="a format that fits no value",
        ),
    ],
)
def test_a_bad_export_is_refused_whole(
    lake: Lake, export: Path, file: str, old: str, new: str, error: type[IngestionError], said: list[str]
) -> None:
    edit(export / file, old, new)
    with pytest.raises(error) as caught:
        ingest(lake, export)
    for part in said:
        assert part in str(caught.value)
    assert caught.value.where and caught.value.fix
    assert not [table for table in lake.tables() if table.startswith("files__")]


def test_a_few_rows_that_share_a_key_are_set_aside_and_the_others_land(lake: Lake, export: Path) -> None:
    with (export / "deals.csv").open("a", encoding="utf-8") as file:
        file.write("".join(f"{number};bord;Ann;{place},00;01.05.2026;x\n" for place, number in enumerate((4, 5, 6, 6))))
    report = next(each for each in ingest(lake, export) if each.table == "files__opportunity")
    assert report.set_aside == 2 and report.rules["opportunity_id_is_unique"] == 2
    assert report.landed == 5


def test_a_joined_file_with_its_key_twice_is_refused(lake: Lake, export: Path) -> None:
    pq.write_table(pa.table({"id": [7, 8], "name": ["Ann", "Ann"], "phone": ["1", "2"]}), export / "people.parquet")
    with pytest.raises(MappingError, match="key name of 'people' is not unique"):
        ingest(lake, export)


def test_what_had_landed_stays_when_the_next_export_is_refused(lake: Lake, export: Path) -> None:
    ingest(lake, export)
    before = lake.snapshot()
    edit(export / "deals.csv", "2;Skr;", "2;Skr;;")
    with pytest.raises(FileUnreadable):
        ingest(lake, export, 2)
    assert lake.snapshot() == before


def test_an_unknown_target_is_refused(lake: Lake, export: Path) -> None:
    with pytest.raises(MappingError, match="fills no 'files__lead'"):
        ingest(lake, export, only="files__lead")


def test_files_before_settings_are_refused(lake: Lake, export: Path) -> None:
    with pytest.raises(MappingError, match="No stage names"):
        ingest_files(
            lake, load_mapping(export / "shop.yml"), export, known_at=datetime(2026, 3, 1, tzinfo=UTC), run_id="run"
        )


def test_the_worked_example_of_the_documentation_works(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "mapping-files.md").read_text(encoding="utf-8")
    table = "".join(f"{line[4:]}\n" for line in page.splitlines() if line.startswith("    ") and line.count(";") == 5)
    (tmp_path / "deals.csv").write_text(table, encoding="cp1252")
    (tmp_path / "shop.yml").write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    lake = Lake(tmp_path / "lake")
    assert [report.landed for report in ingest(lake, tmp_path)] == [2, 2]
    first, second = landed(lake, "files__opportunity")
    assert {"ann lee", "2026-02-04T23:00:00.000Z", "1200.50", "GTXPro", "Ann Lee "} <= set(first.values())
    assert (first["product_id"], second["product_id"]) == ("gtx pro", "gtx pro")


@pytest.mark.parametrize("canonical", CANONICAL_OBJECTS.values(), ids=lambda canonical: canonical.table)
def test_the_documentation_lists_the_canonical_columns(canonical: CanonicalObject) -> None:
    page = (PROJECT_ROOT / "docs" / "mapping-files.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith(f"| `{canonical.table}`")]
    assert [name.split(" (")[0] for name in re.split(r", (?![^(]*\))", line.split("|")[2].strip())] == list(
        canonical.columns
    )
