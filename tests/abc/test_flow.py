"""How events travel: schedulers, clocks, and where timers run."""

import asyncio
import threading
import time
from typing import Any

import pytest
from reactivex.scheduler import (
    CurrentThreadScheduler,
    EventLoopScheduler,
    ImmediateScheduler,
    NewThreadScheduler,
    ThreadPoolScheduler,
    TimeoutScheduler,
)
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.testing import TestScheduler

from allm_rx.abc import flow
from allm_rx.abc.flow import LoopScheduler, RunScheduler, call_on, clock_of, demand_of, lend_loop, loop_of, timers_of
from tests import virtual_loop
from tests.demand import Tap
from tests.virtual_loop import pass_time, running


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> asyncio.AbstractEventLoop:
    """A loop that was lent, for this test only."""
    monkeypatch.setattr(flow, "_lenders", [])
    loop = asyncio.new_event_loop()
    loop.close()
    lend_loop(lambda: loop)
    return loop


def act(told: list[float]) -> Any:
    """An action that notes when it ran."""
    return lambda *_: told.append(asyncio.get_running_loop().time())  # type: ignore[reportUnknownLambdaType]


# The scheduler of a loop.


def test_an_action_runs_on_the_loop_after_its_seconds() -> None:
    """At once or later, on the loop's clock."""

    async def main() -> list[float]:
        told: list[float] = []
        scheduler = LoopScheduler(running())
        scheduler.schedule_relative(3.0, act(told))
        scheduler.schedule(act(told))
        await pass_time(10)
        return told

    assert virtual_loop.run(main()) == [0.0, 3.0]


def test_an_action_from_another_thread_wakes_the_loop() -> None:
    """An idle loop runs it at once, and on its own thread."""

    async def main() -> bool:
        ran: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        scheduler = LoopScheduler(asyncio.get_running_loop())

        def action(scheduler: Any, state: Any = None) -> None:
            ran.set_result(threading.get_ident())

        threading.Thread(target=scheduler.schedule, args=(action,)).start()
        return await ran == threading.get_ident()

    assert asyncio.run(main())


def test_a_timer_can_be_taken_off_from_another_thread() -> None:
    """Disposing returns at once, and the loop forgets the timer."""

    async def main() -> list[int]:
        loop, entered, gone = asyncio.get_running_loop(), threading.Event(), asyncio.Event()
        counts: list[int] = []

        def count() -> None:
            counts.append(sum(not handle.cancelled() for handle in loop._scheduled))  # type: ignore[attr-defined]

        def elsewhere() -> None:
            timer = LoopScheduler(loop).schedule_relative(1000.0, act([]))
            loop.call_soon_threadsafe(count)
            loop.call_soon_threadsafe(entered.set)
            entered.wait()
            timer.dispose()
            loop.call_soon_threadsafe(count)
            loop.call_soon_threadsafe(gone.set)

        threading.Thread(target=elsewhere).start()
        await gone.wait()
        return counts

    assert asyncio.run(main()) == [1, 0]


def test_a_closed_loop_is_no_error_from_another_thread() -> None:
    """Everything on it is over, so there is nothing to schedule and nothing to take off."""
    loop = asyncio.new_event_loop()
    loop.close()

    LoopScheduler(loop).schedule_relative(1.0, act([])).dispose()


def test_demand_is_what_the_scheduler_carries() -> None:
    """Ours carries it, any other may be it, and most have none."""

    class Wanting(AsyncIOScheduler, Tap):
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            AsyncIOScheduler.__init__(self, loop)
            Tap.__init__(self)

    async def main() -> list[bool]:
        tap, wanting = Tap(), Wanting(running())
        return [
            demand_of(LoopScheduler(running(), tap)) is tap,
            demand_of(LoopScheduler(running())) is None,
            demand_of(wanting) is wanting,
            demand_of(AsyncIOScheduler(running())) is None,
            demand_of(None) is None,
        ]

    assert virtual_loop.run(main()) == [True] * 5


# Clocks.


def test_the_clock_of_a_loop_is_its_own() -> None:
    """Not the wall's."""

    async def main() -> float:
        await pass_time(7)
        return clock_of(LoopScheduler(running()))()

    assert virtual_loop.run(main()) == 7.0


def test_the_clock_of_virtual_time_is_virtual() -> None:
    """In seconds."""
    scheduler = TestScheduler()
    scheduler.advance_to(12.5)

    assert clock_of(scheduler)() == 12.5


@pytest.mark.parametrize("scheduler", [TimeoutScheduler.singleton(), NewThreadScheduler()], ids=lambda it: type(it).__name__)
def test_a_wall_clock_is_replaced_by_one_that_only_goes_forward(scheduler: Any) -> None:
    """A deadline does not move when somebody sets the clock."""
    assert clock_of(scheduler) is time.monotonic


# Where timers run.


def test_timers_of_a_loop_run_on_it() -> None:
    """With the demand that the scheduler is."""

    async def main() -> list[bool]:
        tap = Tap()
        ours = LoopScheduler(running(), tap)
        theirs = timers_of(AsyncIOScheduler(running()))
        return [timers_of(ours) is ours, isinstance(theirs, LoopScheduler), loop_of(theirs) is running()]

    assert virtual_loop.run(main()) == [True, True, True]


def test_without_a_scheduler_timers_run_on_the_running_loop() -> None:
    """It is where the events arrive."""

    async def main() -> bool:
        return loop_of(timers_of(None)) is running()

    assert virtual_loop.run(main())


@pytest.mark.parametrize(
    "scheduler",
    [
        None,
        RunScheduler(),
        NewThreadScheduler(),
        ThreadPoolScheduler(1),
        TimeoutScheduler.singleton(),
        CurrentThreadScheduler.singleton(),
        ImmediateScheduler.singleton(),
    ],
    ids=lambda it: type(it).__name__,
)
def test_without_a_place_timers_run_on_the_loop_that_was_lent(scheduler: Any, lent: asyncio.AbstractEventLoop) -> None:
    """Never on a thread of their own, and never by blocking one."""
    assert loop_of(timers_of(scheduler)) is lent


def test_a_blocking_run_inside_a_loop_does_not_time_on_that_loop(lent: asyncio.AbstractEventLoop) -> None:
    """It stands still until the run is over."""

    async def main() -> bool:
        return loop_of(timers_of(RunScheduler())) is lent

    assert virtual_loop.run(main())


def test_when_nobody_lends_a_loop_timers_get_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in RxPY itself."""
    monkeypatch.setattr(flow, "_lenders", [])

    assert timers_of(None) is TimeoutScheduler.singleton()


def test_any_other_scheduler_times_for_itself() -> None:
    """Virtual time, and the thread of a toolkit."""
    virtual, thread = TestScheduler(), EventLoopScheduler()

    assert (timers_of(virtual), timers_of(thread)) == (virtual, thread)
    thread.dispose()


# Calls onto a loop.


def test_a_call_onto_ones_own_loop_is_made_at_once() -> None:
    """Without a turn of the loop."""

    async def main() -> list[int]:
        called: list[int] = []
        call_on(running(), lambda: called.append(1))
        return list(called)

    assert virtual_loop.run(main()) == [1]


def test_a_call_onto_a_closed_loop_is_no_error() -> None:
    """It is not made."""
    loop, called = asyncio.new_event_loop(), list[int]()
    loop.close()

    call_on(loop, lambda: called.append(1))

    assert called == []
