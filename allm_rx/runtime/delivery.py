"""The edge of a stream: subscribed on its owning loop, delivered where the subscriber lives.

Rule 1: `dispose` works from any thread, any number of times, and never waits for one.
Rule 2: on the delivery thread no event follows `dispose`; no lock is held while calling out.
Rule 3: what a subscriber's `on_next` raises closes this request and is reported once, as `SubscriberError`.
Rule 4: what belongs to a subscriber with a thread of its own is let go there: a widget must not die on the I/O thread.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reactivex.abc import DisposableBase
from reactivex.disposable import Disposable
from reactivex.observer import Observer
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.flow import Demand, LoopScheduler, demand_of, running_loop
from allm_rx.errors import SubscriberError
from allm_rx.operators.lean import observer_of
from allm_rx.operators.run import RunnableObservable
from allm_rx.runtime.hop import Hop
from allm_rx.runtime.schedulers import Place, place

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import ObserverBase, OnCompleted, OnError, OnNext, SchedulerBase

    from allm_rx.abc.flow import Origin

T = TypeVar("T")

_LOG = logging.getLogger("allm_rx.delivery")
_SLOW = 0.05
"""Seconds a callback on the owning loop may take before `ALLM_RX_DEBUG=1` names it."""

_NOBODY: ObserverBase[Any] = Observer(on_error=lambda error: None)
"""Who takes the place of an observer that was let go."""


class _End:
    """A terminal on its way through the hop."""

    __slots__ = ("error",)

    def __init__(self, error: Exception | None) -> None:
        self.error = error


def deliver(
    source: Observable[T],
    origin: Origin | None = None,
    shape: Callable[[Observable[T]], Observable[T]] | None = None,
) -> RunnableObservable[T]:
    """Give the stream at its edge; see `runtime.schedulers` for the table of places.

    Args:
        source: what is subscribed on the owning loop.
        origin: where it comes from, for operators that end it early.
        shape: what subscribers see of it; an operator that ends it early folds all of it.
    """
    return _Edge(source, origin, shape)


class _Edge(RunnableObservable[T]):
    """A stream at its edge."""

    def __init__(
        self, source: Observable[T], origin: Origin | None, shape: Callable[[Observable[T]], Observable[T]] | None
    ) -> None:
        super().__init__()
        self.origin = origin
        self._whole = source
        self._shape = shape
        self._source = source if shape is None else shape(source)

    def within(self, operator: Callable[[Observable[T]], Observable[T]]) -> RunnableObservable[T]:
        """Give the stream with an operator inside its edge; see `abc.flow.within`."""
        return _Edge(operator(self._whole), self.origin, self._shape)

    def subscribe(
        self,
        on_next: ObserverBase[T] | OnNext[T] | None = None,
        on_error: OnError | None = None,
        on_completed: OnCompleted | None = None,
        *,
        scheduler: SchedulerBase | None = None,
    ) -> DisposableBase:
        """Subscribe; one that is inside a loop or virtual time already passes through, without a layer of its own."""
        if isinstance(scheduler, (LoopScheduler, VirtualTimeScheduler)):
            return self._source.subscribe(on_next, on_error, on_completed, scheduler=scheduler)
        observer = observer_of(on_next, on_error, on_completed)  # without RxPY's guard: a delivery is one itself
        try:
            delivery = Delivery(observer, place(scheduler), demand_of(scheduler))
            delivery.start(self._source)
        except Exception as error:  # noqa: BLE001 - a place that cannot be used is told like any other failure
            observer.on_error(error)
            return Disposable()
        return delivery


class Delivery(DisposableBase, Generic[T]):
    """One subscription at its edge."""

    def __init__(self, observer: ObserverBase[T], where: Place, demand: Demand | None) -> None:
        """Set up for an observer; nothing happens before `start`."""
        self._observer = observer
        self._loop = where.loop
        self._demand = demand
        self._off = False
        """Whether the subscriber hears nothing any more."""
        self._left = False
        """Whether what is behind us was let go."""
        self._inner: DisposableBase | None = None
        self._hop: Hop[T | _End] | None = None
        self._waker = where.waker
        self._home = threading.get_ident()
        if where.waker is not None:
            self._hop = Hop(where.loop, where.waker, self._arrive)
            self._demand = self._hop

    def start(self, source: Observable[T]) -> None:
        """Subscribe on the owning loop: at once when this is its thread, else as soon as it turns."""
        if self._waker is not None:
            self._waker.open(self.dispose)
        if running_loop() is self._loop:
            self._enter(source)
        else:
            self._loop.call_soon_threadsafe(self._enter, source, context=contextvars.copy_context())

    def _enter(self, source: Observable[T]) -> None:
        if self._off:
            return
        if self._hop is not None:
            take = self._hop.push
        else:
            take = self._pass_watched if os.environ.get("ALLM_RX_DEBUG") == "1" else self._pass
        scheduler = LoopScheduler(self._loop, self._demand)
        try:
            self._inner = source.subscribe(take, self._end, self._end, scheduler=scheduler)
        except Exception as error:  # noqa: BLE001 - on the loop nobody else would hear of it
            self._end(error)
        if self._off:
            self._close()

    def _end(self, error: Exception | None = None) -> None:
        if self._hop is not None:
            self._hop.push(_End(error))
        else:
            self._finish(error)

    # Called on the delivery thread.

    def _pass(self, value: T) -> None:
        if self._off:
            return
        try:
            self._observer.on_next(value)
        except Exception as error:  # noqa: BLE001 - whatever a subscriber raises is reported to it
            self._blame(error)

    def _pass_watched(self, value: T) -> None:
        begun = time.perf_counter()
        self._pass(value)
        if (taken := time.perf_counter() - begun) > _SLOW:
            name = getattr(value, "type", type(value).__name__)
            _LOG.warning("a subscriber took %.0f ms for %r on the loop that all streams share", taken * 1000, name)

    def _arrive(self, item: T | _End) -> None:
        if type(item) is _End:
            self._finish(item.error)
        else:
            self._pass(item)  # type: ignore[arg-type]  # narrowed by the exact class above

    def _finish(self, error: Exception | None) -> None:
        if self._off:
            return
        self._off = True
        try:
            if error is None:
                self._observer.on_completed()
            else:
                self._observer.on_error(error)
        except Exception as raised:  # noqa: BLE001 - a terminal handler that raises must not kill the loop
            self._nobody_listens(raised)
        finally:
            self.dispose()

    def _blame(self, raised: Exception) -> None:
        if not self._off:
            self._off = True
            self._dispose_inner()
            error = raised if isinstance(raised, SubscriberError) else SubscriberError(raised)
            try:
                self._observer.on_error(error)
            except Exception as unheard:  # noqa: BLE001 - see `_finish`
                self._nobody_listens(unheard)
            finally:
                self.dispose()

    def _nobody_listens(self, error: Exception) -> None:
        context = {"message": "allm_rx: a stream failed and no subscriber took the error", "exception": error}
        try:
            self._loop.call_soon_threadsafe(self._loop.call_exception_handler, context)
        except RuntimeError:
            _LOG.exception("a stream failed and no subscriber took the error", exc_info=error)

    # From any thread.

    def dispose(self) -> None:
        """Leave: no further event on the delivery thread; the connection is closed as soon as its loop turns."""
        if self._left:
            return
        self._off = self._left = True
        self._dispose_inner()
        if threading.get_ident() == self._home:
            self._let_go()

    def _dispose_inner(self) -> None:
        if running_loop() is self._loop:
            self._close()
            return
        try:
            self._loop.call_soon_threadsafe(self._close)
        except RuntimeError:  # the loop was closed, and everything on it with it
            return

    def _close(self) -> None:
        if self._hop is not None:
            self._hop.close()
        if self._waker is not None and self._observer is not _NOBODY:
            self._waker.wake(self._let_go)
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.dispose()

    # Called on the subscriber's or on the delivery thread.

    def _let_go(self) -> None:
        if self._waker is not None:
            self._observer = _NOBODY
            self._waker.close()
