"""Turn whatever ended a run into an error that the user can act on.

What belongs here: finding the cause inside the wrappers of Dagster, dbt and libraries. What does not: the errors that
our packages raise.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from storage.errors import SalesopsError
from storage.home import Home
from storage.room import DiskFull, has_room, is_disk_full, is_out_of_room
from storage.settings import PROJECT_ROOT


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
    """Our own innermost line: the place to start reading."""
    for cause in reversed(chain):
        frames = [frame for frame in traceback.extract_tb(cause.__traceback__) if _is_ours(Path(frame.filename))]
        if frames:
            return (
                f"{Path(frames[-1].filename).relative_to(PROJECT_ROOT)}, line {frames[-1].lineno}, in {frames[-1].name}"
            )
    return ""


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(PROJECT_ROOT) and not any(
        part.startswith(".") or part == "site-packages" for part in path.parts
    )
