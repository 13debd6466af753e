"""Async iterables as streams."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler.eventloop import AsyncIOScheduler

from allm_rx import operators as lx
from allm_rx.abc.flow import LoopScheduler
from allm_rx.errors import StreamError, SubscriberError, UsageError
from tests import virtual_loop
from tests.demand import Tap
from tests.virtual_loop import pass_time, running, turn


class Numbers:
    """A generator function that tells how far it came and how it was closed."""

    def __init__(self, count: int, *, then: BaseException | None = None) -> None:
        self.count = count
        self.then = then
        self.made = 0
        self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.count):
                self.made += 1
                yield number
            if self.then is not None:
                raise self.then
        finally:
            await turn()  # a generator may have something to wait for when it is closed
            self.closed += 1


class Seen(list[Any]):
    """What a subscriber saw: items, then `|` or the exception."""

    def __init__(self, stream: Observable[Any], scheduler: Any = None) -> None:
        super().__init__()
        self.ended = asyncio.Event()
        self.subscription = stream.subscribe(self.append, self.end, self.end, scheduler=scheduler)

    def end(self, error: Exception | None = None) -> None:
        self.append("|" if error is None else error)
        self.ended.set()


async def seen(stream: Observable[Any], scheduler: Any = None) -> list[Any]:
    """Everything, once the stream has ended."""
    all_of_it = Seen(stream, scheduler)
    await all_of_it.ended.wait()
    return all_of_it


def test_it_gives_all_items_and_completes() -> None:
    """In order."""
    assert virtual_loop.run(seen(lx.from_aiter(Numbers(3)))) == [0, 1, 2, "|"]


def test_nothing_runs_before_a_subscription() -> None:
    """Making the stream does not even make the generator."""
    made: list[int] = []

    def make() -> AsyncIterator[int]:
        made.append(1)
        return Numbers(1)()

    stream = lx.from_aiter(make)
    before = len(made)

    assert (before, virtual_loop.run(seen(stream)), len(made)) == (0, [0, "|"], 1)


def test_each_subscription_iterates_anew() -> None:
    """A function gives each its own generator."""

    async def main() -> list[list[Any]]:
        stream = lx.from_aiter(Numbers(2))
        return [await seen(stream), await seen(stream)]

    assert virtual_loop.run(main()) == [[0, 1, "|"], [0, 1, "|"]]


def test_an_iterable_can_be_given_itself() -> None:
    """One that begins anew at each iteration serves any number of subscriptions."""

    class Twice:
        def __aiter__(self) -> AsyncIterator[int]:
            return Numbers(2)()

    async def main() -> list[list[Any]]:
        stream = lx.from_aiter(Twice())
        return [await seen(stream), await seen(stream)]

    assert virtual_loop.run(main()) == [[0, 1, "|"], [0, 1, "|"]]


def test_a_generator_that_was_read_says_so() -> None:
    """A second subscription is an error that tells what to do, not an empty stream."""

    async def main() -> list[Any]:
        stream = lx.from_aiter(Numbers(1)())
        await seen(stream)
        return await seen(stream)

    [error] = virtual_loop.run(main())
    assert "pass the function to `from_aiter`, not its result" in str(error)


def test_what_it_raises_comes_after_the_items_before_it() -> None:
    """As it is."""
    error = ValueError("broken")
    numbers = Numbers(2, then=error)

    assert virtual_loop.run(seen(lx.from_aiter(numbers))) == [0, 1, error]
    assert numbers.closed == 1


def test_what_the_maker_raises_is_the_streams_error() -> None:
    """Also when there is nothing to iterate yet."""
    error = ValueError("no stream")

    def make() -> AsyncIterator[int]:
        raise error

    assert virtual_loop.run(seen(lx.from_aiter(make))) == [error]


def test_something_else_is_refused_at_once() -> None:
    """A list is no async iterable."""
    with pytest.raises(TypeError, match=r"not \[1, 2\]"):
        lx.from_aiter([1, 2])  # type: ignore[arg-type]


# Where it runs.


def test_without_a_loop_it_says_what_to_do() -> None:
    """The error names both ways to give it one."""
    errors: list[Exception] = []

    lx.from_aiter(Numbers(1)).subscribe(on_error=errors.append)

    [error] = errors
    assert isinstance(error, UsageError)
    assert error.reason == "no_event_loop"
    assert "subscribe inside one, or pass `scheduler=AsyncIOScheduler(loop)`" in error.message


def test_a_closed_loop_is_no_loop() -> None:
    """A scheduler of one is told like none."""
    errors: list[Exception] = []
    loop = asyncio.new_event_loop()
    loop.close()

    lx.from_aiter(Numbers(1)).subscribe(on_error=errors.append, scheduler=AsyncIOScheduler(loop))

    assert [type(error) for error in errors] == [UsageError]


@pytest.mark.parametrize("make", [AsyncIOScheduler, LoopScheduler], ids=lambda cls: cls.__name__)
def test_it_runs_on_the_loop_of_the_scheduler(make: Callable[[asyncio.AbstractEventLoop], Any]) -> None:
    """Also when it is subscribed from another thread."""

    async def main() -> list[Any]:
        threads: list[int] = []
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def subscribe() -> None:
            lx.from_aiter(count).subscribe(
                lambda _: threads.append(threading.get_ident()), on_completed=ended.set, scheduler=make(loop)
            )

        async def count() -> AsyncIterator[int]:
            threads.append(threading.get_ident())
            yield 1

        threading.Thread(target=subscribe).start()
        await ended.wait()
        return [thread == threading.get_ident() for thread in threads]

    assert asyncio.run(main()) == [True, True]


def test_it_sees_the_context_of_its_subscriber() -> None:
    """Context variables are those of `subscribe`."""
    variable = contextvars.ContextVar("variable", default="none")

    async def value() -> AsyncIterator[str]:
        yield variable.get()

    async def main() -> list[Any]:
        variable.set("mine")
        return await seen(lx.from_aiter(value))

    assert virtual_loop.run(main()) == ["mine", "|"]


# Leaving.


def test_leaving_closes_a_generator_that_waits() -> None:
    """Its `finally` runs, and the task is gone."""

    async def main() -> tuple[list[Any], int, int]:
        closed = 0

        async def waiting() -> AsyncIterator[int]:
            nonlocal closed
            try:
                yield 1
                await running().create_future()
            finally:
                await turn()
                closed += 1

        leaving = Seen(lx.from_aiter(waiting))
        await pass_time(1)
        leaving.subscription.dispose()
        await pass_time(1)
        return leaving, closed, len(asyncio.all_tasks())

    assert virtual_loop.run(main()) == ([1], 1, 1)


def test_leaving_within_an_item_closes_the_generator() -> None:
    """`take(2)` asks for no third item."""
    numbers = Numbers(1000)

    async def main() -> list[Any]:
        taken = await seen(lx.from_aiter(numbers).pipe(ops.take(2)))
        await pass_time(1)
        return taken

    assert virtual_loop.run(main()) == [0, 1, "|"]
    assert (numbers.made, numbers.closed) == (2, 1)


def test_leaving_before_it_began_makes_nothing() -> None:
    """A task that never ran has nothing to close."""
    numbers = Numbers(3)

    async def main() -> tuple[list[Any], int]:
        leaving = Seen(lx.from_aiter(numbers))
        leaving.subscription.dispose()
        await pass_time(1)
        return leaving, len(asyncio.all_tasks())

    assert virtual_loop.run(main()) == ([], 1)
    assert numbers.made == 0


def test_leaving_from_another_thread_closes_it_on_its_loop() -> None:
    """`dispose` returns at once; the generator is closed where it lives."""

    async def main() -> tuple[int, bool]:
        closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def waiting() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.get_running_loop().create_future()
            finally:
                closed.set_result(threading.get_ident())

        first = asyncio.Event()
        subscription = lx.from_aiter(waiting).subscribe(lambda _: first.set())
        await first.wait()
        threading.Thread(target=subscription.dispose).start()
        return 1, await closed == threading.get_ident()

    assert asyncio.run(main()) == (1, True)


def test_a_generator_that_swallows_its_cancellation_is_not_heard() -> None:
    """What it yields afterwards goes nowhere, and it is closed."""

    async def main() -> tuple[list[Any], int]:
        async def stubborn() -> AsyncIterator[int]:
            yield 1
            try:
                await running().create_future()
            except asyncio.CancelledError:
                yield 2

        leaving = Seen(lx.from_aiter(stubborn))
        await pass_time(1)
        leaving.subscription.dispose()
        await pass_time(1)
        return leaving, len(asyncio.all_tasks())

    assert virtual_loop.run(main()) == ([1], 1)


def test_the_end_of_the_loop_is_told() -> None:
    """A subscriber that never left learns that the stream was cut."""
    told: list[Exception] = []

    async def main() -> None:
        async def waiting() -> AsyncIterator[int]:
            yield 1
            await running().create_future()

        lx.from_aiter(waiting).subscribe(on_error=told.append)
        await pass_time(1)

    virtual_loop.run(main())

    [error] = told
    assert isinstance(error, StreamError)
    assert error.reason == "cancelled"


# Subscribers that raise, and nobody who listens.


def test_what_a_subscriber_raises_comes_once_as_its_own() -> None:
    """The generator is closed first, and is not blamed."""
    numbers, told = Numbers(5), list[Any]()

    def on_next(number: int) -> None:
        raise ZeroDivisionError(number)

    async def main() -> None:
        ended = asyncio.Event()

        def on_error(error: Exception) -> None:
            told.extend([error, numbers.closed])
            ended.set()

        lx.from_aiter(numbers).subscribe(on_next, on_error)
        await ended.wait()

    virtual_loop.run(main())

    error, closed = told
    assert isinstance(error, SubscriberError)
    assert (type(error.cause), numbers.made, closed) == (ZeroDivisionError, 1, 1)


def unheard(make: Callable[[], Any]) -> list[str]:
    """What reaches the loop's exception handler meanwhile."""

    async def main() -> list[str]:
        told: list[str] = []
        running().set_exception_handler(lambda _, context: told.append(repr(context["exception"])))
        await make()
        await pass_time(1)
        return told

    return virtual_loop.run(main())


