"""The one source of events: attempts, time and retries, in virtual time."""

from typing import Any

import pytest
import reactivex as rx

from allm_rx.abc.adapter import Call
from allm_rx.adapters.fake import Fake, Script, delay, error
from allm_rx.data.events import Error, Event, MessageRestarted
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.requests import Request
from allm_rx.errors import EngineError
from allm_rx.execution.resolve import resolve
from allm_rx.execution.source import source
from allm_rx.runtime.engine import Engine
from allm_rx.testing.marbles import observe

QUICK = RetryPolicy(base_delay=1, max_delay=8, jitter=0)
OVERLOADED = error("overloaded", "Busy.", status=529)


def stream_of(adapter: Any, **options: Any) -> rx.Observable[Event]:
    return source(resolve(Engine(adapter=adapter, model="m"), "Hi", options, function="stream_generate"))  # type: ignore[arg-type]


def played(adapter: Any, **options: Any) -> list[tuple[float, str]]:
    """The type of each event, or the kind of the terminal, with its second since the subscription."""
    found: list[tuple[float, str]] = []
    for message in observe(stream_of(adapter, **options), disposed=100_000):
        notification: Any = message.value
        value = getattr(notification, "value", None)
        found.append((message.time - 200, notification.kind if value is None else value.type))
    return found


def failure_of(adapter: Any, **options: Any) -> Any:
    """The failure of the one `error` event."""
    values = [getattr(message.value, "value", None) for message in observe(stream_of(adapter, **options), disposed=100_000)]
    (found,) = [value.failure for value in values if isinstance(value, Error)]
    return found


class Custom:
    """An adapter that does as it is told."""

    provider = "custom"

    def __init__(self, streams: list[Any]) -> None:
        self.streams = iter(streams)

    def preflight(self, request: Request, call: Call, /) -> None: ...

    def stream(self, request: Request, call: Call, /) -> rx.Observable[Event]:
        given = next(self.streams)
        if isinstance(given, Exception):
            raise given
        return given


# Failures.


def test_an_error_of_ours_arrives_in_band() -> None:
    """What an adapter raises or sends to `on_error` is one `error` event, then completion."""
    gone = EngineError("missing_key", "The key is gone.")

    raised, sent = Custom([gone]), Custom([rx.throw(gone)])

    assert [played(adapter, retry=False) for adapter in (raised, sent)] == [[(0, "error"), (0, "C")]] * 2


def test_a_defect_goes_to_on_error() -> None:
    """An exception that is not ours is no failure of the provider, and is not tried again."""
    adapter = Custom([rx.throw(LookupError("a defect"))])

    assert played(adapter, retry=QUICK) == [(0, "E")]


def test_the_adapter_is_asked_at_each_subscription() -> None:
    """Building a stream asks nobody; two subscriptions are two requests."""
    fake = Fake(scripts=[["a"], ["b"]])
    stream = stream_of(fake)
    counts = [len(fake.requests)]

    for _ in range(2):
        observe(stream)
        counts.append(len(fake.requests))

    assert counts == [0, 1, 2]


# Retries.


def test_a_failure_before_output_is_tried_again_after_growing_pauses() -> None:
    """The answer begins once; what the failed attempts said is withheld."""
    fake = Fake(scripts=[[OVERLOADED], [OVERLOADED], ["a"]])

    assert played(fake, retry=QUICK) == [
        (3, "message_started"),
        (3, "text_delta"),
        (3, "text_completed"),
        (3, "message_completed"),
        (3, "C"),
    ]


def test_the_last_failure_is_told() -> None:
    """When all attempts failed, the stream ends with the failure of the last one."""
    fake = Fake(scripts=[[OVERLOADED], [OVERLOADED], [error("server_error", "Last.", status=500)]])

    assert failure_of(fake, retry=QUICK).message == "Last."
    assert len(fake.requests) == 3


def test_retry_false_tries_once() -> None:
    """The switch turns it off for one call."""
    fake = Fake(script=[OVERLOADED])

    assert failure_of(fake, retry=False).reason == "overloaded"
    assert len(fake.requests) == 1


