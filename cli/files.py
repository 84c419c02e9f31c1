"""`salesops files`: look at an unknown export.

What belongs here: printing what `ingestion.sources.files.survey` sees. What does not: looking.
"""

from __future__ import annotations

import re
from pathlib import Path

import typer

from ingestion.sources.files.survey import survey_folder, write_mapping


def print_survey(folder: Path) -> bool:
    """Print a first mapping of the export in a folder.

    Returns:
        Whether every file could be read.

    Raises:
        FileUnreadable: There is nothing to look at.
    """
    surveys = survey_folder(folder)
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "export"
    typer.echo(write_mapping(name, surveys), nl=False)
    return all(survey.is_readable for survey in surveys)
