"""Any export, CSV or Parquet, brought into canonical objects by a mapping file that the operator writes.

What belongs here: reading tabular files strictly (feeds read theirs here too), the canonical `files__*` objects, the shape of a mapping,
and turning an export's rows into canonical rows. What does not: rules on the rows (`ingestion.contracts`), and any knowledge of one
particular export (`config/mappings/`).
"""

from __future__ import annotations

from ingestion.files.canonical import CANONICAL_OBJECTS, CanonicalObject
from ingestion.files.errors import FileUnreadable, MappingError
from ingestion.files.ingest import ingest_files
from ingestion.files.mapping import Mapping, load_mapping
from ingestion.files.reading import TabularFile, TabularStream, open_tabular, read_tabular
from ingestion.files.strict_csv import FileFormat

__all__ = [
    "CANONICAL_OBJECTS",
    "CanonicalObject",
    "FileFormat",
    "FileUnreadable",
    "Mapping",
    "MappingError",
    "TabularFile",
    "TabularStream",
    "ingest_files",
    "load_mapping",
    "open_tabular",
    "read_tabular",
]
