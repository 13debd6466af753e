"""Going on with the next stream when one fails."""

from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.testing import ReactiveTest, Recorded, TestScheduler

from allm_rx import Engine, RetryPolicy, stream, stream_generate
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import error
from allm_rx.data.events import Error, Event, MessageRestarted, RawChunk
from allm_rx.data.failures import Failure, FailureKind
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError
from allm_rx.operators.attempts import falls_through
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.marbles import OVERLOADED, events, expect, items, observe

OTHER = Error(OVERLOADED.replace(message="The other one, too."))
"""What `x` stands for."""


def fallen(first: str, *others: str, **options: Any) -> list[Recorded[Any]]:
    """What a subscriber sees of the first stream, with the others behind it."""
    lookup = {"x": OTHER}
    return observe(events(first, lookup).pipe(lx.fallback(*(events(other, lookup) for other in others), **options)))


def engine(*script: Any) -> Engine:
    """An engine that answers so, and tries once."""
    return Engine(adapter=Fake(script=list(script)), model="fake-1", retry=False)


def test_before_output_the_failed_attempt_leaves_no_trace() -> None:
    """Its start and its error are withheld; the next stream begins at once."""
    assert fallen("s-(e,|)", "s-a------(d,|)") == expect("----(s,a)--(d,|)")


def test_the_first_that_succeeds_is_the_last_tried() -> None:
    """Those behind it are never subscribed."""
    scheduler = TestScheduler()
    unused = scheduler.create_cold_observable(ReactiveTest.on_completed(1))

    scheduler.start(lambda: events("(e,|)").pipe(lx.fallback(events("a-(d,|)"), unused)))

    assert unused.subscriptions == []


def test_when_all_fail_the_last_failure_is_told() -> None:
    """With its own start in front of it."""
    assert fallen("s-(e,|)", "s-(e,|)", "s-(x,|)") == expect("------(s,x,|)", {"x": OTHER})


def test_an_empty_answer_is_an_answer() -> None:
    """Nobody else is asked."""
    assert fallen("s-(d,|)", "a-(d,|)") == expect("--(s,d,|)")


def test_after_output_it_fails_as_without_fallback() -> None:
    """What is shown stays, and the error follows it."""
    assert fallen("s-a-----(e,|)", "b-(d,|)") == expect("--(s,a)-(e,|)")


def test_with_restart_the_answer_begins_again() -> None:
    """`message_restarted` voids what was shown, at the moment of the failure."""
    seen = fallen("a-(e,|)", "s-b-c|", restart=True)

    assert seen == expect("a-(r,s)") + expect("----b-c|")


def test_restarts_are_counted_through() -> None:
    """Also those that a stream makes by itself."""
    seen = items(events("a-r-b-(e,|)").pipe(lx.fallback(events("a-r-b-(e,|)"), events("c-(d,|)"), restart=True)))

    assert [event.attempt for event in seen if isinstance(event, MessageRestarted)] == [2, 3, 4, 5]
    assert_grammar(seen)


def test_the_failed_stream_is_left_before_the_next_begins() -> None:
    """Never are two requests open."""
    scheduler = TestScheduler()
    first = scheduler.create_cold_observable(ReactiveTest.on_next(10, OTHER))
    second = scheduler.create_cold_observable(ReactiveTest.on_completed(50))

    scheduler.start(lambda: first.pipe(lx.fallback(second)))

    assert first.subscriptions == [ReactiveTest.subscribe(200, 210)]
    assert second.subscriptions == [ReactiveTest.subscribe(210, 260)]


def test_nothing_follows_an_error_that_fell_through() -> None:
    """A stream that goes on after its error is not heard."""
    assert fallen("s-e-a-b-(d,|)", "-----(c,|)") == expect("-------(c,|)")


