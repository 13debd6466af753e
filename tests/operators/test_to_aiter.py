"""Reading a stream at one's own pace."""

import asyncio
import contextlib
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.scheduler import NewThreadScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.subject import Subject

from allm_rx import operators as lx
from allm_rx.abc.flow import Demand, demand_of, loop_of
from allm_rx.errors import UsageError
from tests import virtual_loop
from tests.virtual_loop import pass_time, running, turn


class Source:
    """A stream that a test feeds by hand, and that tells of its subscriptions."""

    def __init__(self) -> None:
        self.observers: list[Any] = []
        self.schedulers: list[Any] = []
        self.disposals = 0

    def stream(self) -> Observable[Any]:
        def subscribe(observer: Any, scheduler: Any = None) -> Disposable:
            self.observers.append(observer)
            self.schedulers.append(scheduler)
            return Disposable(self._left)

        return Observable(subscribe)

    def _left(self) -> None:
        self.disposals += 1

    def emit(self, *items: Any) -> None:
        for item in items:
            self.observers[-1].on_next(item)

    @property
    def demand(self) -> Demand:
        demand = demand_of(self.schedulers[-1])
        assert demand is not None
        return demand


async def collected(source: Observable[Any], **options: Any) -> list[Any]:
    """All items of a stream."""
    return [item async for item in lx.to_aiter(source, **options)]


def test_it_gives_all_items_in_order() -> None:
    """And ends when the stream does."""
    assert asyncio.run(collected(rx.range(1000))) == list(range(1000))


def test_an_empty_stream_gives_nothing() -> None:
    """The loop ends at once."""
    assert asyncio.run(collected(rx.empty())) == []


def test_items_from_another_thread_arrive_in_order() -> None:
    """A flood from a thread of its own loses nothing."""
    stream = rx.range(20_000).pipe(ops.subscribe_on(NewThreadScheduler()))

    assert asyncio.run(collected(stream)) == list(range(20_000))


def test_a_reader_that_waits_is_woken_from_another_thread() -> None:
    """Each item is asked for before it is there."""

    async def main() -> list[int]:
        source, seen = Source(), list[int]()
        items = lx.to_aiter(source.stream())
        for number in range(50):
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0)  # noqa: TID251 - a turn, so that the reader waits
            threading.Thread(target=source.emit, args=(number,)).start()
            seen.append(await waiting)
        await items.aclose()
        return seen

    assert asyncio.run(main()) == list(range(50))


def test_an_error_comes_after_the_items_before_it() -> None:
    """It is raised once; then the iterator has ended."""

    async def main() -> tuple[list[Any], str, Any]:
        items = lx.to_aiter(rx.concat(rx.of(1, 2), rx.throw(ValueError("broken"))))
        seen = [await anext(items), await anext(items)]
        with pytest.raises(ValueError, match="broken") as raised:
            await anext(items)
        return seen, str(raised.value), await anext(items, "end")

    assert asyncio.run(main()) == ([1, 2], "broken", "end")


@pytest.mark.parametrize("error", [StopAsyncIteration(), StopIteration()], ids=repr)
def test_an_error_that_looks_like_an_end_is_no_end(error: Exception) -> None:
    """A failed stream never passes for a whole one."""
    with pytest.raises(RuntimeError, match="The stream ended with Stop"):
        asyncio.run(collected(rx.throw(error)))


def test_nothing_is_subscribed_before_the_first_item_is_asked_for() -> None:
    """Making the iterator and entering it costs nothing."""

    async def main() -> list[int]:
        source = Source()
        counts: list[int] = []
        async with lx.to_aiter(source.stream()) as items:
            counts.append(len(source.observers))
            reading = asyncio.ensure_future(anext(items))
            await turn()
            counts.append(len(source.observers))
            source.emit(1)
            await reading
        return counts

    assert virtual_loop.run(main()) == [0, 1]


def test_the_scheduler_is_one_of_the_running_loop() -> None:
    """Time operators on the way run on it."""

    async def main() -> bool:
        source = Source()
        reading = asyncio.ensure_future(anext(lx.to_aiter(source.stream())))
        await turn()
        scheduler = source.schedulers[0]
        reading.cancel()
        return isinstance(scheduler, AsyncIOScheduler) and loop_of(scheduler) is running()

    assert virtual_loop.run(main())


