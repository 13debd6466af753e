"""Recorded exchanges in place of a network.

Rule 1: successive requests get successive exchanges, whatever they ask for; the test looks at `requests` for that.
Rule 2: time is the subscription's scheduler, so a recorded minute takes no time under a virtual one.
Rule 3: nothing is emitted inside `subscribe`; on a real loop each piece is a turn of its own, as it was on the network.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable
from reactivex.notification import OnCompleted, OnError, OnNext
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.flow import LoopScheduler, clock_of, demand_of
from allm_rx.errors import AdapterError, StreamError, SubscriberError, UsageError
from allm_rx.wire.http import ResponseHead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reactivex.abc import ObserverBase, SchedulerBase
    from reactivex.notification import Notification

    from allm_rx.abc.flow import Demand
    from allm_rx.data.failures import Failure
    from allm_rx.wire.http import WireRequest

    Steps = list[tuple[float, Notification["Item"]]]

Item = ResponseHead | bytes
"""What an answer is made of."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a body, as they came from the network."""

    at: float
    """Seconds after the request was sent."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer, with the times of arrival."""

    request: WireRequest
    """What was sent, without its secrets."""
    head: ResponseHead | None
    """None when there was no answer."""
    head_at: float = 0.0
    """Seconds after the request was sent."""
    pieces: tuple[Piece, ...] = ()
    ending: Literal["completed", "failed", "left"] = "completed"
    """How it ended: the body was read whole, it broke, or the reader went away."""
    ended_at: float = 0.0
    """Seconds after the request was sent."""
    failure: Failure | None = None
    """What it broke with."""

    @property
    def body(self) -> bytes:
        """The pieces, joined."""
        return b"".join(piece.data for piece in self.pieces)


class Replay:
    """A transport that answers from exchanges; see `abc.transport.Transport` for the guarantees it keeps.

    An exchange that its reader left ends with a `StreamError` where it was left. More requests than exchanges get an
    `AdapterError` of reason `no_scripted_response`.
    """

    def __init__(self, exchanges: Iterable[Exchange], *, timing: bool = False) -> None:
        """Set up without answering anything.

        Args:
            exchanges: What is answered, in this order.
            timing: Whether everything comes when it came; else it comes at once.
        """
        self._exchanges = tuple(exchanges)
        self._timing = timing
        self._requests: list[WireRequest] = []
        self._lock = threading.Lock()

    @property
    def requests(self) -> tuple[WireRequest, ...]:
        """The requests so far, in the order of their subscriptions."""
        with self._lock:
            return tuple(self._requests)

    def open(self, request: WireRequest, /) -> Observable[ResponseHead | bytes]:
        """Answer from the next exchange on subscription."""

        def subscribe(observer: ObserverBase[Item], scheduler: SchedulerBase | None = None) -> DisposableBase:
            playback = _Playback(self._next(request), observer, _running_loop() if scheduler is None else scheduler)
            playback.schedule()
            return playback

        return Observable(subscribe)

    def _next(self, request: WireRequest) -> Steps:
        with self._lock:
            index = len(self._requests)
            self._requests.append(request)
        if index < len(self._exchanges):
            steps = _steps(self._exchanges[index])
            return steps if self._timing else [(0.0, notification) for _, notification in steps]
        message = (
            f"The recording has {len(self._exchanges)} exchanges, and this is request {index + 1}: "
            "record the missing one, or look at `requests` for the one too many."
        )
        return [(0.0, OnError(AdapterError("no_scripted_response", message)))]


def _running_loop() -> LoopScheduler:
    try:
        return LoopScheduler(asyncio.get_running_loop())
    except RuntimeError:
        raise UsageError(
            "no_event_loop",
            "A replay is subscribed on an event loop or in virtual time: go through an engine, or pass a scheduler.",
        ) from None


def _steps(exchange: Exchange) -> Steps:
    steps: Steps = []
    if exchange.head is not None:
        steps.append((exchange.head_at, OnNext[Item](exchange.head)))
    steps.extend((piece.at, OnNext[Item](piece.data)) for piece in exchange.pieces)
    steps.append((exchange.ended_at, _terminal(exchange)))
    return steps


def _terminal(exchange: Exchange) -> Notification[Item]:
    match exchange.ending:
        case "completed":
            return OnCompleted()
        case "failed" if exchange.failure is not None:
            return OnError(exchange.failure.exception())
        case _:
            message = "The recording ends here, since its reader left: record the exchange to its end."
            return OnError(StreamError("stream_interrupted", message))


class _Playback(DisposableBase):
    """One exchange on its way to one subscriber."""

    def __init__(self, steps: Steps, observer: ObserverBase[Item], scheduler: SchedulerBase) -> None:
        self._steps = steps
        self._observer = observer
        self._scheduler = scheduler
        self._virtual = isinstance(scheduler, VirtualTimeScheduler)
        self._demand = None if self._virtual else demand_of(scheduler)
        self._clock = clock_of(scheduler)
        self._started = self._clock()
        self._at = 0
        self._off = False
        self._timer = SerialDisposable()
        self._waiting: asyncio.Task[None] | None = None

    def schedule(self) -> None:
        due = self._started + self._steps[self._at][0]
        # A step that is late, for want of demand or of a free loop, comes at once; those behind it keep their times.
        self._timer.disposable = self._scheduler.schedule_relative(max(0.0, due - self._clock()), self._run)

    def dispose(self) -> None:
        self._off = True
        self._timer.dispose()
        if self._waiting is not None:
            self._waiting.cancel()

    def _run(self, scheduler: SchedulerBase | None = None, state: Any = None) -> None:
        del scheduler, state
        while not self._off:
            if self._demand is not None and not self._demand.ready():
                self._waiting = asyncio.get_running_loop().create_task(self._resume(self._demand))
                return
            at, notification = self._steps[self._at]
            self._at += 1
            self._emit(notification)
            if not self._off and not (self._virtual and self._steps[self._at][0] <= at):
                self.schedule()
                return

    async def _resume(self, demand: Demand) -> None:
        await demand.wait()
        self._waiting = None
        self.schedule()

    def _emit(self, notification: Notification[Item]) -> None:
        if not isinstance(notification, OnNext):
            self._off = True
            notification.accept(self._observer)
            return
        try:
            notification.accept(self._observer)
        except Exception as error:  # noqa: BLE001 - whatever a subscriber raises ends its subscription
            if not self._off:
                self._off = True
                self._observer.on_error(SubscriberError(error))
