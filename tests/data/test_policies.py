"""Policies: what is retried, and how long is waited."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.data.failures import Failure, FailureKind
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.errors import ValidationError


def failure(reason: str = "server_error", kind: FailureKind = "AdapterError", **facts: Any) -> Failure:
    """A failure of the provider."""
    return Failure(kind=kind, reason=reason, message="x", **facts)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_statuses_that_heal_are_retried(status: int) -> None:
    """These say that another try may succeed."""
    assert RetryPolicy().allows(failure(status=status))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 501])
def test_statuses_that_do_not_heal_are_not_retried(status: int) -> None:
    """The same request would fail again, whatever the reason was mapped to."""
    assert not RetryPolicy().allows(failure("server_error", status=status))


@pytest.mark.parametrize("reason", ["network_error", "timeout", "rate_limited", "overloaded", "server_error"])
def test_reasons_that_heal_are_retried(reason: str) -> None:
    """A failure without a status is judged by its reason; connection errors are among them."""
    assert RetryPolicy().allows(failure(reason))


def test_a_stream_that_broke_off_is_retried() -> None:
    """The policy allows it; whether output has been seen is the source's to know."""
    assert RetryPolicy().allows(failure("stream_interrupted", "StreamError"))


@pytest.mark.parametrize("reason", ["authentication_failed", "invalid_request", "malformed_response", "unknown"])
def test_reasons_that_do_not_heal_are_not_retried(reason: str) -> None:
    """A wrong key stays wrong."""
    assert not RetryPolicy().allows(failure(reason))


@pytest.mark.parametrize("details", [{}, {"should_retry": True}])
def test_a_used_up_quota_is_never_retried(details: dict[str, Any]) -> None:
    """Waiting does not fill an account, whatever the status and the headers say."""
    assert not RetryPolicy().allows(failure("quota_exceeded", status=429, details=details))


@pytest.mark.parametrize(("verdict", "status"), [(True, 400), (False, 503)])
def test_the_verdict_of_the_provider_beats_the_status(verdict: bool, status: int) -> None:
    """The server knows best whether another try makes sense."""
    assert RetryPolicy().allows(failure(status=status, details={"should_retry": verdict})) is verdict


def test_a_verdict_that_is_no_flag_is_none() -> None:
    """Only true and false are verdicts."""
    assert not RetryPolicy().allows(failure(status=400, details={"should_retry": "yes"}))


def test_what_is_retried_can_be_chosen() -> None:
    """Statuses and reasons mix."""
    policy = RetryPolicy(retry_on=frozenset({404, "unknown"}))

    assert policy.allows(failure(status=404))
    assert policy.allows(failure("unknown"))
    assert not policy.allows(failure(status=503))


def test_delays_double_up_to_the_longest() -> None:
    """Without jitter they are 0.5, 1, 2, ... 30 seconds."""
    policy = RetryPolicy(jitter=0)

    delays = [policy.delay(attempt, failure(), chance=0.9) for attempt in range(1, 9)]

    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(("chance", "delay"), [(0, 0.5), (0.5, 0.625), (1, 0.75)])
def test_jitter_is_added_by_chance(chance: float, delay: float) -> None:
    """Many clients that failed together do not come back together."""
    assert RetryPolicy().delay(1, failure(), chance=chance) == delay


@pytest.mark.parametrize(("asked", "delay"), [(7, 7), (0.25, 0.25), (30, 30)])
def test_the_provider_says_how_long(asked: float, delay: float) -> None:
    """`Retry-After` is waited for exactly, also when it is shorter than the backoff."""
    assert RetryPolicy(jitter=0).delay(5, failure(retry_after=asked), chance=0) == delay


@pytest.mark.parametrize("asked", [30.5, 3600, float("inf")])
def test_a_wait_beyond_the_longest_is_no_wait(asked: float) -> None:
    """The error comes at once, with `retry_after` set, so that the caller decides."""
    assert RetryPolicy().delay(1, failure(retry_after=asked), chance=0) is None


@pytest.mark.parametrize("asked", [0, -5, float("nan")])
def test_a_wait_that_is_no_time_falls_back_to_the_backoff(asked: float) -> None:
    """A date that has passed does not make a negative delay."""
    assert RetryPolicy(jitter=0).delay(2, failure(retry_after=asked), chance=0) == 1


def test_a_wait_can_be_disrespected() -> None:
    """Who knows better waits as the policy says."""
    policy = RetryPolicy(jitter=0, respect_retry_after=False)

    assert policy.delay(1, failure(retry_after=3600), chance=0) == 0.5


@given(attempt=st.integers(1, 1_000_000), chance=st.floats(0, 1))
def test_a_delay_is_always_between_nothing_and_the_longest(attempt: int, chance: float) -> None:
    """However many attempts there were."""
    delay = RetryPolicy().delay(attempt, failure(), chance=chance)

    assert delay is not None
    assert 0.5 <= delay <= 30.25


def test_a_base_beyond_the_longest_is_refused() -> None:
    """A policy that contradicts itself says so."""
    with pytest.raises(ValidationError, match=r"`base_delay` 60\.0 is longer than `max_delay` 30\.0: lower one or raise"):
        RetryPolicy(base_delay=60)


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_attempts", 0), ("base_delay", -1), ("max_delay", -1), ("jitter", -0.1), ("jitter", float("nan"))],
)
def test_a_policy_that_makes_no_sense_is_refused(field: str, value: float) -> None:
    """There is at least one attempt, and no time runs backwards."""
    with pytest.raises(ValidationError) as caught:
        RetryPolicy.model_validate({field: value})

    assert caught.value.errors[0].path == (field,)


def test_the_default_time_limits_are_those_of_the_contract() -> None:
    """A call without options ends some time, but a model may think long."""
    assert dict(Timeouts()) == {"connect": 10, "first": 600, "idle": 120, "stall": None, "total": None}


@pytest.mark.parametrize("field", ["connect", "first", "idle", "stall", "total"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_time_limit_is_a_positive_time_or_none(field: str, value: float) -> None:
    """Nought would fail every call; None waits for ever."""
    with pytest.raises(ValidationError) as caught:
        Timeouts.model_validate({field: value})

    assert caught.value.errors[0].path == (field,)
    assert dict(Timeouts.model_validate({field: None}))[field] is None
