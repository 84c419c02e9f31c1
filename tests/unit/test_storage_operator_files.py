"""The one reader of what an operator writes: text stays text, and every problem has its line."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

from storage.operator_files import OperatorFileError, OperatorModel, read_file, refuse


class Part(OperatorModel):
    size: Decimal
    colour: str | None = None


class Whole(OperatorModel):
    name: str
    parts: tuple[Part, ...] = ()
    note: str | None = None

    @field_validator("note")
    @classmethod
    def _is_civil(cls, note: str | None) -> str | None:
        if note == "damn":
            refuse("The note swears.", "Be civil.")
        if note == "NO":
            raise ValueError("a note agrees")
        return note


def write(folder: Path, text: str) -> Path:
    path = folder / "whole.yml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, **given: Any) -> list[tuple[int | None, str, str]]:
    with pytest.raises(OperatorFileError) as caught:
        read_file(path, Whole, reference="See the guide.", **given)
    assert all(problem.fix and problem.file == path for problem in caught.value.problems)
    return [(problem.line, problem.path, problem.what) for problem in caught.value.problems]


def test_a_good_file(tmp_path: Path) -> None:
    path = write(tmp_path, "name: NO\nparts:\n  - &one {size: 0.10, colour: 17:00}\n  - *one\nnote:\n")
    file = read_file(path, Whole)
    assert file.content == Whole(name="NO", parts=(Part(size=Decimal("0.10"), colour="17:00"),) * 2)
    assert (file.path, file.sha256) == (path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_defaults_give_way_to_the_file_and_overrides_do_not(tmp_path: Path) -> None:
    path = write(tmp_path, "name: mine\n")
    content = read_file(
        path, Whole, defaults={"name": "default", "note": "default"}, overrides={"parts": [{"size": "1"}]}
    ).content
    assert (content.name, content.note, content.parts[0].size) == ("mine", "default", 1)
    assert read_file(path, Whole, overrides={"name": "theirs"}).content.name == "theirs"


def test_every_problem_is_reported_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "parts:\n  - size: lots\n  - colour: red\n    taste: sweet\nnote: NO\n")
    assert problems(path) == [
        (1, "name", "The field name is missing."),
        (2, "parts[0].size", "The value 'lots' cannot be used: input should be a valid decimal."),
        (3, "parts[1].size", "The field size is missing."),
        (4, "parts[1].taste", "The field taste is not known here."),
        (5, "note", "note: a note agrees."),
    ]
    with pytest.raises(OperatorFileError, match="The field name is missing") as caught:
        read_file(path, Whole)
    assert caught.value.where == f"{path}, line 1, name"
    assert caught.value.fix.count("Also: ") == 4


def test_a_rule_says_itself_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperatorFileError, match=r"The note swears\.") as caught:
        read_file(write(tmp_path, "name: a\nnote: damn\n"), Whole)
    assert caught.value.fix == "Be civil."


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("name: a\nparts: [\n", 3, "The file is not valid YAML: ", id="no YAML"),
        pytest.param(
            "name: a\nnote: !!python/name:os.system\n",
            2,
            "The file is not valid YAML: could not determine a constructor",
            id="a tag",
        ),
        pytest.param(
            "name: a\n? [a, b]\n: c\n", 2, "The file is not valid YAML: found unhashable key", id="a list for a key"
        ),
        pytest.param("- name\n", None, "The file holds no keys.", id="a list"),
        pytest.param("", None, "The file holds no keys.", id="nothing"),
        pytest.param(
            "name: a\nparts:\n  - size: 1\n    size: 2\n", 4, "The key 'size' is written twice", id="a key twice"
        ),
    ],
)
def test_what_is_no_mapping_of_keys(tmp_path: Path, text: str, line: int | None, said: str) -> None:
    [(found, place, what)] = problems(write(tmp_path, text))
    assert (found, place) == (line, "")
    assert what.startswith(said)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    assert problems(tmp_path / "whole.yml") == [(None, "", "The file is missing.")]
    (tmp_path / "whole.yml").write_bytes(b"name: \xff")
    [(_, _, what)] = problems(tmp_path / "whole.yml")
    assert what.startswith("The file cannot be read: ")
