"""User-facing errors in boards and commission lines. Unusable files: `storage.operator_files`."""

from __future__ import annotations

from storage.errors import SalesopsError


class IncentivesError(SalesopsError):
    """A problem in plans, boards or commission lines that the user can fix."""


class UnknownLineError(IncentivesError):
    """No commission line has this id."""
