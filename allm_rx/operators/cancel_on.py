"""A stop button that keeps what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SingleAssignmentDisposable

from allm_rx.abc.flow import origin_of
from allm_rx.reducers.closing import closing_fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.events import Event


def cancel_on(stop: Observable[Any]) -> Callable[[Observable[Event]], Observable[Event]]:
    """Complete the stream when `stop` emits, with what there is; `take_until` in its place just leaves.

        stop:  -------x
        s-a-b-c-d-e-f-(...)
        [ cancel_on(stop)  ]
        s-a-b-c(S,C,|)

    Put it right behind the call, so that it knows what kind of stream it ends. The source is disposed at once: the request is
    closed, tools are cancelled. A generation ends with `message_completed` of the partial message and no finish reason; a
    step, chat or session with its result: `halted_reason` `cancelled`, the partial response, the usage that is known, and a
    thread that can be sent again.

    Args:
        stop: any observable, such as a Subject behind a button; only its first item counts.

    Emits: the source's events, on the source's thread; the closing events on the thread that `stop` emits on.
    """

    def cancelling(source: Observable[Event]) -> Observable[Event]:
        kind, thread = origin_of(source)

        def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            fold = closing_fold(kind, thread)
            inner = SingleAssignmentDisposable()
            over = False

            def on_next(event: Event) -> None:
                if not over:
                    fold.apply(event)
                    observer.on_next(event)

            def on_stop(_: Any) -> None:
                nonlocal over
                if over or fold.ended:
                    return
                over = True
                inner.dispose()
                for event in fold.closing():
                    observer.on_next(event)
                observer.on_completed()

            stopping = stop.subscribe(on_stop, observer.on_error, scheduler=scheduler)
            if not over:
                inner.disposable = source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
            return CompositeDisposable(inner, stopping)

        return Observable(subscribe)

    return cancelling
