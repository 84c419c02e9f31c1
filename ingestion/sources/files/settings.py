"""Where an export is, and the file that maps it."""

from __future__ import annotations

from pydantic import Field

from storage.settings import AbsolutePath, Settings


class FileSettings(Settings):
    """An export and its mapping file."""

    mapping: AbsolutePath | None = Field(
        default=None, description="YAML file that maps an export to canonical objects."
    )
    files: AbsolutePath | None = Field(default=None, description="Folder with the export's CSV or Parquet files.")

    @property
    def source_names(self) -> list[str]:
        """Display names of the real sources that are configured."""
        return [*([f"mapping {self.mapping.stem}"] if self.mapping else []), *super().source_names]

    @property
    def origin(self) -> str:
        """Name of the company these settings point at: for an export, the name of its mapping."""
        return f"mapping:{self.mapping.stem}" if self.mapping else super().origin
