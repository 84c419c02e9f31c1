"""Read the files that an operator writes: YAML to models, with the place of every problem in the file.

What belongs here: reading one file, the strict base class of its models, and problems as values to list or as an error
to raise. What does not: what a file may say (settings and mappings in `ingestion`, plans and boards in `incentives`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, NoReturn, TypeVar

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from storage.errors import SalesopsError

PROBLEMS_SHOWN = 5
IN_THE_FILE = "The comments in the file say what each key takes."


class OperatorModel(BaseModel):
    """Base of what an operator writes: immutable, and an unknown key is an error, because it is most often misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Content = TypeVar("Content", bound=OperatorModel)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong or questionable in an operator's file.

    Attributes:
        severity: `error`: the file is not used; `warning`: it works, but perhaps not as meant.
        file: The file, or the folder that lacks one.
        path: Place in the file, such as `components[1].tiers[2].from`; empty for the whole file.
        line: Line number in the file, from 1; None if it has no single one.
        what: What is wrong.
        fix: What to do.
    """

    severity: Literal["error", "warning"]
    file: Path
    path: str
    line: int | None
    what: str
    fix: str

    @property
    def where(self) -> str:
        """File, line and path in the file, as far as they are known."""
        line = f"line {self.line}" if self.line else ""
        return ", ".join(part for part in (str(self.file), line, self.path) if part)

    @property
    def sentence(self) -> str:
        """Where, what, and what to do, as one line of a list."""
        return f"{self.where}: {self.what} {self.fix}"

    def __str__(self) -> str:
        return f"{self.severity}: {self.what}\n  Where: {self.where}\n  What to do: {self.fix}"


class OperatorFileError(SalesopsError):
    """A file that an operator writes is missing, is not YAML, or holds a key or value that cannot be used.

    Args:
        problems: One or more problems; up to five are shown.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = problems[0]
        shown = [f"{problem.what} ({problem.where}) {problem.fix}" for problem in problems[1:PROBLEMS_SHOWN]]
        if len(problems) > PROBLEMS_SHOWN:
            shown.append(f"and {len(problems) - PROBLEMS_SHOWN} more")
        further = "\nAlso: " + "\nAlso: ".join(shown) if shown else ""
        super().__init__(first.what, where=first.where, fix=first.fix + further)


@dataclass(frozen=True)
class OperatorFile(Generic[Content]):
    """A file that was read and is valid.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        content: What it says.
        notices: Keys in it that have been renamed since, each a warning with its line.
    """

    path: Path
    sha256: str
    content: Content
    notices: tuple[Problem, ...] = ()


def refuse(what: str, fix: str) -> NoReturn:
    """Report a broken rule from inside a validator.

    Args:
        what: What is wrong, without the place, which the reader of the file adds.
        fix: What to do.
    """
    raise PydanticCustomError("operator_rule", "{what}", {"what": what, "fix": fix})


def file_error(path: Path, what: str, fix: str, *, place: str = "", line: int | None = None) -> OperatorFileError:
    """The error for one problem found after, or instead of, reading a file."""
    return OperatorFileError([Problem("error", path, place, line, what, fix)])


def read_file(
    path: Path,
    model: type[Content],
    *,
    reference: str = IN_THE_FILE,
    defaults: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> OperatorFile[Content]:
    """Read one file.

    Every scalar stays the text that was written (empty, `~` and `null` are null), so 17:00, NO or 0.10 reach the model
    unchanged, and an amount never passes through a float. A renamed field accepts both names,
    `validation_alias=AliasChoices(new, old)`; the old one gives a notice.

    Args:
        path: The file.
        model: The model of its content.
        reference: A sentence that says where its keys are explained.
        defaults: Values for keys that the file leaves out.
        overrides: Values for keys, whatever the file says.

    Raises:
        OperatorFileError: The file cannot be used; the error lists each problem, where it is, and what to do.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except FileNotFoundError:
        raise file_error(path, "The file is missing.", "Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise file_error(path, f"The file cannot be read: {error}.", "It must be a readable UTF-8 text file.") from None
    root, said = _parse(path, text, reference)
    try:
        content = model.model_validate({**(defaults or {}), **said, **(overrides or {})})
    except ValidationError as error:
        # A list whose items are all wrong is also reported as empty; that is no problem of its own.
        found = [details for details in error.errors() if not (details["type"] == "too_short" and details["input"])]
        raise OperatorFileError([_to_problem(path, root, details, reference) for details in found]) from None
    return OperatorFile(path, hashlib.sha256(raw).hexdigest(), content, tuple(_find_old_keys(path, root, content)))


class _TextLoader(yaml.SafeLoader):
    """Every scalar stays text; only an empty one, `~` and `null` are null."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the name and shape are PyYAML's


_TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])


