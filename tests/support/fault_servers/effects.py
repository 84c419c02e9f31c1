"""What faults can do to a server beside its answers. The telephony server knows none of it."""

from __future__ import annotations

from tests.support.fault_servers.faults import EditWhilePaging, JobFault, SchemaFault


class Effects:
    """What the middleware asks of a server; here a server without objects, jobs and a daily limit."""

    def name_object(self, address: str, body: bytes) -> str | None:
        """The Salesforce object that a request is about."""
        return None

    def count_unanswered(self, path: str) -> None:
        """A request that a fault keeps from the server: it counts against the day's limit all the same."""

    def change(self, fault: SchemaFault | EditWhilePaging) -> None:
        """Change fields or records, before the request that met the fault is answered."""

    def change_job(self, fault: JobFault, answer: bytes) -> None:
        """Put a job on another course, before the client gets the answer that made it."""

    def note_answer(self, method: str, path: str, status: int) -> None:
        """The server answers: it may have said how far a job is."""
