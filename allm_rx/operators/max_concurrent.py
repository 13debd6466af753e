"""Many streams, a few at a time, their items in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.operators.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")
In = TypeVar("In")


def max_concurrent(
    n: int, project: Callable[[In], Observable[T]] | None = None, *, ordered: bool = True
) -> Callable[[Observable[In]], Observable[T]]:
    """Subscribe to inner streams, at most `n` at a time; those that wait begin as others end.

        a-b-c-|
        [ max_concurrent(2, ask) ]
        ------A-(B,C)-|

    For a list of prompts: `prompts.pipe(lx.max_concurrent(4, lambda prompt: generate(engine, prompt)))`. With `ordered` all
    items of one stream come before those of the next, though they run at the same time; what comes early waits, an error in
    its turn. Without it they come as they come; `ops.merge(max_concurrent=n)` does the same, but holds a lock meanwhile.

    Args:
        n: how many run at the same time.
        project: makes the stream of an item when its time has come; None when the items are streams.
        ordered: whether the order of the source is kept.

    Emits: the inner streams' items, on their threads, one at a time. What `project` raises, and an inner error, end it with
    `on_error`; a failed answer is an item and does not. Holds the streams that wait, and, ordered, the items that came early.

    Raises:
        ValueError: `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"`n` is {n}, and at least 1 stream runs at a time.")

    def limiting(source: Observable[In]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
            return _Limited(observer, n, project, scheduler, ordered=ordered).start(source)

        return Observable(subscribe)

    return limiting


@dataclass(slots=True, eq=False)
class _Inner(Generic[T]):
    """One inner stream."""

    subscription: SerialDisposable
    early: deque[T]
    """What came before its turn."""
    done: bool = False
    error: Exception | None = None


class _Limited(Generic[In, T]):
    """One subscription."""

    def __init__(
        self,
        observer: ObserverBase[T],
        n: int,
        project: Callable[[In], Observable[T]] | None,
        scheduler: SchedulerBase | None,
        *,
        ordered: bool,
    ) -> None:
        self._observer = observer
        self._n = n
        self._project = project
        self._scheduler = scheduler
        self._ordered = ordered
        self._turns = Turns()
        self._group = CompositeDisposable()
        self._waiting: deque[In] = deque()
        self._line: deque[_Inner[T]] = deque()
        """Those that have begun and whose end was not given, in order."""
        self._running = 0
        self._ended = False
        """Whether the source gives no more."""

    def start(self, source: Observable[In]) -> DisposableBase:
        self._group.add(self._turns.hear(source, self._next, self._fail, self._end, self._scheduler))
        return self._group

    def _next(self, item: In) -> None:
        self._waiting.append(item)
        self._fill()

    def _fill(self) -> None:
        while self._waiting and self._running < self._n and not self._group.is_disposed:
            item: Any = self._waiting.popleft()
            try:
                stream: Observable[T] = item if self._project is None else self._project(item)
            except Exception as error:  # noqa: BLE001 - what the caller's function raises ends the stream, as in every operator
                self._fail(error)
                return
            self._begin(stream)

    def _begin(self, stream: Observable[T]) -> None:
        self._running += 1
        inner: _Inner[T] = _Inner(SerialDisposable(), deque())
        self._line.append(inner)
        self._group.add(inner.subscription)
        inner.subscription.disposable = self._turns.hear(
            stream,
            lambda item: self._take(inner, item),
            lambda error: self._over(inner, error),
            lambda: self._over(inner),
            self._scheduler,
        )

    def _take(self, inner: _Inner[T], item: T) -> None:
        if not self._ordered or inner is self._line[0]:
            self._observer.on_next(item)
        else:
            inner.early.append(item)

    def _over(self, inner: _Inner[T], error: Exception | None = None) -> None:
        self._running -= 1
        self._group.remove(inner.subscription)
        inner.done, inner.error = True, error
        line = self._line
        if not self._ordered:  # its turn is now
            line.remove(inner)
            line.appendleft(inner)
        while line and line[0].done:
            if (error := line.popleft().error) is not None:
                self._fail(error)
                return
            while line and line[0].early:
                self._observer.on_next(line[0].early.popleft())
        self._fill()
        self._check()

    def _end(self) -> None:
        self._ended = True
        self._check()

    def _check(self) -> None:
        if self._ended and not self._line and not self._waiting:
            self._observer.on_completed()

    def _fail(self, error: Exception) -> None:
        self._group.dispose()
        self._observer.on_error(error)
