"""Bulk jobs whose rows are not there yet when the job is made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from simulation.servers import bulk
from simulation.servers.bulk import QueryJob, QueryJobs
from simulation.servers.errors import SalesforceError
from simulation.servers.queries import render_csv
from simulation.servers.state import CompanyState
from tests.servers_sample import CLOCK, LEADS, write_company

ASKED = {"operation": "queryAll", "query": "SELECT Id FROM Lead"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> CompanyState:
    return CompanyState(write_company(tmp_path_factory.mktemp("simulation")))


@pytest.fixture
def jobs(state: CompanyState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> QueryJobs:
    monkeypatch.setattr(bulk, "PATIENCE_SECONDS", 0.05)
    return QueryJobs(state, tmp_path)


def look(job: QueryJob) -> str:
    job.look()
    return job.state


def test_a_job_is_in_progress_until_its_rows_are_there(jobs: QueryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()

    def render_slowly(*given: Any) -> Iterator[pa.Array]:
        may_go_on.wait(30)
        yield from render_csv(*given)

    monkeypatch.setattr(bulk, "render_csv", render_slowly)
    job = jobs.create(ASKED, "66.0", CLOCK)

    assert [look(job) for _ in range(3)] == ["InProgress"] * 3
    assert job.describe()["numberRecordsProcessed"] == 0
    with pytest.raises(SalesforceError, match="InProgress"):
        jobs.read_page(job.job_id, "66.0", None, 10)

    may_go_on.set()
    assert job.written.wait(30)
    assert look(job) == "JobComplete"
    assert (
        job.describe()["numberRecordsProcessed"] == jobs.read_page(job.job_id, "66.0", None, 10_000).row_count == LEADS
    )


def test_a_job_whose_rows_cannot_be_had_fails(jobs: QueryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def render_nothing(*_: Any) -> Iterator[pa.Array]:
        raise OSError("No space left on device")

    monkeypatch.setattr(bulk, "render_csv", render_nothing)
    job = jobs.create(ASKED, "66.0", CLOCK)

    assert job.written.wait(30)
    job.look()
    assert (job.state, job.describe()["errorMessage"]) == ("Failed", "InternalServerError : No space left on device")
