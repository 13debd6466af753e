"""Sending a failed request again."""

from typing import Any

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.testing import ReactiveTest, Recorded, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import Error, Event, MessageRestarted, RawChunk
from allm_rx.data.failures import Failure
from allm_rx.data.policies import RetryPolicy
from allm_rx.data.usage import Usage
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.marbles import OVERLOADED, events, expect, items, observe
from tests import virtual_loop
from tests.virtual_loop import pass_time, running

POLICY = RetryPolicy(base_delay=2.0, max_delay=60.0, jitter=0.0)
"""Three attempts, with pauses of 2 and 4 seconds."""
RESTARTING = POLICY.replace(restart=True)


def successive(*diagrams: str, **lookup: Any) -> Observable[Any]:
    """A source that behaves differently at each subscription."""
    attempts = iter([events(diagram, lookup) for diagram in diagrams])
    return rx.defer(lambda _: next(attempts))


def retried(policy: RetryPolicy, *diagrams: str, **lookup: Any) -> list[Recorded[Any]]:
    """What a subscriber sees of successive attempts."""
    return observe(successive(*diagrams, **lookup).pipe(lx.retry_backoff(policy)))


def failed(**facts: Any) -> Error:
    """An `error` event with those facts."""
    return Error(OVERLOADED.replace(**facts))


def test_an_attempt_that_failed_before_output_leaves_no_trace() -> None:
    """Its start and its error are withheld; the next attempt begins after the pause."""
    assert retried(POLICY, "s-(e,|)", "s-a------(d,|)") == expect("------(s,a)--(d,|)")


def test_the_start_comes_with_the_first_output() -> None:
    """From then on everything passes at its own time."""
    assert retried(POLICY, "-s-a-----b-(d,|)") == expect("---(s,a)-b-(d,|)")


def test_an_empty_answer_is_an_answer() -> None:
    """`message_completed` passes when it comes, not when the stream ends."""
    assert retried(POLICY, "-s-d-----|") == expect("---(s,d)-|")


def test_pauses_double() -> None:
    """The second pause is twice the first, and the third attempt is the last."""
    assert retried(POLICY, "(e,|)", "(e,|)", "(e,|)", "(a,|)") == expect("------(e,|)")


