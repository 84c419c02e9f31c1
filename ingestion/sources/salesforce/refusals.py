"""What Salesforce's error codes mean for a load, and what to do about each.

What belongs here: knowledge of codes and messages. What does not: trying again (`extract`, `parts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# The org gave up on a query for its size. A smaller window or a Bulk job, which has more time, may pass.
TOO_LARGE = frozenset({"QUERY_TIMEOUT", "OPERATION_TOO_LARGE", "QUERY_TOO_COMPLICATED", "RETRIED_TOO_OFTEN"})
INVALID_FIELD = "INVALID_FIELD"
# Codes about the user or the whole org: the next object meets them too, and leaving one out helps nothing.
OF_THE_ORG = ("REQUEST_LIMIT_EXCEEDED", "API_DISABLED", "API_CURRENTLY_DISABLED", "INVALID_SESSION", "EXCEEDED_MAX")
_FIXES = {
    "REQUEST_LIMIT_EXCEEDED": "The org's daily API limit is used up; run again when it has room (it rolls over 24 hours).",
    "API_DISABLED_FOR_ORG": "The org's edition or the user's profile lacks API access.",
    "INVALID_TYPE": "Give the reading user access to the object.",
    INVALID_FIELD: "Give the reading user access to the field.",
    "QUERY_TIMEOUT": "Smaller windows did not help. Ask Salesforce's support why queries of the object take so long.",
    "OPERATION_TOO_LARGE": "Give the reading user the permission View All Data: without it Salesforce limits how many records it checks for a query.",
    "QUERY_TOO_COMPLICATED": "Take formula fields that nobody needs away from the reading user, or name them in leave_out as Object.Field.",
    "RETRIED_TOO_OFTEN": "Smaller windows did not help. Ask Salesforce's support why queries of the object take so long.",
    "INSUFFICIENT_ACCESS": "Give the reading user access to the object.",
}
_OTHERWISE = "Run again; if it repeats, ask the org's administrator."
_CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
_JOB_RETRIED = re.compile(r"(?:retried|tried) (?:more than )?(?:\d+|fifteen) times", re.IGNORECASE)
_QUOTED = re.compile(r"['\"\u2018\u2019]([A-Za-z][A-Za-z0-9_.]*)['\"\u2018\u2019]")
_LONGEST = 400


def find_fix(code: str) -> str:
    """What to do about an error code."""
    return next((fix for start, fix in _FIXES.items() if code.startswith(start)), _OTHERWISE)


def find_code(reason: str) -> str:
    """The error code within the reason that a Bulk job gives; empty where it names none."""
    if _JOB_RETRIED.search(reason):
        return "RETRIED_TOO_OFTEN"
    found = _CODE.search(reason)
    return found[0] if found else ""


def find_refused_field(message: str, field_names: Iterable[str]) -> str | None:
    """The field that a refusal (`INVALID_FIELD`) says cannot be queried; None where it names none of these.

    Args:
        message: The refusal's text. It quotes the field's name, and may quote the object's.
        field_names: The fields that were asked for. Salesforce takes them in any case.
    """
    by_name = {name.lower(): name for name in field_names}
    quoted = (name.rpartition(".")[2].lower() for name in _QUOTED.findall(message))
    return next((by_name[name] for name in quoted if name in by_name), None)


def is_about_one_object(code: str) -> bool:
    """Whether leaving the object out would help the others."""
    return not code.startswith(OF_THE_ORG)


def shorten(message: str) -> str:
    """A message on one line. What Salesforce quotes of a query comes first and the reason last, so the end is kept."""
    line = " ".join(message.split())
    return line if len(line) <= _LONGEST else "…" + line[-_LONGEST:]
