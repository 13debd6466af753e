"""An async iterable as a stream.

Rule 1: a subscription is a task on its loop; whatever ends it closes the iterable.
Rule 2: the next item is asked for when the subscriber is ready for it, not before.
Rule 3: what a subscriber's `on_next` raises is not the iterable's failure: it comes once, as `SubscriberError`.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from reactivex import Observable
from reactivex.abc import DisposableBase

from allm_rx.abc.flow import call_on, demand_of, loop_of, running_loop
from allm_rx.errors import StreamError, SubscriberError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reactivex.abc import ObserverBase, SchedulerBase

    from allm_rx.abc.flow import Demand

T = TypeVar("T")

_SLICE = 0.005
"""Seconds of uninterrupted delivery after which other tasks of the loop get their turn."""

_running: set[asyncio.Task[None]] = set()
"""A loop holds its tasks weakly; without this, one that waits for something nobody else holds could be collected."""


def from_aiter(source: AsyncIterable[T] | Callable[[], AsyncIterable[T]]) -> Observable[T]:
    """Give the items of an async iterable, cold.

        async def ticks():
            while True:
                yield await clock.tick()

        lx.from_aiter(ticks)

    Each subscription iterates anew, in a task of its own on the subscription's loop: the scheduler's, where it is one of
    asyncio, else the loop that runs in this thread. Disposing cancels the task and closes the generator.

    Args:
        source: an async generator function, any other function that gives an async iterable, or an iterable itself. An
            async generator that runs already (`ticks()` in place of `ticks`) can be read by one subscription only.

    Emits: the items, on the loop; what the iterable raises goes to `on_error`.

    Raises:
        TypeError: `source` is none of these.
        UsageError: on the stream: `no_event_loop`, there is no loop to iterate on.
    """
    if not callable(source) and not isinstance(source, AsyncIterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"from_aiter(...) takes an async iterable or a function that gives one, not {source!r}.")

    def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
        loop = loop_of(scheduler) or running_loop()
        if loop is None or loop.is_closed():
            raise UsageError(
                "no_event_loop",
                "There is no running event loop to iterate on: subscribe inside one, or pass `scheduler=AsyncIOScheduler(loop)`.",
            )
        iterating = _Iterating(source, observer, loop, demand_of(scheduler))
        call_on(loop, iterating.begin)
        return iterating

    return Observable(subscribe)


class _Iterating(DisposableBase, Generic[T]):
    """One subscription."""

    __slots__ = ("_demand", "_loop", "_observer", "_off", "_source", "_task")

    def __init__(
        self,
        source: AsyncIterable[T] | Callable[[], AsyncIterable[T]],
        observer: ObserverBase[T],
        loop: asyncio.AbstractEventLoop,
        demand: Demand | None,
    ) -> None:
        self._source = source
        self._observer = observer
        self._loop = loop
        self._demand = demand
        self._off = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = self._loop.create_task(self._run(), name="allm_rx from_aiter")
        _running.add(self._task)
        self._task.add_done_callback(_running.discard)

    def dispose(self) -> None:
        """Leave; from any thread."""
        if not self._off:
            self._off = True
            call_on(self._loop, self._cancel)

    def _cancel(self) -> None:
        # Disposed from within its own `on_next`, the task sees the flag; cancelling it would cut its own clean-up short.
        if self._task is not None and asyncio.current_task() is not self._task:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            iterator = self._iterator()
            try:
                await self._pump(iterator)
            finally:
                await _close(iterator)
        except asyncio.CancelledError:
            self._end(StreamError("cancelled", "The task that read an async iterable was cancelled before its end."), quiet=True)
            raise
        except Exception as error:  # noqa: BLE001 - whatever the iterable raises is for the subscriber
            self._end(error)
        else:
            self._end(None)

    def _iterator(self) -> AsyncIterator[T]:
        source = self._source
        if not isinstance(source, AsyncIterable):
            return aiter(source())
        iterable = cast("AsyncIterable[T]", source)
        if inspect.isasyncgen(iterable) and iterable.ag_frame is None:
            what = f"The async generator {iterable.__qualname__!r} was read by another subscription"
            raise RuntimeError(f"{what}: pass the function to `from_aiter`, not its result.")
        return aiter(iterable)

    async def _pump(self, iterator: AsyncIterator[T]) -> None:
        demand, on_next = self._demand, self._observer.on_next
        turned = time.perf_counter()
        while not self._off:
            if demand is not None and not demand.ready():
                await demand.wait()
                continue
            try:
                item = await anext(iterator)
            except StopAsyncIteration:
                return
            try:
                on_next(item)
            except Exception as raised:
                raise raised if isinstance(raised, SubscriberError) else SubscriberError(raised) from raised
            if time.perf_counter() - turned > _SLICE:
                await asyncio.sleep(0)  # noqa: TID251 - no time but a turn: the loop's other tasks
                turned = time.perf_counter()

    def _end(self, error: Exception | None, *, quiet: bool = False) -> None:
        if self._off:
            if error is not None and not quiet:
                self._nobody_listens(error)
            return
        self._off = True
        try:
            if error is None:
                self._observer.on_completed()
            else:
                self._observer.on_error(error)
        except Exception as raised:  # noqa: BLE001 - a terminal handler that raises must not die unread in a task
            self._nobody_listens(raised)

    def _nobody_listens(self, error: Exception) -> None:
        message = "allm_rx: an async iterable failed and no subscriber took the error"
        self._loop.call_exception_handler({"message": message, "exception": error})


async def _close(iterator: Any) -> None:
    aclose = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()
