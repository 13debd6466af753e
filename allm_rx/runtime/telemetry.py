"""Spans of calls for observers, at near-zero cost while there is none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable

from allm_rx.abc.telemetry import Observer, Span, SpanEnd
from allm_rx.data.events import CONTENT_EVENTS, Error, Event, MessageCompleted, RawChunk
from allm_rx.data.failures import Failure
from allm_rx.data.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.telemetry import Outcome, SpanName

_LOG = logging.getLogger("allm_rx.telemetry")
_observers: list[Observer] = []


def observe(observer: Observer) -> Callable[[], None]:
    """Have an observer told of all calls of this process; the function that comes back ends that."""
    _observers.append(observer)

    def stop() -> None:
        with suppress(ValueError):  # called before, perhaps by another thread
            _observers.remove(observer)

    return stop


def observed(name: SpanName, facts: Mapping[str, Any]) -> WatchedSpan | None:
    """Give the span of that name around a stream of events, or None while nobody observes."""
    return WatchedSpan(name, facts) if _observers else None


def begun(name: SpanName, facts: Mapping[str, Any]) -> OpenSpan | None:
    """Begin the span of what is no stream of events, such as a tool; None while nobody observes."""
    return OpenSpan(name, facts) if _observers else None


Retried = Callable[[int, float, Failure], None]
"""Told of a retry: the attempt that failed, the delay in seconds, and why."""


class OpenSpan:
    """A span that has begun, told to all observers."""

    def __init__(self, name: SpanName, facts: Mapping[str, Any]) -> None:
        """Begin it now."""
        started = (_guarded(observer.start, name, facts) for observer in tuple(_observers))
        self._spans: list[Span] = [span for span in started if span is not None]
        self._begun = time.perf_counter()
        self._ended = False

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self._begun

    def event(self, name: Literal["retry", "first_content"], facts: Mapping[str, Any]) -> None:
        """Tell of something within it."""
        for span in self._spans:
            _guarded(span.event, name, facts)

    def end(self, outcome: Outcome, **facts: Any) -> None:
        """Tell how it ended, once; the facts are those of `SpanEnd`."""
        if self._ended:
            return
        self._ended = True
        end = SpanEnd(outcome, self.seconds, **facts)
        for span in self._spans:
            _guarded(span.end, end)


class WatchedSpan:
    """A span around a stream of events; it begins at each subscription."""

    def __init__(self, name: SpanName, facts: Mapping[str, Any]) -> None:
        """Set up; nothing is told before a subscription."""
        self._name: SpanName = name
        self._facts = facts

    def watch(self, build: Callable[[Retried], Observable[Event]]) -> Observable[Event]:
        """Give the stream with the span around each subscription.

        Args:
            build: makes the stream of one subscription, from what it tells of its retries.
        """

        def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            watching = _Watching(OpenSpan(self._name, self._facts), observer)
            source = build(watching.retried)
            inner = source.subscribe(watching.on_next, watching.on_error, watching.on_completed, scheduler=scheduler)
            return CompositeDisposable(inner, Disposable(lambda: watching.end("disposed")))

        return Observable(subscribe)


class _Watching:
    def __init__(self, span: OpenSpan, observer: ObserverBase[Event]) -> None:
        self._span = span
        self._observer = observer
        self._first: float | None = None
        self._count = 0
        self._before = Usage()
        """Of the messages that are complete."""
        self._usage: Usage | None = None
        self._failure: Failure | None = None

    def retried(self, attempt: int, delay: float, failure: Failure) -> None:
        self._span.event("retry", {"attempt": attempt, "delay": delay, "reason": failure.reason, "status": failure.status})

    def on_next(self, event: Event) -> None:
        if type(event) in CONTENT_EVENTS:
            self._count += 1
            if self._first is None:
                self._first = self._span.seconds
                self._span.event("first_content", {"seconds": self._first})
        elif isinstance(event, RawChunk) and isinstance(event.data, Usage):
            self._usage = event.data if self._usage is None else self._usage.merge(event.data)
        elif isinstance(event, MessageCompleted):
            self._before, self._usage = self._total, None
        elif isinstance(event, Error):
            self._failure = event.failure
        self._observer.on_next(event)

    def on_error(self, error: Exception) -> None:
        self._failure = self._failure or Failure.of(error)
        self.end("error")
        self._observer.on_error(error)

    def on_completed(self) -> None:
        self.end("completed" if self._failure is None else "error")
        self._observer.on_completed()

    def end(self, outcome: Outcome) -> None:
        usage = self._total
        self._span.end(
            outcome,
            first_content=self._first,
            content_events=self._count,
            usage=None if usage == Usage() else usage,
            failure=self._failure,
        )

    @property
    def _total(self) -> Usage:
        return self._before if self._usage is None else self._before + self._usage


def _guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001 - an observer must never break the call it observes
        _LOG.exception("an observer raised and was ignored")
        return None
