"""A stream as an async iterator."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Generic, Self, TypeVar, cast

from allm_rx.abc.flow import LoopScheduler, running_loop
from allm_rx.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import DisposableBase

T = TypeVar("T")

_SLICE = 0.005
"""Seconds of items without a wait after which other tasks of the loop get their turn."""


def to_aiter(source: Observable[T], capacity: int = 256) -> ObservableIterator[T]:
    """Read a stream with `async for`, at the reader's pace.

        async with lx.to_aiter(stream_generate(engine, "Hi")) as events:
            async for event in events:
                ...

    It subscribes on the running loop when the first item is asked for. Leaving the `async with`, `aclose()` and a
    cancelled `anext` dispose the subscription; so does a bare `async for` that is left, when its iterator is dropped.

    Nothing is dropped and the order is kept, from whatever thread the source emits. When `capacity` items wait, our
    sources stop reading until half of them are read (at most what one piece of the network holds comes on top). A source
    that knows nothing of demand is not slowed, and what it emits is kept.

    Args:
        source: any observable.
        capacity: items that may wait for the reader.

    Raises:
        ValueError: `capacity` is less than 1.
        Exception: from the iteration, after the items before it: what the stream ended with.
        UsageError: from the iteration: `wrong_thread`, it was begun on another loop.
    """
    if capacity < 1:
        raise ValueError(f"`capacity` is {capacity}, and an iterator holds at least 1 item.")
    return ObservableIterator(source, capacity)


class ObservableIterator(AsyncIterator[T], Generic[T]):
    """One subscription, read item by item; see `to_aiter`."""

    __slots__ = ("_buffer", "_source")

    def __init__(self, source: Observable[T], capacity: int) -> None:
        """Set up without subscribing."""
        self._source: Observable[T] | None = source
        # The subscription refers to the buffer only. Were they one object, a dropped iterator would live as long as it.
        self._buffer: _Buffer[T] = _Buffer(capacity)

    async def __anext__(self) -> T:
        source, self._source = self._source, None
        if source is not None:
            self._buffer.fill_from(source)
        return await self._buffer.take()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._leave()

    async def aclose(self) -> None:
        """Dispose the subscription; from then on there is no further item."""
        self._leave()

    def __del__(self) -> None:
        self._leave()

    def _leave(self) -> None:
        self._source = None
        self._buffer.leave()


class _End:
    """The stream's end, behind its last item."""

    __slots__ = ("error",)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


class _Buffer(Generic[T]):
    """What has come and was not read yet; also the subscription's demand."""

    __slots__ = ("_capacity", "_closed", "_items", "_loop", "_paused", "_subscription", "_turned", "_waiter", "_woken")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._items: deque[T | _End] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscription: DisposableBase | None = None
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None
        """The reader's, while it waits for an item."""
        self._woken = False
        """Whether that reader was told already: one wake-up per burst."""
        self._paused: list[asyncio.Future[None]] = []
        """The source's, while it waits for room."""
        self._turned = 0.0

    # For the source.

    def on_next(self, item: T | _End) -> None:
        """Take an item; from any thread."""
        if self._closed:
            return
        self._items.append(item)
        if self._waiter is not None and not self._woken:
            self._woken = True
            self._call(self._wake)

    def on_error(self, error: Exception) -> None:
        """Take the end."""
        self.on_next(_End(error))

    def on_completed(self) -> None:
        """Take the end."""
        self.on_next(_End())

    def ready(self) -> bool:
        """Tell whether there is room; see `abc.flow.Demand`."""
        return self._closed or len(self._items) < self._capacity

    async def wait(self) -> None:
        """Return when there is room again, or nobody reads any more."""
        while not self.ready():
            future = asyncio.get_running_loop().create_future()
            self._paused.append(future)
            await future

    # For the reader, on its loop.

    def fill_from(self, source: Observable[T]) -> None:
        """Subscribe on the running loop."""
        loop = self._loop = asyncio.get_running_loop()
        self._turned = time.perf_counter()
        subscription = source.subscribe(self.on_next, self.on_error, self.on_completed, scheduler=LoopScheduler(loop, self))
        if self._closed:
            subscription.dispose()
        else:
            self._subscription = subscription

    async def take(self) -> T:
        """Give the next item, once there is one."""
        items = self._items
        self._check_reader()
        try:
            if items:
                if time.perf_counter() - self._turned > _SLICE:
                    await asyncio.sleep(0)  # noqa: TID251 - no time but a turn: the loop's other tasks
                    self._turned = time.perf_counter()
            else:
                await self._arrival()
        except BaseException:
            self.leave()
            raise
        if self._closed:
            raise StopAsyncIteration
        item = items.popleft()
        if self._paused and len(items) <= self._capacity // 2:
            self._resume()
        if type(item) is _End:
            self.leave()
            raise _ending(item.error)
        return cast("T", item)

    def leave(self) -> None:
        """Dispose the subscription and forget what was not read; from any thread, any number of times."""
        if self._closed:
            return
        self._closed = True
        if not self._call(self._close):
            self._close()  # no loop is left to do it on

    async def _arrival(self) -> None:
        """Return when there is an item, or nobody reads any more."""
        try:
            while not self._items and not self._closed:
                self._woken = False
                self._waiter = waiter = asyncio.get_running_loop().create_future()
                # From another thread an item may have come between the look and the entry of the waiter.
                if not self._items and not self._closed:
                    await waiter
        finally:
            self._waiter = None
            self._turned = time.perf_counter()

    def _check_reader(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("Two tasks read one iterator at the same time: give each its own `to_aiter`.")
        if running_loop() is not self._loop and not self._closed:
            raise UsageError("wrong_thread", "The iterator was begun on another event loop: read it where it was begun.")

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _resume(self) -> None:
        paused, self._paused = self._paused, []
        for future in paused:
            if not future.done():
                future.set_result(None)

    def _close(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.dispose()
        self._items.clear()
        if self._loop is not None and not self._loop.is_closed():
            self._wake()
            self._resume()

    def _call(self, action: Callable[[], None]) -> bool:
        """Have an action called on the reader's loop, at once when this is its thread; tell whether it will be."""
        loop = self._loop
        if loop is None or running_loop() is loop:
            action()
            return True
        try:
            loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop was closed
            return False
        return True


def _ending(error: Exception | None) -> Exception:
    if isinstance(error, (StopAsyncIteration, StopIteration)):  # it would pass for the end of a whole answer
        return RuntimeError(f"The stream ended with {error!r}.")
    return StopAsyncIteration() if error is None else error
