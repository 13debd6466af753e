"""Failures as exceptions, for pipes that want them so."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

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
    `ChatResult` or `Turn` that failed, `on_error` with the `AllmError` it stands for.
    """

    def raising(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
            def on_next(item: T) -> None:
                failure = _failure_of(item)
                if failure is None:
                    observer.on_next(item)
                else:
                    observer.on_error(failure.exception())

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return raising


def _failure_of(item: object) -> Failure | None:
    match item:
        case Error(failure=failure):
            return failure
        case Response(error=failure) | ChatResult(error=failure):
            return failure
        case StepResult(response=response):
            return response.error
        case Turn(result=result):
            return _failure_of(result)
        case _:
            return None
