"""The readable reasoning of an answer, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.data.events import Error, Event, ReasoningDelta

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase


def reasoning() -> Callable[[Observable[Event]], Observable[str]]:
    """Give the readable reasoning as it comes.

        s-r-r-a-b-(d,|)
        [ reasoning() ]
        --r-r-----|

    Emits: each piece, never empty, on the source's thread; an `error` event becomes `on_error`, after the pieces before it.
    Costs one comparison per event.
    """

    def thoughts(source: Observable[Event]) -> Observable[str]:
        def subscribe(observer: ObserverBase[str], scheduler: SchedulerBase | None = None) -> DisposableBase:
            def on_next(event: Event) -> None:
                if type(event) is ReasoningDelta:
                    observer.on_next(event.delta)
                elif type(event) is Error:
                    observer.on_error(event.failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return thoughts