def _parse(path: Path, text: str, reference: str) -> tuple[yaml.MappingNode, dict[str, Any]]:
    try:
        root = yaml.compose(text, Loader=_TextLoader)
        said = yaml.load(text, Loader=_TextLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = f"The file is not valid YAML: {getattr(error, 'problem', None) or error}."
        raise file_error(
            path, what, "Check indentation, quotes and colons there.", line=mark.line + 1 if mark else None
        ) from None
    if not isinstance(root, yaml.MappingNode):
        raise file_error(path, "The file holds no keys.", f"It must be a YAML mapping, `key: value`. {reference}")
    if twice := list(_repeated_keys(root, set())):
        what = "The key '{}' is written twice; YAML would silently keep the last."
        raise OperatorFileError(
            [
                Problem("error", path, "", key.start_mark.line + 1, what.format(key.value), "Keep one of them.")
                for key in twice
            ]
        )
    return root, said


def _repeated_keys(node: yaml.Node, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    if id(node) in seen:  # an anchor that is used again
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    yield key
                keys.add(key.value)
            yield from _repeated_keys(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, seen)


def _find_old_keys(path: Path, node: yaml.Node, content: Any, place: str = "") -> Iterator[Problem]:
    """A notice for every key that has a newer name, in a file that is valid."""
    if isinstance(node, yaml.SequenceNode) and isinstance(content, (list, tuple)):
        for number, (item, said) in enumerate(zip(node.value, content, strict=False)):
            yield from _find_old_keys(path, item, said, f"{place}[{number}]")
    if not isinstance(node, yaml.MappingNode):
        return
    fields = {written: (names[0], name) for name, names in _names(content).items() for written in names}
    for key, value in node.value:
        here = f"{place}.{key.value}".lstrip(".")
        if isinstance(content, Mapping):
            yield from _find_old_keys(path, value, content.get(key.value), here)
        elif key.value in fields:
            newest, name = fields[key.value]
            if key.value != newest:
                what, fix = (
                    f"The key {key.value} is now called {newest}.",
                    f"Write {newest}: instead; it means the same.",
                )
                yield Problem("warning", path, here, key.start_mark.line + 1, what, fix)
            yield from _find_old_keys(path, value, getattr(content, name), here)


def _names(content: Any) -> dict[str, list[str]]:
    """The names of each field of a model in a file, the newest first."""
    if not isinstance(content, BaseModel):
        return {}
    fields = type(content).model_fields.items()
    return {
        name: [str(choice) for choice in alias.choices]
        if isinstance(alias := field.validation_alias, AliasChoices)
        else [str(alias or name)]
        for name, field in fields
    }


def _to_problem(path: Path, root: yaml.Node, details: Any, reference: str) -> Problem:
    place, line, last = "", root.start_mark.line + 1, str(details["loc"][-1]) if details["loc"] else ""
    node = root
    for part in details["loc"]:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                # A union's tag is part of pydantic's path but not of the file; a missing key is in neither.
                if details["type"] == "missing" and part == details["loc"][-1]:
                    place = f"{place}.{part}".lstrip(".")
                continue
            place, line, node = f"{place}.{part}".lstrip("."), found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            place, node = f"{place}[{part}]", node.value[part]
            line = node.start_mark.line + 1
    what, fix = _say(details, last, place, reference)
    return Problem("error", path, place, line, what, fix)


def _say(details: Any, field: str, place: str, reference: str) -> tuple[str, str]:
    context, given = details.get("ctx", {}), details.get("input")
    shown = f" '{given}'" if isinstance(given, str) else ""
    message = str(details["msg"])
    match details["type"]:
        case "operator_rule":
            return context["what"], context["fix"]
        case "value_error":
            said = message.removeprefix("Value error, ")
            return f"{place}: {said}." if place else f"{said}.", f"Correct it. {reference}"
        case "missing":
            return f"The field {field} is missing.", f"Add it. {reference}"
        case "extra_forbidden":
            return f"The field {field} is not known here.", f"Correct its spelling or take it out. {reference}"
        case "literal_error":
            return f"The value{shown} is not one of those possible.", f"Use one of: {context['expected']}."
        case "union_tag_invalid":
            return f"The kind '{context['tag']}' is not known.", f"Use one of: {context['expected_tags']}."
        case "union_tag_not_found":
            return f"The field {str(context['discriminator']).strip(chr(39))} is missing.", f"Add it. {reference}"
        case "too_short":
            return f"The list {field} is empty.", f"Give it at least one entry. {reference}"
        case "string_pattern_mismatch":
            return f"The value{shown} does not have the form {context['pattern']}.", f"Correct it. {reference}"
        case _:
            return f"The value{shown} cannot be used: {message[:1].lower()}{message[1:]}.", f"Correct it. {reference}"
