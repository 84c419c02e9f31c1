"""Which personal data the lake tables hold, for erasure (`storage.erasure`).

Erasing a person's row keeps the columns that say how records relate, when, how many and in which state. Every column
not listed is erased, so a custom field nobody thought of is erased too. What belongs here: which columns stay. What
does not: which tables hold people, which each table declares itself (`LakeTable.personal`); values; and how a table is
rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingestion.contracts import LakeTable, PersonalRows
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.tables import LAKE_TABLES
from storage.erasure import PersonalData, PersonTable

# TaskRelation is read where an operator names it.
_TABLES = (*LAKE_TABLES, find_object("TaskRelation").lake_table)
_KEPT = (
    # References and keys.
    r"[A-Za-z0-9]*Id|[a-z0-9_]+_id",
    # Booleans.
    r"(?:Is|Has)[A-Z]\w*|(?:is|has)_\w+|DoNotCall|Incoming",
    # Timestamps, but no birthday.
    r"(?:Created|LastModified|LastActivity|LastViewed|LastReferenced|LastTransfer|Converted|Activity|FirstResponded|EmailBounced|Message|Reminder)Date",
    r"SystemModstamp|(?:Completed|Start|End|Activity|Reminder)DateTime|[a-z0-9_]+_at",
    # Numbers.
    r"NumberOfEmployees|AnnualRevenue|DurationInMinutes|CallDurationInSeconds",
    # States and categories that many share.
    r"Status|LeadSource|Rating|Industry|Country|CountryCode|Type|Role|Priority|TaskSubtype|EventSubtype|CallType|ShowAs|CurrencyIsoCode",
    r"Field|DataType|lead_source|status|industry|country",
)
_KEPT_PATTERN = "|".join(_KEPT)
_PHONE = r"\w*(?:phone|fax|mobile)\w*"


def _of_kind(kind: str) -> Iterator[tuple[LakeTable, PersonalRows]]:
    return ((table, table.personal) for table in _TABLES if table.personal is not None and table.personal.kind == kind)


PERSONAL_DATA = PersonalData(
    people={table.name: PersonTable(table.key[0], rows.columns, rows.only_where) for table, rows in _of_kind("people")},
    about_people={table.name: rows.columns for table, rows in _of_kind("about_people")},
    staff=tuple(table.name for table, _ in _of_kind("staff")),
    messages=("mail__", "salesforce__email_message"),
    calls=("telephony__", "calls__", "files__call"),
    kept=_KEPT_PATTERN,
    kept_of_message=rf"{_KEPT_PATTERN}|\w*address(?:es)?|\w*Address|\w*(?:_ids|_key|date|_bytes|_count)|mailbox|folder|uid|uidvalidity|kind|\w+Identifier",
    kept_history=rf"{_KEPT_PATTERN}|Owner|created|leadConverted|leadMerged|contactMerged|contactCreatedFromLead|ownerAssignment|ownerAccepted",
    history_field="Field",
    history_values=("OldValue", "NewValue"),
    message_record="RelatedToId",
    free_text_of_call=r"\w*(?:name|annotation|comment|note|notes|transcript|transcription|summary|subject|body|tags|url|Name|Notes)",
    phones=_PHONE,
    phones_of_call=rf"{_PHONE}|\w*(?:from|to|caller|called|callee|number|clid|src|dst|e164|digits)\w*",
    no_phones=r"\w*(?:sid|id|ids|name|time|date|at|uri|type|country|email)",
    names=r"(?:extra_)?(?:full_?|lead_?|contact_?|person_?)?name",
    name_parts=("FirstName", "LastName"),
)
