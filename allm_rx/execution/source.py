"""The one source of events: the adapter's stream with its timeouts, retries and span.

Whatever a call is, its requests go through here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex.disposable import Disposable

from allm_rx.data.events import Error, Event
from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.execution.spans import request_span
from allm_rx.operators.lean import Lean
from allm_rx.operators.retry_backoff import retry_backoff
from allm_rx.operators.timeouts import timeouts

if TYPE_CHECKING:
    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.execution.resolve import Resolved
    from allm_rx.runtime.telemetry import Retried


def source(resolved: Resolved) -> Observable[Event]:
    """Give the events of one provider request with its retries, cold.

    Emits: the grammar of `generate`; every failure that is not a defect is an `error` event.
    """
    return request_span(resolved, lambda on_retry: _attempts(resolved, on_retry))


def _attempts(resolved: Resolved, on_retry: Retried | None) -> Observable[Event]:
    """Give the attempts within their time."""
    waits = resolved.call.timeouts
    ids = (resolved.adapter.provider, resolved.call.request_id)
    stream = _attempt(resolved)
    if waits.first is not None or waits.stall is not None:
        stream = timeouts(first=waits.first, stall=waits.stall, ids=ids)(stream)
    if resolved.retry.max_attempts > 1:
        stream = retry_backoff(resolved.retry, on_retry=on_retry)(stream)
    return stream if waits.total is None else timeouts(total=waits.total, ids=ids)(stream)


def _attempt(resolved: Resolved) -> Observable[Event]:
    """Give one attempt: the adapter is asked at each subscription, and its exceptions arrive in band."""

    def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        def fail(error: Exception) -> None:
            if isinstance(error, AllmError):
                observer.on_next(Error(Failure.of(error)))
                observer.on_completed()
            else:
                observer.on_error(error)

        try:
            stream = resolved.adapter.stream(resolved.request, resolved.call)
        except AllmError as error:
            fail(error)
            return Disposable()
        return stream.subscribe(observer.on_next, fail, observer.on_completed, scheduler=scheduler)

    return Lean(subscribe)
