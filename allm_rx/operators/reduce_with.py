"""`reduce` whose accumulator belongs to one subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from reactivex.abc import DisposableBase, ObserverBase
from reactivex.disposable import Disposable

from allm_rx.operators.lean import Lean

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import SchedulerBase


class Fold(Protocol):
    """A mutable accumulator, such as `reducers.response.ResponseFold`."""

    def apply(self, event: Any, /) -> object:
        """Take one item into account."""
        ...


FoldT = TypeVar("FoldT", bound=Fold)
T = TypeVar("T")


@overload
def reduce_with(make: Callable[[], FoldT]) -> Callable[[Observable[Any]], Observable[FoldT]]: ...
@overload
def reduce_with(make: Callable[[], FoldT], result: Callable[[FoldT], T]) -> Callable[[Observable[Any]], Observable[T]]: ...


def reduce_with(
    make: Callable[[], Any], result: Callable[[Any], Any] | None = None
) -> Callable[[Observable[Any]], Observable[Any]]:
    """Fold the source into an accumulator made anew for each subscription.

        a-b-c-|
        [ reduce_with(Fold) ]
        ------(F,|)

    `ops.reduce` shares its seed between subscriptions, and a mutable one leaks from each into the next.

    Args:
        make: makes the accumulator.
        result: gives what is emitted of it; by default the accumulator itself.

    Emits: the accumulator, or its `result`, once, when the source completes, on the source's thread; what `make`, `apply` or
    `result` raises goes to `on_error`.
    """

    def reducing(source: Observable[Any]) -> Observable[Any]:
        def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None = None) -> DisposableBase:
            try:
                fold = make()
            except Exception as error:  # noqa: BLE001 - see `_Reducing.on_next`
                observer.on_error(error)
                return Disposable()
            running = _Reducing(observer, fold, result)
            running.start(source, scheduler)
            return running

        return Lean(subscribe)

    return reducing


class _Reducing(ObserverBase[Any], DisposableBase):
    """The fold of one subscription."""

    __slots__ = ("_apply", "_fold", "_observer", "_off", "_result", "_source")

    def __init__(self, observer: ObserverBase[Any], fold: Fold, result: Callable[[Any], Any] | None) -> None:
        self._observer = observer
        self._fold = fold
        self._apply = fold.apply
        self._result = result
        self._off = False
        self._source: DisposableBase | None = None

    def start(self, source: Observable[Any], scheduler: SchedulerBase | None) -> None:
        self._source = source.subscribe(self, scheduler=scheduler)
        if self._off:  # it is over, or was left meanwhile
            self.dispose()

    def dispose(self) -> None:
        self._off = True
        source, self._source = self._source, None
        if source is not None:
            source.dispose()

    def on_next(self, value: Any) -> None:
        if self._off:  # the source may give the rest of a piece within `subscribe`
            return
        try:
            self._apply(value)
        except Exception as error:  # noqa: BLE001 - a fold that raises ends the stream, as in every operator
            self.on_error(error)

    def on_error(self, error: Exception) -> None:
        if not self._off:
            self.dispose()
            self._observer.on_error(error)

    def on_completed(self) -> None:
        if self._off:
            return
        try:
            value = self._fold if self._result is None else self._result(self._fold)
        except Exception as error:  # noqa: BLE001 - see `on_next`
            self.on_error(error)
            return
        self._observer.on_next(value)
        if not self._off:
            self.dispose()
            self._observer.on_completed()
