"""Equal requests at the same time are one request."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable
from reactivex.notification import OnCompleted, OnError, OnNext

from allm_rx.abc.flow import LoopScheduler, timers_of
from allm_rx.operators.turns import Turns, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
    from reactivex.notification import Notification

T = TypeVar("T")

_flights: dict[tuple[Hashable, object], _Flight[Any]] = {}
_lock = threading.Lock()


def single_flight(key: Hashable) -> Callable[[Observable[T]], Observable[T]]:
    """Join the subscription that runs for an equal key, or begin one.

        one:  s-a-b-c-(d,|)
        two:      (s,a,b)-c-(d,|)
        [ single_flight("title") ]

    Who comes late gets what has come so far, then goes on with the others. When the last subscriber leaves, the request is
    closed; when it has ended, the next one makes a new request, as nothing is cached. Streams are shared by those whose
    events arrive at the same place: on one event loop, on the I/O thread, or with one scheduler.

    Args:
        key: what makes two requests equal, for the whole process: the model and the messages, for instance. Each subscriber
            brings a stream; that of the first is used.

    Emits: the shared stream's items, where they arrive anyhow; never within `subscribe` for one who comes late. A
    subscriber that raises is left out and told by `on_error`, the others go on. Costs the memory of the stream until it
    ends. The provider is slowed down by the first subscriber only.
    """

    def sharing(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
            timers = timers_of(scheduler)
            place = key, timers.loop if isinstance(timers, LoopScheduler) else timers
            with _lock:
                flight = _flights.get(place)
                begins = flight is None
                if flight is None:
                    flight = _flights[place] = _Flight(place)
                passenger = flight.board(observer)
            if begins:
                passenger.aboard = True
                flight.begin(source, scheduler)
                return Disposable(lambda: flight.leave(passenger))
            catching_up = timers.schedule(flight.catch_up(passenger))
            return CompositeDisposable(Disposable(lambda: flight.leave(passenger)), catching_up)

        return Observable(subscribe)

    return sharing


class _Passenger(Generic[T]):
    """A subscriber."""

    __slots__ = ("aboard", "observer")

    def __init__(self, observer: ObserverBase[T]) -> None:
        self.observer = observer
        self.aboard = False
        """Whether it has all that came before."""


class _Flight(Generic[T]):
    """A subscription that is shared."""

    def __init__(self, place: tuple[Hashable, object]) -> None:
        self._place = place
        self._passengers: list[_Passenger[T]] = []
        self._log: list[Notification[T]] = []
        self._turns = Turns()
        self._source = SerialDisposable()

    def begin(self, source: Observable[T], scheduler: SchedulerBase | None) -> None:
        self._source.disposable = self._turns.hear(
            source,
            lambda item: self._take(OnNext(item)),
            lambda error: self._end(OnError(error)),
            lambda: self._end(OnCompleted()),
            scheduler,
        )

    def board(self, observer: ObserverBase[T]) -> _Passenger[T]:
        passenger = _Passenger(observer)
        self._passengers.append(passenger)
        return passenger

    def catch_up(self, passenger: _Passenger[T]) -> Callable[..., None]:
        def act(scheduler: SchedulerBase, state: object = None) -> None:
            del scheduler, state
            self._turns.take(self._replay, passenger)

        return act

    def leave(self, passenger: _Passenger[T]) -> None:
        with _lock:
            if passenger not in self._passengers:
                return
            self._passengers.remove(passenger)
            if self._passengers:
                return
            self._land()
        self._source.dispose()

    def _land(self) -> None:
        """Let the next one begin anew; under the lock."""
        if _flights.get(self._place) is self:
            del _flights[self._place]

    def _take(self, what: Notification[T]) -> None:
        self._log.append(what)
        for passenger in tuple(self._passengers):
            if passenger.aboard:
                self._give(passenger, what)

    def _end(self, what: Notification[T]) -> None:
        with _lock:
            self._land()
        self._take(what)

    def _replay(self, passenger: _Passenger[T]) -> None:
        for what in self._log:
            self._give(passenger, what)
        passenger.aboard = True

    def _give(self, passenger: _Passenger[T], what: Notification[T]) -> None:
        if not isinstance(what, OnNext):
            what.accept(passenger.observer)
        elif (error := tell(passenger.observer, what.value)) is not None:
            self.leave(passenger)
            passenger.observer.on_error(error)
