"""What can go wrong with boards and commission lines, in words a user can act on. Files that cannot be used: `storage.operator_files`."""

from __future__ import annotations

from storage.errors import SalesopsError


class IncentivesError(SalesopsError):
    """Something in plans, boards or commission lines that the user can put right."""


class UnknownLineError(IncentivesError):
    """No commission line has this id."""
