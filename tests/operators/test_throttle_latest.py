"""No more often than a display can show."""

import threading
from typing import Any

import pytest
from reactivex import operators as ops
from reactivex.subject import Subject
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.errors import SubscriberError
from allm_rx.testing.marbles import events, expect, observe
from tests import virtual_loop
from tests.virtual_loop import pass_time, running

LETTERS = {letter: letter for letter in "abcdefg"}


def throttled(diagram: str, interval: float = 4.0, **options: Any) -> list[Any]:
    """What passes of a stream of letters."""
    return observe(events(diagram, LETTERS, **options).pipe(lx.throttle_latest(interval)))


def test_the_first_passes_at_once_then_the_latest_of_each_interval() -> None:
    """What came in between is dropped."""
    assert throttled("a-b-c-d--") == expect("a---c---d", LETTERS)


def test_after_a_pause_the_next_passes_at_once() -> None:
    """An interval in which nothing waits leaves the way open."""
    assert throttled("a-------b-------c") == expect("a-------b-------c", LETTERS)


def test_the_last_is_never_lost() -> None:
    """What waits comes before the end."""
    assert throttled("a-b|") == expect("a--(b,|)", LETTERS)


def test_the_last_comes_before_an_error_too() -> None:
    """A display shows how far it came."""
    assert throttled("a-b-#", error=ValueError("bug")) == expect("a---(b,#)", LETTERS, error=ValueError("bug"))


def test_an_end_with_nothing_to_wait_for_comes_at_once() -> None:
    """No timer delays it."""
    assert throttled("a-|") == expect("a-|", LETTERS)


def test_items_that_come_all_the_time_do_not_starve_it() -> None:
    """Unlike with `debounce`."""
    assert throttled("a-a-a-a-a-a-a") == expect("a---a---a---a", LETTERS)


def test_leaving_disposes_source_and_timer() -> None:
    """Virtual time has nothing left to do."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, "a"), ReactiveTest.on_next(11, "b"))

    seen = scheduler.start(lambda: source.pipe(lx.throttle_latest(50.0)), disposed=220)

    assert source.subscriptions == [ReactiveTest.subscribe(200, 220)]
    assert [one.time for one in seen.messages] == [210]


def test_leaving_at_an_item_gives_no_other() -> None:
    """What waits is dropped with the subscription."""
    assert observe(events("a-b-c|", LETTERS).pipe(lx.throttle_latest(3.0), ops.take(1))) == expect("(a,|)", LETTERS)


def test_each_subscription_has_its_own_interval() -> None:
    """A second subscriber's first item passes at once, too."""
    stream = events("a-b-c|", LETTERS).pipe(lx.throttle_latest(3.0))

    assert observe(stream) == observe(stream) == expect("a--b-(c,|)", LETTERS)


def test_the_timer_is_the_loops() -> None:
    """Without a scheduler its time counts, and no thread is started."""

    async def main() -> list[tuple[float, int]]:
        seen: list[tuple[float, int]] = []
        source, loop = Subject[int](), running()
        source.pipe(lx.throttle_latest(5.0)).subscribe(lambda item: seen.append((loop.time(), item)))
        for item in range(3):
            source.on_next(item)
        await pass_time(20)
        return seen

    before = threading.active_count()
    assert virtual_loop.run(main()) == [(0.0, 0), (5.0, 2)]
    assert threading.active_count() == before


def test_a_scheduler_can_be_given() -> None:
    """Its time counts then."""
    scheduler, seen = TestScheduler(), list[int]()
    source = Subject[int]()

    source.pipe(lx.throttle_latest(5.0, scheduler=scheduler)).subscribe(seen.append)
    source.on_next(1)
    source.on_next(2)
    scheduler.advance_to(5.0)

    assert seen == [1, 2]


def test_a_subscriber_that_raises_at_the_timer_is_told() -> None:
    """Nobody is above who would hear it; the source is left."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(1, "a"), ReactiveTest.on_next(2, "b"))
    errors: list[Exception] = []

    def on_next(item: str) -> None:
        if item == "b":
            raise ValueError(item)

    source.pipe(lx.throttle_latest(5.0)).subscribe(on_next, errors.append, scheduler=scheduler)
    scheduler.start()

    [error] = errors
    assert isinstance(error, SubscriberError)
    assert isinstance(error.cause, ValueError)
    assert source.subscriptions == [ReactiveTest.subscribe(0, 6)]


@pytest.mark.parametrize("interval", [0.0, -1.0])
def test_an_interval_is_more_than_nothing(interval: float) -> None:
    """Anything else is told at once."""
    with pytest.raises(ValueError, match="needs more than 0 seconds"):
        lx.throttle_latest(interval)
