"""No more often than a display can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.abc.flow import timers_of
from allm_rx.operators.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")


def throttle_latest(interval: float, *, scheduler: SchedulerBase | None = None) -> Callable[[Observable[T]], Observable[T]]:
    """Give at most one item per interval, always the latest, and never lose the last.

        a-bcd-e----f-g|
        [ throttle_latest(4) ]
        a---d---e---f-(g,|)

    For displays: `lx.snapshots()` before it costs a text only for the views that pass. Where RxPY's `throttle_first` drops
    the last item, `sample` waits with the first, and `debounce` gives nothing while items keep coming, this one shows the
    first at once, and the end is whole.

    Args:
        interval: seconds between two items.
        scheduler: for the timer; by default it runs where the subscription's items arrive: on its loop, or in virtual time.

    Emits: items, on the source's thread or, those that waited, on the scheduler's; by default these are the same. What waits
    at the end comes before it, also before `on_error`. Costs one timer per item that passes.

    Raises:
        ValueError: `interval` is not more than 0.
    """
    if interval <= 0:
        raise ValueError(f"`interval` is {interval}, and a throttle needs more than 0 seconds.")

    def throttling(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], given: SchedulerBase | None = None) -> DisposableBase:
            return _Throttled(observer, interval, timers_of(scheduler or given)).start(source, given)

        return Observable(subscribe)

    return throttling


class _Throttled(Generic[T]):
    """One subscription."""

    def __init__(self, observer: ObserverBase[T], interval: float, timers: SchedulerBase) -> None:
        self._observer = observer
        self._interval = interval
        self._timers = timers
        self._timer = SerialDisposable()
        self._turns = Turns()
        self._closed = False
        """Whether the interval of the last item still runs."""
        self._latest: list[T] = []
        """The item that waits for its end."""
        self._source = SerialDisposable()

    def start(self, source: Observable[T], given: SchedulerBase | None) -> DisposableBase:
        self._source.disposable = self._turns.hear(source, self._next, self._fail, self._complete, given)
        return CompositeDisposable(self._timer, self._source)

    def _next(self, item: T) -> None:
        if self._closed:
            self._latest[:] = (item,)
        else:
            self._pass(item)

    def _pass(self, item: T) -> None:
        self._closed = True
        ring = self._turns.ring(self._open, self._blame)
        self._timer.disposable = self._timers.schedule_relative(self._interval, ring)
        self._observer.on_next(item)

    def _open(self) -> None:
        self._closed = False
        if self._latest:
            self._pass(self._latest.pop())

    def _give_rest(self) -> None:
        if self._latest:
            self._observer.on_next(self._latest.pop())

    def _fail(self, error: Exception) -> None:
        self._give_rest()
        self._observer.on_error(error)

    def _blame(self, error: Exception) -> None:
        self._timer.dispose()
        self._source.dispose()
        self._observer.on_error(error)

    def _complete(self) -> None:
        self._give_rest()
        self._observer.on_completed()
