"""Wait for a stream in plain blocking code."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from reactivex import Observable
from reactivex.internal.exceptions import SequenceContainsNoElementsError

from allm_rx.abc.flow import RunScheduler

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")

_RUN = RunScheduler()


def run(source: Observable[T], *, timeout: float | None = None) -> T:
    """Subscribe, block until the stream ends, and give its last value.

    Whatever ends the wait (Ctrl-C, a time-out) disposes the subscription, so a request that is paid for does not go on.

    Args:
        source: any observable; ours run on the I/O thread meanwhile.
        timeout: seconds to wait at most.

    Raises:
        TimeoutError: the stream did not end in time.
        UsageError: `wrong_thread`, called on allm_rx's own I/O thread.
        SequenceContainsNoElementsError: the stream ended without a value.
        Exception: what the stream ended with.
    """
    done = threading.Event()
    values: list[T] = []
    errors: list[Exception] = []

    def on_next(value: T) -> None:
        values[:] = (value,)

    def on_error(error: Exception) -> None:
        errors.append(error)
        done.set()

    subscription = source.subscribe(on_next, on_error, done.set, scheduler=_RUN)
    try:
        if not done.wait(timeout):
            raise TimeoutError(f"The stream did not end within {timeout} s; its request was closed.")
    finally:
        subscription.dispose()
    if errors:
        raise errors[0]
    if not values:
        raise SequenceContainsNoElementsError
    return values[0]


class RunnableObservable(Observable[T], Generic[T]):
    """A cold stream whose `run()` leaves nothing behind, whatever interrupts it."""

    def run(self, scheduler: SchedulerBase | None = None) -> T:
        """Block until the stream ends and give its last value; see `operators.run`."""
        if scheduler is not None:
            return super().run(scheduler)
        return run(self)


def runnable(source: Observable[T]) -> RunnableObservable[T]:
    """Give the same stream with a `run()` that cleans up."""

    def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
        return source.subscribe(observer, scheduler=scheduler)

    return RunnableObservable(subscribe)
