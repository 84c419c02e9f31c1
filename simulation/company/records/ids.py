"""Record ids in each system's own format, made from numbers; the same number always gives the same id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulation.company.business_time import Bools, Ints

_DIGITS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
_CHECK = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", dtype=np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)

PREFIXES = {
    "Organization": "00D",
    "User": "005",
    "UserRole": "00E",
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "LeadHistory": "017",
    "AccountHistory": "018",
    "ContactHistory": "019",
    "Opportunity": "006",
    "OpportunityFieldHistory": "0HF",
    "OpportunityHistory": "008",
    "OpportunityStage": "01J",
    "OpportunityContactRole": "00K",
    "OpportunityLineItem": "00k",
    "OpportunitySplit": "1OS",
    "OpportunitySplitType": "149",
    "Product2": "01t",
    "PricebookEntry": "01u",
    "Campaign": "701",
    "CampaignMember": "00v",
    "Task": "00T",
    "Event": "00U",
    "CurrencyType": "01L",
    "DatedConversionRate": "04w",
    "Territory2": "0MI",
    "UserTerritory2Association": "0Mw",
}
AUTOMATED_USER = 0


def salesforce_ids(kind: str, number: Ints) -> pa.Array:
    """18-character ids of records of one kind; a negative number gives NULL.

    The last three characters encode which of the first fifteen are upper case, as Salesforce defines.
    """
    number = np.asarray(number, dtype=np.int64)
    characters = np.zeros((len(number), 18), dtype=np.uint8)
    characters[:, :6] = np.frombuffer((PREFIXES[kind] + "5g0").encode(), dtype=np.uint8)
    rest = np.maximum(number, 0)
    for place in range(14, 5, -1):
        characters[:, place] = _DIGITS[rest % 62]
        rest = rest // 62
    upper = (characters[:, :15] >= ord("A")) & (characters[:, :15] <= ord("Z"))
    bits = (upper.reshape(-1, 3, 5) * np.array([1, 2, 4, 8, 16])).sum(axis=2)
    characters[:, 15:] = _CHECK[bits]
    return fixed_text(characters, number < 0)


def hex_ids(prefix: str, number: Ints, salt: int, width: int = 32) -> pa.Array:
    """Ids of `width` hex digits after a prefix; a negative number gives NULL."""
    number = np.asarray(number, dtype=np.int64)
    words = np.stack([_mix(number.astype(np.uint64), salt * 2 + turn) for turn in range(2)], axis=1)
    raw = words.astype(">u8").view(np.uint8).reshape(len(number), 16)
    digits = np.stack([_HEX[raw >> 4], _HEX[raw & 15]], axis=2).reshape(len(number), 32)[:, :width]
    head = np.broadcast_to(np.frombuffer(prefix.encode(), dtype=np.uint8), (len(number), len(prefix)))
    return fixed_text(np.concatenate([head, digits], axis=1), number < 0)


def fixed_text(characters: NDArray[np.uint8], is_null: Bools | None = None) -> pa.Array:
    """A text array from a matrix of ASCII codes, one row per value."""
    size, width = characters.shape
    offsets = (np.arange(size + 1) * width).astype(np.int64)
    text = pa.Array.from_buffers(
        pa.large_string(), size, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))]
    ).cast(pa.string())
    if is_null is None or not is_null.any():
        return text
    return pa.compute.if_else(pa.array(~is_null), text, pa.scalar(None, pa.string()))


def _mix(value: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """SplitMix64: distinct numbers give distinct, well-spread words."""
    with np.errstate(over="ignore"):
        mixed = value + np.uint64(0x9E3779B97F4A7C15) * np.uint64(salt + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
