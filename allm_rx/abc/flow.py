"""How events travel: on which loop, to which thread, and how fast.

Rule 1: everything of one subscription runs on its owning loop; only delivery may happen elsewhere.
Rule 2: demand travels up with the subscription's scheduler, the one thing every operator forwards.
Rule 3: nothing here blocks a thread.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, runtime_checkable

from reactivex.abc import DisposableBase
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler import (
    ImmediateScheduler,
    NewThreadScheduler,
    TimeoutScheduler,
    TrampolineScheduler,
)
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.scheduler.scheduler import Scheduler

from allm_rx.data.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reactivex import Observable
    from reactivex.abc import SchedulerBase
    from reactivex.typing import RelativeTime, ScheduledAction

    from allm_rx.data.sessions import Session
    from allm_rx.reducers.closing import StreamKind

T = TypeVar("T")

PLACELESS = (NewThreadScheduler, TimeoutScheduler, TrampolineScheduler, ImmediateScheduler)
"""Schedulers that say how to run something, not where; those that wait for a time block a thread for it."""


@runtime_checkable
class Demand(Protocol):
    """Whether a subscriber can take more.

    A scheduler that also implements this makes our sources stop reading while it is not ready; aiohttp then pauses the
    socket, and TCP slows the provider.
    """

    def ready(self) -> bool:
        """Tell whether another event is welcome; called on the owning loop, once per piece read."""
        ...

    def wait(self) -> Awaitable[None]:
        """Give what completes, on the owning loop, when the subscriber is ready again or gone."""
        ...


class Waker(Protocol):
    """Wakes the thread that events are delivered on; made for one subscription, on the subscriber's thread."""

    def open(self, gone: Callable[[], None], /) -> None:
        """Begin, on the subscriber's thread, before the first `wake`.

        Args:
            gone: called at most once, from any thread, when nothing can be delivered any more, as the thread or its GUI is no
                longer there; it ends the subscription.
        """
        ...

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the delivery thread.

        Callable from any thread; returns at once; never calls `drain` itself. A thread that is gone is no error.
        """
        ...

    def close(self) -> None:
        """Let go of everything: the subscription has ended.

        Called on the subscriber's or on the delivery thread, any number of times; a `wake` may still come, and does nothing.
        """
        ...


class LoopScheduler(AsyncIOScheduler):
    """The scheduler our inner streams are subscribed with: an event loop, and the subscriber's demand.

    Actions run on the loop. Scheduling and disposing work from any thread and return at once; elsewhere they are handed
    to the loop, and a loop that was closed meanwhile is no error.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, demand: Demand | None = None) -> None:
        """Schedule on `loop`; without a `demand` the subscriber is always ready."""
        super().__init__(loop)
        self.loop = loop
        self.demand = demand

    def schedule(self, action: ScheduledAction[Any], state: Any = None) -> DisposableBase:
        """Run an action on the loop as soon as it turns."""
        return super().schedule(action, state) if running_loop() is self.loop else self._hand_over(0.0, action, state)

    def schedule_relative(self, duetime: RelativeTime, action: ScheduledAction[Any], state: Any = None) -> DisposableBase:
        """Run an action on the loop after some seconds."""
        if running_loop() is self.loop:
            return super().schedule_relative(duetime, action, state)
        return self._hand_over(duetime, action, state)

    def timer(self, seconds: float, ring: Callable[[], None]) -> DisposableBase:
        """Call a function after some seconds; on the loop a fifth of what `schedule_relative` costs."""
        if running_loop() is self.loop:
            return _Timer(self.loop, self.loop.call_later(seconds, ring))

        def act(scheduler: SchedulerBase, state: object = None) -> None:
            del scheduler, state
            ring()

        return self._hand_over(seconds, act, None)

    def _hand_over(self, duetime: RelativeTime, action: ScheduledAction[Any], state: Any) -> DisposableBase:
        entered = SerialDisposable()

        def enter() -> None:
            entered.disposable = super(LoopScheduler, self).schedule_relative(duetime, action, state)

        call_on(self.loop, enter)
        return Disposable(lambda: call_on(self.loop, entered.dispose))

    def ready(self) -> bool:
        """Tell whether the subscriber wants more."""
        return self.demand is None or self.demand.ready()

    async def wait(self) -> None:
        """Return when the subscriber wants more, or is gone."""
        if self.demand is not None:
            await self.demand.wait()


