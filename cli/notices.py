"""The last lines of `salesops run`: notices from its sources, and what was not done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from orchestration.notices import Notice

_SUBJECT = "\0"


def print_notices(console: Console, notices: Sequence[Notice]) -> None:
    """Print each notice once; undone work comes last, under its own heading."""
    for heading, is_undone in (("Notices", False), ("Not done", True)):
        texts = _gather(notice for notice in notices if notice.is_undone is is_undone)
        if not texts:
            continue
        console.print(f"\n[bold{' red' if is_undone else ''}]{heading}[/]")
        listed = Table.grid(padding=(0, 1))
        listed.add_column()
        listed.add_column(overflow="fold")
        for text in texts:
            listed.add_row("-", Text(text))
        console.print(listed)


def _gather(notices: Iterable[Notice]) -> list[str]:
    """Merge notices that differ only in the table: the text of the first, then the other tables it applies to."""
    alike: dict[str, list[str]] = {}
    for notice in notices:
        subject = _find_subject(notice)
        alike.setdefault(notice.text.replace(subject, _SUBJECT) if subject else notice.text, []).append(subject)
    return [_say(text, *dict.fromkeys(subjects)) for text, subjects in alike.items()]


def _say(text: str, subject: str, *others: str) -> str:
    return text.replace(_SUBJECT, subject) + (f" The same holds for {', '.join(others)}." if others else "")


def _find_subject(notice: Notice) -> str:
    """The notice's word for its table's object, as the source spells it (`OpportunityHistory`); empty if none."""
    wanted = _spell(notice.table.partition("__")[2])
    return next((word for word in re.findall(r"\w+", notice.text) if _spell(word) == wanted), "")


def _spell(name: str) -> str:
    return name.replace("_", "").lower()
