"""Load an export into the lake through its mapping."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ingestion.contracts.rules import Rule, unique
from ingestion.landing import Delivery, LandingReport, land
from ingestion.settings.load import read_allowed_values
from ingestion.sources.files.build import build_rows
from ingestion.sources.files.canonical import CANONICAL_OBJECTS, CanonicalObject
from ingestion.sources.files.errors import MappingError
from ingestion.sources.files.mapping import Mapping
from ingestion.sources.files.tabular import TabularFile, read_tabular
from storage.lake import Lake


def ingest_files(
    lake: Lake, mapping: Mapping, folder: Path, *, known_at: datetime, run_id: str, only: str | None = None
) -> list[LandingReport]:
    """Land the objects of a mapping from the files in a folder; rows the lake already holds are not written again.

    All requested objects are read and built before the first one lands, so a bad file lands nothing. The load's details
    hold the SHA-256 of every file and of the mapping. A record missing from a later export keeps its last state: an
    export cannot say whether it was deleted or filtered out.

    Args:
        lake: The lake, with the settings in force already loaded: they list the known stage names.
        mapping: From `load_mapping`.
        folder: Folder with the export's files.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.
        only: One of `mapping.targets`, to land only that one.

    Returns:
        One report per object, in the order of the mapping.

    Raises:
        FileUnreadable: A file is missing, ragged or lacks a column.
        MappingError: The mapping does not fit the files, or the settings are not loaded yet.
        ContractBroken: A fatal rule is broken, such as an unknown stage; that object did not land.
    """
    if only is not None and only not in mapping.targets:
        raise MappingError(
            f"The mapping fills no '{only}'.", where=str(mapping.path), fix=f"It fills {', '.join(mapping.targets)}."
        )
    targets = (only,) if only else mapping.targets
    allowed_values = read_allowed_values(lake)
    if not allowed_values["stages"]:
        raise MappingError(
            "No stage names are in the lake yet.", where=str(lake.root), fix="Load the settings before the files."
        )
    files = _read_files(mapping, folder, targets)
    built = {table: build_rows(mapping, table, files) for table in targets}
    reports = [
        land(
            lake,
            CANONICAL_OBJECTS[table].lake_table,
            Delivery(
                rows,
                rows.num_rows,
                details=_describe_origin(mapping, table, files),
                more_rules=_more_rules(mapping, CANONICAL_OBJECTS[table]),
            ),
            known_at=known_at,
            run_id=run_id,
            allowed_values=allowed_values,
        )
        for table, rows in built.items()
    ]
    # Notices about the mapping and the files appear once, not with every object.
    return [
        replace(
            reports[0],
            notice=" ".join(
                filter(
                    None,
                    [
                        *(notice.sentence for notice in mapping.notices),
                        *(file.notice for file in files.values()),
                        reports[0].notice,
                    ],
                )
            ),
        ),
        *reports[1:],
    ]


def _more_rules(mapping: Mapping, canonical: CanonicalObject) -> tuple[Rule, ...]:
    """The rule that a table lacks whose mapping may count identical rows as one: otherwise its key is unique too."""
    is_unique = unique(canonical.key)
    has_it = any(rule.name == is_unique.name for rule in canonical.lake_table.rules)
    return () if has_it or mapping.objects[canonical.table].repeated_rows == "once" else (is_unique,)


def _describe_origin(mapping: Mapping, table: str, files: dict[str, TabularFile]) -> dict[str, str]:
    """The mapping and the files that an object's rows were made from."""
    hashes = {f"sha256:{mapping.files[source].path}": files[source].sha256 for source in mapping.objects[table].sources}
    return {"mapping": mapping.name, "mapping_sha256": mapping.sha256, **hashes}


def _read_files(mapping: Mapping, folder: Path, targets: tuple[str, ...]) -> dict[str, TabularFile]:
    needed = dict.fromkeys(source for table in targets for source in mapping.objects[table].sources)
    return {
        source: read_tabular(folder / mapping.files[source].path, mapping.files[source].file_format)
        for source in needed
    }
