"""What a commit records about its load: counts, cursor, window. Stored as JSON in the commit's metadata.

What belongs here: the record and the versions of its format. What does not: committing it (`lake`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from storage.errors import StorageError

METADATA_KEY = "salesops_load"

# Format of the record. 1: until November 2026, without `format_version`. 2: with it. Raise it only for a change that
# older code would misread; a key that older code may ignore needs no new format.
LOAD_FORMAT = 2


@dataclass(frozen=True)
class LoadRecord:
    """What a commit records about its load, stored as JSON in the Delta commit's metadata.

    Attributes:
        load_id: Unique id of the load.
        known_at: Instant of the load by the run's clock, ISO 8601 UTC.
        source_count: Rows the source itself said it delivered.
        landed_count: Rows that passed the contract and were committed.
        set_aside_count: Rows committed with `_broken_rules`.
        unchanged_count: Rows delivered that the lake already held and that were not written again.
        tombstone_count: Further rows committed to mark records deleted that the source no longer has; it delivered none
            of them.
        cursor: Where the next load continues, in the source's own terms.
        window: Half-open window that was requested, `[from, until)`, in the source's own terms.
        run_id: The orchestrator's run, for tracing.
        details: Anything else worth keeping (file name and hash, job id).
        format_version: Format that the record was written in.
    """

    load_id: str
    known_at: str
    source_count: int
    landed_count: int
    set_aside_count: int = 0
    unchanged_count: int = 0
    tombstone_count: int = 0
    cursor: str | None = None
    window: tuple[str | None, str | None] = (None, None)
    run_id: str = ""
    details: dict[str, str] = field(default_factory=dict)
    format_version: int = LOAD_FORMAT

    @property
    def has_rows(self) -> bool:
        """Whether the load changed what the lake holds; one that only moved the cursor did not."""
        return bool(self.landed_count or self.set_aside_count or self.tombstone_count)

    def check_counts(self, table: str) -> None:
        """Refuse a load whose counts do not add up to what the source said.

        Raises:
            StorageError: `source_count` is not landed + set aside + unchanged.
        """
        accounted = self.landed_count + self.set_aside_count + self.unchanged_count
        if accounted != self.source_count:
            raise StorageError(
                f"The source says {self.source_count} rows, but {self.landed_count} landed + {self.set_aside_count} set aside + "
                f"{self.unchanged_count} unchanged = {accounted}. Nothing was committed and the cursor stays.",
                where=f"lake table {table}, load {self.load_id}",
                fix="Run again; if it repeats, the source changes while it is read or drops rows.",
            )

    def to_json(self) -> str:
        """The record as JSON, for the commit's metadata."""
        return json.dumps(asdict(self))


def read_load_record(stored: object, *, table: str) -> LoadRecord:
    """Read a record from a commit's metadata, whatever version of Salesops wrote it.

    Unknown keys are ignored; missing ones get their default.

    Raises:
        StorageError: A newer Salesops wrote it in a format that this one would misread, or it is not a record.
    """
    try:
        held: dict[str, Any] = json.loads(stored) if isinstance(stored, str) else dict(stored)  # type: ignore[call-overload]  # read below
        form = int(held.get("format_version", 1))
        if form <= LOAD_FORMAT:
            known = {one.name: held[one.name] for one in fields(LoadRecord) if one.name in held}
            window = known.get("window") or (None, None)
            return LoadRecord(**{**known, "window": (window[0], window[1]), "format_version": form})
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise StorageError(
            f"A commit's load record cannot be read: {type(error).__name__}.",
            where=f"lake table {table}",
            fix="Something else than Salesops wrote it. Restore the table from a backup (`salesops lake restore`).",
        ) from error
    raise StorageError(
        f"The lake was written by a newer Salesops: its load records have form {form}, this version reads up to {LOAD_FORMAT}.",
        where=f"lake table {table}",
        fix="Install that newer version. Nothing was changed.",
    )
