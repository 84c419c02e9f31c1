"""What can go wrong with a request: the kinds of fault, each with the requests that it is about.

What belongs here: what a fault says. What does not: when it is due (`fault_plan`), and carrying it out, which `middleware` does for any answer and
`salesforce_effects` for jobs, fields and records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

NEW_JOB = "/jobs/query/?$"
RESULTS = "/jobs/query/[^/]+/results"
LATER_PAGE = r"/results\?.*locator=|/query(All)?/01g"
ANY_NUMBER = "/jobs/query/[^/]+|/query(All)?/?[?]"


@dataclass(frozen=True)
class RequestFacts:
    """What faults look at in a request: `address` is path and query string, `object_name` the Salesforce object it is about, if any."""

    method: str
    address: str
    object_name: str | None = None


class Fault(BaseModel):
    """A fault and the requests that it meets: those that fit `method`, `path` and `object`, from the n-th on, so many times.

    Attributes:
        method: HTTP method; empty is any.
        path: Regular expression, looked for in path and query string.
        object: Salesforce object that the request is about; empty is any.
        nth: The first fitting request that it meets, counted from 1 from when the fault is added.
        times: How many requests it meets; None is every one from then on.
        probability: Of meeting a request that it could meet, drawn from `seed`.
        seed: Start of the draws.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = ""
    path: str = ""
    object: str = ""
    nth: int = Field(1, ge=1)
    times: int | None = Field(1, ge=1)
    probability: float = Field(1.0, gt=0, le=1)
    seed: int = 0

    @field_validator("path")
    @classmethod
    def _check_pattern(cls, path: str) -> str:
        try:
            re.compile(path)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return path

    def fits(self, request: RequestFacts) -> bool:
        """Whether it is about requests like this one."""
        is_method = not self.method or self.method.upper() == request.method
        is_object = not self.object or self.object.lower() == (request.object_name or "").lower()
        return is_method and is_object and re.search(self.path, request.address) is not None


class WrongStatus(Fault):
    """Another answer than the true one."""

    kind: Literal["status"] = "status"
    status: int
    body: str = ""
    headers: dict[str, str] = {}


class Conflict(Fault):
    """409 where results are asked for, as when the job's data is not to be had just now."""

    kind: Literal["conflict"]
    path: str = RESULTS


class Slow(Fault):
    """The answer comes after so many seconds."""

    kind: Literal["slow"]
    seconds: float = Field(gt=0)


class Drop(Fault):
    """The connection closes, before the answer or after so many bytes of its body; the headers promise the whole."""

    kind: Literal["drop"]
    after_bytes: int | None = Field(None, ge=1)


class Truncate(Fault):
    """The CSV of a page ends early, while its headers count all rows and no connection breaks.

    Attributes:
        rows: How many rows are whole.
        within: Where the CSV ends after them: there, before the last one's line break, within the next row, or within a value of it.
    """

    kind: Literal["truncate"]
    path: str = RESULTS
    rows: int = Field(0, ge=0)
    within: Literal["", "line_end", "row", "value"] = ""


class NoUnicode(Fault):
    """Where a page's CSV says `text`, it has the bytes of `hex` instead, which are no UTF-8, as a value cut within a character is."""

    kind: Literal["no_unicode"]
    path: str = RESULTS
    text: str = Field(min_length=1)
    hex: str


class WrongCount(Fault):
    """The number that the answer gives is off: a page's header, a job's `numberRecordsProcessed`, or a query's `totalSize`."""

    kind: Literal["wrong_count"]
    method: str = "GET"
    path: str = ANY_NUMBER
    by: int


class JobFault(Fault):
    """A job takes another course than to be complete when first looked at; met by the request that makes it.

    Attributes:
        looks: How often the job shows `InProgress` first.
        message: Its `errorMessage`.
    """

    method: str = "POST"
    path: str = NEW_JOB
    looks: int = Field(0, ge=0)
    message: str = ""


class JobFails(JobFault):
    """The job ends as `Failed`."""

    kind: Literal["job_fails"]
    message: str = "InternalServerError : Error while processing the query"


class JobAborted(JobFault):
    """The job ends as `Aborted`, by somebody else's hand."""

    kind: Literal["job_aborted"]
    message: str = "Aborted by an administrator"


class JobNeverEnds(JobFault):
    """The job shows `InProgress` until it is aborted."""

    kind: Literal["job_never_ends"]


class JobTakesLooks(JobFault):
    """The job is complete after some looks."""

    kind: Literal["job_takes_looks"]


class SchemaFault(Fault):
    """A change of `object`'s fields that lasts. Without a path it holds at once, else from the request on that it meets."""

    object: str
    field: str


class VanishField(SchemaFault):
    """The field is gone from `describe`, and a query that names it is refused."""

    kind: Literal["vanish_field"]


class AddField(SchemaFault):
    """There is a new field of a DuckDB type; every record has `value` in it, and none has another stamp for it; one that vanished comes back.

    Attributes:
        calculated: Whether `describe` calls it a formula.
    """

    kind: Literal["add_field"]
    type: str = "VARCHAR"
    value: Any = None
    calculated: bool = False


class RetypeField(SchemaFault):
    """`describe` calls the field another (Salesforce) type; the values are spelled as before."""

    kind: Literal["retype_field"]
    type: str


class EditWhilePaging(Fault):
    """Records of `object` change just before the request is answered, by default before the second page of its query or job.

    Attributes:
        rows: As `POST /simulation/records` takes them.
        purged: Ids of records that leave the bin.
    """

    kind: Literal["edit_while_paging"]
    path: str = LATER_PAGE
    object: str
    rows: list[dict[str, Any]] = []
    purged: list[str] = []


AnyFault = (
    WrongStatus
    | Conflict
    | Slow
    | Drop
    | Truncate
    | NoUnicode
    | WrongCount
    | JobFails
    | JobAborted
    | JobNeverEnds
    | JobTakesLooks
    | VanishField
    | AddField
    | RetypeField
    | EditWhilePaging
)


class _Envelope(BaseModel):
    fault: AnyFault = Field(discriminator="kind")


def read_fault(values: dict[str, Any]) -> AnyFault:
    """A fault from JSON; `kind` may be left out for a status.

    Raises:
        pydantic.ValidationError: It is none.
    """
    return _Envelope.model_validate({"fault": {"kind": "status"} | values}).fault
