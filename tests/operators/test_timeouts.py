"""Giving up on a provider that is too slow."""

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.subject import Subject
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.abc.flow import LoopScheduler
from allm_rx.data.events import Error, Event
from allm_rx.data.failures import Failure
from allm_rx.operators.lean import Lean
from allm_rx.testing.marbles import STARTED, events, expect, items, observe
from tests import virtual_loop
from tests.demand import Tap
from tests.virtual_loop import pass_time, running

MESSAGES = {
    "first": "No output came within 5 s: send the request again, choose a faster model, or raise `timeouts.first`.",
    "stall": "The answer stalled for 5 s: send the request again, or raise `timeouts.stall`.",
    "total": "The call took longer than 5 s: raise `timeouts.total`, or ask for less.",
}


def timeout(name: str, **ids: str) -> dict[str, Any]:
    """A lookup whose `e` is that timeout of five seconds."""
    details = {"timeout": name, "seconds": 5.0}
    return {"e": Error(Failure(kind="AdapterError", reason="timeout", message=MESSAGES[name], details=details, **ids))}


def test_first_ends_a_stream_without_output() -> None:
    """The time runs from the subscription, and a start is no output."""
    seen = observe(events("-s-------").pipe(lx.timeouts(first=5.0)))

    assert seen == expect("-s---(e,|)", timeout("first"))


def test_first_is_over_once_output_came() -> None:
    """After the first content event the stream may take its time."""
    assert observe(events("s---a--------------(d,|)").pipe(lx.timeouts(first=5.0))) == expect("s---a--------------(d,|)")


def test_stall_ends_an_answer_that_stops() -> None:
    """The time runs anew from each content event."""
    seen = observe(events("s-----------a---b--------c").pipe(lx.timeouts(stall=5.0)))

    assert seen == expect("s-----------a---b----(e,|)", timeout("stall"))


def test_what_is_no_content_does_not_help_against_a_stall() -> None:
    """Usage and the provider's own frames are signs of life, not of an answer."""
    seen = observe(events("s-a--u--u--u--b").pipe(lx.timeouts(stall=5.0)))

    assert seen == expect("s-a--u-(e,|)", timeout("stall"))


def test_total_ends_an_answer_that_takes_too_long() -> None:
    """Content does not prolong it."""
    assert observe(events("s-a-b-c-f-g-(d,|)").pipe(lx.timeouts(total=5.0))) == expect("s-a-b(e,|)", timeout("total"))


def test_an_answer_in_time_is_not_touched() -> None:
    """All three together let a quick stream pass."""
    quick = events("s-a-b-(d,|)").pipe(lx.timeouts(first=5.0, stall=5.0, total=50.0))

    assert observe(quick) == expect("s-a-b-(d,|)")


def test_without_seconds_nothing_times_out() -> None:
    """None waits for ever."""
    assert observe(events(f"s{'-' * 700}a|").pipe(lx.timeouts())) == expect(f"s{'-' * 700}a|")


def test_a_whole_answer_cannot_time_out() -> None:
    """After the terminal only the end of the connection is missing; it is not waited for longer than that."""
    seen = observe(events("s-a-d-----------").pipe(lx.timeouts(stall=3.0, total=5.0)))

    assert seen == expect("s-a-d|")


def test_a_failed_answer_does_not_fail_again() -> None:
    """After an `error` no second one comes."""
    assert observe(events("s-e-----------").pipe(lx.timeouts(first=5.0))) == expect("s-e--|")


def test_the_failure_names_provider_and_request() -> None:
    """Who asked and whom is on the event."""
    ids = {"provider": "acme", "request_id": "r-1"}

    [error] = items(events("-------").pipe(lx.timeouts(first=5.0, ids=("acme", "r-1"))))

    assert error == timeout("first", **ids)["e"]


