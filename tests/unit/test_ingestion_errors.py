"""Containing an unforeseen error: what is reported of it, what is not, and which errors end the whole run."""

from __future__ import annotations

import traceback

import pyarrow as pa
import pytest

from ingestion.errors import MailSignInError, UnexpectedError, combine_errors, contain
from storage.errors import StorageError


def contained(text: str) -> UnexpectedError:
    try:
        pa.array([text]).cast(pa.int64())
    except pa.ArrowInvalid as error:
        found = contain(error, "The feed was not taken.", where="feeds/quotas.csv", fix="Take it out.")
        assert isinstance(found, UnexpectedError)
        return found
    raise AssertionError("the cast went through")


def test_an_unforeseen_error_is_reported_by_kind_and_place_without_its_text() -> None:
    error = contained("jane@acme.example")
    assert "ArrowInvalid in tests/unit/test_ingestion_errors.py, line" in error.what
    assert (error.where, error.fix) == ("feeds/quotas.csv", "Take it out. Please report it with this message.")
    with pytest.raises(UnexpectedError) as caught:
        raise combine_errors([error])
    logged = "".join(traceback.format_exception(caught.value))
    assert "cast(pa.int64())" in logged
    assert "jane" not in logged


@pytest.mark.parametrize(
    "error",
    [StorageError("The lake cannot be written."), OSError(28, "No space left on device"), MemoryError()],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_no_other_part_would_survive_is_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        contain(error, "", where="", fix="")
    assert caught.value is error


def test_an_error_of_ours_stays_what_it_is() -> None:
    error = MailSignInError("The password is wrong.")
    assert contain(error, "", where="", fix="") is error
