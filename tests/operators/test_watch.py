"""Deadlines: when they expire, and when their clock stands."""

import asyncio
from collections.abc import Callable

import pytest
from reactivex.scheduler import VirtualTimeScheduler
from reactivex.testing import TestScheduler

from allm_rx.abc.flow import LoopScheduler
from allm_rx.operators.watch import Watch
from tests import virtual_loop
from tests.demand import Tap
from tests.virtual_loop import pass_time, running, turn


def at(scheduler: VirtualTimeScheduler, seconds: float, action: Callable[[], None]) -> None:
    """Do something at a virtual second."""

    def act(scheduler: object, state: object = None) -> None:
        del scheduler, state
        action()

    scheduler.schedule_absolute(seconds, act)


class Expiries(list[float]):
    """When a watch on the running loop expired."""

    def __init__(self, seconds: float | None, demand: Tap | None = None) -> None:
        super().__init__()
        loop = running()
        self.watch = Watch(LoopScheduler(loop), seconds, lambda _: self.append(loop.time()), demand)


def test_it_expires_after_its_seconds() -> None:
    """A watch that nobody touches expires once, and tells its seconds."""
    scheduler, told = TestScheduler(), list[tuple[float, float]]()
    watch = Watch(scheduler, 5.0, lambda seconds: told.append((scheduler.clock, seconds)))

    at(scheduler, 10.0, watch.start)
    scheduler.start()

    assert told == [(15.0, 5.0)]


def test_a_touch_begins_the_time_anew() -> None:
    """It expires its seconds after the last touch."""
    scheduler, told = TestScheduler(), list[float]()
    watch = Watch(scheduler, 5.0, lambda _: told.append(scheduler.clock))

    at(scheduler, 10.0, watch.start)
    at(scheduler, 13.0, watch.touch)
    at(scheduler, 17.5, watch.touch)
    scheduler.start()

    assert told == [22.5]


@pytest.mark.parametrize("seconds", [0.1, 0.3, 1 / 3, 1e-3, 123456.789])
def test_it_expires_in_spite_of_rounding(seconds: float) -> None:
    """A clock of dates rounds to microseconds, and a timer that comes a bit early is on time."""
    scheduler, told = TestScheduler(), list[float]()
    watch = Watch(scheduler, seconds, lambda _: told.append(scheduler.clock))

    at(scheduler, 1.1, watch.start)
    at(scheduler, 1.1 + seconds / 3, watch.touch)
    scheduler.start()

    assert [round(second, 3) for second in told] == [round(1.1 + seconds / 3 + seconds, 3)]


def test_none_never_expires() -> None:
    """A watch without seconds puts nothing on the scheduler."""
    scheduler, told = VirtualTimeScheduler(), list[float]()
    watch = Watch(scheduler, None, told.append)

    watch.start()
    watch.touch()
    scheduler.start()

    assert (told, watch.running, scheduler.clock) == ([], False, 0)


def test_a_stopped_watch_does_not_expire() -> None:
    """After `stop` nothing comes, and `start` does nothing."""
    scheduler, told = TestScheduler(), list[float]()
    watch = Watch(scheduler, 5.0, told.append)

    at(scheduler, 10.0, watch.start)
    at(scheduler, 12.0, watch.stop)
    at(scheduler, 13.0, watch.start)
    at(scheduler, 14.0, lambda: told.append(watch.running))
    scheduler.start()

    assert told == [False]


def test_a_stopped_watch_leaves_nothing_on_the_loop() -> None:
    """Neither a timer nor a task stays behind."""

    async def main() -> tuple[int, int]:
        tap = Tap()
        counting = Expiries(100.0, tap)
        counting.watch.start()
        tap.close()
        counting.watch.look()
        await turn()
        counting.watch.stop()
        await turn()
        return len(running().timers), len(asyncio.all_tasks())

    assert virtual_loop.run(main()) == (0, 1)


def test_the_clock_stands_while_demand_is_absent() -> None:
    """Time without demand does not count, to the second."""

    async def main() -> list[float]:
        tap = Tap()
        counting = Expiries(10.0, tap)
        counting.watch.start()
        await pass_time(4)
        tap.close()
        counting.watch.look()
        await pass_time(100)
        tap.open()
        await pass_time(50)
        return counting

    assert virtual_loop.run(main()) == [110.0]


