"""Wait for one's turn on a home, and say for whom."""

from __future__ import annotations

from contextlib import AbstractContextManager

from rich.console import Console

from storage.home import Home
from storage.locks import hold_home


def take_turn(home: Home, run_id: str, console: Console) -> AbstractContextManager[None]:
    """Hold the home as `run_id`, after the run that is at work on it."""
    return hold_home(home, run_id, on_wait=lambda holder: console.print(f"Waits for {holder or 'another run'}."))
