"""Who waits for a limit, in order; what `rate_limit` is made of.

Rule 1: one line for all threads; each who waits looks for itself, on its own scheduler, whether its time has come.
Rule 2: the first in line knows when that is; the others are nudged when they become first.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.flow import LoopScheduler, clock_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import SchedulerBase

_ROUNDING = 1e-5
"""Seconds that clocks and dates may round away."""
_POLL = 0.05
"""Seconds between two looks of who cannot be nudged from another thread."""


class WaitingLine:
    """A line, and what was used of late by those who left it."""

    def __init__(self, requests: int | None, tokens: int | None, per: float) -> None:
        """Let so many requests begin, or so many tokens be used, in any `per` seconds."""
        self._requests = requests
        self._tokens = tokens
        self._per = per
        self._begun: deque[float] = deque()
        self._used: deque[tuple[float, int]] = deque()
        self._waiting: deque[_Place] = deque()
        self._lock = threading.Lock()

    def join(
        self, begin: Callable[[Callable[[int], None]], None], fail: Callable[[Exception], None], timers: SchedulerBase
    ) -> DisposableBase:
        """Wait in line; disposing gives up the place.

        Args:
            begin: called when the time has come, at once if it has; it gets what charges for tokens.
            fail: called with what `begin` raises later.
            timers: for the clock and the timers; `begin` is called on its thread.
        """
        place = _Place(self, begin, fail, timers)
        with self._lock:
            self._waiting.append(place)
        place.look()
        return place

    def leave(self, place: _Place) -> None:
        """Give up a place."""
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
        self.nudge()

    def nudge(self) -> None:
        """Have the first look whether its time has come."""
        with self._lock:
            first = self._waiting[0] if self._waiting else None
        if first is not None:
            first.nudge()

    def charge(self, tokens: int, now: float) -> None:
        """Count tokens that were used."""
        with self._lock:
            self._used.append((now, tokens))

    def take(self, place: _Place, now: float) -> float | None:
        """Let a place begin, and give 0; or give the seconds until it may, or None when it is not the first."""
        with self._lock:
            first = bool(self._waiting) and self._waiting[0] is place
            seconds = self._until(now)
            if not first:
                return None
            if seconds > _ROUNDING:
                return seconds
            self._waiting.popleft()
            self._begun.append(now)
            return 0.0

    def _until(self, now: float) -> float:
        old = now - self._per + _ROUNDING
        while self._begun and self._begun[0] <= old:
            self._begun.popleft()
        while self._used and self._used[0][0] <= old:
            self._used.popleft()
        free = now
        if self._requests is not None and len(self._begun) >= self._requests:
            free = self._begun[0] + self._per
        if self._tokens is not None:
            left = sum(tokens for _, tokens in self._used)
            for at, tokens in self._used:
                if left < self._tokens:
                    break
                left -= tokens
                free = max(free, at + self._per)
        return free - now


class _Place(DisposableBase):
    """A place in line."""

    def __init__(
        self,
        line: WaitingLine,
        begin: Callable[[Callable[[int], None]], None],
        fail: Callable[[Exception], None],
        timers: SchedulerBase,
    ) -> None:
        self._line = line
        self._begin = begin
        self._fail = fail
        self._timers = timers
        self._clock = clock_of(timers)
        self._thread = threading.get_ident()
        self._anywhere = isinstance(timers, (LoopScheduler, VirtualTimeScheduler))
        """Whether it can be scheduled from any thread; a toolkit's loses what comes from another."""
        self._timer = SerialDisposable()

    def look(self) -> None:
        """Begin if the time has come, else look again when it will have; on its own thread."""
        seconds = self._line.take(self, self._clock())
        if seconds is None:
            if not self._anywhere:
                self._timer.disposable = self._timers.schedule_relative(_POLL, self._look)
        elif seconds > 0:
            self._timer.disposable = self._timers.schedule_relative(seconds, self._look)
        else:
            self._begin(lambda tokens: self._line.charge(tokens, self._clock()))
            self._line.nudge()

    def nudge(self) -> None:
        """Look soon, if it can be asked to from here."""
        if self._anywhere or threading.get_ident() == self._thread:
            self._timer.disposable = self._timers.schedule(self._look)

    def dispose(self) -> None:
        self._timer.dispose()
        self._line.leave(self)

    def _look(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - what it begins with may raise, and here nobody else hears of it
            self._fail(error)
