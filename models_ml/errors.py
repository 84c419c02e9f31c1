"""Model errors that a user can act on."""

from __future__ import annotations

from storage.errors import SalesopsError


class ModelError(SalesopsError):
    """A model cannot be fitted, stored or read. Too little data is not an error: it becomes an evaluation row."""
