"""Failures: an error as a value, there and back."""

import pickle
from typing import Any, get_args

import pytest
from hypothesis import given
from pydantic import SecretStr

from allm_rx.data.failures import Failure, FailureKind
from allm_rx.errors import AdapterError, AllmError, Issue, SubscriberError, ToolError, ValidationError
from tests.strategies import CLASSES, failures

REASONS = [(kind, reason) for kind, cls in CLASSES.items() for reason in sorted(cls.reasons)]


def test_every_class_has_a_kind() -> None:
    """No error of ours is without a form that can be saved."""
    assert set(get_args(FailureKind)) == set(CLASSES)


@pytest.mark.parametrize(("kind", "reason"), REASONS)
def test_every_reason_goes_there_and_back(kind: str, reason: str) -> None:
    """A failure makes the exception it was made from."""
    error = CLASSES[kind](
        reason,
        "what, and what to do",
        provider="p",
        status=429,
        retry_after=1.5,
        request_id="r",
        provider_request_id="pr",
        code="c",
        details={"a": [1]},
    )

    again = Failure.of(error).exception()

    assert type(again) is type(error)
    assert (again.reason, again.message, again.facts()) == (error.reason, error.message, error.facts())


@given(failures)
def test_every_failure_goes_there_and_back(failure: Failure) -> None:
    """Nothing is lost in either direction, nor through pickle on the way."""
    assert Failure.of(failure.exception()) == failure
    assert Failure.of(pickle.loads(pickle.dumps(failure.exception()))) == failure


def test_all_issues_of_a_validation_error_are_kept() -> None:
    """A saved failure still tells every path."""
    issues = (Issue(("messages", 2, "role"), "unknown", "who?"), Issue((), "empty", "nothing"))
    failure = Failure.of(ValidationError.of("invalid_request", *issues))

    loaded = Failure.model_validate_json(failure.model_dump_json()).exception()

    assert isinstance(loaded, ValidationError)
    assert loaded.errors == issues


def test_an_exception_of_somebody_else_is_unknown() -> None:
    """Its class and its text are told."""
    assert Failure.of(ZeroDivisionError("division by zero")) == Failure(
        kind="AdapterError",
        reason="unknown",
        message="ZeroDivisionError: division by zero",
        details={"exception": "ZeroDivisionError"},
    )


def test_what_a_subscriber_raised_is_no_failure_of_ours() -> None:
    """It stands beside our tree, and counts as somebody else's."""
    failure = Failure.of(SubscriberError(KeyError("x")))

    assert (failure.kind, failure.reason, failure.details) == ("AdapterError", "unknown", {"exception": "SubscriberError"})


def test_a_derived_class_counts_as_the_one_of_ours() -> None:
    """Who derives an error of ours keeps its reasons."""

    class MyToolError(ToolError):
        pass

    assert Failure.of(MyToolError("timeout", "late")).kind == "ToolError"


def test_details_that_json_cannot_hold_are_described() -> None:
    """An error can always be saved."""
    cycle: list[Any] = []
    cycle.append(cycle)
    error = AdapterError("unknown", "x", details={"raw": b"\xff", "cycle": cycle, "class": int})

    assert Failure.of(error).details == {"raw": "_w==", "cycle": "[[...]]", "class": "<class 'int'>"}


def test_an_exception_that_cannot_tell_its_text_is_told_nevertheless() -> None:
    """A broken exception of somebody else does not hide that something failed."""

    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert Failure.of(SilentError()).message == "SilentError: (its text cannot be read)"


def test_a_text_with_half_a_character_can_be_saved() -> None:
    """The names of files hold such halves."""
    failure = Failure.of(FileNotFoundError("caf\udce9"))

    assert failure.message == "FileNotFoundError: caf\ufffd"
    assert Failure.model_validate_json(failure.model_dump_json()) == failure


def test_a_secret_in_the_details_stays_one() -> None:
    """What was wrapped as a secret is masked wherever it goes."""
    error = AdapterError("authentication_failed", "no", details={"key": SecretStr("sk-12345")})
    failure = Failure.of(error)

    told = repr(error) + str(error) + repr(failure) + failure.model_dump_json() + repr(failure.exception())

    assert "sk-12345" not in told
    assert failure.details == {"key": "**********"}


def test_a_reason_of_another_class_is_refused() -> None:
    """A failure that no exception could stand for is told where it is made."""
    with pytest.raises(ValidationError) as caught:
        Failure(kind="ToolError", reason="rate_limited", message="x")

    assert caught.value.errors[0].path == ("reason",)
    assert "ToolError has no reason 'rate_limited': use one of encoding_failed, handler_raised" in str(caught.value)


def test_the_cause_stays_behind() -> None:
    """A failure is data: the exception that caused it is not."""
    error = AdapterError("network_error", "no route", cause=OSError("secret detail"))

    again: AllmError = Failure.of(error).exception()

    assert (error.cause is error.__cause__, again.cause) == (True, None)
