"""What faults do to the Salesforce server's jobs, fields and records."""

from __future__ import annotations

import json
import math
import re

from simulation.servers.bulk import QueryJob
from simulation.servers.errors import SalesforceError
from simulation.servers.salesforce_app import SalesforceService
from tests.support.fault_servers.changeable_company import ChangeableCompany
from tests.support.fault_servers.effects import Effects
from tests.support.fault_servers.faults import (
    EditWhilePaging,
    JobAborted,
    JobFails,
    JobFault,
    JobNeverEnds,
    SchemaFault,
)

_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
_JOB = re.compile(r"/jobs/query/(\w+)")
_ONE_JOB = re.compile(r"/jobs/query/(\w+)/?$")
_OBJECT = re.compile(r"/sobjects/(\w+)")
_CURSOR = re.compile(r"/query(?:All)?/(\w+)-")


class SalesforceEffects(Effects):
    """The effects on one server.

    Args:
        service: The server's.
        company: The same company that the service answers from.
    """

    def __init__(self, service: SalesforceService, company: ChangeableCompany) -> None:
        self.service = service
        self.company = company
        self._looks_left: dict[str, float] = {}

    def name_object(self, address: str, body: bytes) -> str | None:
        """The object of a request's query, its job, its cursor, or its path."""
        if job := _JOB.search(address):
            made = self._find_job(job[1])
            return made.object_name if made else None
        if found := _OBJECT.search(address):
            return found[1]
        if "/query" in address and (found := _FROM.search(address) or _FROM.search(body.decode(errors="replace"))):
            return found[1]
        cursor = _CURSOR.search(address)
        rows = self.service.cursors.get(cursor[1]) if cursor else None
        return str(json.loads(rows[0])["attributes"]["type"]) if rows else None

    def count_unanswered(self, path: str) -> None:
        """Count it against the day's limit."""
        self.service.limit.count_request(path)

    def change(self, fault: SchemaFault | EditWhilePaging) -> None:
        """Change fields or records."""
        if isinstance(fault, SchemaFault):
            self.company.change_schema(fault)
            return
        self.company.put_records(fault.object, fault.rows, {})
        if fault.purged:
            self.company.purge_records(fault.object, fault.purged)

    def change_job(self, fault: JobFault, answer: bytes) -> None:
        """Put a job on another course: it shows `InProgress` while looks are left, as if its rows were still being written."""
        made = json.loads(answer)
        if "id" not in made:  # refused
            return
        job = self.service.bulk.jobs.find(made["id"])
        job.written.wait()
        job.state, job.error_message = "InProgress", fault.message
        job.outcome = (
            "Failed" if isinstance(fault, JobFails) else "Aborted" if isinstance(fault, JobAborted) else "JobComplete"
        )
        looks = math.inf if isinstance(fault, JobNeverEnds) else fault.looks
        if looks:
            job.written.clear()
            self._looks_left[job.job_id] = looks

    def note_answer(self, method: str, path: str, status: int) -> None:
        """Count a look at a job; after the last one that shows `InProgress` its rows are there."""
        asked = _ONE_JOB.search(path) if method == "GET" and status == 200 else None
        if asked and asked[1] in self._looks_left and (job := self._find_job(asked[1])):
            self._looks_left[job.job_id] -= 1
            if self._looks_left[job.job_id] == 0:
                job.written.set()

    def _find_job(self, job_id: str) -> QueryJob | None:
        try:
            return self.service.bulk.jobs.find(job_id)
        except SalesforceError:
            return None