def test_the_source_is_disposed_when_time_is_up() -> None:
    """The request is closed at that moment."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(2, STARTED))

    scheduler.start(lambda: source.pipe(lx.timeouts(first=5.0)))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 205)]


@pytest.mark.parametrize("ending", ["s-a-|", "s-a-#", "s-a-(e,|)", "|", "#"])
def test_no_timer_outlives_the_stream(ending: str) -> None:
    """However it ends, virtual time has nothing left to do afterwards."""
    scheduler = TestScheduler()
    ended: list[object] = []
    stream = events(ending).pipe(lx.timeouts(first=500.0, stall=200.0, total=300.0))

    stream.subscribe(on_error=ended.append, on_completed=lambda: ended.append("|"), scheduler=scheduler)
    scheduler.advance_to(20.0)

    assert len(ended) == 1
    assert not [item for item in scheduler._queue.items if not item[0].is_cancelled()]  # type: ignore[attr-defined]


def test_leaving_leaves_no_timer_on_the_loop() -> None:
    """`dispose` takes every handle off, before output and after it."""

    async def main() -> list[int]:
        counts: list[int] = []
        for before_leaving in ([], [STARTED], [STARTED, *items(events("a"))]):
            source: Subject[Event] = Subject()
            subscription = source.pipe(lx.timeouts(first=9.0, stall=9.0, total=9.0)).subscribe()
            for event in before_leaving:
                source.on_next(event)
            subscription.dispose()
            counts.append(len(running().timers))
        return counts

    assert virtual_loop.run(main()) == [0, 0, 0]


def test_timers_run_on_the_running_loop_by_default() -> None:
    """Without a scheduler the loop's own time counts, and no thread is started."""

    async def main() -> list[float]:
        ended: list[float] = []
        loop = running()
        stream = rx.never().pipe(lx.timeouts(total=5.0))
        stream.subscribe(on_completed=lambda: ended.append(loop.time()))
        await pass_time(10)
        return ended

    assert virtual_loop.run(main()) == [5.0]


@pytest.mark.parametrize("seconds", [{"first": 10.0}, {"total": 10.0}, {"stall": 10.0}], ids=str)
@pytest.mark.parametrize("pause", [5.0, 90.0])
def test_time_without_demand_does_not_count(seconds: dict[str, Any], pause: float) -> None:
    """The seconds in which the subscriber took nothing move each deadline by as many, be they fewer than its own or more."""

    async def main() -> list[float]:
        ended: list[float] = []
        tap, source, loop = Tap(), Subject[Event](), running()
        stream = source.pipe(lx.timeouts(**seconds), ops.do_action(lambda _: tap.close()))
        stream.subscribe(on_completed=lambda: ended.append(loop.time()), scheduler=LoopScheduler(loop, tap))
        await pass_time(4)
        source.on_next(items(events("a" if "stall" in seconds else "s"))[0])
        await pass_time(pause)
        tap.open()
        await pass_time(50)
        return ended

    assert virtual_loop.run(main()) == [10.0 + pause + 4.0 * ("stall" in seconds)]


def test_a_subscriber_that_leaves_at_the_timeout_is_left_alone() -> None:
    """`take(1)` on the error ends the stream there."""
    assert observe(events("----------").pipe(lx.timeouts(first=5.0), ops.take(1))) == expect("-----(e,|)", timeout("first"))


def test_pauses_leave_no_task_behind() -> None:
    """When the stream ends during a pause, what waited for demand is gone too."""

    async def main() -> int:
        tap, source = Tap(), Subject[Event]()
        stream = source.pipe(lx.timeouts(first=9.0, total=9.0), ops.do_action(lambda _: tap.close()))
        stream.subscribe(scheduler=LoopScheduler(running(), tap))
        source.on_next(STARTED)
        await pass_time(1)
        source.on_completed()
        await pass_time(0)
        return len(asyncio.all_tasks())

    assert virtual_loop.run(main()) == 1


def test_leaving_at_the_error_gives_no_end() -> None:
    """A subscriber that disposes when it sees the timeout hears nothing more."""
    seen: list[str] = []
    scheduler = TestScheduler()

    def on_next(event: Event) -> None:
        seen.append(event.type)
        subscription.dispose()

    subscription = (
        rx.never().pipe(lx.timeouts(first=5.0)).subscribe(on_next, on_completed=lambda: seen.append("|"), scheduler=scheduler)
    )
    scheduler.start()

    assert seen == ["error"]


def test_a_source_that_takes_its_time_to_be_subscribed_is_left() -> None:
    """The time may be up before there is anything to leave."""
    scheduler = TestScheduler()
    left: list[float] = []

    def slow(observer: object, given: object = None) -> Disposable:
        scheduler.advance_to(6.0)
        return Disposable(lambda: left.append(scheduler.clock))

    seen: list[Event] = []
    Lean[Event](slow).pipe(lx.timeouts(total=5.0)).subscribe(seen.append, scheduler=scheduler)

    assert (seen, left) == ([timeout("total")["e"]], [6.0])
