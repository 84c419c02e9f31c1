"""Personal data in a published set: hashed alike everywhere, found nowhere in clear, opened only by name."""

from __future__ import annotations

import hmac
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publishing import masking
from publishing.masking import Masker, normalise, read_key
from publishing.policy import make_policy, mask_value
from storage.errors import SettingsError, StorageError
from storage.home import Home
from storage.phone_numbers import to_e164
from storage.settings import Settings
from tests.published_sample import KEY, MARTS, PLANTED, publish_run, without_mark
from tests.published_sample import make_policy as known_policy

PEOPLE = {"Erika Mustermann", "Max Muster"}


def dump_set(folder: Path) -> str:
    """Everything in a published set as text, and as bytes."""
    parts = [path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()]
    for file in folder.rglob("*.duckdb"):
        with duckdb.connect(str(file), read_only=True) as opened:
            for (name,) in opened.execute("select table_name from duckdb_tables()").fetchall():
                parts += [str(row) for row in opened.execute(f'from marts."{name}"').fetchall()]
    for file in folder.rglob("*.parquet"):
        parts += [str(row) for row in duckdb.connect().sql(f"from '{file}'").fetchall()]
    return "\n".join(parts).casefold()


def find_planted(home: Home) -> list[str]:
    text = dump_set((home.published / "current").resolve())
    return [value for value in PLANTED if value.casefold() in text]


def test_no_planted_address_number_or_name_is_in_a_set(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home)
    assert find_planted(home) == []


@pytest.mark.parametrize(
    ("column", "seen"), [("fct_activities.counterpart_key", {*PLANTED} - PEOPLE), ("dim_accounts.account_name", PEOPLE)]
)
def test_a_removed_mark_is_noticed(tmp_path: Path, column: str, seen: set[str]) -> None:
    home = Home(tmp_path)
    publish_run(home, marts=without_mark(*column.split(".")))
    assert set(find_planted(home)) == seen


def test_hashes_join_across_spellings_and_forms_and_nothing_stays_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home)
    with duckdb.connect(str(home.published / "salesops.duckdb"), read_only=True) as opened:
        found = dict(opened.execute("select activity_id, counterpart_key from marts.fct_activities").fetchall())
    assert found == dict(
        duckdb.connect()
        .sql(f"select activity_id, counterpart_key from '{home.published}/parquet/fct_activities.parquet'")
        .fetchall()
    )
    assert found[1] == found[2] == hmac.digest(KEY, b"erika.mustermann@kunde.example", "sha256")[:16].hex()
    assert found[3] == found[4] == Masker(KEY, "US").mask("0044 20 7946 0018".replace("0044", "+44"))
    assert found[5] == "" and found[6] is None and len(found[7]) == 32


def test_named_columns_are_published_in_clear_and_others_are_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    manifest = publish_run(home, policy=known_policy("dim_accounts.account_name"))
    assert manifest.in_clear == ("dim_accounts.account_name",)
    assert set(find_planted(home)) == PEOPLE


def test_only_rows_that_are_surely_no_person_keep_a_name_that_may_be_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home)
    names = (
        duckdb.connect()
        .sql(f"select account_id, account_name from '{home.published}/parquet/dim_accounts.parquet' order by 1")
        .fetchall()
    )
    assert names[2] == ("E3", "Acme")
    assert [len(name) for _, name in names[:2]] == [32, 32]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", set()),
        ("dim_accounts.account_name", {"dim_accounts.account_name"}),
        (
            " dim_accounts.* , fct_activities.counterpart_key,",
            {"dim_accounts.account_name", "fct_activities.counterpart_key"},
        ),
    ],
)
def test_the_setting_names_columns(tmp_path: Path, text: str, columns: set[str]) -> None:
    assert make_policy(Settings(home=tmp_path, publish_pii=text), MARTS).in_clear == columns


@pytest.mark.parametrize("text", ["dim_accounts", "dim_accounts.account_id", "kpi_month.*", "*", "dim_account.*"])
def test_an_unknown_name_in_the_setting_is_an_error_that_lists_the_known(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="is not a column marked as personal data") as error:
        make_policy(Settings(home=tmp_path, publish_pii=text), MARTS)
    assert "dim_accounts.account_name, fct_activities.counterpart_key" in error.value.fix


