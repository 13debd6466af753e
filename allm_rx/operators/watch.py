"""A deadline whose clock stands still while the subscriber is not ready; what all our timeouts are made of.

Rule 1: one timer per deadline, not one per event; touching it costs one look at the clock.
Rule 2: it never expires while demand is absent, and that time does not count.
Rule 3: `stop` leaves no timer and no task behind, and is final.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reactivex.scheduler import ImmediateScheduler

from allm_rx.abc.flow import LoopScheduler, clock_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, SchedulerBase

    from allm_rx.abc.flow import Demand

_ROUNDING = 1e-5
"""Seconds that clocks and dates may round away; a timer this early is on time."""


class Watch:
    """Calls `expired(seconds)` when that many seconds pass without a touch."""

    __slots__ = ("_clock", "_demand", "_expired", "_last", "_paused_at", "_scheduler", "_seconds", "_timer", "_waiter", "running")

    def __init__(
        self,
        scheduler: SchedulerBase,
        seconds: float | None,
        expired: Callable[[float], None],
        demand: Demand | None = None,
    ) -> None:
        """Set up without starting.

        Args:
            scheduler: for the timer, and the clock; see `abc.flow.timers_of`.
            seconds: until it expires; with None it never does, and costs nothing.
            expired: called once, with the seconds.
            demand: the clock stands while this is absent; the scheduler is then the one of its loop.
        """
        self.running = False
        """Whether it counts, or will again once demand is back."""
        self._scheduler = scheduler
        self._seconds = seconds
        self._expired = expired
        self._demand = demand
        self._clock = clock_of(scheduler) if seconds is not None else _stands
        self._last = 0.0
        self._paused_at = 0.0
        self._timer: DisposableBase | None = None
        self._waiter: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to count; after `stop` this does nothing."""
        if self._seconds is not None and not self.running:
            self.running = True
            self._last = self._clock()
            self._schedule(self._seconds)
            self.look()

    def touch(self) -> None:
        """Begin to count anew."""
        if self.running:
            self._last = self._paused_at = self._clock()

    def look(self) -> None:
        """Stop the clock when the subscriber is not ready; to be called after each delivery, since that uses demand up."""
        demand = self._demand
        if demand is None or self._waiter is not None or not self.running or demand.ready():
            return
        self._paused_at = self._clock()
        self._waiter = asyncio.ensure_future(demand.wait())
        self._waiter.add_done_callback(self._go_on)

    def stop(self) -> None:
        """End for good."""
        self.running = False
        self._seconds = None
        self._expired = _nothing  # what it calls refers back to the watch: without this, each subscription is a cycle
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.dispose()
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.cancel()

    def _go_on(self, waiter: asyncio.Future[None]) -> None:
        if waiter is not self._waiter:  # stopped meanwhile
            return
        self._waiter = None
        if waiter.cancelled() or waiter.exception() is not None:
            self._demand = None  # who cannot be waited for cannot pause us; the source meets the same and tells
        self._last += self._clock() - self._paused_at
        if self._timer is None and self._seconds is not None:
            self._schedule(self._left(self._seconds))
        self.look()

    def _tick(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        self._ring()

    def _ring(self) -> None:
        seconds = self._seconds
        if seconds is None:
            return
        self._timer = None
        if self._waiter is not None:  # `_go_on` sets the timer again
            return
        if (left := self._left(seconds)) > _ROUNDING:
            self._schedule(left)
            return
        self.look()
        if self._waiter is not None:  # demand went without a delivery that we saw; since when, nobody knows
            self._last = self._paused_at
            return
        expired = self._expired
        self.stop()
        expired(seconds)

    def _left(self, seconds: float) -> float:
        return self._last + seconds - self._clock()

    def _schedule(self, seconds: float) -> None:
        scheduler = self._scheduler
        if isinstance(scheduler, LoopScheduler):
            timer = self._timer = scheduler.timer(seconds, self._ring)
        else:
            timer = self._timer = scheduler.schedule_relative(seconds, self._tick)
        if not self.running:  # stopped meanwhile, from another thread
            timer.dispose()


def _stands() -> float:
    return 0.0


def _nothing(seconds: float) -> None:
    del seconds


NEVER = Watch(ImmediateScheduler.singleton(), None, _nothing)
"""A deadline that is none; it has no state, so that all can share it."""