# Leaving.


async def by_leaving_the_block(source: Source) -> None:
    async with lx.to_aiter(source.stream()) as items:
        await first(source, items)


async def by_raising_in_the_block(source: Source) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with lx.to_aiter(source.stream()) as items:
            await first(source, items)
            raise ZeroDivisionError


async def by_aclose(source: Source) -> None:
    items = lx.to_aiter(source.stream())
    await first(source, items)
    await items.aclose()
    await items.aclose()


async def by_dropping_it(source: Source) -> None:
    await first(source, lx.to_aiter(source.stream()))


async def by_break(source: Source) -> None:
    fed = rx.merge(source.stream(), rx.of(1))
    async for _ in lx.to_aiter(fed):
        break


async def by_cancelling_the_reader(source: Source) -> None:
    items = lx.to_aiter(source.stream())
    await first(source, items)
    reading = asyncio.ensure_future(anext(items))
    await turn()
    reading.cancel()
    await asyncio.wait([reading])
    assert await anext(items, "end") == "end"


async def by_cancelling_the_loop(source: Source) -> None:
    async def read() -> None:
        async for _ in lx.to_aiter(rx.merge(source.stream(), rx.of(1))):
            await running().create_future()

    reading = asyncio.ensure_future(read())
    await turn()
    reading.cancel()
    await asyncio.wait([reading])
    del reading


async def first(source: Source, items: Any) -> None:
    """Read one item."""
    reading = asyncio.ensure_future(anext(items))
    await turn()
    source.emit(1)
    assert await reading == 1


@pytest.mark.parametrize(
    "leave",
    [
        by_leaving_the_block,
        by_raising_in_the_block,
        by_aclose,
        by_dropping_it,
        by_break,
        by_cancelling_the_reader,
        by_cancelling_the_loop,
    ],
)
def test_leaving_disposes_the_subscription_at_once(leave: Callable[[Source], Any]) -> None:
    """Whatever way it is left, once, and without the garbage collector."""

    async def main() -> int:
        source = Source()
        await leave(source)
        return source.disposals

    gc.disable()
    try:
        assert virtual_loop.run(main()) == 1
    finally:
        gc.enable()


def test_dropping_it_on_another_thread_disposes_on_its_loop() -> None:
    """A collector may run anywhere; the subscription is left where it lives."""
    threads: list[int] = []

    async def main() -> None:
        left = asyncio.Event()

        def note() -> None:
            threads.append(threading.get_ident())
            left.set()

        held = [lx.to_aiter(rx.concat(rx.of(1), rx.never()).pipe(ops.finally_action(note)))]
        await anext(held[0])
        threading.Thread(target=held.clear).start()
        await left.wait()

    asyncio.run(main())

    assert threads == [threading.get_ident()]


def test_dropping_it_after_its_loop_disposes_all_the_same() -> None:
    """A stream that lives elsewhere does not outlive its reader."""
    source = Source()
    items: list[Any] = [lx.to_aiter(source.stream())]

    async def main() -> None:
        reading = asyncio.ensure_future(anext(items[0]))
        await turn()
        source.emit(1)
        await reading

    virtual_loop.run(main())
    before = source.disposals
    items.clear()

    assert (before, source.disposals) == (0, 1)


def test_what_comes_after_leaving_is_not_kept() -> None:
    """A source that does not hear its disposal fills nothing."""

    async def main() -> Any:
        source: Subject[int] = Subject()
        items = lx.to_aiter(source)
        reading = asyncio.ensure_future(anext(items))
        await turn()
        source.on_next(1)
        source.on_next(2)
        await reading
        await items.aclose()
        return await anext(items, "end")

    assert virtual_loop.run(main()) == "end"


def test_leaving_ends_a_reader_that_waits() -> None:
    """Another task may close the iterator; the reader's loop is over then."""

    async def main() -> Any:
        items = lx.to_aiter(rx.never())
        reading = asyncio.ensure_future(anext(items, "end"))
        await turn()
        await items.aclose()
        return await reading

    assert virtual_loop.run(main()) == "end"