def test_attempts_are_counted_in_total() -> None:
    """`max_attempts=2` subscribes twice."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, failed()), ReactiveTest.on_completed(10))

    scheduler.start(lambda: source.pipe(lx.retry_backoff(POLICY.replace(max_attempts=2))))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210), ReactiveTest.subscribe(212, 222)]


def test_one_attempt_changes_nothing() -> None:
    """Without retries even the start is not withheld."""
    assert retried(POLICY.replace(max_attempts=1), "s-(e,|)") == expect("s-(e,|)")


def test_a_failure_that_cannot_heal_passes() -> None:
    """A wrong key is not tried again; what was withheld comes before it."""
    wrong_key = failed(reason="authentication_failed", status=401)

    assert retried(POLICY, "s-(x,|)", x=wrong_key) == expect("--(s,x,|)", {"x": wrong_key})


def test_the_last_failure_is_the_one_that_is_told() -> None:
    """With its own start in front of it."""
    last = failed(message="for good")

    assert retried(POLICY.replace(max_attempts=2), "s-(e,|)", "s-(x,|)", x=last) == expect("------(s,x,|)", {"x": last})


def test_after_output_nothing_is_sent_again() -> None:
    """The text that was shown stays, and the error follows it."""
    assert retried(POLICY, "s-a-----(e,|)") == expect("--(s,a)-(e,|)")


def test_with_restart_the_answer_begins_again() -> None:
    """`message_restarted` voids what was shown, when the next attempt begins."""
    restarted = MessageRestarted(2, OVERLOADED)

    assert retried(RESTARTING, "s-a-----(e,|)", "--s-b-(d,|)") == expect(
        "--(s,a)---r-s-b-(x,|)", {"r": restarted, "x": items(events("b-d"))[1]}
    )


def test_each_restart_has_its_number() -> None:
    """An attempt that fails without output after a restart is told too."""
    seen = items(successive("(a,e,|)", "(e,|)", "(b,d,|)").pipe(lx.retry_backoff(RESTARTING)))

    assert [event.attempt for event in seen if isinstance(event, MessageRestarted)] == [2, 3]
    assert_grammar(seen)


def test_the_provider_says_how_long_to_wait() -> None:
    """`retry_after` replaces the computed pause."""
    assert retried(POLICY, "(x,|)", "(a,|)", x=failed(retry_after=7.0)) == expect("-------(a,|)")


def test_a_longer_wait_than_allowed_is_not_waited_for() -> None:
    """The error comes at once and tells how long to wait."""
    patient = failed(retry_after=61.0)

    assert retried(POLICY, "--(x,|)", "(a,|)", x=patient) == expect("--(x,|)", {"x": patient})


def test_jitter_is_added_from_the_given_chance() -> None:
    """Half of two seconds comes on top of the pause."""
    source = successive("(e,|)", "(a,|)").pipe(lx.retry_backoff(POLICY.replace(jitter=2.0), chance=lambda: 0.5))

    assert observe(source) == expect("---(a,|)")


def test_an_error_of_another_kind_passes_at_once() -> None:
    """`on_error` is no failure of a provider; what came before it is not lost."""
    bug = ValueError("bug")

    seen = observe(rx.concat(events("s-|"), rx.throw(bug)).pipe(lx.retry_backoff(POLICY)))

    assert seen == expect("--(s,#)", error=bug)


def test_completion_without_a_terminal_passes() -> None:
    """It is not for this operator to judge; the start is given all the same."""
    assert retried(POLICY, "s--|") == expect("---(s,|)")


def test_usage_of_a_failed_attempt_is_kept() -> None:
    """What it cost comes behind the start of the answer, where the grammar has room for it."""
    spent = RawChunk("usage", Usage(input_tokens=9))

    seen = retried(POLICY, "s-(x,e,|)", "s-a------------(d,|)", x=spent)

    assert seen == expect("------(s,x,a)------(d,|)", {"x": spent})


def test_usage_is_kept_when_all_attempts_fail() -> None:
    """Without a start it comes alone, before the error."""
    spent = RawChunk("usage", Usage(input_tokens=9))

    seen = retried(POLICY.replace(max_attempts=2), "s-(x,e,|)", "(e,|)", x=spent)

    assert seen == expect("----(x,e,|)", {"x": spent})


def test_frames_of_a_failed_attempt_are_void() -> None:
    """The provider's own frames belong to the answer they were part of."""
    frame = RawChunk("chunk", {"n": 1})

    assert retried(POLICY, "s-(x,e,|)", "s-(a,|)", x=frame) == expect("------(s,a,|)")


def test_the_observer_is_told_before_each_pause() -> None:
    """Attempt, seconds and failure, as they will be."""
    told: list[tuple[int, float, Failure]] = []

    def on_retry(attempt: int, delay: float, failure: Failure) -> None:
        told.append((attempt, delay, failure))

    observe(successive("(e,|)", "(e,|)", "(a,|)").pipe(lx.retry_backoff(POLICY, on_retry=on_retry)))

    assert told == [(1, 2.0, OVERLOADED), (2, 4.0, OVERLOADED)]


def test_an_observer_that_raises_ends_the_stream() -> None:
    """Its exception is the stream's, and no request follows."""

    def on_retry(attempt: int, delay: float, failure: Failure) -> None:
        raise ValueError(f"attempt {attempt}")

    seen = observe(successive("-(e,|)").pipe(lx.retry_backoff(POLICY, on_retry=on_retry)))

    assert seen == expect("-#", error=ValueError("attempt 1"))


def test_leaving_during_a_pause_sends_nothing() -> None:
    """The pause ends at once, and no second request is made."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, failed()), ReactiveTest.on_completed(10))

    scheduler.start(lambda: source.pipe(lx.retry_backoff(POLICY)), disposed=211)

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210)]


def test_leaving_at_a_restart_sends_nothing() -> None:
    """A subscriber that has enough at `message_restarted` does not pay for another attempt."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(
        ReactiveTest.on_next(10, items(events("a"))[0]), ReactiveTest.on_next(20, failed()), ReactiveTest.on_completed(20)
    )

    def is_answer(event: Event) -> bool:
        return not isinstance(event, MessageRestarted)

    scheduler.start(lambda: source.pipe(lx.retry_backoff(RESTARTING), ops.take_while(is_answer)))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 220)]


