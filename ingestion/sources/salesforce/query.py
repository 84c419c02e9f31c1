"""Read one window of one object as text rows, by REST or by Bulk 2.0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlencode

import pyarrow as pa

from ingestion.errors import CountMismatch, SalesforceRefused
from ingestion.sources.salesforce.bulk import read_by_bulk
from ingestion.sources.salesforce.client import Field, SalesforceClient, explained
from ingestion.sources.salesforce.objects import SalesforceObject
from ingestion.sources.salesforce.refusals import TOO_LARGE
from ingestion.sources.salesforce.rows import table_of_records
from ingestion.sources.salesforce.soql import Window, count_query, select_query
from ingestion.sources.salesforce.window_rows import WindowRows

BULK_FROM_ROWS = 10_000  # five REST pages: from here on a Bulk job takes fewer requests
# Salesforce accepts 16,384 bytes of address and headers together, and answers 414 or 431 beyond; headers may well need
# 8,000 of them (REST API Developer Guide, "Status Codes and Error Responses"). An object with some 250 custom fields
# has a longer query, which a Bulk job takes in its body.
LONGEST_QUERY_BYTES = 8_000


def count_window(client: SalesforceClient, salesforce_object: SalesforceObject, window: Window) -> int | None:
    """Count the records of a window, deleted ones included; None where the org takes too long to count them.

    Good for choosing an API, never for reconciling: edits race with it.
    """
    try:
        with explained(salesforce_object.name):
            answer = client.rest.query(count_query(salesforce_object.name, window), include_deleted=True)
    except SalesforceRefused as refusal:
        if refusal.code in TOO_LARGE:
            return None
        raise
    return int(answer["totalSize"])


@contextmanager
def read_window(
    client: SalesforceClient,
    salesforce_object: SalesforceObject,
    window: Window,
    expected_rows: int | None,
    *,
    fields: Sequence[Field] | None = None,
) -> Iterator[WindowRows]:
    """Read every record of a window, deleted ones included.

    Small windows are read by REST, large ones and objects with very many fields by Bulk 2.0.

    Args:
        client: The signed-in org.
        salesforce_object: The object.
        window: What to read.
        expected_rows: About how many rows there are; decides between the APIs. None where nobody knows: then by Bulk.
        fields: Fields to read; by default all that the user may read.

    Yields:
        The rows, as they come, with the number of rows that Salesforce states. If fewer or more come, iterating ends
        with `CountMismatch`.

    Raises:
        SalesforceJobFailed: The Bulk job failed or did not end in time.
        SalesforceRefused: Salesforce answered with an error.
        SalesforceUnreachable: It does not answer.
    """
    object_name = salesforce_object.name
    fields = client.fields(object_name) if fields is None else fields
    query = select_query(object_name, [each.name for each in fields], window)
    with explained(object_name):
        if (
            expected_rows is None
            or expected_rows >= BULK_FROM_ROWS
            or len(urlencode({"q": query})) > LONGEST_QUERY_BYTES
        ):
            with read_by_bulk(client, object_name, query, fields) as reading:
                yield _counted(object_name, reading)
            client.learn_limits()
        else:
            yield _counted(object_name, _read_by_rest(client, query, fields))


def read_ids(
    client: SalesforceClient, salesforce_object: SalesforceObject, window: Window, *, by_bulk: bool = False
) -> Iterator[pa.Table]:
    """The ids of a window's records, deleted ones included; raises as `read_window` does.

    Args:
        client: The signed-in org.
        salesforce_object: The object.
        window: What to read.
        by_bulk: Whether the org found a query of the object too large.
    """
    expected = None if by_bulk else count_window(client, salesforce_object, window)
    if expected != 0:
        ids = [field for field in client.fields(salesforce_object.name) if field.name == "Id"]
        with read_window(client, salesforce_object, window, expected, fields=ids) as reading:
            yield from reading.rows


def _read_by_rest(client: SalesforceClient, query: str, fields: Sequence[Field]) -> WindowRows:
    first = client.rest.query(query, include_deleted=True)

    def pages() -> Iterator[pa.Table]:
        answer = first
        yield table_of_records(answer["records"], fields)
        while not answer["done"]:
            answer = client.rest.query_more(answer["nextRecordsUrl"], identifier_is_url=True)
            yield table_of_records(answer["records"], fields)

    return WindowRows(pages(), int(first["totalSize"]), "the query's totalSize", {"api": "rest"})


def _counted(object_name: str, window_rows: WindowRows) -> WindowRows:
    """The same rows; iterating ends in an error if they are not as many as Salesforce stated."""

    def rows() -> Iterator[pa.RecordBatch | pa.Table]:
        read = 0
        for batch in window_rows.rows:
            read += batch.num_rows
            yield batch
        if read != window_rows.source_count:
            raise CountMismatch(
                f"{object_name}: {window_rows.counted_by} says {window_rows.source_count} rows, {read} were read. "
                "Nothing landed and the cursor stays.",
                where=f"Salesforce object {object_name}",
                fix="Run again; records may have changed while they were read.",
            )

    return WindowRows(rows(), window_rows.source_count, window_rows.counted_by, window_rows.details)
