"""Asking several at once."""

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import Error, Event, RawChunk, TextDelta
from allm_rx.data.failures import Failure
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError
from allm_rx.testing.marbles import OVERLOADED, events, expect, items, observe

OTHER = Error(OVERLOADED.replace(message="The other one, too."))


def test_the_first_content_wins() -> None:
    """A start is no content, so the first to start may lose."""
    seen = observe(lx.race_first(events("s------a-b-(d,|)"), events("--s-x-y-(d,|)")))

    assert seen == expect("----(s,x)") + expect("------y-(d,|)", {"d": items(events("x-y-d"))[-1]})


def test_a_fast_error_does_not_win() -> None:
    """Who fails first has lost, as long as somebody else is on the way."""
    assert items(lx.race_first(events("(e,|)"), events("s-----a-(d,|)"))) == items(events("s-a-(d,|)"))


def test_an_empty_answer_wins() -> None:
    """It is an answer."""
    assert items(lx.race_first(events("s-----a|"), events("s-d|"))) == items(events("s-d|"))


def test_when_all_fail_the_first_in_the_list_tells() -> None:
    """Whoever failed first, at the moment when the last has."""
    seen = observe(lx.race_first(events("s-----(e,|)"), events("(x,|)", {"x": OTHER})))

    assert seen == expect("------(s,e,|)")


def test_all_may_fail_within_subscribe() -> None:
    """None has lost before all are in the race."""

    def failing(error: Error) -> Observable[Event]:
        def fail(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> Disposable:
            observer.on_next(error)
            observer.on_completed()
            return Disposable()

        return Observable(fail)

    assert items(lx.race_first(failing(Error(OVERLOADED)), failing(OTHER))) == [Error(OVERLOADED)]


def test_one_that_ends_without_an_answer_does_not_tell() -> None:
    """A failure says more than nothing."""
    assert items(lx.race_first(events("|"), events("-(e,|)"))) == [Error(OVERLOADED)]
    assert observe(lx.race_first(events("|"), events("--|"))) == expect("--|")


def test_the_losers_are_left_before_the_winner_is_heard() -> None:
    """One request is open from its first content on."""
    scheduler = TestScheduler()
    slow = scheduler.create_cold_observable(ReactiveTest.on_next(90, TextDelta("b", "slow")))
    quick = scheduler.create_cold_observable(ReactiveTest.on_next(10, TextDelta("b", "quick")), ReactiveTest.on_completed(50))
    open_at_first: list[int] = []

    def look(event: Event) -> None:
        open_at_first.append(sum(one.unsubscribe > 1000 for one in slow.subscriptions))

    scheduler.start(lambda: lx.race_first(slow, quick).pipe(ops.do_action(look)))

    assert slow.subscriptions == [ReactiveTest.subscribe(200, 210)]
    assert quick.subscriptions == [ReactiveTest.subscribe(200, 250)]
    assert open_at_first == [0]


def test_a_stream_behind_one_that_has_won_is_not_subscribed() -> None:
    """Where the first answers within `subscribe`."""
    asked: list[str] = []

    def make() -> Observable[Event]:
        asked.append("second")
        return rx.never()

    def answer(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> Disposable:
        observer.on_next(TextDelta("b", "quick"))
        return Disposable()

    lx.race_first(Observable(answer), make).subscribe()

    assert asked == []


def test_what_the_losers_used_is_added() -> None:
    """As far as they told."""
    lookup = {"1": RawChunk("usage", Usage(input_tokens=9)), "2": RawChunk("usage", Usage(input_tokens=9, output_tokens=2))}
    race = lx.race_first(events("s-1------a-(d,|)", lookup), events("s---b-2-(d,|)", lookup))

    [response] = items(race.pipe(lx.collect_response()))

    assert (response.output_text, response.usage) == ("b", Usage(input_tokens=18, output_tokens=2))


def test_streams_can_be_made_at_the_subscription() -> None:
    """One that cannot be sent has lost."""

    def keyless() -> Observable[Event]:
        raise EngineError("missing_key", "No key.")

    assert items(lx.race_first(keyless, lambda: events("a-(d,|)"))) == items(events("a-(d,|)"))
    assert items(lx.race_first(keyless)) == [Error(Failure(kind="EngineError", reason="missing_key", message="No key."))]


def test_an_error_of_another_kind_passes_at_once() -> None:
    """A bug is not hidden by whoever is quicker; the others are left."""
    scheduler = TestScheduler()
    other = scheduler.create_cold_observable(ReactiveTest.on_completed(90))
    bug = ValueError("bug")

    seen = scheduler.start(lambda: lx.race_first(events("-#", error=bug), other))

    assert seen.messages == expect("-#", error=bug)
    assert other.subscriptions == [ReactiveTest.subscribe(200, 201)]


def test_leaving_leaves_all() -> None:
    """Before there is a winner."""
    scheduler = TestScheduler()
    streams = [scheduler.create_cold_observable(ReactiveTest.on_completed(90)) for _ in range(3)]

    scheduler.start(lambda: lx.race_first(*streams), disposed=220)

    assert [stream.subscriptions for stream in streams] == [[ReactiveTest.subscribe(200, 220)]] * 3


def test_each_subscription_is_a_race() -> None:
    """The winner of one is not that of another."""
    race = lx.race_first(events("s---a|"), events("s-b|"))

    assert observe(race) == observe(race)


def test_nobody_cannot_race() -> None:
    """It is told at once."""
    with pytest.raises(ValueError, match="at least one stream"):
        lx.race_first()