def test_leaving_disposes_the_attempt_that_runs() -> None:
    """The second attempt's request is closed like the first."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, failed()))

    scheduler.start(lambda: source.pipe(lx.retry_backoff(POLICY)), disposed=215)

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210), ReactiveTest.subscribe(212, 215)]


def test_a_source_that_fails_within_subscribe_is_retried_as_well() -> None:
    """Errors that come before `subscribe` returns make the same pauses."""
    attempts: list[float] = []

    async def main() -> None:
        def subscribe(scheduler: Any) -> Observable[Any]:
            attempts.append(running().time())
            return rx.of(failed(), *items(events("a")))

        rx.defer(subscribe).pipe(lx.retry_backoff(POLICY)).subscribe()
        await pass_time(20)

    virtual_loop.run(main())

    assert attempts == [0.0, 2.0, 6.0]


def test_a_source_that_fails_within_subscribe_and_stays_is_left() -> None:
    """Its subscription is disposed before the pause, like any other."""
    left: list[float] = []
    scheduler = TestScheduler()

    def subscribe(observer: Any, given: Any = None) -> Disposable:
        observer.on_next(failed())
        return Disposable(lambda: left.append(scheduler.clock))

    source: Observable[Event] = Observable(subscribe)
    scheduler.start(lambda: source.pipe(lx.retry_backoff(POLICY.replace(max_attempts=2))), disposed=300)

    assert left == [200, 300]


def test_nothing_follows_an_error() -> None:
    """A source that goes on after its error is not heard."""
    assert retried(POLICY, "s-e-a-b", "s-(a,|)") == expect("------(s,a,|)")


def test_leaving_during_a_pause_leaves_no_timer_on_the_loop() -> None:
    """`dispose` takes the handle off."""

    async def main() -> tuple[int, int]:
        subscription = rx.of(*items(events("a")), failed()).pipe(lx.retry_backoff(RESTARTING)).subscribe()
        during = len(running().timers)
        subscription.dispose()
        return during, len(running().timers)

    assert virtual_loop.run(main()) == (1, 0)


def test_subscriptions_count_their_own_attempts() -> None:
    """The budget is not shared."""
    stream = events("(e,|)").pipe(lx.retry_backoff(POLICY))

    assert observe(stream) == observe(stream) == expect("------(e,|)")


def test_leaving_at_the_first_of_what_was_withheld_gives_nothing_more() -> None:
    """A subscriber that disposes at the start sees neither the output behind it nor the end."""
    seen: list[str] = []
    scheduler = TestScheduler()

    def on_next(event: Event) -> None:
        seen.append(event.type)
        subscription.dispose()

    subscription = (
        events("s-u-(d,|)")
        .pipe(lx.retry_backoff(POLICY))
        .subscribe(on_next, on_completed=lambda: seen.append("|"), scheduler=scheduler)
    )
    scheduler.start()

    assert seen == ["message_started"]


def test_a_source_that_cannot_be_subscribed_again_ends_the_stream() -> None:
    """What it raises then is not lost in a timer."""
    attempts = iter([events("(e,|)")])
    source = rx.defer(lambda _: next(attempts))

    seen = observe(Unguarded(source).pipe(lx.retry_backoff(POLICY)))

    assert [(one.time, type(one.value).__name__) for one in seen] == [(202, "OnError")]


class Unguarded(Observable[Any]):
    """A source that raises out of `subscribe` in place of giving the error."""

    def __init__(self, source: Observable[Any]) -> None:
        super().__init__()
        self._inner = source
        self._count = 0

    def subscribe(self, *args: Any, **options: Any) -> Any:
        self._count += 1
        if self._count > 1:
            raise ValueError("no second time")
        return self._inner.subscribe(*args, **options)


def test_an_observer_that_raises_closes_the_request() -> None:
    """The attempt that failed is disposed with the stream."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, failed()))

    def on_retry(attempt: int, delay: float, failure: Failure) -> None:
        raise ValueError(attempt)

    scheduler.start(lambda: source.pipe(lx.retry_backoff(POLICY, on_retry=on_retry)))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210)]
