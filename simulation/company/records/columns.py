"""Convert the generator's numbers to typed columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.company.business_time import Bools, Ints
from simulation.company.records.schema import MONEY, RATE, TIME


def times(at: Ints, missing: Bools | None = None) -> pa.Array:
    """Convert instants in seconds to timestamps."""
    microseconds = np.asarray(at, dtype=np.int64) * 1_000_000
    return pa.array(microseconds, pa.int64(), mask=missing).view(TIME)


def dates(day: Ints, missing: Bools | None = None) -> pa.Array:
    """Convert day numbers to dates."""
    return pa.array(np.asarray(day).astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())


def money(cents: Ints, missing: Bools | None = None) -> pa.Array:
    """Convert cents to decimals, exactly."""
    return _decimals(cents, MONEY, missing)


def rates(millionths: Ints) -> pa.Array:
    """Convert rates × 10⁶ to decimals, exactly."""
    return _decimals(millionths, RATE, None)


def _decimals(units: Ints, kind: pa.Decimal128Type, missing: Bools | None) -> pa.Array:
    whole = np.asarray(units, dtype=np.int64)
    words = np.stack([whole, whole >> 63], axis=1)  # 128-bit little-endian two's complement
    array = pa.Array.from_buffers(kind, len(whole), [None, pa.py_buffer(np.ascontiguousarray(words))])
    return array if missing is None else pc.if_else(pa.array(~missing), array, pa.scalar(None, kind))


def words(vocabulary: Sequence[str] | pa.Array, index: Ints) -> pa.Array:
    """Pick words by position; a negative position gives NULL."""
    index = np.asarray(index, dtype=np.int64)
    values = vocabulary if isinstance(vocabulary, pa.Array) else pa.array(list(vocabulary), pa.string())
    return values.take(pa.array(index, mask=index < 0))


def joined(*parts: pa.Array | str) -> pa.Array:
    """Concatenate texts row by row."""
    return pc.binary_join_element_wise(*(pa.scalar(part) if isinstance(part, str) else part for part in parts), "")


def text_of(number: Ints, width: int = 0) -> pa.Array:
    """Numbers as text, padded with zeros to a width."""
    text = pa.array(np.asarray(number, dtype=np.int64)).cast(pa.string())
    return pc.utf8_lpad(text, width, "0") if width else text


def flags(values: Ints | Bools) -> pa.Array:
    """Convert zeros and ones to booleans."""
    return pa.array(np.asarray(values).astype(bool))


def lists(values: pa.Array, sizes: Ints) -> pa.Array:
    """Cut a flat array into lists of the given sizes."""
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)), values)


def constant(value: str | bool | None, size: int, kind: pa.DataType | None = None) -> pa.Array:
    """The same value in every row."""
    return pa.repeat(pa.scalar(value, kind or (pa.bool_() if isinstance(value, bool) else pa.string())), size)
