"""A stop button that keeps what there is."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.flow import LoopScheduler, call_on, loop_of, origin_of, within
from allm_rx.reducers.closing import closing_fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.events import Event
    from allm_rx.reducers.closing import ClosingFold


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
        stop: any observable, such as a Subject behind a button; only its first item counts, and it may come on any thread.

    Emits: the source's events, then the closing ones, all where the source's arrive. Behind another operator the closing
    events come on the thread that `stop` emits on, but for subscribers on an event loop, such as `await`.
    """

    def cancelling(source: Observable[Event]) -> Observable[Event]:
        kind, before = origin_of(source)

        def inside(source: Observable[Event]) -> Observable[Event]:
            def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
                return _Cancelling(observer, closing_fold(kind, before), scheduler).start(source, stop)

            return Observable(subscribe)

        return within(source, inside)

    return cancelling


class _Cancelling:
    """One subscription."""

    def __init__(self, observer: ObserverBase[Event], fold: ClosingFold, scheduler: SchedulerBase | None) -> None:
        self._observer = observer
        self._fold = fold
        self._scheduler = scheduler
        self._inner = SerialDisposable()
        self._stopped = False
        self._over = False
        self._queue: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()

    def start(self, source: Observable[Event], stop: Observable[Any]) -> DisposableBase:
        stopping = stop.subscribe(self._stop, lambda error: self._in_turn(partial(self._fail, error)), scheduler=self._scheduler)
        if not self._stopped:
            self._inner.disposable = source.subscribe(
                lambda event: self._in_turn(partial(self._next, event)),
                lambda error: self._in_turn(partial(self._fail, error)),
                lambda: self._in_turn(self._complete),
                scheduler=self._scheduler,
            )
        return CompositeDisposable(self._inner, stopping)

    def _in_turn(self, action: Callable[[], None]) -> None:
        """Do one thing after the other, though they come on several threads or from within each other; nobody waits."""
        self._queue.append(action)
        while self._queue and self._lock.acquire(blocking=False):
            try:
                while self._queue:
                    self._queue.popleft()()
            finally:
                self._lock.release()

    def _next(self, event: Event) -> None:
        if not self._over:
            self._fold.apply(event)
            self._observer.on_next(event)

    def _fail(self, error: Exception) -> None:
        if not self._over:
            self._over = True
            self._inner.dispose()
            self._observer.on_error(error)

    def _complete(self) -> None:
        if not self._over:
            self._over = True
            self._observer.on_completed()

    def _stop(self, value: Any = None) -> None:
        del value
        if self._stopped:
            return
        self._stopped = True
        scheduler = self._scheduler
        if isinstance(scheduler, (LoopScheduler, VirtualTimeScheduler)):  # the place of everything here
            if isinstance(scheduler, LoopScheduler):
                call_on(scheduler.loop, self._inner.dispose)
            else:
                self._inner.dispose()
            scheduler.schedule(lambda scheduler, state=None: self._in_turn(self._close))
            return
        self._inner.dispose()
        loop = loop_of(scheduler)
        if loop is not None:
            call_on(loop, lambda: self._in_turn(self._close))
        else:
            self._in_turn(self._close)

    def _close(self) -> None:
        if self._over:
            return
        self._over = True
        if not self._fold.ended:
            for event in self._fold.closing():
                self._observer.on_next(event)
        self._observer.on_completed()
