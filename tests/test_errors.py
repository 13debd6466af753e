"""Errors: the tree, the closed reasons, and what an error tells."""

import copy
import pickle
import re

import pytest
from pydantic import SecretStr

from allm_rx import errors
from allm_rx.errors import (
    AdapterError,
    AllmError,
    EngineError,
    Issue,
    SessionError,
    StreamError,
    SubscriberError,
    ToolError,
    UsageError,
    ValidationError,
)
from tests.strategies import CLASSES

REASONS: dict[type[AllmError], str] = {
    UsageError: "wrong_thread no_event_loop unknown_scheduler",
    EngineError: "missing_adapter missing_stream_adapter missing_model missing_key unknown_model_prefix virtual_time",
    ValidationError: "invalid_request invalid_message invalid_tool invalid_thread invalid_session unsupported_capability",
    SessionError: "wrong_status unknown_tool_call_id stale_write",
    AdapterError: "authentication_failed permission_denied not_found rate_limited quota_exceeded overloaded invalid_request"
    " context_length_exceeded content_filter timeout network_error server_error malformed_response no_scripted_response"
    " unknown",
    StreamError: "stream_interrupted malformed_stream record_too_large cancelled",
    ToolError: "invalid_arguments unknown_tool handler_raised timeout invalid_return encoding_failed not_executed",
}

every_class = pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES.keys())


def test_the_tree_says_who_has_to_act() -> None:
    """Calling code, provider, stream, tool; and beside them what a subscriber raised."""
    assert {cls: cls.__base__ for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, Exception)} == {
        AllmError: Exception,
        UsageError: AllmError,
        EngineError: UsageError,
        ValidationError: UsageError,
        SessionError: UsageError,
        AdapterError: AllmError,
        StreamError: AllmError,
        ToolError: AllmError,
        SubscriberError: Exception,
    }


@every_class
def test_reasons_are_closed(cls: type[AllmError]) -> None:
    """Each class has the reasons of the contract, and no other."""
    assert cls.reasons == frozenset(REASONS[cls].split())


@every_class
def test_a_reason_that_does_not_exist_is_a_bug_told_at_once(cls: type[AllmError]) -> None:
    """A typo is found where the error is made, and says which words there are."""
    known = ", ".join(sorted(cls.reasons))

    with pytest.raises(ValueError, match=re.escape(f"{cls.__name__} has no reason 'oops': use one of {known}.")):
        cls("oops", "x")


def test_the_root_cannot_be_raised() -> None:
    """`AllmError` is for `except`; who raises says who has to act."""
    with pytest.raises(ValueError, match="AllmError has no reason 'unknown'"):
        AllmError("unknown", "x")


@every_class
def test_an_error_tells_its_facts(cls: type[AllmError]) -> None:
    """What is known is an attribute, and the text of the exception is its message."""
    reason = min(cls.reasons)
    error = cls(reason, "what, do", provider="p", status=429, retry_after=1.5, request_id="r", code="c", details={"a": 1})

    assert (error.reason, error.message, str(error)) == (reason, "what, do", "what, do")
    assert error.facts() == {
        "provider": "p",
        "status": 429,
        "retry_after": 1.5,
        "request_id": "r",
        "provider_request_id": None,
        "code": "c",
        "details": {"a": 1},
    }


def test_the_repr_shows_what_is_known() -> None:
    """A log line has class, reason, message and facts, and no list of None."""
    error = AdapterError("rate_limited", "Slow down.", status=429, retry_after=0)

    assert repr(error) == "AdapterError('rate_limited', 'Slow down.', status=429, retry_after=0)"
    assert repr(ToolError("timeout", "Late.")) == "ToolError('timeout', 'Late.')"


def test_a_secret_is_not_in_the_repr() -> None:
    """What is wrapped as a secret stays one in a traceback."""
    error = AdapterError("authentication_failed", "No.", details={"key": SecretStr("sk-12345")})

    assert "sk-12345" not in repr(error)


def test_the_cause_is_the_cause_in_the_traceback_too() -> None:
    """Python shows what was underneath."""
    below = OSError("no route")

    error = AdapterError("network_error", "x", cause=below)

    assert (error.cause, error.__cause__) == (below, below)


def test_details_are_a_copy() -> None:
    """Who made the error can go on using its dict."""
    details = {"a": 1}
    error = ToolError("timeout", "x", details=details)

    details["a"] = 2

    assert error.details == {"a": 1}


@every_class
def test_an_error_crosses_a_process_border(cls: type[AllmError]) -> None:
    """Pickle and copy keep everything but the cause."""
    error = cls(min(cls.reasons), "what", provider="p", details={"a": [1]}, cause=OSError("x"))

    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is cls
        assert (again.reason, again.message, again.facts()) == (error.reason, error.message, error.facts())
        assert again.cause is None


def test_a_validation_error_tells_the_first_issue_and_counts_the_others() -> None:
    """One line is enough to begin with."""
    first = Issue(("messages", 2, "content", 0, "text"), "string_type", "It is no text.")

    one = ValidationError.of("invalid_request", first)
    three = ValidationError.of("invalid_request", first, Issue((), "a", "b"), Issue(("c",), "d", "e"))

    assert str(one) == "messages[2].content[0].text: It is no text."
    assert str(three) == "messages[2].content[0].text: It is no text. (and 2 more, see `errors`)"


def test_an_issue_of_the_whole_has_no_path() -> None:
    """What is wrong as a whole is told without a place."""
    assert str(ValidationError.of("invalid_request", Issue((), "json_invalid", "No JSON."))) == "No JSON."


def test_issues_cross_a_process_border() -> None:
    """Paths and codes are still there, as tuples."""
    error = ValidationError.of("invalid_tool", Issue(("tools", 0, "name"), "empty", "No name."))

    again: ValidationError = pickle.loads(pickle.dumps(error))

    assert again.errors == (Issue(("tools", 0, "name"), "empty", "No name."),)


def test_a_validation_error_without_issues_has_none() -> None:
    """A capability that is missing has no path."""
    assert ValidationError("unsupported_capability", "It takes no pictures.").errors == ()


def test_what_a_subscriber_raised_is_kept() -> None:
    """The message says what to mend, and `cause` is the exception itself."""
    cause = KeyError("total")

    error = SubscriberError(cause)

    assert str(error) == "A subscriber raised KeyError: 'total'. The request was closed; mend its `on_next`."
    assert (error.cause, error.__cause__) == (cause, cause)


def test_what_a_subscriber_raised_is_no_failure_of_a_call() -> None:
    """Retry and fallback look for `AllmError`, and must not act on it."""
    assert not isinstance(SubscriberError(KeyError()), AllmError)


def test_what_a_subscriber_raised_crosses_a_process_border() -> None:
    """With its cause."""
    again = pickle.loads(pickle.dumps(SubscriberError(KeyError("total"))))

    assert str(again) == str(SubscriberError(KeyError("total")))
    assert repr(again.cause) == "KeyError('total')"
