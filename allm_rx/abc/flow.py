"""How events travel: on which loop, to which thread, and how fast.

Rule 1: everything of one subscription runs on its owning loop; only delivery may happen elsewhere.
Rule 2: demand travels up with the subscription's scheduler, the one thing every operator forwards.
Rule 3: nothing here blocks a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from reactivex.scheduler import NewThreadScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from reactivex.abc import SchedulerBase


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
    """Wakes the thread that events are delivered on."""

    def wake(self, drain: Callable[[], None], /) -> None:
        """Have `drain` called soon on the delivery thread.

        Callable from any thread; returns at once; never calls `drain` itself. A thread that is gone is no error.
        """
        ...


class LoopScheduler(AsyncIOScheduler):
    """The scheduler our inner streams are subscribed with: an event loop, and the subscriber's demand.

    Only for the loop's own thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, demand: Demand | None = None) -> None:
        """Schedule on `loop`; without a `demand` the subscriber is always ready."""
        super().__init__(loop)
        self.loop = loop
        self.demand = demand

    def ready(self) -> bool:
        """Tell whether the subscriber wants more."""
        return self.demand is None or self.demand.ready()

    async def wait(self) -> None:
        """Return when the subscriber wants more, or is gone."""
        if self.demand is not None:
            await self.demand.wait()


class RunScheduler(NewThreadScheduler):
    """What a blocking `run()` subscribes with: it names no place, and tells that its thread waits."""


def demand_of(scheduler: SchedulerBase | None) -> Demand | None:
    """Give the demand that a subscription's scheduler carries, or None where it is always ready."""
    if isinstance(scheduler, LoopScheduler):
        return scheduler.demand
    return cast("Demand", scheduler) if isinstance(scheduler, Demand) else None


def clock_of(scheduler: SchedulerBase) -> Callable[[], float]:
    """Give the scheduler's clock in seconds; on a loop that is the loop's own clock, without a detour over dates."""
    if isinstance(scheduler, LoopScheduler):
        return scheduler.loop.time
    return lambda: scheduler.to_seconds(scheduler.now)
