"""What a stream has cost so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.data.events import Error, Event
from allm_rx.operators.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.usage import Usage


def usage() -> Callable[[Observable[Event]], Observable[Usage]]:
    """Give the usage so far whenever more of it is known; the last item is the total.

        s-u-a-b-u-d-s-u-a-(d,|)
        [       usage()       ]
        --1-----2-----3---|

    Reports about one answer are merged, the answers of a chat are added up, so the last item is what `Response.usage` or
    `ChatResult.usage` would be. It comes as it is known and not at the end, because a failed answer has a price too.

    Emits: a `Usage` per change, on the source's thread; an `error` event becomes `on_error`, after what is known of its
    answer. Costs a few comparisons per event.
    """

    def counting(source: Observable[Event]) -> Observable[Usage]:
        def subscribe(observer: ObserverBase[Usage], scheduler: SchedulerBase | None = None) -> DisposableBase:
            tally = Tally()

            def on_next(event: Event) -> None:
                if tally.apply(event):
                    observer.on_next(tally.total)
                elif type(event) is Error:
                    observer.on_error(event.failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return counting
