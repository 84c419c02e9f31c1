"""The page an operator reads, `docs/feeds.md`: how files are taken, and every feed with its columns. `make generate` writes it."""

from __future__ import annotations

from pathlib import Path

from ingestion.sources.feeds.catalogue import FEEDS
from storage.generated_files import run_generator

_INTRODUCTION = """# Feeds

What personnel, finance and accounting know, as files in a form that is ours to say: CSV (UTF-8, comma, header row) or Parquet. Days are written
`YYYY-MM-DD`, amounts in plain digits with a point. A file is taken or refused whole; of a file that is taken, a row that breaks a rule is set
aside, and so are all rows that share a key within the file, for nobody can say which of them is right. Only what differs from what the lake
holds lands: a row with the key of one in an earlier file and other values corrects it. A row that a later file no longer has stays in force.
Files are read a piece at a time, so a file may be larger than memory.

There are two ways in. Use one of them for a feed: where both bring a row, the one that changed last holds.

## The feeds folder

The folder that `SALESOPS_FEEDS_DIR` names holds one file per feed, `<name>.csv` or `<name>.parquet`, each the whole truth so far: send it again
with rows added or corrected. A feed that is not there is left out. A file that cannot be trusted fails the step at its end: the other feeds and
the dropped files land all the same.

## The drop folder

The folder `incoming` in the feeds folder, or the one that `SALESOPS_DROP_DIR` names, is for systems that send a new file each time. A file's name
begins with its feed's, then anything but a letter: `invoices_2026-11-24.csv`, `exchange_rates-7.parquet`. Switch on Dagster's sensor `drop_folder`
and new files start the main job; every other run of the job takes them too.

- **Once.** A file is known by its SHA-256: the same bytes are not taken again, under another name, on another day or after a restart. The outcome
  of every file stands in the lake table `feed__dropped_file`, and the hash in its load's details.
- **Complete.** A file is taken when its size and time are the same in two looks: two ticks of the sensor (30 seconds), or
  `SALESOPS_DROP_SETTLE_SECONDS` apart in a run that the sensor did not start. Safer still, write under a name that begins with `.` or `~` or ends
  in `.part`, `.partial`, `.filepart`, `.crdownload` or `.tmp`, and rename the file when it is complete: such names are passed over, and nothing
  waits for them, so upload files of one feed one after the other.
- **In order.** Several files of one feed land in the order of their names (as text: `10` comes before `9`), so that `…_02` corrects `…_01`. While
  a file is still being written, or cannot be opened, the later names of its feed wait for it; other feeds do not. A file that comes only after a
  later name was taken is taken all the same. If it then holds in records that both name, the run's log and the asset `feed__dropped_file` say so,
  and how many: what should hold instead must come in a file whose name comes last.
- **Refused.** A file whose content cannot be read or lacks a column stops no other, nor a later name of its feed: it may never be put right. It
  stays where it is and is reported once, with the reason: in the run's log, in the asset `feed__dropped_file`, in its check `nothing_refused`, and at
  the end of `salesops run`, which then ends with exit code 1. Put it right in place; or, to have the same bytes tried again, give it another name,
  which also says where it stands in the order.
- **Left alone.** Files whose name is no feed's are reported and left alone. Nothing is moved or deleted; once a file is taken you may.

A file rewritten with the very size and time that it had counts as the file it was. When a run fails before it took the files, the sensor asks for
another after 5 minutes, then 10, 20 … up to 6 hours.

## Exchange rates

Where the CRM has a dated rate for a currency and day, that one holds. Where it has none, the feed's does: the pair with the corporate or the
reporting currency, either way round, or two pairs from one third currency (`EUR` to `GBP` and `EUR` to `USD` give `GBP` in `USD`), without a
rounding in between. A currency's undated rate in the CRM is used only where there is no dated rate at all, from neither. An amount whose day has no
rate fails the build and is named with pair and day.

## Columns

A column marked * must be in the file; other columns are kept as they are. This page is written from `ingestion/sources/feeds/catalogue.py`.
"""


def feeds_as_markdown() -> str:
    """The page an operator reads: how files are taken, and every feed with its key and columns."""
    parts = [_INTRODUCTION.rstrip("\n")]
    for feed in FEEDS:
        key = ", ".join(f"`{name}`" for name in feed.key)
        parts += ["", f"### {feed.name}", "", f"One row: {feed.grain}. Key: {key}. Lake table: `{feed.table}`.", ""]
        parts += ["| column | meaning |", "|---|---|"]
        parts += [f"| {column.name}{'*' if column.is_required else ''} | {column.meaning} |" for column in feed.columns]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    run_generator({Path("docs/feeds.md"): feeds_as_markdown()})