def test_several_pauses_add_up() -> None:
    """Each time without demand moves the deadline by its length."""

    async def main() -> list[float]:
        tap = Tap()
        counting = Expiries(10.0, tap)
        counting.watch.start()
        for _ in range(3):
            await pass_time(3)
            tap.close()
            counting.watch.look()
            await pass_time(7)
            tap.open()
            await turn()
        await pass_time(50)
        return counting

    assert virtual_loop.run(main()) == [31.0]


def test_a_touch_within_a_pause_counts_from_the_end_of_the_pause() -> None:
    """What is left of a burst may still arrive while demand is gone; the time after it is a pause too."""

    async def main() -> list[float]:
        tap = Tap()
        counting = Expiries(10.0, tap)
        counting.watch.start()
        await pass_time(4)
        tap.close()
        counting.watch.look()
        await pass_time(2)
        counting.watch.touch()
        await pass_time(30)
        tap.open()
        await pass_time(50)
        return counting

    assert virtual_loop.run(main()) == [46.0]


def test_without_demand_at_the_start_it_waits() -> None:
    """A watch that starts while the subscriber is not ready begins to count when it is."""

    async def main() -> list[float]:
        tap = Tap(is_open=False)
        counting = Expiries(10.0, tap)
        counting.watch.start()
        await pass_time(25)
        tap.open()
        await pass_time(50)
        return counting

    assert virtual_loop.run(main()) == [35.0]


def test_demand_that_went_unseen_never_expires_it() -> None:
    """When demand went without a delivery, the time counts anew from its return."""

    async def main() -> list[float]:
        tap = Tap()
        counting = Expiries(10.0, tap)
        counting.watch.start()
        await pass_time(4)
        tap.close()
        await pass_time(36)
        tap.open()
        await pass_time(50)
        return counting

    assert virtual_loop.run(main()) == [50.0]


def test_a_pause_longer_than_the_deadline_has_no_timer() -> None:
    """While the clock stands the loop is not woken."""

    async def main() -> int:
        tap = Tap()
        counting = Expiries(10.0, tap)
        counting.watch.start()
        tap.close()
        counting.watch.look()
        await pass_time(60)
        return len(running().timers)

    assert virtual_loop.run(main()) == 0


def test_one_pause_waits_once() -> None:
    """Looking again during a pause makes no second task."""

    async def main() -> int:
        tap = Tap()
        counting = Expiries(10.0, tap)
        counting.watch.start()
        tap.close()
        for _ in range(5):
            counting.watch.look()
            await turn()
        counting.watch.stop()
        return tap.waits

    assert virtual_loop.run(main()) == 1


def test_demand_that_fails_does_not_pause_for_ever() -> None:
    """Who cannot be waited for is as good as ready."""

    class Broken(Tap):
        async def wait(self) -> None:
            raise ValueError("no way to wait")

    async def main() -> list[float]:
        counting = Expiries(10.0, Broken(is_open=False))
        counting.watch.start()
        await pass_time(50)
        return counting

    assert virtual_loop.run(main()) == [10.0]


def test_a_watch_can_be_stopped_by_what_it_calls() -> None:
    """`expired` may stop the watch, as every owner does."""

    async def main() -> tuple[list[float], bool]:
        told: list[float] = []

        def expired(seconds: float) -> None:
            watch.stop()
            told.append(seconds)

        watch = Watch(LoopScheduler(running()), 3.0, expired)
        watch.start()
        await pass_time(10)
        return told, watch.running

    assert virtual_loop.run(main()) == ([3.0], False)


def test_time_on_a_loop_is_the_loops_own() -> None:
    """A loop in virtual time needs no real second for a deadline of days."""

    async def main() -> list[float]:
        counting = Expiries(300_000.0)
        counting.watch.start()
        await pass_time(400_000)
        return counting

    assert virtual_loop.run(main()) == [300_000.0]


def test_the_virtual_loop_tells_its_timers() -> None:
    """The helper of these tests counts a timer until it is cancelled."""

    async def main() -> list[int]:
        loop = running()
        counts = [len(loop.timers)]
        handle = loop.call_later(9, print)
        counts.append(len(loop.timers))
        handle.cancel()
        return [*counts, len(loop.timers)]

    assert virtual_loop.run(main()) == [0, 1, 0]
