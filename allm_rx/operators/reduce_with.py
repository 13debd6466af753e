"""`reduce` whose accumulator belongs to one subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from reactivex import Observable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase


class Fold(Protocol):
    """A mutable accumulator, such as `reducers.response.ResponseFold`."""

    def apply(self, event: Any, /) -> object:
        """Take one item into account."""
        ...


FoldT = TypeVar("FoldT", bound=Fold)


def reduce_with(make: Callable[[], FoldT]) -> Callable[[Observable[Any]], Observable[FoldT]]:
    """Fold the source into an accumulator made anew for each subscription.

        a-b-c-|
        [ reduce_with(Fold) ]
        ------(F,|)

    `ops.reduce` shares its seed between subscriptions, and a mutable one leaks from each into the next.

    Emits: the accumulator, once, when the source completes, on the source's thread; what `make` or `apply` raises goes to
    `on_error`.
    """

    def reducing(source: Observable[Any]) -> Observable[FoldT]:
        def subscribe(observer: ObserverBase[FoldT], scheduler: SchedulerBase | None = None) -> DisposableBase:
            fold = make()
            apply = fold.apply

            def on_next(item: Any) -> None:
                try:
                    apply(item)
                except Exception as error:  # noqa: BLE001 - a fold that raises ends the stream, as in every operator
                    observer.on_error(error)

            def on_completed() -> None:
                observer.on_next(fold)
                observer.on_completed()

            return source.subscribe(on_next, observer.on_error, on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return reducing
