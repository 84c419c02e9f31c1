"""What identifies a row in a load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from storage.lake import Lake, LoadRecord

_KEY, _VERSION = "key", "version_column"  # in a load's details: each table records what identifies its rows


@dataclass(frozen=True)
class Identity:
    """What identifies a record and a version of it; see `LakeTable`."""

    key: tuple[str, ...]
    version_column: str | None


def describe_identity(key: Sequence[str], version_column: str | None) -> dict[str, str]:
    """The identity as stored with a load."""
    return {_KEY: json.dumps(list(key)), **({_VERSION: version_column} if version_column else {})}


def read_identity(record: LoadRecord) -> Identity | None:
    """The identity a load was landed with; None if `land` did not write the load, or wrote it before it stored one."""
    return (
        Identity(tuple(json.loads(record.details[_KEY])), record.details.get(_VERSION))
        if _KEY in record.details
        else None
    )


def find_identity(lake: Lake, table: str) -> Identity | None:
    """The identity of a table's rows, by its newest load that has one."""
    return next((identity for load in lake.loads(table) if (identity := read_identity(load))), None)