def test_an_error_that_nobody_takes_reaches_the_loop() -> None:
    """Without `on_error` it does not die unread."""

    async def subscribe() -> None:
        lx.from_aiter(Numbers(0, then=ValueError("unheard"))).subscribe()

    assert unheard(subscribe) == ["ValueError('unheard')"]


def test_a_failure_after_leaving_reaches_the_loop() -> None:
    """A clean-up that fails is a defect somebody wants to know."""

    async def leave() -> None:
        async def waiting() -> AsyncIterator[int]:
            try:
                yield 1
                await running().create_future()
            finally:
                raise ValueError("clean-up")

        subscription = lx.from_aiter(waiting).subscribe()
        await pass_time(1)
        subscription.dispose()

    assert unheard(leave) == ["ValueError('clean-up')"]


def test_leaving_is_no_failure() -> None:
    """Nothing is logged for a stream that was left."""

    async def leave() -> None:
        subscription = lx.from_aiter(Numbers(1_000_000)).pipe(ops.take(1)).subscribe()
        await pass_time(1)
        subscription.dispose()

    assert unheard(leave) == []


# Demand.


def test_it_asks_for_nothing_while_demand_is_absent() -> None:
    """The next item is made when it is wanted."""

    async def main() -> list[int]:
        tap, numbers = Tap(is_open=False), Numbers(3)
        stream = lx.from_aiter(numbers).pipe(ops.do_action(lambda _: tap.close()))
        Seen(stream, LoopScheduler(running(), tap))
        made: list[int] = []
        for _ in range(4):
            await pass_time(10)
            made.append(numbers.made)
            tap.open()
        return made

    assert virtual_loop.run(main()) == [0, 1, 2, 3]


def test_leaving_while_demand_is_absent_closes_the_generator() -> None:
    """It waits between two items then."""
    numbers = Numbers(3)

    async def main() -> int:
        tap = Tap()
        leaving = Seen(lx.from_aiter(numbers).pipe(ops.do_action(lambda _: tap.close())), LoopScheduler(running(), tap))
        await pass_time(1)
        leaving.subscription.dispose()
        await pass_time(1)
        return len(asyncio.all_tasks())

    assert virtual_loop.run(main()) == 1
    assert (numbers.made, numbers.closed) == (1, 1)


def test_other_tasks_have_their_turn_in_a_flood() -> None:
    """A generator that never waits lets the loop breathe all the same."""

    async def main() -> bool:
        other = asyncio.ensure_future(turn())

        async def until_other() -> AsyncIterator[int]:
            for number in range(1_000_000):
                if other.done():
                    return
                yield number

        *_, last, end = await seen(lx.from_aiter(until_other))
        return last < 999_999 and end == "|"

    assert virtual_loop.run(main())
