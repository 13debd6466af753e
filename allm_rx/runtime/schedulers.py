"""Which loop owns a subscription, and where its events arrive.

| the subscription's scheduler | owning loop | events arrive |
|---|---|---|
| none, and a loop runs in this thread | that loop | on it |
| `AsyncIOScheduler` of a loop | that loop | on it |
| none without a loop, or one that names no place | the process's I/O loop | on the I/O thread |
| virtual time | none: it passes through, like what is inside a loop already | inside `start()` |
| any other: `EventLoopScheduler`, GUI toolkits | the I/O loop | on that scheduler's thread, through the bounded hop |
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reactivex.scheduler import (
    EventLoopScheduler,
    NewThreadScheduler,
)
from reactivex.scheduler.eventloop import AsyncIOScheduler

from allm_rx.abc.flow import PLACELESS, RunScheduler, Waker, running_loop
from allm_rx.errors import UsageError
from allm_rx.operators.run import run
from allm_rx.runtime.wakers import EventLoopWaker, GLibWaker, QtWaker, TkWaker, WxWaker
from allm_rx.transport.io_loop import io_loop, on_io_thread

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from reactivex.abc import SchedulerBase


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subscription lives."""

    loop: asyncio.AbstractEventLoop
    """The owning loop."""
    waker: Waker | None = None
    """Wakes the delivery thread, when that is not the loop's."""


_RUN_MODULES = frozenset({run.__module__, "reactivex.run", "reactivex.observable.observable"})
"""Where a function or method called `run` is one that waits."""

_WAKERS: dict[type[Any], Callable[[Any], Waker]] = {EventLoopScheduler: EventLoopWaker}

_TOOLKITS: dict[str, Callable[[Any], Waker]] = {
    "GtkScheduler": GLibWaker,
    "QtScheduler": QtWaker,
    "TkinterScheduler": TkWaker,
    "WxScheduler": WxWaker,
}
"""The wakers of RxPY's schedulers for toolkits; by name, for who has such a scheduler has paid for importing its module."""


def register_waker(scheduler: type[Any], waker: Callable[[Any], Waker]) -> None:
    """Teach delivery to a scheduler class of a toolkit.

    Args:
        scheduler: the class; its subclasses are meant too.
        waker: makes the waker from the scheduler of a subscription, on the subscriber's thread. It raises `UsageError`
            `wrong_thread` when that is not the toolkit's own.
    """
    _WAKERS[scheduler] = waker


def place(scheduler: SchedulerBase | None) -> Place:
    """Give the place of a subscription with that scheduler, made from this thread.

    Raises:
        UsageError: `wrong_thread` when a blocking `run()` would wait for its own thread, or a toolkit's scheduler is used on
            another thread than the toolkit's; `no_event_loop` when the scheduler's loop is closed, or its application not
            there; `unknown_scheduler` when nothing can wake its thread.
    """
    if scheduler is None:
        running = running_loop()
        return Place(running if running is not None else io_loop())
    if isinstance(scheduler, AsyncIOScheduler):
        loop = scheduler._loop  # pyright: ignore[reportPrivateUsage] # the only way
        if loop.is_closed():
            raise UsageError("no_event_loop", "The scheduler's event loop is closed: subscribe with the running loop's.")
        return Place(loop)
    if isinstance(scheduler, PLACELESS):
        if _is_run(scheduler):
            _check_run()
        return Place(io_loop())
    for known, waker in tuple(_wakers().items()):
        if isinstance(scheduler, known):
            return Place(io_loop(), waker(scheduler))
    raise UsageError(
        "unknown_scheduler",
        f"Nothing is known that wakes the thread of {type(scheduler).__name__} safely: subscribe without a scheduler, or "
        "teach it with `allm_rx.runtime.schedulers.register_waker`.",
    )


def _wakers() -> dict[type[Any], Callable[[Any], Waker]]:
    mainloop = sys.modules.get("reactivex.scheduler.mainloop")
    if mainloop is not None:
        for name, waker in _TOOLKITS.items():
            if hasattr(mainloop, name):  # another thread may be importing it
                _WAKERS.setdefault(getattr(mainloop, name), waker)
    return _WAKERS


def _is_run(scheduler: SchedulerBase) -> bool:
    if isinstance(scheduler, RunScheduler):
        return True
    # RxPY's own `run()` is known only by the one scheduler it passes, a private name; without it, by the bare class.
    default = getattr(sys.modules.get("reactivex.run"), "_default_scheduler", None)
    return scheduler is default if default is not None else type(scheduler) is NewThreadScheduler


def _check_run() -> None:
    if running_loop() is None or (level := _caller_of_run()) is None:
        return
    if on_io_thread():
        raise UsageError(
            "wrong_thread",
            "`run()` was called on allm_rx's own I/O thread and would wait for itself: use `pipe`, or return the observable.",
        )
    warnings.warn(
        "`run()` blocks the event loop that runs in this thread until the answer is there: use `await` in its place.",
        RuntimeWarning,
        stacklevel=level,
    )


def _caller_of_run() -> int | None:
    """Give how many calls up the caller of `run` is, as seen by ours, and None when it is not this thread that waits.

    What is subscribed later, such as a fallback, is so on the I/O thread.
    """
    waiting = {run.__code__, getattr(sys.modules.get("reactivex.run"), "run", run).__code__}
    level, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage] # a scheduler does not tell who waits
    while frame.f_code not in waiting:
        if frame.f_back is None:
            return None
        level, frame = level + 1, frame.f_back
    while frame.f_back is not None and frame.f_code.co_name == "run" and frame.f_globals["__name__"] in _RUN_MODULES:
        level, frame = level + 1, frame.f_back
    return level
