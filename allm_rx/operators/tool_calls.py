"""The tool calls of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.data.events import Error, Event, ToolCallCompleted
from allm_rx.reducers.response import completed_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.parts import ToolCall


def tool_calls() -> Callable[[Observable[Event]], Observable[ToolCall]]:
    """Give each tool call that is the application's to run, when it is complete.

        s-t-t-T-t-T-(d,|)
        [  tool_calls() ]
        ------A---B-|

    Those that the provider runs itself are left out, as in `Response.tool_calls`. A call whose arguments are no JSON object
    comes too, with `error` set. One of an answer that begins again (`message_restarted`) cannot be taken back.

    Emits: a `ToolCall` as its arguments end, on the source's thread; an `error` event becomes `on_error`. Costs one
    comparison per event.
    """

    def calls(source: Observable[Event]) -> Observable[ToolCall]:
        def subscribe(observer: ObserverBase[ToolCall], scheduler: SchedulerBase | None = None) -> DisposableBase:
            def on_next(event: Event) -> None:
                if type(event) is ToolCallCompleted:
                    if not event.provider_executed:
                        observer.on_next(completed_call(event))
                elif type(event) is Error:
                    observer.on_error(event.failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return calls
