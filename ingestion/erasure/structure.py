"""What of a person's row stays: names of columns that say how records hang together, when, how many and in which state.

Everything that is not on the list goes, so that a custom field nobody thought of goes too. What belongs here: names. What does not: values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_KEPT = (
    # References and keys.
    r"[A-Za-z0-9]*Id|[a-z0-9_]+_id",
    # Booleans.
    r"(?:Is|Has)[A-Z]\w*|(?:is|has)_\w+|DoNotCall|Cancelled__c|Incoming",
    # Stamps; a birthday is none.
    r"(?:Created|LastModified|LastActivity|LastViewed|LastReferenced|LastTransfer|Converted|Activity|FirstResponded|EmailBounced|Message|Reminder)Date",
    r"SystemModstamp|(?:Completed|Start|End|Activity|Reminder)DateTime|[a-z0-9_]+_at",
    # Numbers.
    r"NumberOfEmployees|AnnualRevenue|DurationInMinutes|CallDurationInSeconds|Web_Visits__c",
    # States and classes that many share.
    r"Status|LeadSource|Rating|Industry|Country|CountryCode|Type|Role|Priority|TaskSubtype|EventSubtype|CallType|ShowAs|CurrencyIsoCode",
    r"Field|DataType|Process__c|Segment__c|lead_source|status|industry|country|Campaign__c",
)
KEPT_PATTERN = "|".join(_KEPT)

# Of a field history: what these fields were and became is no personal datum.
KEPT_HISTORY_PATTERN = rf"{KEPT_PATTERN}|Owner|created|leadConverted|leadMerged|contactMerged|contactCreatedFromLead|ownerAssignment|ownerAccepted"

# Of a message: who wrote to whom (addresses are replaced), when, and what marks it.
_KEPT_OF_MESSAGE = (
    rf"{KEPT_PATTERN}|\w*address(?:es)?|\w*Address|\w*(?:_ids|_key|date|_bytes|_count)|mailbox|folder|uid|uidvalidity|kind|\w+Identifier"
)

# Of a call: the numbers are dealt with by themselves; these hold what somebody said or wrote.
_FREE_TEXT_OF_CALL = r"\w*(?:name|annotation|comment|note|notes|transcript|transcription|summary|subject|body|tags|url|Name|Notes)"

_PHONE = r"\w*(?:phone|fax|mobile)\w*"
_PHONE_OF_CALL = rf"{_PHONE}|\w*(?:from|to|caller|called|callee|number|clid|src|dst|e164|digits)\w*"
_NO_PHONE = r"\w*(?:sid|id|ids|name|time|date|at|uri|type|country|email)"


@dataclass(frozen=True)
class PersonTable:
    """Records that stand for people.

    Attributes:
        key: Column that names a record.
        same_person: Columns that name another record of the same person.
        only_where: A column that must say `true`; None where every row is a person.
    """

    key: str
    same_person: tuple[str, ...] = ()
    only_where: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Which tables hold what; the one place to add a source's."""

    people: dict[str, PersonTable] = field(
        default_factory=lambda: {
            "salesforce__account": PersonTable("Id", ("MasterRecordId", "PersonContactId"), "IsPersonAccount"),
            "salesforce__contact": PersonTable("Id", ("MasterRecordId",)),
            "salesforce__lead": PersonTable("Id", ("MasterRecordId", "ConvertedContactId")),
            "files__contact": PersonTable("contact_id"),
            "files__lead": PersonTable("lead_id"),
        }
    )
    # By the columns that name whom a row is about.
    about_people: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "salesforce__lead_history": ("LeadId",),
            "salesforce__contact_history": ("ContactId",),
            "salesforce__campaign_member": ("LeadId", "ContactId", "LeadOrContactId"),
            "salesforce__task": ("WhoId",),
            "salesforce__task_relation": ("RelationId",),
            "salesforce__event": ("WhoId",),
            "salesforce__event_relation": ("RelationId",),
        }
    )
    staff: tuple[str, ...] = ("salesforce__user", "feed__personnel", "files__user")
    messages: tuple[str, ...] = ("mail__", "salesforce__email_message")
    calls: tuple[str, ...] = ("telephony__", "calls__", "files__call")


VOCABULARY = Vocabulary()


def stays(table: str, column: str) -> bool:
    """Whether a column of a person's row keeps its value."""
    if column.startswith("_"):
        return True
    if table.startswith(VOCABULARY.calls):
        return not re.fullmatch(_FREE_TEXT_OF_CALL, column)
    pattern = _KEPT_OF_MESSAGE if table.startswith(VOCABULARY.messages) else KEPT_PATTERN
    return re.fullmatch(pattern, column) is not None


def may_hold_phone(table: str, column: str) -> bool:
    """Whether a column holds phone numbers, by its name."""
    name = column.lower()
    pattern = _PHONE_OF_CALL if table.startswith(VOCABULARY.calls) else _PHONE
    return re.fullmatch(pattern, name) is not None and not re.fullmatch(_NO_PHONE, name)
