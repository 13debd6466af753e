"""A deadline that pauses while the subscriber is not ready; what all our timeouts are made of.

Touching it costs one look at the clock: there is one timer per deadline, not one per event.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from allm_rx.abc.flow import clock_of, demand_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, SchedulerBase


class Watch:
    """Calls `expired(seconds)` when that many seconds pass without a touch."""

    __slots__ = ("_clock", "_demand", "_expired", "_last", "_paused_at", "_scheduler", "_seconds", "_timer", "_waiter")

    def __init__(self, scheduler: SchedulerBase, seconds: float | None, expired: Callable[[float], None]) -> None:
        """Set up without starting; with None it never expires and costs nothing."""
        self._scheduler = scheduler
        self._seconds = seconds
        self._expired = expired
        self._clock = clock_of(scheduler) if seconds is not None else None
        self._demand = demand_of(scheduler) if seconds is not None else None
        self._last = 0.0
        self._paused_at: float | None = None
        self._timer: DisposableBase | None = None
        self._waiter: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to count."""
        if self._seconds is not None and self._clock is not None and self._timer is None:
            self._last = self._clock()
            self._schedule(self._seconds)

    def touch(self) -> None:
        """Begin to count anew."""
        if self._timer is not None and self._clock is not None:
            self._last = self._clock()

    def look(self) -> None:
        """Pause when the subscriber is not ready; call it after an event was delivered."""
        demand = self._demand
        if demand is None or self._timer is None or self._waiter is not None or demand.ready():
            return
        if self._clock is not None:
            self._paused_at = self._clock()
            self._waiter = asyncio.ensure_future(demand.wait())
            self._waiter.add_done_callback(self._go_on)

    def stop(self) -> None:
        """End; nothing is left pending."""
        self._seconds = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.dispose()
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.cancel()

    def _go_on(self, waiter: asyncio.Future[None]) -> None:
        del waiter
        if self._waiter is not None and self._paused_at is not None and self._clock is not None:
            self._last += self._clock() - self._paused_at
            self._waiter = self._paused_at = None

    def _schedule(self, seconds: float) -> None:
        self._timer = self._scheduler.schedule_relative(seconds, self._tick)

    def _tick(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        if self._seconds is None or self._clock is None:
            return
        now = self._paused_at if self._paused_at is not None else self._clock()
        left = self._last + self._seconds - now
        if self._paused_at is not None:
            self._schedule(max(left, self._seconds / 4))
        elif left <= 0:
            seconds = self._seconds
            self.stop()
            self._expired(seconds)
        else:
            self._schedule(left)
