"""One thing after the other, for operators that hear from several streams or from a timer.

Rule 1: what a subscriber is told never overlaps, whatever threads it comes from; no thread waits for another.
Rule 2: what a subscriber raises while a timer delivers to it is reported to it, since nobody above would.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from reactivex.disposable import Disposable, SerialDisposable

from allm_rx.abc.flow import LoopScheduler, call_on, running_loop
from allm_rx.errors import SubscriberError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
    from reactivex.typing import ScheduledAction

T = TypeVar("T")


class Turns:
    """Calls functions one after the other, whoever asks for it.

    Who comes while another is at it leaves the call behind, to be made by the other, and goes; so does who comes from
    within a call. It is for delivering, then: who only keeps books, or subscribes, must not take a turn, lest what arrives
    meanwhile is delivered on the wrong thread.
    """

    __slots__ = ("_calls", "_lock")

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._lock = threading.Lock()

    def take(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have a function called, at once when nobody else is at it."""
        calls = self._calls
        calls.append((function, arguments))
        while calls and self._lock.acquire(blocking=False):
            try:
                while calls:
                    function, arguments = calls.popleft()
                    function(*arguments)
            finally:
                self._lock.release()

    def hear(
        self,
        source: Observable[T],
        on_next: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_completed: Callable[[], None],
        scheduler: SchedulerBase | None,
    ) -> DisposableBase:
        """Subscribe, and take a turn for all that comes; see `subscribe_there`."""

        def subscribe() -> DisposableBase:
            return source.subscribe(
                lambda item: self.take(on_next, item),
                lambda error: self.take(on_error, error),
                lambda: self.take(on_completed),
                scheduler=scheduler,
            )

        return subscribe_there(subscribe, scheduler)

    def ring(self, function: Callable[[], None], fail: Callable[[Exception], None]) -> ScheduledAction[Any]:
        """Give what a timer calls: it takes a turn for a function, and blames the subscriber for what that raises.

        Args:
            function: what is to be done when the timer rings.
            fail: leaves the source and ends the stream with an error.
        """

        def act(scheduler: SchedulerBase, state: object = None) -> None:
            del scheduler, state
            self.rung(function, fail)

        return act

    def rung(self, function: Callable[[], None], fail: Callable[[Exception], None]) -> None:
        """Do what `ring` says, now that the timer rings."""
        try:
            self.take(function)
        except Exception as raised:  # noqa: BLE001 - see rule 2
            self.take(fail, raised if isinstance(raised, SubscriberError) else SubscriberError(raised))


def subscribe_there(subscribe: Callable[[], DisposableBase], scheduler: SchedulerBase | None) -> DisposableBase:
    """Subscribe on the loop that a scheduler of ours stands for, though this thread is another one.

    A stream inside a loop takes it for granted that it is subscribed there; what asks for it, such as a prompt, may come
    from anywhere.
    """
    if not isinstance(scheduler, LoopScheduler) or running_loop() is scheduler.loop:
        return subscribe()
    loop, inner, wanted = scheduler.loop, SerialDisposable(), True

    def enter() -> None:
        if wanted:
            inner.disposable = subscribe()

    def leave() -> None:
        nonlocal wanted
        wanted = False
        call_on(loop, inner.dispose)

    call_on(loop, enter)
    return Disposable(leave)


def tell(observer: ObserverBase[T], item: T) -> Exception | None:
    """Give an item to one of several subscribers; what it raises is its own fault, and given back as `SubscriberError`."""
    try:
        observer.on_next(item)
    except Exception as raised:  # noqa: BLE001 - see rule 2
        return raised if isinstance(raised, SubscriberError) else SubscriberError(raised)
    return None
