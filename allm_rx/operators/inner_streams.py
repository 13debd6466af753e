"""Streams inside a stream, a few at a time; what `max_concurrent` is made of.

Rule 1: items are delivered by the threads they come on, one at a time.
Rule 2: the lock is for the books: nobody is called under it, and nobody delivers while keeping them.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.operators.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")
In = TypeVar("In")


@dataclass(slots=True, eq=False)
class _Inner(Generic[T]):
    """One inner stream."""

    subscription: SerialDisposable
    early: deque[T]
    """What came before its turn."""
    done: bool = False
    error: Exception | None = None


class InnerStreams(Generic[In, T]):
    """One subscription to a stream of streams."""

    def __init__(
        self,
        observer: ObserverBase[T],
        n: int,
        project: Callable[[In], Observable[T]] | None,
        scheduler: SchedulerBase | None,
        *,
        ordered: bool,
    ) -> None:
        """Set up for an observer; see `max_concurrent`."""
        self._observer = observer
        self._n = n
        self._project = project
        self._scheduler = scheduler
        self._ordered = ordered
        self._turns = Turns()
        self._lock = threading.Lock()
        self._group = CompositeDisposable()
        self._waiting: deque[In] = deque()
        self._line: deque[_Inner[T]] = deque()
        """Those that have begun and whose end was not given, in order."""
        self._running = 0
        self._ended = False

    def start(self, source: Observable[In]) -> DisposableBase:
        """Subscribe to the source of streams; disposing leaves them all."""
        self._group.add(source.subscribe(self._next, self._fail, self._end, scheduler=self._scheduler))
        return self._group

    def _next(self, item: In) -> None:
        self._waiting.append(item)
        self._fill()

    def _fill(self) -> None:
        while (begun := self._take_place()) is not None:
            self._begin(*begun)

    def _take_place(self) -> tuple[Any, _Inner[T]] | None:
        with self._lock:
            if not self._waiting or self._running >= self._n or self._group.is_disposed:
                return None
            self._running += 1
            inner: _Inner[T] = _Inner(SerialDisposable(), deque())
            self._line.append(inner)
            return self._waiting.popleft(), inner

    def _begin(self, item: Any, inner: _Inner[T]) -> None:
        try:
            stream: Observable[T] = item if self._project is None else self._project(item)
            self._group.add(inner.subscription)
            inner.subscription.disposable = self._turns.hear(
                stream,
                lambda item: self._take(inner, item),
                lambda error: self._over(inner, error),
                lambda: self._over(inner),
                self._scheduler,
            )
        except Exception as error:  # noqa: BLE001 - what the caller's function raises ends the stream, as in every operator
            self._fail(error)

    def _take(self, inner: _Inner[T], item: T) -> None:
        if not self._ordered or inner is self._line[0]:
            self._observer.on_next(item)
        else:
            inner.early.append(item)

    def _over(self, inner: _Inner[T], error: Exception | None = None) -> None:
        inner.done, inner.error = True, error
        self._group.remove(inner.subscription)
        while (first := self._leave(inner)) is not None:
            if first.error is not None:
                self._fail(first.error)
                return
            while self._line and self._line[0].early:
                self._observer.on_next(self._line[0].early.popleft())
        with self._lock:
            self._running -= 1
        self._fill()
        self._complete()

    def _leave(self, inner: _Inner[T]) -> _Inner[T] | None:
        """Take out of the line whose turn it is and who is done."""
        with self._lock:
            if not self._ordered and inner in self._line:  # its turn is now
                self._line.remove(inner)
                self._line.appendleft(inner)
            return self._line.popleft() if self._line and self._line[0].done else None

    def _end(self) -> None:
        self._ended = True
        self._complete()

    def _complete(self) -> None:
        with self._lock:
            over = self._ended and not self._line and not self._waiting
        if over:
            self._turns.take(self._observer.on_completed)

    def _fail(self, error: Exception) -> None:
        self._group.dispose()
        self._turns.take(self._observer.on_error, error)