def test_an_unknown_group_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no group 'nobody-knows-it'"):
        make_policy(Settings(home=tmp_path / "home", publish_group="nobody-knows-it"), MARTS)
    assert not (tmp_path / "home").exists()


def test_a_group_we_are_not_in_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "getgroups", lambda: [4711])
    monkeypatch.setattr(os, "getegid", lambda: 4711)
    with pytest.raises(SettingsError, match="is not in it"):
        make_policy(Settings(home=tmp_path, publish_group="4712"), MARTS)


def test_key_settings_and_group_each_change_what_there_is_to_publish(tmp_path: Path) -> None:
    def identity(home: str = "a", **settings: object) -> str:
        return make_policy(Settings(home=tmp_path / home, **settings), MARTS).identity  # type: ignore[arg-type]

    asked = [
        identity(),
        identity("b"),
        identity(publish_pii="dim_accounts.*"),
        identity(publish_group=str(os.getegid())),
        identity(telephony_region="DE"),
    ]
    assert len(set(asked)) == len(asked)
    assert identity() == asked[0]


def test_the_key_is_made_once_for_its_owner_alone_by_however_many(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    before = os.umask(0o000)
    try:
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda _: read_key(home, create=True), range(32)))
    finally:
        os.umask(before)
    assert len(keys) == 1 and len(keys.pop()) == 32
    assert stat.S_IMODE(home.pii_key.stat().st_mode) == 0o600
    assert [path.name for path in home.root.iterdir()] == ["pii.key"]


@pytest.mark.parametrize("text", ["", "no key", "abcd", "00" * 31])
def test_a_broken_key_is_never_replaced(tmp_path: Path, text: str) -> None:
    home = Home(tmp_path)
    home.pii_key.write_text(text)
    with pytest.raises(StorageError, match="cannot be read"):
        read_key(home, create=True)
    assert home.pii_key.read_text() == text


def test_a_value_asked_for_has_the_published_hash_and_asking_makes_no_key(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(StorageError, match="no key"):
        mask_value(settings, "x")
    assert not settings.home_folder.pii_key.exists()
    publish_run(settings.home_folder, policy=make_policy(settings, MARTS))
    hashed = mask_value(settings, "ERIKA.mustermann@kunde.example ")
    found = (
        duckdb.connect()
        .sql(
            f"select count(*) from '{tmp_path}/published/parquet/fct_activities.parquet' where counterpart_key = '{hashed}'"
        )
        .fetchall()
    )
    assert found == [(2,)]


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        ("  Erika \t Mustermann\n", "erika mustermann"),
        ("MU\u0308LLER@KUNDE.EXAMPLE", "müller@kunde.example"),
        ("Straße", "strasse"),
        ("(212) 555-0199", "+12125550199"),
        ("212.555.0199", "+12125550199"),
        ("+1 (212) 555 0199", "+12125550199"),
        ("12125550199", "+12125550199"),
        ("+44 (0) 20 7946 0018", "+442079460018"),
        ("+4402079460018", "+442079460018"),
        ("+390612345678", "+390612345678"),
        ("1002", "1002"),
        ("0065g000000001NAAQ", "0065g000000001naaq"),
        ("   ", ""),
    ],
)
def test_spellings_have_one_form(value: str, normal: str) -> None:
    assert normalise(value, "US") == normal
    assert normalise(normal, "US") == normal


def test_a_national_number_is_read_by_the_region() -> None:
    assert normalise("030 1234567", "DE") == "+49301234567"
    with pytest.raises(SettingsError, match="not a known country"):
        Masker(KEY, "ZZ")


@given(
    st.sampled_from(["1", "7", "33", "34", "39", "44", "49", "52", "54", "55", "61", "81", "353", "370", "995", "211"]),
    st.text("0123456789", min_size=4, max_size=12),
)
def test_the_fast_way_gives_what_the_slow_way_gives(country: str, rest: str) -> None:
    number = f"+{country}{rest}"
    if masking._is_plain_e164(number):
        assert (to_e164(number, "US") or number) == number


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing_and_case_does_not_matter(text: str) -> None:
    once = normalise(text, "US")
    assert normalise(once, "US") == once
    assert normalise(f" {text} ", "US") == once
