"""Ways to leave a run: one leaves at once, one from another thread, one by an exception, one never.

Rule 1: when exactly a run is left is a matter of chance, which is a parameter.
Rule 2: a way ends with its run; what it did not expect goes to `unwanted`.
"""

import asyncio
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import DisposableBase
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.internal.exceptions import SequenceContainsNoElementsError

from allm_rx import operators as lx

LONGEST = 0.06
"""Seconds after which a run is left at the latest; an answer takes a little longer."""
PATIENCE = 40.0
"""Seconds to wait for what is left; aiohttp closes a connection 15 s after its last use."""

Leave = Callable[[Observable[Any], Random], None]
LeaveOnLoop = Callable[[Observable[Any], Random], Coroutine[Any, Any, None]]

UNWANTED: list[str] = []
"""What nobody expected, as it was told."""


def unwanted(error: BaseException) -> None:
    """Note an error that nobody expected."""
    UNWANTED.append("".join(traceback.format_exception(error)))


# Ways to leave, on a thread without a loop.


def at_once(source: Observable[Any], chance: Random) -> None:
    """Dispose before the connection exists."""
    del chance
    source.subscribe().dispose()


def later(source: Observable[Any], chance: Random) -> None:
    """Dispose from another thread than the events', at some moment."""
    subscription = source.subscribe(on_error=unwanted)
    time.sleep(chance.uniform(0, LONGEST))
    subscription.dispose()


def twice(source: Observable[Any], chance: Random) -> None:
    """Dispose from two threads at the same moment."""
    subscription = source.subscribe(on_error=unwanted)
    time.sleep(chance.uniform(0, LONGEST))
    other = threading.Thread(target=subscription.dispose)
    other.start()
    subscription.dispose()
    other.join()


def within(source: Observable[Any], chance: Random) -> None:
    """Dispose from within `on_next`, after so many items."""
    left = threading.Event()
    serial = SerialDisposable()
    rest = iter(range(chance.randint(1, 20), 0, -1))

    def on_next(item: Any) -> None:
        del item
        if next(rest, 0) == 1:  # a few more may come until `subscribe` has returned, and there is something to dispose
            serial.dispose()
            left.set()

    def on_error(error: Exception) -> None:
        unwanted(error)
        left.set()

    serial.disposable = source.subscribe(on_next, on_error, left.set)
    left.wait(PATIENCE)


def few(source: Observable[Any], chance: Random) -> None:
    """Take a few."""
    lx.run(source.pipe(ops.take(chance.randint(1, 20))), timeout=PATIENCE)


def impatient(source: Observable[Any], chance: Random) -> None:
    """Run with too little time."""
    with suppress(TimeoutError):
        lx.run(source, timeout=chance.uniform(0.001, LONGEST))


def stopped(source: Observable[Any], chance: Random) -> None:
    """Cancel by an observable."""
    signal = lx.cancel_on(_after(chance.uniform(0, LONGEST)))
    with suppress(SequenceContainsNoElementsError):
        lx.run(source.pipe(signal), timeout=PATIENCE)


def raising(source: Observable[Any], chance: Random) -> None:
    """Raise in an operator downstream."""
    rest = iter(range(chance.randint(1, 20), 0, -1))

    def careless(item: Any) -> Any:
        if next(rest) == 1:
            raise _CarelessError
        return item

    with suppress(_CarelessError):
        lx.run(source.pipe(ops.map(careless)), timeout=PATIENCE)


def whole(source: Observable[Any], chance: Random) -> None:
    """Stay to the end."""
    del chance
    lx.run(source, timeout=PATIENCE)


def elsewhere(scheduler: Any) -> Leave:
    """Have the events arrive on a scheduler of one's own, and dispose at some moment."""

    def leave(source: Observable[Any], chance: Random) -> None:
        subscription = source.subscribe(on_error=unwanted, scheduler=scheduler)
        time.sleep(chance.uniform(0, LONGEST))
        subscription.dispose()

    leave.__name__ = f"on {type(scheduler).__name__}"
    return leave


# Ways to leave, on a loop.


async def iterated(source: Observable[Any], chance: Random) -> None:
    """Leave an iteration after so many items."""
    count = chance.randint(1, 20)
    async with lx.to_aiter(source) as items:
        async for _ in items:
            count -= 1
            if not count:
                break


async def dropped(source: Observable[Any], chance: Random) -> None:
    """Leave a bare iteration after so many items."""
    count = chance.randint(1, 20)
    async for _ in lx.to_aiter(source):
        count -= 1
        if not count:
            break


async def cancelled(source: Observable[Any], chance: Random) -> None:
    """Cancel what awaits."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_awaited(source), chance.uniform(0.001, LONGEST))


async def disposed(source: Observable[Any], chance: Random) -> None:
    """Dispose on the loop, at some moment."""
    subscription = source.subscribe(on_error=unwanted)
    await asyncio.sleep(chance.uniform(0, LONGEST))
    subscription.dispose()


async def from_a_thread(source: Observable[Any], chance: Random) -> None:
    """Dispose from another thread what lives on the loop."""
    subscription = source.subscribe(on_error=unwanted)
    await asyncio.sleep(chance.uniform(0, LONGEST))
    other = threading.Thread(target=subscription.dispose)
    other.start()
    other.join()


async def awaited(source: Observable[Any], chance: Random) -> None:
    """Stay to the end."""
    del chance
    await _awaited(source)


async def forgotten(source: Observable[Any], chance: Random) -> None:
    """Leave it running when the loop ends."""
    del chance
    source.subscribe(on_error=lambda error: None)


async def _awaited(source: Observable[Any]) -> Any:
    return await source


class _CarelessError(Exception):
    """What the caller's own operator raises."""


def _after(seconds: float) -> Observable[int]:
    def subscribe(observer: Any, scheduler: Any = None) -> DisposableBase:
        del scheduler
        timer = threading.Timer(seconds, observer.on_next, (0,))
        timer.daemon = True
        timer.start()
        return Disposable(timer.cancel)

    return Observable(subscribe)


ON_THREADS: tuple[Leave, ...] = (at_once, later, twice, within, few, impatient, stopped, raising, whole)
ON_LOOPS: tuple[LeaveOnLoop, ...] = (iterated, dropped, cancelled, disposed, from_a_thread, awaited, forgotten)
