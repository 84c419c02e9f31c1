"""Which lake tables hold what of people: what an erasure goes by (`storage.erasure`).

Of a person's row stays what says how records hang together, when, how many and in which state. Everything that is not listed goes, so that a
custom field nobody thought of goes too. What belongs here: names of tables and columns, for every source. What does not: values, and how a
table is rewritten.
"""

from __future__ import annotations

from storage.erasure import PersonalData, PersonTable

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
_KEPT_PATTERN = "|".join(_KEPT)
_PHONE = r"\w*(?:phone|fax|mobile)\w*"

PERSONAL_DATA = PersonalData(
    people={
        "salesforce__account": PersonTable("Id", ("MasterRecordId", "PersonContactId"), "IsPersonAccount"),
        "salesforce__contact": PersonTable("Id", ("MasterRecordId",)),
        "salesforce__lead": PersonTable("Id", ("MasterRecordId", "ConvertedContactId")),
        "files__contact": PersonTable("contact_id"),
        "files__lead": PersonTable("lead_id"),
    },
    about_people={
        "salesforce__lead_history": ("LeadId",),
        "salesforce__contact_history": ("ContactId",),
        "salesforce__campaign_member": ("LeadId", "ContactId", "LeadOrContactId"),
        "salesforce__task": ("WhoId",),
        "salesforce__task_relation": ("RelationId",),
        "salesforce__event": ("WhoId",),
        "salesforce__event_relation": ("RelationId",),
    },
    staff=("salesforce__user", "feed__personnel", "files__user"),
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
