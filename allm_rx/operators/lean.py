"""Observables without RxPY's guard, for what is on the way of every token.

RxPY wraps each subscription in an observer that stops after the terminal and after `dispose`. Where the source already has
one, and the operator gives its terminal once, a second guard only costs time: about 70 ns per event and 10 us per
subscription.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from reactivex import Observable
from reactivex.abc import ObserverBase
from reactivex.internal import default_error, noop

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, OnCompleted, OnError, OnNext, SchedulerBase, Subscription

T = TypeVar("T")


class Lean(Observable[T]):
    """A cold stream that hands its subscriber's callbacks on as they are.

    Only for what is silent after its terminal and after it was disposed: because its source is, or because it takes care of
    that itself. It also hands on what `start` raises, where RxPY would call `on_error`.
    """

    def __init__(self, start: Subscription[T]) -> None:
        """Make the stream; `start` subscribes to the source."""
        super().__init__(start)
        self._start = start

    def subscribe(
        self,
        on_next: ObserverBase[T] | OnNext[T] | None = None,
        on_error: OnError | None = None,
        on_completed: OnCompleted | None = None,
        *,
        scheduler: SchedulerBase | None = None,
    ) -> DisposableBase:
        """Subscribe; see `Observable.subscribe`."""
        return self._start(observer_of(on_next, on_error, on_completed), scheduler)


def observer_of(
    on_next: ObserverBase[T] | OnNext[T] | None, on_error: OnError | None, on_completed: OnCompleted | None
) -> ObserverBase[T]:
    """Give what `subscribe` was called with as one observer."""
    observer: Any = on_next
    if not hasattr(on_next, "on_next"):
        observer = _Callbacks(on_next or noop, on_error or default_error, on_completed or noop)
    return cast("ObserverBase[T]", observer)


def keep(wanted: Callable[[T], bool]) -> Callable[[Observable[T]], Observable[T]]:
    """Pass only some items on: `ops.filter` for a source that is silent once disposed, and a test that cannot raise."""

    def keeping(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
            return source.subscribe(_Keeping(observer, wanted), scheduler=scheduler)

        return Lean(subscribe)

    return keeping


class _Keeping(ObserverBase[T]):
    """Passes some items on."""

    __slots__ = ("_observer", "_wanted")

    def __init__(self, observer: ObserverBase[T], wanted: Callable[[T], bool]) -> None:
        self._observer = observer
        self._wanted = wanted

    def on_next(self, value: T) -> None:
        if self._wanted(value):
            self._observer.on_next(value)

    def on_error(self, error: Exception) -> None:
        self._observer.on_error(error)

    def on_completed(self) -> None:
        self._observer.on_completed()


class _Callbacks:
    """Three functions as an observer."""

    __slots__ = ("on_completed", "on_error", "on_next")

    def __init__(self, on_next: Any, on_error: OnError, on_completed: OnCompleted) -> None:
        self.on_next = on_next
        self.on_error = on_error
        self.on_completed = on_completed
