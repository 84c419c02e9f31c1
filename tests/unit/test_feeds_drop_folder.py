"""Looking into the drop folder: which names are ours, which files are settled, which are new."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from ingestion.sources.feeds.drop_folder import DropFolder, look_into, sightings_from_json, sightings_to_json
from ingestion.sources.feeds.register import DropRegister, RegisterEntry
from ingestion.sources.files.errors import FileUnreadable

CONTENT = b"payment_id\nP1\n"


def drop(folder: Path, name: str, content: bytes = CONTENT) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def lock(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let a file be one that may not be opened; its permissions would not keep out every user that tests run as."""
    real = Path.open

    def open_others(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **named)

    patch.setattr(Path, "open", open_others)


def look_twice(folder: Path, register: DropRegister | None = None) -> DropFolder:
    register = register or DropRegister()
    return look_into(folder, register, look_into(folder, register, {}).sightings)


def entry(path: Path, outcome: str = "taken", name: str | None = None) -> RegisterEntry:
    stat = path.stat()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return RegisterEntry("payments", name or path.name, sha256, stat.st_size, stat.st_mtime_ns, outcome)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "feed"),
    [
        pytest.param("payments.csv", "payments", id="the bare name"),
        pytest.param("payments_2026-11-24.csv", "payments", id="a day"),
        pytest.param("payments2026.parquet", "payments", id="digits at once"),
        pytest.param("Payments (2).CSV", "payments", id="capitals and blanks"),
        pytest.param("product_costs-2.csv", "product_costs", id="a name of two words"),
        pytest.param("paymentsheet.csv", None, id="another word that begins alike"),
        pytest.param("old_payments.csv", None, id="the name not at the beginning"),
        pytest.param("payments.xlsx", None, id="another ending"),
        pytest.param("payments.csv.gz", None, id="an ending behind the ending"),
        pytest.param("readme.txt", None, id="something else"),
    ],
)
def test_a_name_says_whose_file_it_is(tmp_path: Path, name: str, feed: str | None) -> None:
    drop(tmp_path, name)
    seen = look_twice(tmp_path)
    assert [file.feed.name for file in seen.ready] == ([feed] if feed else [])
    assert seen.unknown == (() if feed else (name,))


@pytest.mark.parametrize(
    "name", [".payments.csv.Xy12", "~payments.csv", "payments.csv.part", "payments.csv.FILEPART", "payments.tmp"]
)
def test_a_name_that_means_not_complete_is_passed_over(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name)
    assert look_twice(tmp_path) == DropFolder()


def test_folders_and_links_to_nothing_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "payments.csv").mkdir()
    (tmp_path / "payments_2.csv").symlink_to(tmp_path / "gone")
    assert look_twice(tmp_path) == DropFolder()


