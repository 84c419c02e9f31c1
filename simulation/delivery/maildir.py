"""Mail as files: a Maildir per mailbox in `<simulation_dir>/maildir/`; RFC 5322 messages arrive as they become visible.

DuckDB builds the message texts, which are written as bytes: 35,000 files through `email.message` would take longer than
the rest of a small run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb

SEEN = ":2,S"
_MESSAGES_AT_ONCE = 5000

_RENDER = r"""
with visible as (
    select
        mailbox,
        maildir_key,
        message_id,
        in_reply_to,
        from_address,
        sent_at,
        is_auto_reply,
        is_bounce,
        is_newsletter,
        array_to_string(to_addresses, ',' || chr(10) || chr(9)) as to_list,
        array_to_string(cc_addresses, ',' || chr(10) || chr(9)) as cc_list,
        array_to_string(references_ids, chr(10) || chr(9)) as references_list,
        replace(replace(subject, chr(13), ' '), chr(10), ' ') as subject
    from read_parquet($source)
    where _visible_from <= $until and ($since is null or _visible_from > $since)
)
select
    mailbox,
    maildir_key,
    encode(concat(
        case when is_bounce then 'Return-Path: <>' || chr(10) end,
        'From: ' || from_address || chr(10),
        'To: ' || nullif(to_list, '') || chr(10),
        'Cc: ' || nullif(cc_list, '') || chr(10),
        'Subject: ' || case
            when regexp_full_match(subject, '[\x20-\x7e]*') then subject
            else '=?utf-8?b?' || to_base64(encode(subject)) || '?='
        end || chr(10),
        'Date: ' || strftime(sent_at, '%a, %d %b %Y %H:%M:%S +0000') || chr(10),
        'Message-ID: ' || message_id || chr(10),
        'In-Reply-To: ' || in_reply_to || chr(10),
        'References: ' || nullif(references_list, '') || chr(10),
        case when is_auto_reply then 'Auto-Submitted: auto-replied' || chr(10) end,
        case
            when is_newsletter then 'List-Unsubscribe: <mailto:unsubscribe@' || split_part(from_address, '@', 2) || '>' || chr(10)
                || 'Precedence: bulk' || chr(10)
        end,
        'MIME-Version: 1.0' || chr(10),
        case
            when is_bounce then 'Content-Type: multipart/report; report-type=delivery-status; boundary="report"' || chr(10) || chr(10)
                || '--report' || chr(10) || 'Content-Type: text/plain; charset=utf-8' || chr(10) || chr(10)
                || 'The message could not be delivered.' || chr(10)
                || '--report' || chr(10) || 'Content-Type: message/delivery-status' || chr(10) || chr(10)
                || 'Action: failed' || chr(10) || 'Status: 5.1.1' || chr(10)
                || '--report--' || chr(10)
            else 'Content-Type: text/plain; charset=utf-8' || chr(10) || chr(10)
                || 'A message between the parties named above.' || chr(10)
        end
    )) as content
from visible
order by mailbox, maildir_key
"""


def write_maildir(simulation_dir: Path, until: datetime) -> int:
    """Add the messages that became visible by `until` (UTC without zone) and return how many files were written.

    Existing messages are not rewritten, even after a kill half-way: a message is written under `tmp/` and then moved to
    `cur/`. Another company's tree is removed first.
    """
    root = simulation_dir / "maildir"
    state_file = simulation_dir / "maildir_state.json"
    company = _fingerprint(simulation_dir)
    since = _read_state(state_file, root, company)
    written = 0
    for mailbox, messages in _render(simulation_dir / "company" / "mail" / "message.parquet", since, until):
        written += _fill_mailbox(root / mailbox, messages)
    root.mkdir(parents=True, exist_ok=True)
    latest = max(until, since) if since else until
    fresh = state_file.with_name(state_file.name + ".new")
    fresh.write_text(json.dumps({"company": company, "delivered_until": latest.isoformat()}))
    fresh.replace(state_file)
    return written


def _fingerprint(simulation_dir: Path) -> str:
    return hashlib.sha256((simulation_dir / "company" / "company.json").read_bytes()).hexdigest()


def _read_state(state_file: Path, root: Path, company: str) -> datetime | None:
    """The time until which mail was delivered; None if everything must be checked."""
    if not state_file.exists() or not root.exists():
        return None
    state = json.loads(state_file.read_text())
    if state["company"] != company:
        shutil.rmtree(root)
        return None
    return datetime.fromisoformat(state["delivered_until"])


def _render(source: Path, since: datetime | None, until: datetime) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Messages as (key, bytes), a few thousand at a time, by mailbox."""
    with duckdb.connect(":memory:") as connection:
        result = connection.execute(_RENDER, {"source": str(source), "since": since, "until": until})
        while rows := result.fetchmany(_MESSAGES_AT_ONCE):
            by_mailbox: dict[str, list[tuple[str, bytes]]] = {}
            for mailbox, key, content in rows:
                by_mailbox.setdefault(mailbox, []).append((key, content))
            yield from by_mailbox.items()


def _fill_mailbox(folder: Path, messages: list[tuple[str, bytes]]) -> int:
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    there = {file.name.partition(":")[0] for file in (folder / "cur").iterdir()}
    missing = [(key, content) for key, content in messages if key not in there]
    # File names relative to open directories take half the time of full paths.
    tmp, cur = (os.open(folder / name, os.O_RDONLY) for name in ("tmp", "cur"))
    try:
        for key, content in missing:
            file = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644, dir_fd=tmp)
            os.write(file, content)
            os.close(file)
            os.rename(key, key + SEEN, src_dir_fd=tmp, dst_dir_fd=cur)
    finally:
        os.close(tmp)
        os.close(cur)
    return len(missing)
