"""Mail addresses in a header, strictly: what RFC 5322 says is an address, and nothing put together from a name.

What belongs here: the grammar of address lists. What does not: which header says who wrote (`headers`), and whose an
address is (dbt's conformed models).
The standard library's parser joins words into addresses where a header is broken, and answers otherwise from one patch
release to the next. This one is the same everywhere. Where a header breaks the grammar, only two things count: what
stands in angle brackets is the address, and an entry that could be read in two ways has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# In order: the first that matches wins. A quote or bracket that is never closed is a character like any other.
_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+)
    | (?P<encoded>=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)
    | "(?P<quoted>(?:[^"\\]|\\.){0,500})"
    | (?P<literal>\[[^\[\]\\<>@,;"]*\])
    | (?P<atom>[^\s"(),.:;<>@\[\]\\]+)
    | (?P<special>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# Bounded, so that a header made to be slow is not: longer ones are in no mail.
_ANGLE = re.compile(r"<((?:\"(?:[^\"\\]|\\.){0,250}\"|[^<>\"]){0,500})>")
_ROUTE = re.compile(r"(?:@[^@:]+,?)+:")  # `<@relay.example:jane@acme.example>`, as hosts wrote until 2001
_LINK = re.compile(r"(?i)mailto:")  # `<mailto:jane@acme.example>`, as programs write that copy a link
_ATOM = re.compile(r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\x00-\x9f\s])+")
_LABEL = re.compile(r"(?:[A-Za-z0-9_-]|[^\x00-\x9f\s])+")
_DEEPEST_COMMENT, _LONGEST_COMMENT = 10, 1000


class _Token(NamedTuple):
    kind: str  # atom, quoted, literal, encoded, angle, or the special character itself
    text: str


def read_addresses(values: Iterable[str]) -> list[str]:
    """The addresses of a header's values, in lower case, in order, each once.

    Entries without an address, and entries that are none by RFC 5322, are left out. Unlike there, the part before the @
    may have several dots in a row, for mobile carriers gave such addresses out.

    >>> read_addresses(["'jo@old.example' <jane@acme.example>, Jo @ Acme <jo@acme.example>, bo@b.example via Offers"])
    ['jane@acme.example', 'jo@acme.example']
    """
    found = [address for value in values for entry in _entries(value) if (address := _address_of(entry))]
    return list(dict.fromkeys(found))


def _entries(value: str) -> Iterable[list[_Token]]:
    """The tokens of each entry. A comma ends one, as does the `;` of a group; what ends in `:` is a group's name."""
    entry: list[_Token] = []
    for token in _tokens(value):
        if token.kind in (",", ";", ":"):
            if token.kind != ":" or any(each.kind == "angle" for each in entry):
                yield entry
            entry = []
        else:
            entry.append(token)
    yield entry


def _tokens(value: str) -> Iterable[_Token]:
    """The tokens of a header's value without blanks and comments."""
    position = 0
    while position < len(value):
        if value[position] == "(" and (end := _end_of_comment(value, position)):
            position = end
            continue
        if value[position] == "<" and (angle := _ANGLE.match(value, position)):
            yield _Token("angle", angle[1])
            position = angle.end()
            continue
        match = _TOKEN.match(value, position)
        assert match is not None  # the last alternative matches any character
        position = match.end()
        kind = str(match.lastgroup)
        if kind != "blank":
            yield _Token(match[0] if kind == "special" else kind, match[kind])


def _end_of_comment(value: str, start: int) -> int | None:
    """Where the comment that begins here ends; None if it never does."""
    depth, position = 0, start
    while position < min(len(value), start + _LONGEST_COMMENT):
        letter = value[position]
        if letter == "\\":
            position += 1
        elif letter == "(":
            depth += 1
            if depth > _DEEPEST_COMMENT:
                return None
        elif letter == ")":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return None


def _address_of(entry: list[_Token]) -> str | None:
    """The entry's address; None if it has none, or more than one could be meant."""
    angles = [token.text for token in entry if token.kind == "angle"]
    if len(angles) > 1:
        return None
    if angles:
        inside = angles[0].strip()
        before = _ROUTE.match(inside) or _LINK.match(inside)
        return _spelled(list(_tokens(inside[before.end() :] if before else inside)))
    return None if any(token.kind == "<" for token in entry) else _spelled(entry)


def _spelled(tokens: list[_Token]) -> str | None:
    """The address that the tokens spell, if they spell one and nothing else: `words.with.dots@domain`."""
    ats = [number for number, token in enumerate(tokens) if token.kind == "@"]
    if len(ats) != 1:
        return None
    local, domain = _local_part(tokens[: ats[0]]), _domain(tokens[ats[0] + 1 :])
    address = f"{local}@{domain}".lower()
    return address if local and domain and address.isprintable() else None


def _local_part(tokens: list[_Token]) -> str | None:
    """The part before the @; a needless quote around it is left out."""
    words = 0
    was_word = False
    text = ""
    for token in tokens:
        if token.kind == ".":
            was_word = False
            text += "."
            continue
        if was_word or not (token.kind == "quoted" or (token.kind == "atom" and _ATOM.fullmatch(token.text))):
            return None
        was_word = True
        words += 1
        text += token.text if token.kind == "atom" else _quoted(token.text)
    return text if words else None


def _quoted(text: str) -> str:
    plain = re.sub(r"\\(.)", r"\1", text)
    return plain if all(_ATOM.fullmatch(word) for word in plain.split(".")) else f'"{text}"'


def _domain(tokens: list[_Token]) -> str | None:
    if len(tokens) == 1 and tokens[0].kind == "literal":
        return "".join(tokens[0].text.split())
    for number, token in enumerate(tokens):
        is_label = token.kind == "atom" and _LABEL.fullmatch(token.text)
        if not (is_label if number % 2 == 0 else token.kind == "."):
            return None
    return "".join(token.text for token in tokens) if len(tokens) % 2 else None