def test_a_name_that_is_no_text_is_reported_without_failing(tmp_path: Path) -> None:
    descriptor = os.open(os.fsencode(tmp_path) + b"/payments_\xff.csv", os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    (name,) = look_twice(tmp_path).unknown
    assert name.encode() == b"payments_\\udcff.csv"


def test_a_file_is_ready_only_when_two_looks_see_the_same(tmp_path: Path) -> None:
    path = drop(tmp_path, "payments.csv")
    first = look_into(tmp_path, DropRegister(), {})
    assert (first.ready, first.unsettled) == ((), ("payments.csv",))

    path.write_bytes(CONTENT + b"P2\n")
    second = look_into(tmp_path, DropRegister(), first.sightings)
    assert (second.ready, second.unsettled) == ((), ("payments.csv",))

    third = look_into(tmp_path, DropRegister(), second.sightings)
    assert [file.sha256 for file in third.ready] == [hashlib.sha256(CONTENT + b"P2\n").hexdigest()]
    assert third.unsettled == ()


def test_a_file_rewritten_in_its_size_is_not_settled(tmp_path: Path) -> None:
    path = drop(tmp_path, "payments.csv")
    first = look_into(tmp_path, DropRegister(), {})
    os.utime(path, ns=(0, 10**18))
    assert look_into(tmp_path, DropRegister(), first.sightings).unsettled == ("payments.csv",)


def test_a_settled_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(tmp_path, "payments.csv")
    seen = look_twice(tmp_path)
    kept = sightings_from_json(sightings_to_json(seen.sightings))
    monkeypatch.setattr(
        "ingestion.sources.feeds.drop_folder.hash_file", lambda _: pytest.fail("the file was hashed again")
    )
    assert look_into(tmp_path, DropRegister(), kept) == seen


def test_files_come_in_the_order_of_feeds_and_names(tmp_path: Path) -> None:
    for number, name in enumerate(
        ["payments_b.csv", "invoices_2.csv", "payments_a.parquet", "invoices_10.csv", "personnel.csv"]
    ):
        drop(tmp_path, name, str(number).encode())
    names = [file.path.name for file in look_twice(tmp_path).ready]
    assert names == ["personnel.csv", "invoices_10.csv", "invoices_2.csv", "payments_a.parquet", "payments_b.csv"]


def test_a_later_name_waits_for_one_that_is_not_settled(tmp_path: Path) -> None:
    for name in ("payments_1.csv", "payments_2.csv", "payments_3.csv", "invoices_9.csv"):
        drop(tmp_path, name, name.encode())
    first = look_into(tmp_path, DropRegister(), {})
    drop(tmp_path, "payments_2.csv", b"grown since")
    seen = look_into(tmp_path, DropRegister(), first.sightings)
    assert [file.path.name for file in seen.ready] == ["invoices_9.csv", "payments_1.csv"], (
        "neither an earlier name nor another feed is held up"
    )
    assert (seen.unsettled, seen.waiting) == (("payments_2.csv",), {"payments_3.csv": "payments_2.csv"})
    assert [file.path.name for file in look_into(tmp_path, DropRegister(), seen.sightings).ready][1:] == [
        f"payments_{n}.csv" for n in (1, 2, 3)
    ]


def test_a_later_name_waits_for_one_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("payments_1.csv", "payments_2.csv"):
        drop(tmp_path, name, name.encode())
    with monkeypatch.context() as locked:
        lock(locked, "payments_1.csv")
        seen = look_twice(tmp_path)
    assert (seen.ready, seen.waiting) == ((), {"payments_2.csv": "payments_1.csv"})
    assert "Permission denied" in seen.unreadable["payments_1.csv"]
    seen = look_into(tmp_path, DropRegister(), seen.sightings)
    assert ([file.path.name for file in seen.ready], seen.waiting) == (["payments_1.csv", "payments_2.csv"], {})


def test_a_refused_file_and_one_that_is_gone_hold_nothing_up(tmp_path: Path) -> None:
    refused = drop(tmp_path, "payments_1.csv", b"no feed")
    drop(tmp_path, "payments_3.csv")
    register = DropRegister([entry(refused, "refused")])
    gone = drop(tmp_path, "payments_2.csv", b"gone")
    first = look_into(tmp_path, register, {})
    gone.unlink()
    os.utime(refused, ns=(0, 10**18))  # looked at anew: the bytes are those that were refused
    second = look_into(tmp_path, register, first.sightings)
    assert second.waiting == {"payments_3.csv": "payments_1.csv"}, "nobody can say yet whether it was put right"
    third = look_into(tmp_path, register, second.sightings)
    assert ([file.path.name for file in third.ready], third.waiting) == (["payments_3.csv"], {})


def test_what_the_register_knows_is_not_ready(tmp_path: Path) -> None:
    taken = drop(tmp_path, "payments_1.csv")
    refused = drop(tmp_path, "payments_2.csv", b"no feed")
    register = DropRegister([entry(taken), entry(refused, "refused")])
    assert look_twice(tmp_path, register) == DropFolder()

    drop(tmp_path, "payments_3.csv")
    drop(tmp_path, "payments_4.csv", b"no feed")
    os.utime(taken, ns=(0, 10**18))
    os.utime(refused, ns=(0, 10**18))
    seen = look_twice(tmp_path, register)
    assert [file.path.name for file in seen.repeated] == ["payments_1.csv", "payments_3.csv"]
    assert [file.path.name for file in seen.ready] == ["payments_4.csv"], (
        "refused bytes under another name are tried again, once"
    )


def test_the_same_bytes_for_another_feed_are_another_file(tmp_path: Path) -> None:
    taken = drop(tmp_path, "payments.csv")
    drop(tmp_path, "invoices.csv")
    assert [file.feed.name for file in look_twice(tmp_path, DropRegister([entry(taken)])).ready] == ["invoices"]


def test_the_key_is_that_of_the_content(tmp_path: Path) -> None:
    path = drop(tmp_path, "payments_1.csv")
    one = look_twice(tmp_path).key
    path.rename(tmp_path / "payments_2.csv")
    assert look_twice(tmp_path).key == one
    drop(tmp_path, "payments_3.csv", b"more")
    assert look_twice(tmp_path).key != one


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="drop folder does not exist") as caught:
        look_into(tmp_path / "nowhere", DropRegister(), {})
    assert "SALESOPS_DROP_DIR" in caught.value.fix


@pytest.mark.parametrize("text", ["", "null", "[]", '{"a": 1}', '{"a": {"b": 2}}'])
def test_a_cursor_that_makes_no_sense_is_none(text: str) -> None:
    assert sightings_from_json(text) == {}
