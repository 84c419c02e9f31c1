"""What Salesforce itself writes beside a record: audit fields and field history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulation.company.business_time import Bools, Ints
from simulation.company.records.columns import constant, flags, times
from simulation.company.records.ids import AUTOMATED_USER, salesforce_ids
from simulation.company.region import Region
from simulation.company.steps import StepTable


def user_numbers(region: Region, person: Ints) -> Ints:
    """Number of the user record of each person (the automated user for negative numbers)."""
    return np.where(person < 0, AUTOMATED_USER, region.first_person + person)


def user_ids(region: Region, person: Ints) -> pa.Array:
    """Id of the user record of each person."""
    return salesforce_ids("User", user_numbers(region, person))


def audit_columns(kind: str, region: Region, steps: StepTable, number: Ints) -> dict[str, pa.Array]:
    """Id, IsDeleted, audit fields and `_visible_from` of every version."""
    start = steps.start()
    deleted = steps.state.get("is_deleted", np.zeros(len(number), dtype=np.int64))
    return {
        "Id": salesforce_ids(kind, number),
        "IsDeleted": flags(deleted),
        "CreatedDate": times(steps.at[start]),
        "CreatedById": user_ids(region, steps.actor[start]),
        "LastModifiedDate": times(steps.at),
        "LastModifiedById": user_ids(region, steps.actor),
        "SystemModstamp": times(steps.at),
        "_visible_from": times(steps.visible_from),
    }


@dataclass
class TrackedField:
    """A field with recorded changes: which rows changed it, and its text after every row."""

    changed: Bools
    text: pa.Array
    data_type: str


def field_history(
    kind: str,
    parent: str,
    parent_ids: pa.Array,
    region: Region,
    steps: StepTable,
    fields: Mapping[str, TrackedField],
    converted: Bools | None = None,
) -> dict[str, pa.Array]:
    """One row for each creation and each change of a tracked field."""
    found: list[tuple[str, Ints, TrackedField | None]] = [("created", np.flatnonzero(steps.is_first), None)]
    if converted is not None:
        found.append(("leadConverted", np.flatnonzero(converted), None))
    found += [(name, np.flatnonzero(field.changed & ~steps.is_first), field) for name, field in fields.items()]
    rows = np.concatenate([item[1] for item in found])
    none = pa.scalar(None, pa.string())
    olds, news, names, types = [], [], [], []
    for name, at_rows, field in found:
        size = len(at_rows)
        names.append(constant(name, size))
        types.append(constant(field.data_type if field else "Text", size))
        olds.append(field.text.take(pa.array(at_rows - 1)) if field else pa.repeat(none, size))
        news.append(field.text.take(pa.array(at_rows)) if field else pa.repeat(none, size))
    number = region.first_serial * 2 + np.arange(len(rows))
    return {
        "Id": salesforce_ids(kind, number),
        "IsDeleted": constant(False, len(rows)),
        parent: parent_ids.take(pa.array(rows)),
        "CreatedById": user_ids(region, steps.actor[rows]),
        "CreatedDate": times(steps.at[rows]),
        "Field": pa.concat_arrays(names),
        "DataType": pa.concat_arrays(types),
        "OldValue": pa.concat_arrays(olds),
        "NewValue": pa.concat_arrays(news),
        "_visible_from": times(steps.visible_from[rows]),
    }