def test_a_stream_that_does_not_stop_in_time_is_not_heard() -> None:
    """One that fails within `subscribe` goes on before it can be left."""

    def fail(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> Disposable:
        for event in (Error(OVERLOADED), *items(events("a-b"))):
            observer.on_next(event)
        observer.on_completed()
        return Disposable()

    assert items(Observable(fail).pipe(lx.fallback(events("c-d|")))) == items(events("c-d|"))


def test_frames_of_the_provider_pass() -> None:
    """They are no usage, and nothing is added to them."""
    frame, lookup = RawChunk("chunk", {"n": 1}), {"1": RawChunk("usage", Usage(input_tokens=9))}
    other = events("s-f-a-f-(d,|)", {"f": frame})

    seen = items(events("s-1-(e,|)", lookup).pipe(lx.fallback(other)))

    assert [event for event in seen if isinstance(event, RawChunk)] == [lookup["1"], frame, frame]


def test_an_error_comes_when_it_happens() -> None:
    """Not only when the connection ends."""
    assert fallen("s-e---|") == expect("--(s,e)") + expect("------|")


@pytest.mark.parametrize(
    ("kind", "reason", "through"),
    [
        ("AdapterError", "overloaded", True),
        ("AdapterError", "authentication_failed", True),
        ("AdapterError", "context_length_exceeded", True),
        ("AdapterError", "content_filter", False),
        ("StreamError", "stream_interrupted", True),
        ("StreamError", "cancelled", False),
        ("EngineError", "missing_key", True),
        ("ValidationError", "unsupported_capability", True),
        ("ValidationError", "invalid_request", False),
        ("ToolError", "handler_raised", False),
    ],
)
def test_what_falls_through_by_default(kind: FailureKind, reason: str, through: bool) -> None:
    """What another provider or model may do better."""
    assert falls_through(Failure(kind=kind, reason=reason, message="")) is through


def test_the_policy_can_be_given() -> None:
    """That of retries is one."""
    wrong_key = Error(OVERLOADED.replace(reason="authentication_failed", status=401))
    source, other = events("(y,|)", {"y": wrong_key}), events("a-(d,|)")

    assert items(source.pipe(lx.fallback(other, when=RetryPolicy().allows))) == [wrong_key]
    assert items(source.pipe(lx.fallback(other))) == items(other)


def test_a_policy_that_raises_ends_the_stream() -> None:
    """Its exception is the stream's, and nobody is asked."""

    def when(failure: Failure) -> bool:
        raise ValueError(failure.reason)

    assert fallen("-(e,|)", "a|", when=when) == expect("-#", error=ValueError("overloaded"))


def test_a_stream_can_be_made_when_its_turn_comes() -> None:
    """Not before, and once per subscription."""
    made: list[str] = []

    def make() -> Observable[Event]:
        made.append("now")
        return events("a-(d,|)")

    source = events("(e,|)").pipe(lx.fallback(make))

    assert items(events("b-(d,|)").pipe(lx.fallback(make))) == items(events("b-(d,|)"))
    assert made == []
    assert items(source) == items(source) == items(events("a-(d,|)"))
    assert made == ["now", "now"]


def test_an_alternative_that_cannot_be_sent_is_a_failure_like_any_other() -> None:
    """A backup without a key does not hide the one behind it."""

    def keyless() -> Observable[Event]:
        raise EngineError("missing_key", "No key.")

    assert items(events("(e,|)").pipe(lx.fallback(keyless, events("a-(d,|)")))) == items(events("a-(d,|)"))
    [told] = items(events("(e,|)").pipe(lx.fallback(keyless)))
    assert told == Error(Failure(kind="EngineError", reason="missing_key", message="No key."))


def test_an_error_of_another_kind_passes_at_once() -> None:
    """`on_error` is no failure of a provider; what came before it is not lost."""
    bug = ValueError("bug")

    seen = observe(rx.concat(events("s-|"), rx.throw(bug)).pipe(lx.fallback(events("a|"))))

    assert seen == expect("--(s,#)", error=bug)


def test_the_usage_is_that_of_all() -> None:
    """What a failed attempt cost comes behind the start, and is added to what follows."""
    lookup = {"1": RawChunk("usage", Usage(input_tokens=9)), "2": RawChunk("usage", Usage(input_tokens=5, output_tokens=1))}
    source = events("s-1-(e,|)", lookup).pipe(lx.fallback(events("s-a-2-(d,|)", lookup)))

    assert [event.data.input_tokens for event in items(source) if isinstance(event, RawChunk)] == [9, 14]
    [response] = items(source.pipe(lx.collect_response()))
    assert response.usage == Usage(input_tokens=14, output_tokens=1)


def test_the_usage_of_a_void_answer_is_not_lost() -> None:
    """After a restart the response has the price of both."""
    lookup = {"1": RawChunk("usage", Usage(output_tokens=9)), "2": RawChunk("usage", Usage(output_tokens=1))}
    source = events("s-a-1-(e,|)", lookup).pipe(lx.fallback(events("s-b-2-(d,|)", lookup), restart=True))

    [response] = items(source.pipe(lx.collect_response()))

    assert (response.output_text, response.usage.output_tokens) == ("b", 10)


def test_leaving_leaves_the_stream_that_runs() -> None:
    """And begins no other."""
    scheduler = TestScheduler()
    first = scheduler.create_cold_observable(ReactiveTest.on_next(10, OTHER))
    second = scheduler.create_cold_observable(ReactiveTest.on_next(50, OTHER))
    third = scheduler.create_cold_observable(ReactiveTest.on_completed(50))

    scheduler.start(lambda: first.pipe(lx.fallback(second, third)), disposed=240)

    assert second.subscriptions == [ReactiveTest.subscribe(210, 240)]
    assert third.subscriptions == []


def test_leaving_at_a_restart_asks_nobody() -> None:
    """A subscriber that has enough does not pay for another answer."""
    scheduler = TestScheduler()
    other = scheduler.create_cold_observable(ReactiveTest.on_completed(50))

    def is_answer(event: Event) -> bool:
        return not isinstance(event, MessageRestarted)

    scheduler.start(lambda: events("a-(e,|)").pipe(lx.fallback(other, restart=True), ops.take_while(is_answer)))

    assert other.subscriptions == []


def test_a_response_comes_from_whoever_answers() -> None:
    """Engines of any vendor, one call; also blocking, where the second is asked on the I/O thread."""
    broken, good = engine(error("overloaded", status=529)), engine("Here I am.")

    asked = stream_generate(broken, "Are you there?").pipe(lx.fallback(stream_generate(good, "Are you there?")))

    assert lx.run(asked.pipe(lx.collect_response())).output_text == "Here I am."


def test_a_chat_falls_back_as_a_whole() -> None:
    """Its failed first answer is withheld with all that follows it."""
    broken, good = engine(error("overloaded", status=529)), engine("Here I am.")

    seen = lx.run(stream(broken, "Hi").pipe(lx.fallback(stream(good, "Hi")), ops.to_list()))

    assert [event.type for event in seen][-2:] == ["step_completed", "chat_completed"]
    assert_grammar(seen)


def test_a_step_that_is_done_is_not_taken_back() -> None:
    """Its tools have run; even with `restart` the chat fails where it is."""
    step = items(stream(engine("Well."), "Hi"))
    first = rx.of(*step[:-1], Error(OVERLOADED))

    seen = lx.run(first.pipe(lx.fallback(events("a|"), restart=True), ops.to_list()))

    assert seen == [*step[:-1], Error(OVERLOADED)]


def test_subscriptions_have_their_own_attempts() -> None:
    """The second falls through as far as the first."""
    source = events("(e,|)").pipe(lx.fallback(events("a-(d,|)")))

    assert observe(source) == observe(source) == expect("a-(d,|)")
