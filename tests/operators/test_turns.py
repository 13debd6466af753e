"""One thing after the other."""

import asyncio
import threading

import reactivex as rx
from reactivex.disposable import Disposable
from reactivex.testing import TestScheduler

from allm_rx.abc.flow import LoopScheduler, running_loop
from allm_rx.errors import SubscriberError
from allm_rx.operators.turns import Turns, subscribe_there


def test_a_call_from_within_waits_for_the_end_of_the_first() -> None:
    """So that no subscriber is told something in the middle of something else."""
    turns, told = Turns(), list[str]()

    def first() -> None:
        told.append("first begins")
        turns.take(told.append, "second")
        told.append("first ends")

    turns.take(first)

    assert told == ["first begins", "first ends", "second"]


def test_a_thread_that_comes_in_between_does_not_wait() -> None:
    """It leaves its call to the one that is at it."""
    turns, threads = Turns(), list[str]()

    def note() -> None:
        threads.append(threading.current_thread().name)

    def first() -> None:
        other = threading.Thread(target=lambda: turns.take(note))
        other.start()
        other.join()
        assert threads == []

    turns.take(first)

    assert threads == [threading.current_thread().name]


def test_calls_of_many_threads_do_not_overlap() -> None:
    """And none is lost."""
    turns, count, inside = Turns(), 0, 0

    def call() -> None:
        nonlocal count, inside
        inside += 1
        assert inside == 1
        count += 1
        inside -= 1

    threads = [threading.Thread(target=lambda: [turns.take(call) for _ in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count == 8000


def test_what_raises_does_not_hold_up_the_others() -> None:
    """The next call is made."""
    turns, told = Turns(), list[str]()

    def fail() -> None:
        raise ValueError("bug")

    try:
        turns.take(fail)
    except ValueError:
        turns.take(told.append, "next")

    assert told == ["next"]


def test_a_timer_blames_the_subscriber() -> None:
    """What it raises there is for its own `on_error`; a blame is not blamed again."""
    scheduler, errors = TestScheduler(), list[Exception]()

    for raised in (ValueError("bug"), SubscriberError(ValueError("bug"))):

        def fail(raised: Exception = raised) -> None:
            raise raised

        scheduler.schedule_relative(1.0, Turns().ring(fail, errors.append))
    scheduler.start()

    assert [(type(error), str(error.__cause__)) for error in errors] == [(SubscriberError, "bug")] * 2


def test_a_stream_inside_a_loop_is_subscribed_on_it() -> None:
    """Though what asks for it comes from another thread; so is it left."""

    async def main() -> list[bool]:
        loop = asyncio.get_running_loop()
        there: list[bool] = []

        def subscribe() -> Disposable:
            there.append(running_loop() is loop)
            return Disposable(lambda: there.append(running_loop() is loop))

        subscription = await asyncio.to_thread(subscribe_there, subscribe, LoopScheduler(loop))
        await asyncio.to_thread(subscription.dispose)
        return there

    assert asyncio.run(main()) == [True, True]


def test_one_that_is_left_before_the_loop_turned_is_not_subscribed() -> None:
    """Nobody wants it any more."""

    async def main() -> list[str]:
        loop, told = asyncio.get_running_loop(), list[str]()

        def subscribe() -> Disposable:
            told.append("subscribed")
            return Disposable()

        def ask_and_leave() -> None:
            subscribe_there(subscribe, LoopScheduler(loop)).dispose()

        thread = threading.Thread(target=ask_and_leave)
        thread.start()
        thread.join()
        await rx.timer(0.0)
        return told

    assert asyncio.run(main()) == []
