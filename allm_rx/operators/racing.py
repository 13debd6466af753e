"""Several streams, of which the first with output is heard; what `race_first` and `hedge` are made of.

Rule 1: output wins, a failure loses; the losers are left before the winner's first output is given.
Rule 2: when all have lost, the first that entered tells why, however they came in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable

from allm_rx.operators.attempts import Attempt, Bill
from allm_rx.operators.turns import Turns

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import ObserverBase, SchedulerBase

    from allm_rx.data.events import Event


class Race(DisposableBase):
    """One subscription to streams that race."""

    def __init__(self, observer: ObserverBase[Event], scheduler: SchedulerBase | None) -> None:
        """Set up without a stream."""
        self._observer = observer
        self._scheduler = scheduler
        self._bill = Bill()
        self._entrants: list[_Entrant] = []
        self._winner: _Entrant | None = None
        self._begun = False
        self._off = False
        self.turns = Turns()
        """For all that comes from streams and timers of this race."""

    @property
    def open(self) -> bool:
        """Whether another stream may still win."""
        return self._winner is None and not self._off

    @property
    def _all_lost(self) -> bool:
        return self._begun and self.open and all(entrant.ended for entrant in self._entrants)

    def enter(self, source: Observable[Event]) -> None:
        """Subscribe to one more stream."""
        entrant = _Entrant(self._bill)
        self._entrants.append(entrant)
        entrant.subscription.disposable = self.turns.hear(
            source,
            lambda event: self._next(entrant, event),
            self.fail,
            lambda: self._ended(entrant),
            self._scheduler,
        )

    def begin(self, sources: list[Observable[Event]]) -> None:
        """Enter the first streams; none has lost before all of them are in."""
        for source in sources:
            if self.open:
                self.enter(source)
        self._begun = True
        if self._all_lost:
            self.turns.take(self._judge)

    def fail(self, error: Exception) -> None:
        """Leave all streams and end with an error, which is no failure of a provider."""
        self.dispose()
        self._observer.on_error(error)

    def dispose(self) -> None:
        """Leave all streams."""
        self._off = True
        for entrant in self._entrants:
            entrant.subscription.dispose()

    def _next(self, entrant: _Entrant, event: Event) -> None:
        if entrant is self._winner:
            self._observer.on_next(entrant.attempt.billed(event))
        elif self.open and entrant.attempt.hold(event):
            self._winner = entrant
            for other in self._entrants:
                if other is not entrant:
                    other.subscription.dispose()
            self._tell(entrant)

    def _tell(self, teller: _Entrant) -> None:
        for other in self._entrants:
            if other is not teller:
                self._bill.add(other.attempt.usage)
        for event in teller.attempt.release():
            self._observer.on_next(event)

    def _ended(self, entrant: _Entrant) -> None:
        entrant.ended = True
        if entrant is self._winner:
            self._observer.on_completed()
        else:
            self._judge()

    def _judge(self) -> None:
        if not self._all_lost:
            return
        self._off = True
        failed = [entrant for entrant in self._entrants if entrant.attempt.failure is not None]
        self._tell((failed or self._entrants)[0])
        self._observer.on_completed()


class _Entrant:
    """One stream of a race."""

    __slots__ = ("attempt", "ended", "subscription")

    def __init__(self, bill: Bill) -> None:
        self.attempt = Attempt(bill)
        self.subscription = SerialDisposable()
        self.ended = False
