"""What a command works on: settings file, configuration, home and sources, by name and never with their secrets."""

from __future__ import annotations

from rich.console import Console

from ingestion.sources.settings import PlatformSettings
from storage.origin import describe_origin


def print_where(console: Console, settings: PlatformSettings) -> None:
    """Print where the settings come from and what they point to, in two lines."""
    for line in describe(settings):
        console.print(line, markup=False, soft_wrap=True)


def describe(settings: PlatformSettings) -> tuple[str, str]:
    """The two lines."""
    file = settings.settings_file or "none found, environment only"
    return (
        f"Settings: {file} · config: {settings.config_dir}",
        f"Home: {settings.home_folder.root} · sources: {describe_sources(settings)}",
    )


def describe_sources(settings: PlatformSettings) -> str:
    """The names of the sources that a run would read."""
    if settings.has_source:
        return ", ".join(settings.source_names)
    return describe_origin(settings.origin) if settings.simulate else "none"
