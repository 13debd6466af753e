"""Wait for a stream in plain blocking code."""

from __future__ import annotations

import math
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from reactivex import Observable
from reactivex.internal.exceptions import SequenceContainsNoElementsError

from allm_rx.abc.flow import RunScheduler

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

    from reactivex.abc import DisposableBase, SchedulerBase

T = TypeVar("T")

_RUN = RunScheduler()

_SLICE = 0.1
"""Seconds of one wait: a thread that waits without limit sees Ctrl-C only where the system interrupts that very thread."""


def run(source: Observable[T], *, timeout: float | None = None, scheduler: SchedulerBase | None = None) -> T:
    """Subscribe, block until the stream ends, and give its last value.

    Whatever ends the wait (Ctrl-C, a time-out) disposes the subscription, so a request that is paid for does not go on.

    Args:
        source: any observable; ours run on the I/O thread meanwhile.
        timeout: seconds to wait at most.
        scheduler: what to subscribe with; the default makes our streams run on the I/O thread.

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

    subscription: DisposableBase | None = None
    try:
        with _ctrl_c_held():
            subscription = source.subscribe(on_next, on_error, done.set, scheduler=scheduler or _RUN)
        if not _ended(done, timeout):
            raise TimeoutError(f"The stream did not end within {timeout} s; its request was closed.")
    finally:
        if subscription is not None:
            subscription.dispose()
    if errors:
        raise errors[0]
    if not values:
        raise SequenceContainsNoElementsError
    return values[0]


@contextmanager
def _ctrl_c_held() -> Generator[None]:
    """Hold Ctrl-C back while a block subscribes: nothing is there yet that could be disposed. A second one goes through."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        del frame
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


def _ended(done: threading.Event, timeout: float | None) -> bool:
    until = math.inf if timeout is None else time.monotonic() + timeout
    while not done.wait(max(0.0, min(_SLICE, until - time.monotonic()))):
        if time.monotonic() >= until:
            return False
    return True


class RunnableObservable(Observable[T], Generic[T]):
    """A cold stream whose `run()` leaves nothing behind, whatever interrupts it."""

    def run(self, scheduler: SchedulerBase | None = None, *, timeout: float | None = None) -> T:
        """Block until the stream ends and give its last value; see `operators.run`."""
        return run(self, timeout=timeout, scheduler=scheduler)
