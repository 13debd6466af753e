"""`reduce` whose accumulator belongs to one subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

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

    Emits: the accumulator, once, when the source completes, on the source's thread.
    """

    def reducing(source: Observable[Any]) -> Observable[FoldT]:
        def subscribe(observer: ObserverBase[FoldT], scheduler: SchedulerBase | None = None) -> DisposableBase:
            fold = make()
            take = cast("Callable[[Any], None]", fold.apply)  # the result is the fold itself, and of no use here

            def on_completed() -> None:
                observer.on_next(fold)
                observer.on_completed()

            return source.subscribe(take, observer.on_error, on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return reducing
