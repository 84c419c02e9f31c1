"""Read plan and board files: YAML to models, with every problem's place in the file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import ValidationError

from incentives.boards import Board
from incentives.errors import PlanFileError, Problem
from incentives.mechanics import MECHANICS
from incentives.plan_fields import OLD_KEYS
from incentives.plans import Plan

Content = TypeVar("Content", Plan, Board)

REFERENCE = "docs/commission-plans.md lists every field."


class _TextLoader(yaml.SafeLoader):
    """Every scalar stays the text that was written (an empty one is null), so that an amount never passes through a float."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the name and shape are PyYAML's


_TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])


@dataclass(frozen=True)
class PlanFile(Generic[Content]):
    """A file that was read and found good.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        content: What it says.
        notices: Keys in it that have another name by now, each a warning with its line.
    """

    path: Path
    sha256: str
    content: Content
    notices: tuple[Problem, ...] = ()


def read_plan(path: Path) -> PlanFile[Plan]:
    """Read one plan file.

    Raises:
        PlanFileError: It cannot be used; the error lists what is wrong where, and what to do.
    """
    return _read(path, Plan)


def read_board(path: Path) -> PlanFile[Board]:
    """Read one board file.

    Raises:
        PlanFileError: It cannot be used; the error lists what is wrong where, and what to do.
    """
    return _read(path, Board)


def read_plans(folder: Path) -> list[PlanFile[Plan]]:
    """Read every `*.yml` of a folder, in order of name; a folder that is not there holds no plans.

    Raises:
        PlanFileError: One of them cannot be used, or two have the same id.
    """
    return _refuse_same_id([read_plan(path) for path in files_in(folder)])


def read_boards(folder: Path) -> list[PlanFile[Board]]:
    """Read every `*.yml` of a folder, in order of name; a folder that is not there holds no boards.

    Raises:
        PlanFileError: One of them cannot be used, or two have the same id.
    """
    return _refuse_same_id([read_board(path) for path in files_in(folder)])


def files_in(folder: Path) -> list[Path]:
    """Paths of the plan or board files in a folder, in order of name; none where there is no folder."""
    return sorted(path for path in folder.glob("*") if path.suffix in {".yml", ".yaml"}) if folder.is_dir() else []


def _refuse_same_id(files: list[PlanFile[Content]]) -> list[PlanFile[Content]]:
    seen: dict[str, Path] = {}
    for file in files:
        if first := seen.get(file.content.id):
            what = f"The id {file.content.id} is also used in {first.name}."
            raise PlanFileError([Problem("error", file.path, "id", None, what, "Give each file its own id.")])
        seen[file.content.id] = file.path
    return files


def _read(path: Path, model: type[Content]) -> PlanFile[Content]:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanFileError(
            [Problem("error", path, "", None, f"The file cannot be read: {error}.", "Check the path; it must be UTF-8 text.")]
        ) from None
    node = _parse(path, text)
    try:
        content = model.model_validate(yaml.load(text, Loader=_TextLoader))
    except ValidationError as error:
        # A list of which every item is wrong is also reported as empty; that is no problem of its own.
        found = [details for details in error.errors() if not (details["type"] == "too_short" and details["input"])]
        raise PlanFileError([_to_problem(path, node, details) for details in found]) from None
    return PlanFile(path, hashlib.sha256(raw).hexdigest(), content, tuple(_find_old_keys(path, node)))


def _parse(path: Path, text: str) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=_TextLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = f"The file is no valid YAML: {getattr(error, 'problem', None) or error}."
        raise PlanFileError(
            [Problem("error", path, "", mark.line + 1 if mark else None, what, "Check indentation, quotes and colons there.")]
        ) from None
    if not isinstance(node, yaml.MappingNode):
        raise PlanFileError([Problem("error", path, "", None, "The file holds no keys.", f"It must be a YAML mapping. {REFERENCE}")])
    if twice := list(_repeated_keys(node)):
        what = "The key '{}' is written twice; YAML would silently keep the last."
        raise PlanFileError([Problem("error", path, "", key.start_mark.line + 1, what.format(key.value), "Keep one of them.") for key in twice])
    return node


def _repeated_keys(node: yaml.Node) -> Iterable[yaml.ScalarNode]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _find_old_keys(path: Path, node: yaml.Node, place: str = "") -> Iterator[Problem]:
    """Every key of a good file that has another name by now. No key in such a file is the writer's own, so its name is enough."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = f"{place}.{key.value}".lstrip(".")
            if key.value in OLD_KEYS:
                what, fix = f"The key {key.value} is now called {OLD_KEYS[key.value]}.", f"Write {OLD_KEYS[key.value]}: instead; the pay is the same."
                yield Problem("warning", path, here, key.start_mark.line + 1, what, fix)
            yield from _find_old_keys(path, value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _find_old_keys(path, item, f"{place}[{number}]")


def _to_problem(path: Path, root: yaml.Node, details: Any) -> Problem:
    place, line, last = "", root.start_mark.line + 1, str(details["loc"][-1]) if details["loc"] else ""
    node = root
    for part in details["loc"]:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                # The kind of a component is part of pydantic's path but not of the file; a missing key is in neither.
                if details["type"] == "missing" and part == details["loc"][-1]:
                    place = f"{place}.{part}".lstrip(".")
                continue
            place, line, node = f"{place}.{part}".lstrip("."), found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            place, node = f"{place}[{part}]", node.value[part]
            line = node.start_mark.line + 1
    what, fix = _say(details, last)
    return Problem("error", path, place, line, what, fix)


def _say(details: Any, field: str) -> tuple[str, str]:
    context, given = details.get("ctx", {}), details.get("input")
    shown = f" '{given}'" if isinstance(given, str) else ""
    match details["type"]:
        case "plan_rule":
            return context["what"], context["fix"]
        case "missing":
            return f"The field {field} is missing.", f"Add it. {REFERENCE}"
        case "extra_forbidden":
            return f"The field {field} is not known here.", f"Correct its spelling or take it out. {REFERENCE}"
        case "literal_error":
            return f"The value{shown} is not one of those possible.", f"Use one of: {context['expected']}."
        case "union_tag_invalid":
            return f"The kind '{context['tag']}' is not known.", f"Use one of: {context['expected_tags']}."
        case "too_short":
            return f"The list {field} is empty.", f"Give it at least one entry. {REFERENCE}"
        case "union_tag_not_found":
            return "The field kind is missing.", f"Add one of: {', '.join(f'kind: {kind}' for kind in MECHANICS)}."
        case "string_pattern_mismatch":
            return (
                f"The value{shown} does not have the form {context['pattern']}.",
                f"Ids are lower case letters, digits and underscores. {REFERENCE}",
            )
        case _:
            message = str(details["msg"])
            return f"The value{shown} cannot be used: {message[:1].lower()}{message[1:]}.", f"Correct it. {REFERENCE}"
