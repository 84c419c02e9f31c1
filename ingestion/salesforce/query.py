"""Read one window of one object as text rows, by REST or by Bulk 2.0, and check the number of rows against Salesforce's own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from simple_salesforce.bulk2 import Operation

from ingestion.errors import CountMismatch, IngestionError, SalesforceJobFailed
from ingestion.salesforce.client import Field, SalesforceClient, explained
from ingestion.salesforce.soql import Window, count_query, select_query

BULK_FROM_ROWS = 10_000  # five REST pages: from there on a Bulk job takes fewer requests
PAGE_ROWS = 50_000
PAGE_ATTEMPTS = 3
BLOCK_BYTES = 4 << 20  # parsed at a time; a record must fit, and the longest text field holds 131,072 characters
JOB_DEADLINE_SECONDS = 4 * 3600.0
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 5.0


@dataclass(frozen=True)
class Read:
    """Rows of one window as text, with the number of rows Salesforce said they are."""

    rows: pa.Table
    source_count: int
    details: dict[str, str] = field(default_factory=dict)


def count_window(client: SalesforceClient, object_name: str, window: Window) -> int:
    """How many records a window holds, deleted ones included. Good to choose a way by; never to reconcile by: edits race with it."""
    with explained(object_name):
        answer = client.rest.query(count_query(object_name, window), include_deleted=True)
    return int(answer["totalSize"])


def read_window(client: SalesforceClient, object_name: str, window: Window, expected_rows: int) -> Read:
    """Read every record of a window, deleted ones included: small windows by REST, large ones by Bulk 2.0.

    Raises:
        CountMismatch: Fewer or more rows came than Salesforce said.
        SalesforceJobFailed: The Bulk job failed or did not end in time.
        SalesforceRefused: Salesforce answered with an error.
        SalesforceUnreachable: It does not answer.
    """
    fields = client.fields(object_name)
    query = select_query(object_name, [each.name for each in fields], window)
    with explained(object_name):
        if expected_rows >= BULK_FROM_ROWS:
            return _read_by_bulk(client, object_name, query, fields)
        return _read_by_rest(client, object_name, query, fields)


def _read_by_rest(client: SalesforceClient, object_name: str, query: str, fields: Sequence[Field]) -> Read:
    answer = client.rest.query(query, include_deleted=True)
    total = int(answer["totalSize"])
    pages = [_table_of_records(answer["records"], fields)]
    while not answer["done"]:
        answer = client.rest.query_more(answer["nextRecordsUrl"], identifier_is_url=True)
        pages.append(_table_of_records(answer["records"], fields))
    rows = pa.concat_tables(pages)
    _compare_counts(object_name, "the query's totalSize", total, rows.num_rows)
    return Read(rows, total, {"api": "rest"})


def _table_of_records(records: Sequence[dict[str, Any]], fields: Sequence[Field]) -> pa.Table:
    return pa.table({each.name: _text_column([record.get(each.name) for record in records], each.type) for each in fields})


def _text_column(values: list[Any], field_type: str) -> pa.Array:
    """JSON values as Bulk's CSV would write them."""
    try:
        texts = pa.array(values, pa.string())
    except pa.ArrowException:  # booleans, integers, and the anyType values of field histories
        texts = pa.array([_text(value) for value in values], pa.string())
    texts = pc.replace_substring(texts, "\x00", "")  # as simple-salesforce does for Bulk
    if field_type == "datetime":
        texts = pc.replace_substring_regex(texts, r"\+00:?00$", "Z")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _read_by_bulk(client: SalesforceClient, object_name: str, query: str, fields: Sequence[Field]) -> Read:
    job_id = str(client.bulk.create_job(Operation.query_all, query)["id"])
    try:
        _wait_for_job(client, object_name, job_id)
        pages, locator = [], ""
        while True:
            page, locator = _read_page(client, object_name, job_id, locator, fields)
            pages.append(page)
            if not locator:
                break
        rows = pa.concat_tables(pages)
        processed = int(client.bulk.get_job(job_id, True)["numberRecordsProcessed"])
        _compare_counts(object_name, f"Bulk job {job_id}", processed, rows.num_rows)
        return Read(rows, processed, {"api": "bulk", "job_id": job_id})
    finally:
        with suppress(IngestionError):  # an undeleted job expires by itself, and must not hide why a read failed
            client.session.delete(f"{client.bulk.bulk2_url}query/{job_id}")  # simple-salesforce's delete_job fails on the empty 204


def _wait_for_job(client: SalesforceClient, object_name: str, job_id: str) -> None:
    deadline, pause = time.monotonic() + JOB_DEADLINE_SECONDS, FIRST_LOOK_SECONDS
    while (job := client.bulk.get_job(job_id, True))["state"] != "JobComplete":
        if job["state"] in ("Failed", "Aborted"):
            reason = " ".join(str(job.get("errorMessage") or "no reason given").split())[:300]
            raise SalesforceJobFailed(f"Bulk job for {object_name}: {job['state'].lower()}: {reason}.", where=f"job {job_id}", fix="Run again.")
        if time.monotonic() > deadline:
            client.bulk.abort_job(job_id, True)
            hours = JOB_DEADLINE_SECONDS / 3600
            raise SalesforceJobFailed(
                f"Bulk job for {object_name} did not end in {hours:.0f} hours and was aborted.", where=f"job {job_id}", fix="Run again."
            )
        client.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)


def _read_page(client: SalesforceClient, object_name: str, job_id: str, locator: str, fields: Sequence[Field]) -> tuple[pa.Table, str]:
    """One page of results, asked for again where it came short."""
    problem = ""
    for _ in range(PAGE_ATTEMPTS):
        try:
            answer = client.bulk.get_query_results(job_id, locator, PAGE_ROWS)
        except KeyError:
            problem = "its header does not say how many rows it holds"
            continue
        try:
            page = parse_csv(answer["records"].encode(), fields)
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            problem = f"its CSV cannot be read: {str(error).splitlines()[0]}"
            continue
        if page.num_rows == answer["number_of_records"]:
            return page, answer["locator"]
        problem = f"it holds {page.num_rows} rows, its header says {answer['number_of_records']}"
    raise CountMismatch(
        f"A page of {object_name} came broken {PAGE_ATTEMPTS} times: {problem}. Nothing landed and the cursor stays.",
        where=f"Bulk job {job_id}, page '{locator}'",
        fix="Run again.",
    )


def parse_csv(content: bytes, fields: Sequence[Field]) -> pa.Table:
    """Bulk 2.0 CSV as text columns: newlines within quotes, empty is NULL, the text `NA` is a value.

    Raises:
        pyarrow.ArrowInvalid: The CSV is broken.
    """
    names = [each.name for each in fields]
    table: pa.Table = csv.read_csv(
        pa.BufferReader(content),
        read_options=csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table


def _compare_counts(object_name: str, source: str, said: int, read: int) -> None:
    if said != read:
        raise CountMismatch(
            f"{object_name}: {source} says {said} rows, {read} were read. Nothing landed and the cursor stays.",
            where=f"Salesforce object {object_name}",
            fix="Run again; records may have changed while they were read.",
        )
