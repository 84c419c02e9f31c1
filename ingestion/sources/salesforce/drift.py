"""Fields that appear, vanish, or change their type between two loads of an object.

All values land as text, so a type change breaks no table, but it may break what a value means. Values that still read
as the field's old type land; rows with others are quarantined until an operator accepts the new type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingestion.contracts import rules
from ingestion.contracts.rules import Rule
from ingestion.sources.salesforce.client import Field
from ingestion.sources.salesforce.objects import SalesforceObject, find_object
from storage.lake import LoadRecord

FIELD_TYPES = "field_types"  # in a load's details: JSON object, field → the type its values are checked against
RULE_PREFIX = "type_of_"

_PATTERNS = {
    "boolean": "true|false",
    "int": rules.INTEGER,
    "long": rules.INTEGER,
    "double": rules.DECIMAL,
    "currency": rules.DECIMAL,
    "percent": rules.DECIMAL,
    "date": rules.DATE,
    "datetime": rules.TIMESTAMP,
    "id": rules.SALESFORCE_ID,
    "reference": rules.SALESFORCE_ID,
}


@dataclass(frozen=True)
class Drift:
    """How an object's fields differ from those of its previous load.

    Attributes:
        notices: One sentence per difference, for the operator.
        rules: Rules on this load's rows that follow from it.
        types: Field → type to store with this load, for comparison with the next one.
        new_fields: Fields that the previous load did not have. Records unchanged since may have values in them.
    """

    notices: tuple[str, ...]
    rules: tuple[Rule, ...]
    types: dict[str, str]
    new_fields: tuple[str, ...] = ()

    def keep(self, *, with_new_fields: bool) -> dict[str, str]:
        """The details to store with the load.

        Args:
            with_new_fields: Whether the new fields count as known from now on; not after a load that leaves old
                records' values in them unread.
        """
        return {
            FIELD_TYPES: json.dumps(
                {name: kind for name, kind in self.types.items() if with_new_fields or name not in self.new_fields}
            )
        }


def find_drift(
    salesforce_object: SalesforceObject,
    fields: Sequence[Field],
    previous: LoadRecord | None,
    accepted_types: Mapping[str, str],
) -> Drift:
    """Compare an object's fields with those of its newest load.

    Args:
        salesforce_object: The object.
        fields: As `describe` gives them now.
        previous: The newest load; if there is none, or it stored no types, nothing has changed.
        accepted_types: `Object.Field` → new type that an operator accepted.
    """
    object_name = salesforce_object.name
    now = {field.name: field.type for field in fields}
    before: dict[str, str] = json.loads(previous.details.get(FIELD_TYPES, "{}")) if previous else {}
    if not before:
        return Drift((), (), now)
    new_fields = tuple(name for name in now if name not in before)
    notices = [f"{object_name} has a new field {name} ({now[name]}): it lands as a new column." for name in new_fields]
    notices += [
        f"{object_name} has no field {name} any more: it reads NULL from this load on."
        for name in before
        if name not in now
    ]
    types, held = dict(now), []
    for name in now:
        old, new = before.get(name, now[name]), now[name]
        if old == new or accepted_types.get(f"{object_name}.{name}") == new:
            continue
        pattern = _PATTERNS.get(old)
        if pattern is None or pattern == _PATTERNS.get(new):
            notices.append(f"{object_name}.{name} changed its type from {old} to {new}: its values land as before.")
            continue
        types[name] = old
        held.append(type_rule(object_name, name, old, new, pattern))
        notices.append(
            f"{object_name}.{name} changed its type from {old} to {new}: rows whose value is no {old} are set aside. {held[-1].fix}"
        )
    return Drift(tuple(notices), tuple(held), types, new_fields)


def type_rule(object_name: str, field_name: str, old: str, new: str, pattern: str) -> Rule:
    """The rule that a field's values still read as its old type."""
    fix = f"If the new type is right, add `{object_name}.{field_name}: {new}` to accepted_types in config/salesforce.yml and replay the quarantine."
    rule_name = f"{RULE_PREFIX}{field_name}_is_{new}_was_{old}"
    return Rule(rule_name, "row", (field_name,), "ExpectColumnValuesToMatchRegex", pattern=pattern, fix=fix)


def is_type_accepted(table: str, rule_name: str, accepted_types: Mapping[str, str]) -> bool:
    """Whether a rule that quarantined rows of a lake table is about a type that has been accepted since."""
    for field, new in accepted_types.items():
        object_name, _, name = field.partition(".")
        if find_object(object_name).table == table and rule_name.startswith(f"{RULE_PREFIX}{name}_is_{new}_was_"):
            return True
    return False
