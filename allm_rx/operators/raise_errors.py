"""Failures as exceptions, for pipes that want them so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from reactivex import Observable

from allm_rx.data.events import Error
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.sessions import Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.failures import Failure

T = TypeVar("T")


def raise_errors() -> Callable[[Observable[T]], Observable[T]]:
    """Turn a failure that travels as a value into `on_error`.

        s-a-b-(e,|)
        [ raise_errors() ]
        s-a-b-#

    Emits: the source's items, on the source's thread; in place of an `error` event, or of a `Response`, `StepResult`,
    `ChatResult` or `Turn` that failed, `on_error` with the `AllmError` it stands for. Costs one look-up per item.
    """

    def raising(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
            def on_next(item: T) -> None:
                failing = _FAILING.get(cast("type[Any]", type(item)))
                failure = None if failing is None else failing(item)
                if failure is None:
                    observer.on_next(item)
                else:
                    observer.on_error(failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return raising


def _of_event(error: Error) -> Failure | None:
    return error.failure


def _of_response(response: Response) -> Failure | None:
    return response.error


def _of_step(step: StepResult) -> Failure | None:
    return step.response.error


def _of_chat(chat: ChatResult) -> Failure | None:
    return chat.error


def _of_turn(turn: Turn) -> Failure | None:
    return _FAILING[type(turn.result)](turn.result)


_FAILING: dict[type[Any], Callable[[Any], Failure | None]] = {
    Error: _of_event,
    Response: _of_response,
    StepResult: _of_step,
    ChatResult: _of_chat,
    Turn: _of_turn,
}
