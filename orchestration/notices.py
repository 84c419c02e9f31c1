"""A run's notices for the person who started it, read back from its events.

What belongs here: which metadata of a load or of dropped files is a notice, and whether it reports something undone.
What does not: the wording of load notices (`ingestion`), and printing (`cli`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from orchestration.assets.loads import ALL_QUARANTINED, NO_SOURCE, NOTICE, QUARANTINED, UNDONE, WARNED

# Metadata of the dropped files that lists file names → the notice text.
_OF_NAMES = {
    "unsettled": "Not taken yet from the drop folder, for they may still be written to: {}. The next run looks again.",
    "waiting": "Not taken yet from the drop folder, for they wait for a file of their feed whose name comes before theirs: {}.",
    "unknown": "Left alone in the drop folder, for their names begin with no feed's name or end otherwise than in .csv or .parquet: {}.",
}
# Metadata of one dropped file, `<kind>/<its name>` → the notice text, and whether it reports something undone.
_OF_ONE_FILE = {
    "refused": ("{name} was refused and stays where it is. {text}", True),
    "unreadable": ("{text} It stays in the drop folder, and the next run tries it again.", True),
    "note": ("{text}", False),
}


@dataclass(frozen=True)
class Notice:
    """A sentence or two for the person who started a run.

    Attributes:
        table: The lake table it is about.
        text: The notice.
        is_undone: Whether something requested was not done.
    """

    table: str
    text: str
    is_undone: bool = False


def read_notices(instance: dg.DagsterInstance, run_id: str) -> list[Notice]:
    """A run's notices, even if it failed: in order, without duplicates."""
    kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    found = (
        notice
        for entry in instance.all_logs(run_id, of_type=kinds)
        if entry.dagster_event
        for notice in _say(entry.dagster_event)
    )
    return list(dict.fromkeys(found))


def _say(event: dg.DagsterEvent) -> Iterator[Notice]:
    if event.is_step_materialization:
        key, metadata = event.asset_key, event.step_materialization_data.materialization.metadata
    else:
        evaluation = event.asset_check_evaluation_data
        key, metadata = evaluation.asset_key, evaluation.metadata
    if key:
        yield from _read(key.to_user_string(), {name: value.value for name, value in metadata.items()})


def _read(table: str, metadata: Mapping[str, object]) -> Iterable[Notice]:
    for name, value in metadata.items():
        kind, _, file = name.partition("/")
        if name == NOTICE and value != NO_SOURCE:
            yield Notice(table, str(value), is_undone=bool(metadata.get(UNDONE)))
        elif name == QUARANTINED:
            yield Notice(table, str(value), is_undone=bool(metadata.get(ALL_QUARANTINED)))
        elif kind == WARNED:
            yield Notice(table, str(value))
        elif name in _OF_NAMES and value:
            yield Notice(table, _OF_NAMES[name].format(value))
        elif kind in _OF_ONE_FILE and file:
            text, is_undone = _OF_ONE_FILE[kind]
            yield Notice(table, text.format(name=file, text=value), is_undone)