# Demand.


def test_demand_goes_at_the_capacity_and_comes_back_at_half_of_it() -> None:
    """A source that heeds it holds at most that many items back."""

    async def main() -> list[bool]:
        source = Source()
        items = lx.to_aiter(source.stream(), capacity=4)
        reading = asyncio.ensure_future(anext(items))
        await turn()
        source.emit(0)
        await reading
        ready: list[bool] = []
        for number in range(4):
            source.emit(number)
            ready.append(source.demand.ready())
        waiting = asyncio.ensure_future(source.demand.wait())
        for _ in range(2):
            await turn()
            ready.append(waiting.done())
            await anext(items)
        await turn()
        await items.aclose()
        return [*ready, waiting.done()]

    assert virtual_loop.run(main()) == [True, True, True, False, False, False, True]


def test_a_source_that_heeds_demand_is_never_far_ahead() -> None:
    """Of a thousand items at most the capacity waits, and none is lost."""

    async def main() -> tuple[list[int], int]:
        made, ahead = 0, 0

        async def numbers() -> AsyncIterator[int]:
            nonlocal made
            for number in range(1000):
                made += 1
                yield number

        seen: list[int] = []
        async for number in lx.to_aiter(lx.from_aiter(numbers), capacity=10):
            ahead = max(ahead, made - len(seen))
            seen.append(number)
        return seen, ahead

    assert virtual_loop.run(main()) == (list(range(1000)), 10)


def test_who_left_is_ready() -> None:
    """A source that waits for demand goes on, and sees that it was left."""

    async def main() -> list[bool]:
        source = Source()
        items = lx.to_aiter(source.stream(), capacity=1)
        reading = asyncio.ensure_future(anext(items))
        await turn()
        source.emit(1, 2, 3)
        await reading
        waiting = asyncio.ensure_future(source.demand.wait())
        await turn()
        states = [source.demand.ready(), waiting.done()]
        await items.aclose()
        await turn()
        return [*states, source.demand.ready(), waiting.done()]

    assert virtual_loop.run(main()) == [False, False, True, True]


def test_a_source_without_demand_loses_nothing() -> None:
    """What comes beyond the capacity is kept."""
    assert asyncio.run(collected(rx.range(100), capacity=1)) == list(range(100))


def test_other_tasks_have_their_turn_while_items_are_there() -> None:
    """A reader that never has to wait lets the loop breathe all the same."""

    async def main() -> bool:
        other = asyncio.ensure_future(turn())
        async for _ in lx.to_aiter(rx.from_iterable(forever())):
            if other.done():
                return True
        return False

    def forever() -> Iterator[int]:
        yield from range(50_000)

    assert virtual_loop.run(main())


# Mistakes.


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_capacity_below_one_is_refused(capacity: int) -> None:
    """At once, where it is written."""
    with pytest.raises(ValueError, match=f"`capacity` is {capacity}"):
        lx.to_aiter(rx.never(), capacity)


def test_two_readers_at_a_time_are_refused() -> None:
    """The second one is told, and the first goes on."""

    async def main() -> int:
        source = Source()
        items = lx.to_aiter(source.stream())
        reading = asyncio.ensure_future(anext(items))
        await turn()
        with pytest.raises(RuntimeError, match="Two tasks read one iterator"):
            await anext(items)
        source.emit(7)
        return await reading

    assert virtual_loop.run(main()) == 7


def test_another_loop_is_refused() -> None:
    """An iterator stays on the loop it was begun on."""
    items = lx.to_aiter(rx.concat(rx.of(1), rx.never()))

    async def read() -> int:
        return await anext(items)

    assert asyncio.run(read()) == 1
    with pytest.raises(UsageError, match="another event loop"):
        asyncio.run(read())


def test_reading_leaves_nothing_on_the_loop() -> None:
    """No task and no timer, after the end and after leaving."""

    async def main() -> tuple[int, int]:
        await collected(rx.of(1, 2))
        async for _ in lx.to_aiter(rx.timer(1.0, 1.0)):
            break
        await pass_time(0)
        return len(asyncio.all_tasks()), len(running().timers)

    assert virtual_loop.run(main()) == (1, 0)