def test_after_output_nothing_is_tried_again() -> None:
    """What the subscriber saw stays true: the partial text, then the failure."""
    fake = Fake(script=["a", OVERLOADED])

    assert [kind for _, kind in played(fake, retry=QUICK)] == ["message_started", "text_delta", "error", "C"]
    assert len(fake.requests) == 1


def test_with_restart_the_subscriber_is_told_that_the_answer_begins_again() -> None:
    """`restart=True` allows it, with an event that voids what came before."""
    fake = Fake(scripts=[["a", OVERLOADED], ["b"]])
    policy = QUICK.replace(restart=True)

    values = [getattr(message.value, "value", None) for message in observe(stream_of(fake, retry=policy))]

    (restarted,) = [value for value in values if isinstance(value, MessageRestarted)]
    assert (restarted.attempt, restarted.failure.reason) == (2, "overloaded")
    assert len(fake.requests) == 2


def test_a_wait_that_the_provider_asks_for_is_kept() -> None:
    """`retry_after` replaces the pause of the policy."""
    fake = Fake(scripts=[[error("rate_limited", status=429, retry_after=5.0)], ["a"]])

    assert played(fake, retry=QUICK)[0] == (5, "message_started")


def test_a_wait_that_is_too_long_is_told_at_once() -> None:
    """Longer than `max_delay` nobody waits: the failure comes with the seconds in it."""
    fake = Fake(scripts=[[error("rate_limited", status=429, retry_after=60.0)], ["a"]])

    assert failure_of(fake, retry=QUICK).retry_after == 60
    assert len(fake.requests) == 1


def test_leaving_in_a_pause_ends_it() -> None:
    """A subscriber that leaves between two attempts brings about no further one."""
    fake = Fake(scripts=[[OVERLOADED], ["a"]])

    assert observe(stream_of(fake, retry=QUICK), disposed=200.5) == []
    assert len(fake.requests) == 1


# Time.


@pytest.mark.parametrize(
    ("script", "timeouts", "name", "seconds"),
    [
        ([delay(50), "a"], Timeouts(first=10), "first", 10),
        (["a", delay(50), "b"], Timeouts(stall=20), "stall", 20),
        (["a", delay(15), "b", delay(15), "c", delay(15)], Timeouts(stall=20, total=40), "total", 40),
    ],
)
def test_a_provider_that_is_too_slow_is_left(script: Script, timeouts: Timeouts, name: str, seconds: float) -> None:
    """The failure names which time was up and how long it was; the provider is not waited for any longer."""
    fake = Fake(script=script)

    failure = failure_of(fake, timeouts=timeouts, retry=False)

    assert (failure.kind, failure.reason) == ("AdapterError", "timeout")
    assert failure.details == {"timeout": name, "seconds": seconds}
    assert (failure.provider, failure.request_id is not None, fake.disposals) == ("fake", True, 1)


def test_first_counts_per_attempt_and_total_over_all() -> None:
    """Each attempt has its ten seconds; all together have twenty-five, pauses included."""
    fake = Fake(script=[delay(50), "a"])
    timeouts = Timeouts(first=10, total=25)

    assert played(fake, timeouts=timeouts, retry=QUICK.replace(max_attempts=9)) == [(25, "error"), (25, "C")]
    assert len(fake.requests) == 3


def test_a_timeout_before_output_is_tried_again() -> None:
    """A provider that hung once may answer the next time."""
    fake = Fake(scripts=[[delay(50)], ["a"]])

    assert played(fake, timeouts=Timeouts(first=10), retry=QUICK)[0] == (11, "message_started")


def test_without_timeouts_a_provider_may_take_for_ever() -> None:
    """None is no limit, not a long one."""
    forever = Timeouts(first=None, idle=None, stall=None, total=None)

    assert played(Fake(script=[delay(50_000), "a"]), timeouts=forever)[-1] == (50_000, "C")
