"""Refusals in the words of the real services, and failures to start the local servers."""

from __future__ import annotations

from storage.errors import SalesopsError


class ServerStartError(SalesopsError):
    """The local servers did not start."""


class SalesforceError(Exception):
    """A non-success answer of the Salesforce REST API: `[{"message", "errorCode"}]` with an HTTP status.

    Args:
        status: HTTP status.
        code: Salesforce's error code, such as `INVALID_FIELD`.
        message: Salesforce's text.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    @classmethod
    def at(cls, code: str, soql: str, position: int, message: str) -> SalesforceError:
        """A refused query: the message quotes the text around `position` (0-based) and names row and column, as Salesforce does."""
        row = soql.count("\n", 0, position) + 1
        column = position - (soql.rfind("\n", 0, position) + 1)
        line = soql.splitlines()[row - 1] if soql else ""
        start = max(0, column - 30)
        excerpt = line[start : column + 40]
        return cls(
            400, code, f"\n{excerpt}\n{' ' * (column - start)}^\nERROR at Row:{row}:Column:{column + 1}\n{message}"
        )
