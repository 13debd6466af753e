"""What becomes of items that nobody is ready for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable

from allm_rx.abc.flow import LoopScheduler, call_on, demand_of, loop_of, within
from allm_rx.errors import StreamError
from allm_rx.operators.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import ObserverBase, SchedulerBase

    from allm_rx.abc.flow import Demand

T = TypeVar("T")

Overflow = Literal["latest", "drop", "error"]


def on_overflow(policy: Overflow, *, capacity: int = 1) -> Callable[[Observable[T]], Observable[T]]:
    """Read on while the subscriber is not ready, and drop what is too much; without it the provider is slowed down.

        a-b-c-d-e-f-g-|
        [ on_overflow("latest") ]
        a-b-(not ready)-f-g-|

    For states such as snapshots, of which only the newest counts; deltas that are dropped are missing in the text. It asks
    the subscriber's demand: `lx.to_aiter` and a GUI's scheduler have one, of 256 items each; those that have none take
    everything, and nothing is dropped.

    Args:
        policy: `latest` drops the oldest that waits, `drop` the one that comes, `error` ends the stream.
        capacity: items that may wait here, on top of those that wait with the subscriber.

    Emits: the source's items, on the source's thread; those that waited, and an end behind them, on the subscription's loop.
    With `error`, `on_error` with `StreamError` `cancelled` in place of the first that is too much. Costs one look at the
    demand per item.

    Raises:
        ValueError: the policy is unknown, or `capacity` is less than 1.
    """
    if policy not in get_args(Overflow):
        raise ValueError(f"{policy!r} is no policy: use one of {', '.join(map(repr, get_args(Overflow)))}.")
    if capacity < 1:
        raise ValueError(f"`capacity` is {capacity}, and at least 1 item waits.")

    def inside(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], given: SchedulerBase | None = None) -> DisposableBase:
            demand, loop = demand_of(given), loop_of(given)
            if demand is None or loop is None:
                return source.subscribe(observer, scheduler=given)
            running = _Overflowing(observer, policy, capacity, demand, loop)
            running.start(source)
            return running

        return Observable(subscribe)

    return lambda source: within(source, inside)


class _Overflowing(DisposableBase, Generic[T]):
    """One subscription."""

    def __init__(
        self, observer: ObserverBase[T], policy: Overflow, capacity: int, demand: Demand, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._observer = observer
        self._policy = policy
        self._capacity = capacity
        self._demand = demand
        self._loop = loop
        self._source = SerialDisposable()
        self._turns = Turns()
        self._waiting: deque[T] = deque()
        self._end: Callable[[], None] | None = None
        self._pause: asyncio.Future[Any] | None = None
        self._off = False

    def start(self, source: Observable[T]) -> None:
        # Without the demand: who is not told that nobody is ready goes on.
        scheduler = LoopScheduler(self._loop)
        self._source.disposable = self._turns.hear(source, self._next, self._fail, self._complete, scheduler)

    def dispose(self) -> None:
        self._off = True
        self._source.dispose()
        call_on(self._loop, self._stop_waiting)

    def _next(self, item: T) -> None:
        if not self._waiting and self._demand.ready():
            self._observer.on_next(item)
        elif len(self._waiting) < self._capacity:
            self._waiting.append(item)
            call_on(self._loop, self._wait)
        elif self._policy == "latest":
            self._waiting.popleft()
            self._waiting.append(item)
        elif self._policy == "error":
            what = f"The subscriber fell behind, with {self._capacity} items waiting, and `on_overflow('error')` ended the stream"
            self._blame(StreamError("cancelled", f"{what}: take items faster, or drop some with 'latest'."))

    def _fail(self, error: Exception) -> None:
        self._finish(lambda: self._observer.on_error(error))

    def _complete(self) -> None:
        self._finish(self._observer.on_completed)

    def _finish(self, end: Callable[[], None]) -> None:
        if self._waiting:
            self._end = end
        else:
            end()

    def _blame(self, error: Exception) -> None:
        self.dispose()
        self._observer.on_error(error)

    def _wait(self) -> None:
        if self._pause is None and not self._off:
            self._pause = asyncio.ensure_future(self._demand.wait())
            self._pause.add_done_callback(self._go_on)

    def _stop_waiting(self) -> None:
        if self._pause is not None:
            self._pause.cancel()

    def _go_on(self, pause: asyncio.Future[Any]) -> None:
        self._pause = None
        if self._off:
            return
        blind = pause.cancelled() or pause.exception() is not None  # who cannot be waited for cannot pause us
        self._turns.rung(lambda: self._drain(blind=blind), self._blame)

    def _drain(self, *, blind: bool) -> None:
        while self._waiting and not self._off and (blind or self._demand.ready()):
            self._observer.on_next(self._waiting.popleft())
        if self._waiting:
            call_on(self._loop, self._wait)
        elif self._end is not None:
            self._end()
