"""The client of the fault servers' own routes (`routes`, `salesforce_routes`), for the process that started them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from requests import Response, Session

from storage.errors import SalesopsError


class ServerRefused(SalesopsError):
    """A fault server was asked for something that it does not understand or cannot do."""


class ServerControl:
    """Control of one server.

    Args:
        base_url: The server's, such as `Endpoints.salesforce_login_url`.
        ca_file: `Endpoints.ca_file`.

    Every call raises `ServerRefused` where the server does not understand it.
    """

    def __init__(self, base_url: str, ca_file: Path) -> None:
        self.base_url = base_url
        self.ca_file = ca_file
        self._session = Session()
        self._session.trust_env = False

    def fault(self, kind: str, **options: Any) -> None:
        """Let a fault come: its kind, which requests it meets, and what it does (`faults`)."""
        self._call("POST", "faults", {"kind": kind, **options})

    def limit_exceeded(self, path: str = "/services/data/", **options: Any) -> None:
        """Refuse a request as Salesforce does when the day's requests are used up; also at sign-in, where `path` says so."""
        body = '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]'
        self.fault(
            "status",
            path=path,
            status=403,
            body=body,
            headers={"Content-Type": "application/json;charset=UTF-8"},
            **options,
        )

    def session_expired(self, path: str = "/services/data/", **options: Any) -> None:
        """Refuse a request as if its session had ended; the session stays good for the next."""
        body = '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'
        self.fault(
            "status",
            path=path,
            status=401,
            body=body,
            headers={"Content-Type": "application/json;charset=UTF-8"},
            **options,
        )

    def faults(self) -> list[dict[str, Any]]:
        """The faults added, with `fitting` and `met`: how many requests each could meet and did meet."""
        planned: list[dict[str, Any]] = self._call("GET", "faults").json()
        return planned

    def clear_faults(self) -> None:
        """Let no fault come any more."""
        self._call("DELETE", "faults")

    def records(self, object_name: str, rows: Sequence[dict[str, Any]], types: dict[str, str] | None = None) -> None:
        """Add or change records; a column that a row does not name keeps its value (`types`: DuckDB types of columns)."""
        self._call("POST", "records", {"object": object_name, "rows": list(rows), "types": types or {}})

    def purge(self, object_name: str, ids: Sequence[str]) -> None:
        """Take records out of the bin: gone from queryAll too."""
        self._call("DELETE", "records", {"object": object_name, "ids": list(ids)})

    def present(self, object_name: str) -> list[dict[str, str | None]]:
        """Every record of an object by Id, deleted ones too; values spelled as Bulk API 2.0 does, empty ones None."""
        rows: list[dict[str, str | None]] = self._call("GET", f"records/{object_name}").json()
        return rows

    def expire_sessions(self) -> None:
        """End every session."""
        self._call("DELETE", "sessions")

    def set_limits(self, **options: int) -> None:
        """Set `max` and `used` requests of the day."""
        self._call("POST", "limits", options)

    def set_bulk(self, **options: Any) -> None:
        """Set `page_rows` (rows of a result page that the server cuts) and `compress` (gzip for those who take it)."""
        self._call("POST", "bulk", options)

    def requests(self) -> dict[str, int]:
        """How often what was asked: `GET /services/data/v66.0/query` → count."""
        counts: dict[str, int] = self._call("GET", "requests").json()
        return counts

    def _call(self, method: str, what: str, values: dict[str, Any] | None = None) -> Response:
        answer = self._session.request(
            method, f"{self.base_url}/simulation/{what}", json=values, verify=str(self.ca_file), timeout=60
        )
        if not answer.ok:
            raise ServerRefused(
                f"The fault server refuses it: {answer.text}",
                where=f"{method} /simulation/{what}",
                fix="See `tests/support/fault_servers`.",
            )
        return answer
