"""The steps that `benchmarks.ingestion` measures, each in its own process. Each step prints one JSON object.

    python -m benchmarks.ingestion_steps STEP [argument …]       with SALESOPS_HOME and the sources in the environment

Every step does its imports before starting its clock: `imports_mb` is the memory after imports, `peak_mb` the overall
peak.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.children import peak_memory_mb


def load_object(object_name: str, until: str, lake_folder: str) -> dict[str, Any]:
    """Load one object into the lake: rows, requests, seconds in total and from the first request for job results.

    `server_seconds` sums the times until each answer's headers arrived: the server's work, not its sending.
    """
    from ingestion.settings import load_settings_into_lake, read_allowed_values
    from ingestion.sources.salesforce.client import connect_salesforce
    from ingestion.sources.salesforce.extract import ingest_object
    from ingestion.sources.salesforce.objects import find_object
    from ingestion.sources.settings import load_settings
    from storage.lake import Lake

    _import_what_checks_need()
    imports = peak_memory_mb()
    settings, lake, known_at = load_settings(), Lake(Path(lake_folder)), datetime.fromisoformat(until)
    load_settings_into_lake(lake, settings.config_dir, known_at=known_at, run_id="benchmark")
    allowed = read_allowed_values(lake)
    started, cpu = time.perf_counter(), time.process_time()
    client = connect_salesforce(settings)
    completed: list[float] = []
    waited: list[float] = []

    def note(answer: Any, *args: Any, **kwargs: Any) -> None:
        waited.append(answer.elapsed.total_seconds())
        if not completed and ("/resultPages" in answer.url or "/results" in answer.url):
            completed.append(time.perf_counter() - answer.elapsed.total_seconds())

    client.session.hooks["response"].append(note)
    report = ingest_object(
        client, lake, find_object(object_name), until=known_at, run_id="benchmark", allowed_values=allowed
    )
    ended = time.perf_counter()
    return {
        "cpu_seconds": time.process_time() - cpu,
        "rows": report.landed + report.set_aside,
        "set_aside": report.set_aside,
        "seconds": ended - started,
        "seconds_from_completion": ended - completed[0] if completed else None,
        "requests": client.session.request_count,
        "server_seconds": sum(waited),
        "imports_mb": imports,
    }


def load_all(until: str, lake_folder: str) -> dict[str, Any]:
    """Load all objects into the lake, as a run's step `salesforce` does."""
    started_imports = time.perf_counter()
    from ingestion.landing import LandingReport
    from ingestion.settings import load_settings_into_lake, read_allowed_values
    from ingestion.sources.salesforce.client import connect_salesforce
    from ingestion.sources.salesforce.ingest import ingest_objects
    from ingestion.sources.salesforce.objects import OBJECTS
    from ingestion.sources.settings import load_settings
    from storage.lake import Lake

    _import_what_checks_need()
    imports = peak_memory_mb()
    settings, lake, known_at = load_settings(), Lake(Path(lake_folder)), datetime.fromisoformat(until)
    load_settings_into_lake(lake, settings.config_dir, known_at=known_at, run_id="benchmark")
    started = time.perf_counter()
    client = connect_salesforce(settings)
    allowed = read_allowed_values(lake)
    outcomes = dict(ingest_objects(client, lake, OBJECTS, until=known_at, run_id="benchmark", allowed_values=allowed))
    reports = [report for report in outcomes.values() if isinstance(report, LandingReport)]
    return {
        "rows": sum(report.landed + report.set_aside for report in reports),
        "objects": sum(not report.notice.endswith("skipped.") for report in reports),
        "seconds": time.perf_counter() - started,
        "import_seconds": started - started_imports,
        "requests": client.session.request_count,
        "imports_mb": imports,
    }


def save_result(object_name: str, until: str, file: str) -> dict[str, Any]:
    """Save an object's Bulk result as one CSV file: the bytes that both methods are measured on."""
    from simple_salesforce.bulk2 import Operation

    from ingestion.sources.salesforce.client import connect_salesforce
    from ingestion.sources.salesforce.soql import Window, select_query
    from ingestion.sources.settings import load_settings

    client = connect_salesforce(load_settings())
    fields = [field.name for field in client.fields(object_name)]
    query = select_query(object_name, fields, Window("SystemModstamp", None, datetime.fromisoformat(until)))
    job_id = client.bulk.create_job(Operation.query_all, query)["id"]
    while client.bulk.get_job(job_id, True)["state"] != "JobComplete":
        time.sleep(0.2)
    address, asked, rows = f"{client.bulk.bulk2_url}query/{job_id}/results", {"maxRecords": "50000"}, 0
    with Path(file).open("wb") as out:
        while asked.get("locator") != "null":
            answer = client.session.get(address, params=asked)
            answer.raise_for_status()
            out.write(answer.content if not rows else answer.content[answer.content.index(b"\n") + 1 :])
            rows += int(answer.headers["Sforce-NumberOfRecords"])
            asked["locator"] = answer.headers["Sforce-Locator"]
    client.session.delete(f"{client.bulk.bulk2_url}query/{job_id}")
    return {"rows": rows, "columns": len(fields), "bytes": Path(file).stat().st_size}


def convert_with_arrow(file: str, target: str) -> dict[str, Any]:
    """CSV → Parquet with pyarrow alone, all text, unchecked."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    imports = peak_memory_mb()
    with Path(file).open("rb") as opened:
        names = opened.readline().decode().strip().replace('"', "").split(",")
    started, cpu = time.perf_counter(), time.process_time()
    table = csv.read_csv(
        file,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    pq.write_table(table, target)
    ended = time.perf_counter()
    return {
        "cpu_seconds": time.process_time() - cpu,
        "rows": table.num_rows,
        "seconds": ended - started,
        "imports_mb": imports,
    }


def read_by_iterator(object_name: str, rows: str, target: str) -> dict[str, Any]:
    """simple-salesforce `query_all_iter` → pandas → Parquet, as documented; timed in all and from the first record."""
    import pandas as pd
    import requests
    from simple_salesforce import Salesforce

    from ingestion.sources.salesforce.client import connect_salesforce
    from ingestion.sources.settings import load_settings

    imports = peak_memory_mb()
    settings = load_settings()
    client = connect_salesforce(settings)
    fields = ", ".join(field.name for field in client.fields(object_name))
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(settings.salesforce_ca_file)
        plain = Salesforce(
            instance_url=client.session.instance_url, session_id=client.session.token, session=session, version="66.0"
        )
        started = time.perf_counter()
        records = plain.query_all_iter(f"SELECT {fields} FROM {object_name} LIMIT {int(rows)}", include_deleted=True)
        first = next(records)
        from_first = time.perf_counter()
        frame = pd.DataFrame([first, *records]).drop(columns="attributes")
        frame.to_parquet(target)
        ended = time.perf_counter()
    return {
        "rows": len(frame),
        "seconds": ended - started,
        "seconds_from_completion": ended - from_first,
        "imports_mb": imports,
    }


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step for step in (load_object, load_all, save_result, convert_with_arrow, read_by_iterator)
}


def _import_what_checks_need() -> None:
    """Import what the first check and calendar would: Great Expectations, holidays, and their dependencies."""
    import great_expectations.expectations
    import great_expectations.validator.validator  # noqa: F401
    import holidays.countries  # noqa: F401
    import pandas  # noqa: F401


def main() -> None:
    """Run one step."""
    found = STEPS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({**found, "peak_mb": round(peak_memory_mb(), 1)}))


if __name__ == "__main__":
    main()
