"""Spans of calls for observers, at near-zero cost while there is none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable

from allm_rx.abc.telemetry import Observer, Span, SpanEnd
from allm_rx.data.events import CONTENT_EVENTS, Error, Event, RawChunk
from allm_rx.data.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.telemetry import Outcome
    from allm_rx.data.failures import Failure

_LOG = logging.getLogger("allm_rx.telemetry")
_observers: list[Observer] = []


def observe(observer: Observer) -> Callable[[], None]:
    """Have an observer told of all calls of this process; the function that comes back ends that."""
    _observers.append(observer)

    def stop() -> None:
        if observer in _observers:
            _observers.remove(observer)

    return stop


def observed(request_id: str, provider: str, model: str | None) -> StreamSpan | None:
    """Give the span for one provider request, or None while nobody observes."""
    if not _observers:
        return None
    return StreamSpan({"request_id": request_id, "provider": provider, "model": model})


Retried = Callable[[int, float, "Failure"], None]
"""Told of a retry: the attempt that failed, the delay in seconds, and why."""


class StreamSpan:
    """The span `stream` around one provider request; it begins at each subscription."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        """Set up; nothing is told before a subscription."""
        self._facts = facts

    def watch(self, build: Callable[[Retried], Observable[Event]]) -> Observable[Event]:
        """Give the stream with the span around each subscription.

        Args:
            build: makes the stream of one subscription, from what it tells of its retries.
        """

        def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            watching = _Watching(self._facts, observer)
            source = build(watching.retried)
            inner = source.subscribe(watching.on_next, watching.on_error, watching.on_completed, scheduler=scheduler)
            return CompositeDisposable(inner, Disposable(lambda: watching.end("disposed")))

        return Observable(subscribe)


class _Watching:
    def __init__(self, facts: Mapping[str, Any], observer: ObserverBase[Event]) -> None:
        self.spans = [span for one in tuple(_observers) if (span := _started(one, facts)) is not None]
        self._observer = observer
        self._begun = time.perf_counter()
        self._first: float | None = None
        self._count = 0
        self._usage: Usage | None = None
        self._failure: Failure | None = None
        self._ended = False

    def retried(self, attempt: int, delay: float, failure: Failure) -> None:
        facts = {"attempt": attempt, "delay": delay, "reason": failure.reason, "status": failure.status}
        _tell(self.spans, "retry", facts)

    def on_next(self, event: Event) -> None:
        if type(event) in CONTENT_EVENTS:
            self._count += 1
            if self._first is None:
                self._first = time.perf_counter() - self._begun
                _tell(self.spans, "first_content", {"seconds": self._first})
        elif isinstance(event, RawChunk) and isinstance(event.data, Usage):
            self._usage = event.data if self._usage is None else self._usage.merge(event.data)
        elif isinstance(event, Error):
            self._failure = event.failure
        self._observer.on_next(event)

    def on_error(self, error: Exception) -> None:
        self.end("error")
        self._observer.on_error(error)

    def on_completed(self) -> None:
        self.end("completed" if self._failure is None else "error")
        self._observer.on_completed()

    def end(self, outcome: Outcome) -> None:
        if self._ended:
            return
        self._ended = True
        duration = time.perf_counter() - self._begun
        end = SpanEnd(outcome, duration, self._first, self._count, self._usage, self._failure)
        for span in self.spans:
            _guarded(span.end, end)


def _started(observer: Observer, facts: Mapping[str, Any]) -> Span | None:
    return _guarded(observer.start, "stream", facts)


def _tell(spans: list[Span], name: Any, facts: Mapping[str, Any]) -> None:
    for span in spans:
        _guarded(span.event, name, facts)


def _guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001 - an observer must never break the call it observes
        _LOG.exception("an observer raised and was ignored")
        return None
