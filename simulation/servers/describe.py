"""Objects and fields in the form of Salesforce's `describe`.

Types follow from the Parquet type and the field name, as a Salesforce administrator would have declared them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulation.servers.standard_fields import (
    CURRENCIES,
    LENGTHS,
    NEVER_EMPTY,
    PERCENTS,
    PERSONS,
    PICKLISTS,
    REFERENCES,
    REFERENCES_OF,
    SET_BY_SYSTEM,
    WHOLE_NUMBERS,
    WITHOUT_RELATIONSHIP,
)

ADDRESS_PARTS = ("city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street")
"""Keys of a compound address in an answer."""

_TEXT_LENGTHS = {"string": 255, "picklist": 255, "email": 80, "phone": 40, "textarea": 32000, "id": 18, "reference": 18}
_SOAP_TYPES = {
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
}
_LABELS = {"IsDeleted": "Deleted", "SystemModstamp": "System Modstamp", "StageName": "Stage"}


@dataclass(frozen=True)
class Field:
    """A field of an object.

    Attributes:
        name: As Salesforce spells it.
        type: Salesforce's type name: id, reference, string, email, phone, boolean, int, double, percent, currency, date, datetime, picklist,
            combobox, textarea, anyType, or address (a compound).
        scale: Digits after the point, for numbers.
        part_of: The compound field it belongs to.
        country_column: For an address: its country column.
        declared: The type that `describe` reports, if it differs from that of the values.
        is_calculated: Whether it is a formula.
    """

    name: str
    type: str
    scale: int = 0
    part_of: str | None = None
    country_column: str | None = None
    declared: str | None = None
    is_calculated: bool = False


def list_fields(object_name: str, columns: Mapping[str, str]) -> dict[str, Field]:
    """The fields of an object from its columns (name → DuckDB type), by name, including compound fields."""
    fields = {name: _make_field(name, kind, columns) for name, kind in columns.items()}
    for country, address in (("BillingCountry", "BillingAddress"), ("Country", "Address")):
        if country in columns:
            fields[country] = Field(country, "string", part_of=address)
            fields[address] = Field(address, "address", country_column=country)
    if object_name == "Account" and "Name" in fields:
        # An account may be a person, so its name is a compound field that contains itself.
        fields["Name"] = replace(fields["Name"], part_of="Name")
    if object_name.endswith("History"):
        for name in {"OldValue", "NewValue"} & set(fields):
            fields[name] = Field(name, "anyType")
    return fields


def _make_field(name: str, kind: str, columns: Mapping[str, str]) -> Field:
    part_of = "Name" if name in ("FirstName", "LastName") and "Name" in columns else None
    digits = 0 if name in WHOLE_NUMBERS else 2
    if name == "Id":
        return Field(name, "id")
    if kind.startswith("VARCHAR"):
        return Field(name, _type_of_text(name), part_of=part_of)
    if kind == "BOOLEAN":
        return Field(name, "boolean")
    if kind.startswith("TIMESTAMP"):
        return Field(name, "datetime")
    if kind == "DATE":
        return Field(name, "date")
    scale = re.fullmatch(r"DECIMAL\(\d+,\s*(\d+)\)", kind)
    if name in CURRENCIES:
        return Field(name, "currency", scale=digits)
    if name in PERCENTS:
        return Field(name, "percent", scale=digits)
    if scale is None and "INT" in kind:
        return Field(name, "int")
    return Field(name, "double", scale=int(scale[1]) if scale else 2)


def _type_of_text(name: str) -> str:
    if name in REFERENCES or (name.endswith("Id") and name != "Id"):
        return "reference"
    if name in PICKLISTS:
        return "picklist"
    return {"Email": "email", "Phone": "phone", "Description": "textarea", "Subject": "combobox"}.get(name, "string")


def describe_global(object_names: list[str], prefixes: Mapping[str, str | None], base: str) -> dict[str, Any]:
    """The answer of `/sobjects`: every object, without fields."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [_describe_head(name, prefixes.get(name), base) for name in object_names],
    }


def describe_object(
    name: str, fields: Mapping[str, Field], picklists: Mapping[str, list[str]], prefix: str | None, base: str
) -> dict[str, Any]:
    """The answer of `/sobjects/<name>/describe`.

    Args:
        name: The object.
        fields: Its fields.
        picklists: Values in use, per picklist field.
        prefix: First three characters of its ids.
        base: `/services/data/vXX.0`.
    """
    head = _describe_head(name, prefix, base)
    absent = [
        "defaultImplementation",
        "extendedBy",
        "extendsInterfaces",
        "implementedBy",
        "implementsInterfaces",
        "listviewable",
        "lookupLayoutable",
    ]
    empty = ["actionOverrides", "childRelationships", "namedLayoutInfos", "recordTypeInfos"]
    return (
        head
        | dict.fromkeys(absent)
        | {key: [] for key in empty}
        | {
            "compactLayoutable": True,
            "fields": [_describe_field(name, field, picklists.get(field.name, [])) for field in fields.values()],
            "networkScopeFieldName": None,
            "searchLayoutable": True,
            "sobjectDescribeOption": "FULL",
            "supportedScopes": [{"label": f"All {name}s", "name": "everything"}],
        }
    )


