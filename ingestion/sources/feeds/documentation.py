"""The operator's page `docs/feeds.md`: how files are taken, and every feed's columns. `make generate` writes it."""

from __future__ import annotations

from pathlib import Path

from ingestion.sources.feeds.catalogue import FEEDS
from storage.generated_files import run_generator

_INTRODUCTION = """# Feeds

Data from personnel, finance and accounting comes in as files in our own format: CSV (UTF-8, comma, header row) or
Parquet. Days are written `YYYY-MM-DD`, amounts in plain digits with a point.

- A file is taken or refused whole. In a file that is taken, a row that breaks a rule is set aside. So are all rows that
  share a key within the file, because nobody can say which of them is right.
- Only what differs from the lake lands. A row with the key of an earlier row and other values corrects that row.
- A record that a new file of the same name no longer has stays in force, and the end of the run names it, with the
  command that takes it back. For a feed whose every file holds all records, write `complete: [personnel, quotas]` in
  `config/feeds.yml`: what its newest file lacks is then withdrawn, logged, and back as soon as a file has it again. A
  file that lacks too many records to believe (`vanished_share`) withdraws none and is named instead.
- In the columns listed below, blanks around a value are removed, so that keys of a database's padded columns match,
  and a midnight without a time zone (`2026-10-01 00:00:00`, as pandas writes days) is its day. The case of their names
  does not matter. Days in any other form are set aside.
- Other columns land under their own names, whatever those are. A name that our own queries use (`filename`, `_load_id`
  …) gets `_` at its end. Two columns whose names differ only in case are refused, as is a column without a name.
- An error that nobody foresaw stays in its file: the run names the file and what to do, and the others land.
- Files are read a piece at a time, so a file may be larger than memory.

There are two ways in: the feeds folder and the drop folder. Use only one of them per feed: if both bring a row, the one
that changed last wins.

## The feeds folder

The folder that `SALESOPS_FEEDS_DIR` names holds one file per feed, `<name>.csv` or `<name>.parquet`. Each file is the
complete data so far: send it again with rows added or corrected. A feed without a file is skipped. If a file cannot be
trusted, the step fails at its end; the other feeds and the dropped files still land.

## The drop folder

The drop folder is for systems that send a new file each time. It is the folder `incoming` in the feeds folder, or the
one that `SALESOPS_DROP_DIR` names. A file name begins with the name of its feed, followed by anything but a letter:
`invoices_2026-11-24.csv`, `exchange_rates-7.parquet`. Switch on Dagster's sensor `drop_folder`, and new files start the
main job. Every other run of the job takes them too.

- **Once.** A file is identified by its SHA-256. The same bytes are not taken again: not under another name, not on
  another day, not after a restart. The lake table `feed__dropped_file` records the outcome of every file, and the
  load's details hold the hash.
- **Complete.** A file is taken when two looks find the same size and modification time: two ticks of the sensor (30
  seconds apart), or `SALESOPS_DROP_SETTLE_SECONDS` apart in a run that the sensor did not start. Safer still: write
  under a name that begins with `.` or `~` or ends in `.part`, `.partial`, `.filepart`, `.crdownload` or `.tmp`, and
  rename the file when it is complete. Such names are skipped and hold nothing up, so upload the files of one feed one
  after the other.
- **In order.** Several files of one feed land in the order of their names (as text: `10` comes before `9`), so `…_02`
  corrects `…_01`. While a file is still being written, or cannot be opened, the later names of its feed wait for it;
  other feeds do not. A file that arrives after a later name was taken is still taken. If it then overrides records that
  both files contain, the run's log and the asset `feed__dropped_file` say so, with the number of records. To override
  it again, send a file whose name comes last.
- **Refused.** A file whose content cannot be read, or that lacks a column, is refused. It holds up no other file, not
  even a later name of its feed, because it may never be fixed. It stays where it is and is reported once, with the
  reason: in the run's log, in the asset `feed__dropped_file`, in its check `nothing_refused`, and at the end of
  `salesops run`, which then ends with exit code 1. Fix the file in place. To have the same bytes tried again, rename
  the file; the new name also sets its place in the order.
- **Left alone.** Files whose name matches no feed are reported and left alone. Salesops moves or deletes nothing; once
  a file is taken, you may.

A file that was rewritten with exactly the same size and modification time counts as unchanged. If a run fails before it
took the files, the sensor asks for another after 5 minutes, then 10, 20 … up to 6 hours.

## Exchange rates

If the CRM has a dated rate for a currency and day, that rate is used. Otherwise the feed's rate is used: the pair with
the corporate or the reporting currency, either way round, or two pairs from one third currency (`EUR` to `GBP` and
`EUR` to `USD` give `GBP` in `USD`), without rounding in between. A currency's undated rate in the CRM is used only if
neither the CRM nor the feed has any dated rate. If no rate covers an amount's day, the amount adds to no sum, and
the mart `data_errors` names the record, the pair and the day.

## Columns

A column marked * must be in the file. This page is generated from
`ingestion/sources/feeds/catalogue.py`.
"""


def feeds_as_markdown() -> str:
    """The operator's page: how files are taken, and every feed with its key and columns."""
    parts = [_INTRODUCTION.rstrip("\n")]
    for feed in FEEDS:
        key = ", ".join(f"`{name}`" for name in feed.key)
        parts += ["", f"### {feed.name}", "", f"One row: {feed.grain}. Key: {key}. Lake table: `{feed.table}`.", ""]
        parts += ["| column | meaning |", "|---|---|"]
        parts += [f"| {column.name}{'*' if column.is_required else ''} | {column.meaning} |" for column in feed.columns]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    run_generator({Path("docs/feeds.md"): feeds_as_markdown()})
