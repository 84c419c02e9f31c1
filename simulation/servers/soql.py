"""SOQL: parse text to a syntax tree. Knows the grammar (as far as our clients use it), not the objects; see `queries`.

    SELECT field, … | count() FROM Object [WHERE condition] [ORDER BY field [ASC|DESC] [NULLS FIRST|LAST], …] [LIMIT n] [OFFSET n]

Conditions: `=  !=  <>  <  <=  >  >=  LIKE  IN (…)  NOT IN (…)`, `NOT`, parentheses, AND and OR. As in Salesforce, AND
and OR do not mix at one level without parentheses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal as OneOf
from typing import NoReturn

from simulation.servers.errors import SalesforceError

ValueKind = OneOf["string", "number", "date", "dateTime", "boolean", "null"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:\\.|[^'\\])*')
      | (?P<dateTime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>[+-]?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
      | (?P<symbol><=|>=|!=|<>|[=<>(),])""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
_COMPARISONS = {"=", "!=", "<>", "<", "<=", ">", ">="}
_RESERVED = {
    "select",
    "from",
    "where",
    "order",
    "by",
    "limit",
    "offset",
    "and",
    "or",
    "not",
    "in",
    "like",
    "asc",
    "desc",
    "nulls",
}


@dataclass(frozen=True)
class Token:
    """A token of the query with its 0-based position; `kind` is a group of the token pattern, or `end`."""

    kind: str
    text: str
    position: int


@dataclass(frozen=True)
class Name:
    """A field or object, as spelled in the query."""

    text: str
    position: int


@dataclass(frozen=True)
class Literal:
    """A value in a condition.

    Times are UTC without zone; strings are unescaped except a backslash before `_` or `%`, for LIKE.
    """

    kind: ValueKind
    value: str | Decimal | date | datetime | bool | None


@dataclass(frozen=True)
class Comparison:
    """`field operator value`; only `in` and `not in` have more than one value."""

    field: Name
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Junction:
    """Conditions joined by `and` or `or`."""

    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    """`NOT condition`."""

    part: Condition


Condition = Comparison | Junction | Negation


@dataclass(frozen=True)
class OrderTerm:
    """One key of ORDER BY. Salesforce puts nulls first in both directions by default."""

    field: Name
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A parsed SELECT. `fields` is empty for `count()`."""

    text: str
    fields: tuple[Name, ...]
    object_name: Name
    condition: Condition | None
    order: tuple[OrderTerm, ...]
    limit: int | None
    offset: int | None

    @property
    def is_count(self) -> bool:
        """Whether the query asks for the number of rows instead of rows."""
        return not self.fields


def parse_soql(text: str) -> Query:
    """Parse a query.

    Raises:
        SalesforceError: 400 MALFORMED_QUERY, with the position in the text.
    """
    return _Parser(text).parse_query()


def _split_tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SalesforceError.at("MALFORMED_QUERY", text, position, f"unexpected token: '{text[position]}'")
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    tokens.append(Token("end", "<EOF>", max(len(text) - 1, 0)))
    return tokens


class _Parser:
    """Recursive descent, one method per grammar rule."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _split_tokens(text)
        self.index = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def refuse(self, token: Token | None = None) -> NoReturn:
        token = token or self.token
        raise SalesforceError.at("MALFORMED_QUERY", self.text, token.position, f"unexpected token: '{token.text}'")

    def advance(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def accept(self, *words: str) -> bool:
        """Consume the given words or symbols if all of them come next."""
        upcoming = self.tokens[self.index : self.index + len(words)]
        found = [token.text.lower() for token in upcoming if token.kind in ("name", "symbol")]
        if found != list(words):
            return False
        self.index += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            self.refuse()

    def parse_name(self) -> Name:
        token = self.advance()
        if token.kind != "name" or token.text.lower() in _RESERVED:
            self.refuse(token)
        return Name(token.text, token.position)

    def parse_query(self) -> Query:
        self.expect("select")
        fields = () if self.accept("count", "(", ")") else self.parse_names()
        self.expect("from")
        object_name = self.parse_name()
        condition = self.parse_condition() if self.accept("where") else None
        order = self.parse_order() if self.accept("order", "by") else ()
        limit = self.parse_whole_number() if self.accept("limit") else None
        offset = self.parse_whole_number() if self.accept("offset") else None
        if self.token.kind != "end":
            self.refuse()
        return Query(self.text, fields, object_name, condition, order, limit, offset)

    def parse_names(self) -> tuple[Name, ...]:
        names = [self.parse_name()]
        while self.accept(","):
            names.append(self.parse_name())
        return tuple(names)

    def parse_condition(self) -> Condition:
        parts = [self.parse_term()]
        word = next((word for word in ("and", "or") if self.token.text.lower() == word), "")
        while word and self.accept(word):
            parts.append(self.parse_term())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def parse_term(self) -> Condition:
        if self.accept("not"):
            return Negation(self.parse_term())
        if self.accept("("):
            condition = self.parse_condition()
            self.expect(")")
            return condition
        return self.parse_comparison()

    def parse_comparison(self) -> Comparison:
        field = self.parse_name()
        if self.accept("like"):
            return Comparison(field, "like", (self.parse_literal(),))
        for operator in ("in", "not in"):
            if self.accept(*operator.split(), "("):
                values = [self.parse_literal()]
                while self.accept(","):
                    values.append(self.parse_literal())
                self.expect(")")
                return Comparison(field, operator, tuple(values))
        token = self.advance()
        if token.text not in _COMPARISONS:
            self.refuse(token)
        return Comparison(field, "!=" if token.text == "<>" else token.text, (self.parse_literal(),))

    def parse_literal(self) -> Literal:
        token = self.advance()
        word = token.text.lower()
        if token.kind == "name" and word in ("true", "false"):
            return Literal("boolean", word == "true")
        if token.kind == "name" and word == "null":
            return Literal("null", None)
        if token.kind == "string":
            return Literal("string", re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), token.text[1:-1]))
        if token.kind == "number":
            return Literal("number", Decimal(token.text))
        try:
            if token.kind == "date":
                return Literal("date", date.fromisoformat(token.text))
            if token.kind == "dateTime":
                return Literal("dateTime", datetime.fromisoformat(token.text).astimezone(UTC).replace(tzinfo=None))
        except ValueError:
            self.refuse(token)
        self.refuse(token)

    def parse_order(self) -> tuple[OrderTerm, ...]:
        terms: list[OrderTerm] = []
        while not terms or self.accept(","):
            field = self.parse_name()
            descending = self.accept("desc")
            if not descending:
                self.accept("asc")
            nulls_last = self.accept("nulls", "last")
            if not nulls_last:
                self.accept("nulls", "first")
            terms.append(OrderTerm(field, descending, nulls_last))
        return tuple(terms)

    def parse_whole_number(self) -> int:
        token = self.advance()
        if token.kind != "number" or not token.text.isdigit():
            self.refuse(token)
        return int(token.text)
