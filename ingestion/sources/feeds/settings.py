"""Where feed files are and where they are dropped."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from storage.settings import AbsolutePath, Settings


class FeedSettings(Settings):
    """The feeds folder and the drop folder."""

    feeds_dir: AbsolutePath | None = Field(
        default=None, description="Folder of canonical CSV feeds: personnel, quotas, invoices …"
    )
    drop_dir: AbsolutePath | None = Field(
        default=None,
        description="Folder where other systems drop feed files; by default `incoming` in the feeds folder.",
    )
    drop_settle_seconds: float = Field(
        default=5, ge=0, description="How long a dropped file must lie unchanged before a run takes it."
    )

    @property
    def drop_folder(self) -> Path | None:
        """Where feed files are dropped; None if there is no such folder and none is configured."""
        if self.drop_dir or not self.feeds_dir:
            return self.drop_dir
        incoming = self.feeds_dir / "incoming"
        return incoming if incoming.is_dir() else None

    @property
    def source_names(self) -> list[str]:
        """Display names of the real sources that are configured."""
        named = {"feeds": self.feeds_dir, "drop folder": self.drop_dir}
        return [*(name for name, path in named.items() if path), *super().source_names]