class _Timer(DisposableBase):
    """A timer of a loop."""

    __slots__ = ("_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, handle: asyncio.TimerHandle) -> None:
        self._loop = loop
        self._handle = handle

    def dispose(self) -> None:
        if running_loop() is self._loop:
            self._handle.cancel()
        else:
            call_on(self._loop, self._handle.cancel)


class RunScheduler(NewThreadScheduler):
    """What a blocking `run()` subscribes with: it names no place, and tells that its thread waits."""


Origin = tuple["StreamKind", "Thread | Session"]
"""Which call a stream comes from, and the conversation before it, or the session that it starts with."""


def origin_of(source: object) -> Origin:
    """Give where a stream comes from; one behind an operator has forgotten it."""
    origin: Origin | None = getattr(source, "origin", None)
    return origin if origin is not None else ("generate", Thread())


def within(source: Observable[T], operator: Callable[[Observable[T]], Observable[T]]) -> Observable[T]:
    """Apply an operator inside the edge of a stream, on its owning loop; one behind another operator has no edge."""
    enter: Callable[[Callable[[Observable[T]], Observable[T]]], Observable[T]] | None = getattr(source, "within", None)
    return enter(operator) if enter is not None else operator(source)


def demand_of(scheduler: SchedulerBase | None) -> Demand | None:
    """Give the demand that a subscription's scheduler carries, or None where it is always ready."""
    if isinstance(scheduler, LoopScheduler):
        return scheduler.demand
    # Not `isinstance`: a check against a protocol costs more than the rest of a subscription.
    return cast("Demand", scheduler) if hasattr(scheduler, "ready") and hasattr(scheduler, "wait") else None


def clock_of(scheduler: SchedulerBase) -> Callable[[], float]:
    """Give the scheduler's clock in seconds; one that tells the date is replaced by one that nobody can set back."""
    if isinstance(scheduler, LoopScheduler):
        return scheduler.loop.time
    if isinstance(scheduler, Scheduler) and type(scheduler).now is Scheduler.now:
        return time.monotonic
    return lambda: scheduler.to_seconds(scheduler.now)


_lenders: list[Callable[[], asyncio.AbstractEventLoop]] = []


def lend_loop(give: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Lend the loop on which the streams of subscribers without one run; the last lender counts."""
    _lenders[:] = (give,)


def timers_of(scheduler: SchedulerBase | None) -> SchedulerBase:
    """Give what the timers of a subscription are scheduled with, so that they run where its events arrive.

    Args:
        scheduler: the subscription's. A loop, virtual time, or a toolkit's is that place itself; none means the loop that
            runs in this thread; none without a loop, or one that names no place, means the loop that was lent. Only
            where nobody lent one do timers get threads of their own.
    """
    if isinstance(scheduler, LoopScheduler):
        return scheduler
    if scheduler is None and (loop := running_loop()) is not None:
        return LoopScheduler(loop)
    if scheduler is None or isinstance(scheduler, PLACELESS):
        return LoopScheduler(_lenders[0]()) if _lenders else TimeoutScheduler.singleton()
    return LoopScheduler(loop, demand_of(scheduler)) if (loop := loop_of(scheduler)) is not None else scheduler


def loop_of(scheduler: SchedulerBase | None) -> asyncio.AbstractEventLoop | None:
    """Give the loop that a scheduler names, or None."""
    if isinstance(scheduler, LoopScheduler):
        return scheduler.loop
    if isinstance(scheduler, AsyncIOScheduler):
        return scheduler._loop  # pyright: ignore[reportPrivateUsage] # the only way
    return None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Give the loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def call_on(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
    """Call an action on a loop: at once on its own thread, else as soon as it turns; a closed loop is no error."""
    if running_loop() is loop:
        action()
        return
    try:
        loop.call_soon_threadsafe(action)
    except RuntimeError:  # the loop was closed, and everything on it with it
        return
