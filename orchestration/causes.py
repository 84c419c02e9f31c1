"""Turn whatever ended a run into an error that the user can act on.

What belongs here: finding the cause inside the wrappers of Dagster, dbt and libraries. What does not: the errors that
our packages raise.
"""

from __future__ import annotations

from storage.errors import SalesopsError, find_own_frame, name_file
from storage.home import Home
from storage.room import DiskFull, has_room, is_disk_full, is_out_of_room


class RunFailed(SalesopsError):
    """A step failed because of a bug in this program or in a library."""


def find_cause(error: BaseException, home: Home) -> SalesopsError:
    """The error to show the user: a full disk, else the first error of ours, else the deepest error with its line."""
    chain = _unwrap(error)
    ours = next((cause for cause in chain if isinstance(cause, SalesopsError)), None)
    if isinstance(ours, DiskFull):
        return ours
    is_full = any(is_disk_full(cause) for cause in chain) and not (ours and has_room(home))
    if is_full or (ours is None and is_out_of_room(home)):
        return DiskFull.of(home, doing=ours.what if ours else "")
    if ours:
        return ours
    deepest = chain[-1]
    return RunFailed(
        f"The run failed because of a bug in Salesops or a library: {type(deepest).__name__}: {str(deepest).strip() or 'no message'}",
        where=_locate(chain),
        fix="What had landed and what was published before stays. Run again; if it fails again, please report it with this message. "
        "The run's page in `salesops ui` has the details.",
    )


def _unwrap(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or getattr(cause, "user_exception", None) or cause.__context__
    return chain


def _locate(chain: list[BaseException]) -> str:
    frame = next(filter(None, map(find_own_frame, reversed(chain))), None)
    return f"{name_file(frame)}, line {frame.lineno}, in {frame.name}" if frame else ""
