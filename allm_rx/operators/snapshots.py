"""The answer so far, for displays that show a state and not a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.data.events import CONTENT_EVENTS, Error, Event, MessageCompleted, MessageRestarted, MessageStarted
from allm_rx.reducers.response import ResponseFold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.reducers.response import Snapshot

_CHANGES = CONTENT_EVENTS | {MessageCompleted, MessageRestarted}


def snapshots() -> Callable[[Observable[Event]], Observable[Snapshot]]:
    """Give a view of the answer at each change.

        s-a-b--c-(d,|)
        [ snapshots() ]
        --A-B--C-(D,|)

    A view costs a step per content block; its text is joined only when it is read, so `ops.sample` or `throttle_latest`
    behind it keeps a long answer cheap. Of several answers, as in a chat or behind `switch_generate`, it shows the one under
    way.

    Emits: a `Snapshot` per content event and at the end, on the source's thread; an `error` event becomes `on_error`.
    """

    def viewing(source: Observable[Event]) -> Observable[Snapshot]:
        def subscribe(observer: ObserverBase[Snapshot], scheduler: SchedulerBase | None = None) -> DisposableBase:
            fold = ResponseFold()

            def on_next(event: Event) -> None:
                nonlocal fold
                if type(event) is MessageStarted and (fold.message is not None or fold.builder.blocks):
                    fold = ResponseFold()
                fold.apply(event)
                if type(event) in _CHANGES:
                    observer.on_next(fold.snapshot())
                elif type(event) is Error:
                    observer.on_error(event.failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return viewing