def _describe_head(name: str, prefix: str | None, base: str) -> dict[str, Any]:
    home = f"{base}/sobjects/{name}"
    flags = dict.fromkeys(
        [
            "createable",
            "deletable",
            "layoutable",
            "mruEnabled",
            "queryable",
            "replicateable",
            "retrieveable",
            "searchable",
            "triggerable",
            "updateable",
        ],
        True,
    )
    refused = dict.fromkeys(
        [
            "activateable",
            "customSetting",
            "deepCloneable",
            "deprecatedAndHidden",
            "feedEnabled",
            "hasSubtypes",
            "isInterface",
            "isSubtype",
        ],
        False,
    )
    return (
        flags
        | refused
        | {
            "associateEntityType": None,
            "associateParentEntity": None,
            "custom": name.endswith("__c"),
            "keyPrefix": prefix,
            "label": _spell_label(name),
            "labelPlural": re.sub(r"ys$", "ies", _spell_label(name) + "s"),
            "mergeable": name in ("Account", "Contact", "Lead"),
            "name": name,
            "undeletable": True,
            "urls": {"rowTemplate": f"{home}/{{ID}}", "describe": f"{home}/describe", "sobject": home},
        }
    )


def _describe_field(object_name: str, field: Field, values: list[str]) -> dict[str, Any]:
    field = replace(field, type=field.declared or field.type)
    is_text = field.type not in ("boolean", "int", "double", "percent", "currency", "date", "datetime", "address")
    is_decimal = field.type in ("double", "percent", "currency")
    keys = {field.name, f"{object_name}.{field.name}"}
    length = (
        next((LENGTHS[key] for key in keys if key in LENGTHS), _TEXT_LENGTHS.get(field.type, 255)) if is_text else 0
    )
    is_set_by_system = field.name in SET_BY_SYSTEM
    is_put_together = field.type == "address" or (field.name == "Name" and object_name in PERSONS)
    is_never_empty = field.type == "boolean" or not keys.isdisjoint(NEVER_EMPTY)
    is_activity_title = field.name == "Subject"
    is_key = field.type in ("id", "reference")
    soap = "tns:ID" if is_key else "xsd:double" if is_decimal else _SOAP_TYPES.get(field.type, "xsd:string")
    flags = "aiPredictionField autoNumber calculated cascadeDelete caseSensitive dependentPicklist deprecatedAndHidden displayLocationInDecimal"
    flags += " encrypted externalId formulaTreatNullNumberAsZero highScaleNumber htmlFormatted restrictedDelete restrictedPicklist unique"
    absent = "calculatedFormula controllerName defaultValueFormula extraTypeInfo filteredLookupInfo inlineHelpText mask maskType referenceTargetField"
    points_to = _references(object_name, field)
    return (
        dict.fromkeys(flags.split(), False)
        | dict.fromkeys(absent.split())
        | {
            "calculated": field.is_calculated,
            "aggregatable": field.type not in ("boolean", "address"),
            "byteLength": length if is_key else length * 3,
            "compoundFieldName": field.part_of,
            "createable": not is_set_by_system and not is_put_together,
            "custom": field.name.endswith("__c"),
            "defaultValue": False if field.type == "boolean" else None,
            "defaultedOnCreate": is_set_by_system or field.type == "boolean",
            "digits": 8 if field.type == "int" else 0,
            "filterable": True,
            "groupable": field.type not in ("datetime", "address") and not is_decimal and not is_activity_title,
            "idLookup": field.type in ("id", "email"),
            "label": f"{_spell_label(object_name)} ID" if field.type == "id" else _spell_label(field.name),
            "length": length,
            "name": field.name,
            "nameField": field.name == "Name" or is_activity_title,
            "namePointing": len(points_to) > 1,
            "nillable": not is_never_empty,
            "permissionable": not is_set_by_system,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
                for value in values
            ],
            "polymorphicForeignKey": len(points_to) > 1,
            "precision": 3 if field.name == "Probability" else 18 if is_decimal else 0,
            "queryByDistance": field.type == "address",
            "referenceTo": list(points_to),
            "relationshipName": _relationship(field) if points_to and keys.isdisjoint(WITHOUT_RELATIONSHIP) else None,
            "relationshipOrder": None,
            "scale": field.scale,
            "searchPrefilterable": field.type == "reference",
            "soapType": soap,
            "sortable": field.type != "address",
            "type": field.type,
            "updateable": not is_set_by_system and not is_put_together,
            "writeRequiresMasterRead": False,
        }
    )


def _references(object_name: str, field: Field) -> tuple[str, ...]:
    if field.type != "reference":
        return ()
    if field.name in ("ParentId", "MasterRecordId"):
        return (object_name,)
    return REFERENCES_OF.get(f"{object_name}.{field.name}") or REFERENCES.get(
        field.name, (field.name.removesuffix("Id"),)
    )


def _relationship(field: Field) -> str:
    return f"{field.name[:-1]}r" if field.name.endswith("__c") else field.name.removesuffix("Id")


def _spell_label(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix("__c")).replace("_", " ")
    return _LABELS.get(name, re.sub(r" Id$", " ID", words))
