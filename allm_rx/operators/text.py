"""The text of an answer, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.data.events import Error, Event, TextDelta

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase


def text() -> Callable[[Observable[Event]], Observable[str]]:
    """Give the text as it comes.

        s-a-b-c-(d,|)
        [  text()   ]
        --a-b-c-|

    Emits: each piece of text, never empty, on the source's thread. An `error` event becomes `on_error` with the
    `AllmError` it stands for, after the text before it, so that a wrong key never looks like an empty answer. Costs one
    comparison per event. After `message_restarted` the text begins anew.
    """

    def texts(source: Observable[Event]) -> Observable[str]:
        def subscribe(observer: ObserverBase[str], scheduler: SchedulerBase | None = None) -> DisposableBase:
            def on_next(event: Event) -> None:
                if type(event) is TextDelta:
                    observer.on_next(event.delta)
                elif type(event) is Error:
                    observer.on_error(event.failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return texts
