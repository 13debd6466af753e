"""The bounded hop: events cross from the owning loop to a delivery thread.

Rule 1: one wake-up per burst; order is kept; nothing is dropped.
Rule 2: a full queue is absent demand, so the source stops reading; the queue never grows beyond what one piece holds.
Rule 3: a flood is drained in slices, so that a GUI can paint in between.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from allm_rx.abc.flow import Waker

T = TypeVar("T")

CAPACITY = 256
"""Events that may wait for the delivery thread before the source is asked to pause."""
_SLICE_EVENTS = 256
_SLICE_SECONDS = 0.008

_parked: set[asyncio.Future[None]] = set()
"""What sources wait for, until they no longer do."""


class Hop(Generic[T]):
    """A queue between two threads; also the subscription's demand."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        waker: Waker,
        deliver: Callable[[T], None],
        capacity: int = CAPACITY,
    ) -> None:
        """Set up between the owning loop and the thread that `waker` wakes; `deliver` is called there."""
        self._loop = loop
        self._waker = waker
        self._deliver = deliver
        self._high = capacity
        self._low = capacity // 2
        self._queue: deque[T] = deque()
        self._woken = False
        self._closed = False
        self._waiting: list[asyncio.Future[None]] = []

    def push(self, item: T) -> None:
        """Queue an item; on the owning loop."""
        self._queue.append(item)
        if not self._woken:
            self._woken = True
            self._waker.wake(self._drain)

    def ready(self) -> bool:
        """Tell whether there is room."""
        return self._closed or len(self._queue) < self._high

    async def wait(self) -> None:
        """Return when there is room, or the hop was closed; on the owning loop."""
        while not self.ready():
            future = self._loop.create_future()
            self._waiting.append(future)
            if self.ready():  # the drain may have passed between the look and the entry in the list
                self._resume()
            # A loop holds its tasks weakly; nothing else need hold one whose thread is gone for good.
            _parked.add(future)
            try:
                await future
            finally:
                _parked.discard(future)

    def close(self) -> None:
        """Drop what is queued and let waiters go; on the owning loop."""
        self._closed = True
        self._queue.clear()
        self._resume()

    def _resume(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _drain(self) -> None:
        try:
            self._deliver_slice()
        finally:  # a subscriber may leave by `SystemExit`, which is not ours to catch
            self._settle()

    def _deliver_slice(self) -> None:
        queue = self._queue
        until = time.perf_counter() + _SLICE_SECONDS
        for _ in range(_SLICE_EVENTS):
            try:
                item = queue.popleft()
            except IndexError:
                break
            self._deliver(item)
            if time.perf_counter() > until:
                break

    def _settle(self) -> None:
        queue = self._queue
        if self._waiting and len(queue) <= self._low:
            self._call_on_loop(self._resume)
        if queue:
            self._waker.wake(self._drain)
            return
        self._woken = False
        if queue and not self._woken:  # an item came between the last look and the flag
            self._woken = True
            self._waker.wake(self._drain)

    def _call_on_loop(self, action: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop was closed, and its waiters with it
            return
