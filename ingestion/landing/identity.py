"""What names a load, and what names a row in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingestion.landing.stamping import to_utc
from storage.lake import LoadRecord

LOAD_COUNTER = "salesops_load"  # app transaction: of two loads racing for one table the second fails instead of landing the same rows twice
_KEY, _VERSION = "key", "version_column"  # in a load's details: a table says itself what its rows are known by


@dataclass(frozen=True)
class Identity:
    """What names a record and a version of it, see `land`."""

    key: tuple[str, ...]
    version_column: str | None


def describe_identity(key: Sequence[str], version_column: str | None) -> dict[str, str]:
    """The identity as it is kept with a load."""
    return {_KEY: json.dumps(list(key)), **({_VERSION: version_column} if version_column else {})}


def read_identity(record: LoadRecord) -> Identity | None:
    """The identity that a load was landed with; None for loads that were not landed by `land`, or before it kept one."""
    return Identity(tuple(json.loads(record.details[_KEY])), record.details.get(_VERSION)) if _KEY in record.details else None


def next_load_id(table: str, previous: LoadRecord | None, known_at: datetime) -> str:
    """Numbered per table, so that load ids sort as loads happened, even of two loads with one `known_at`."""
    return f"{table}:{(ordinal_of(previous.load_id) if previous else 0) + 1:06d}:{to_utc(known_at):%Y%m%dT%H%M%SZ}"


def ordinal_of(load_id: str) -> int:
    """The number in a load id, from 1."""
    return int(load_id.split(":")[1])
