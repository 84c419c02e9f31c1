"""How feeds are read, from `config/feeds.yml`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from ingestion.sources.feeds.catalogue import FEEDS
from storage.operator_files import OperatorModel, read_file


class FeedReading(OperatorModel):
    """What a feed's file says by what it lacks.

    Attributes:
        complete: Feeds whose every file holds all records: a record that the newest file lacks is withdrawn.
        vanished_share: Share of a complete feed's records that one file may lack. If it lacks more, and more than a few
            or all, the file was more likely cut off, and nothing is withdrawn.
    """

    complete: tuple[str, ...] = ()
    vanished_share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.2")

    @field_validator("complete")
    @classmethod
    def _name_feeds(cls, complete: tuple[str, ...]) -> tuple[str, ...]:
        known = [feed.name for feed in FEEDS]
        for name in complete:
            if name not in known:
                raise ValueError(f"'{name}' is no feed; the feeds are {', '.join(known)}")
        return complete


DEFAULT_READING = FeedReading()


def read_feed_settings(config_dir: Path) -> FeedReading:
    """Read `feeds.yml`; without the file, the defaults apply.

    Raises:
        OperatorFileError: The file is not YAML, or a key or value in it cannot be used.
    """
    path = config_dir / "feeds.yml"
    return read_file(path, FeedReading).content if path.exists() else DEFAULT_READING
