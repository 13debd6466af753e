"""Give up on a provider that does not answer, or stops answering."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reactivex.abc import DisposableBase, ObserverBase

from allm_rx.abc.flow import demand_of, timers_of
from allm_rx.data.events import CONTENT_EVENTS, Error, MessageCompleted
from allm_rx.data.failures import Failure
from allm_rx.operators.lean import Lean
from allm_rx.operators.watch import NEVER, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import SchedulerBase

    from allm_rx.data.events import Event

_TERMINALS = frozenset({Error, MessageCompleted})

_ADVICE = {
    "first": "No output came within {:g} s: send the request again, choose a faster model, or raise `timeouts.first`.",
    "stall": "The answer stalled for {:g} s: send the request again, or raise `timeouts.stall`.",
    "total": "The call took longer than {:g} s: raise `timeouts.total`, or ask for less.",
}


def timeouts(
    *,
    first: float | None = None,
    stall: float | None = None,
    total: float | None = None,
    ids: tuple[str | None, str | None] = (None, None),
    scheduler: SchedulerBase | None = None,
) -> Callable[[Observable[Event]], Observable[Event]]:
    """End the stream of one answer with an `error` event of reason `timeout` when it is too slow; the source is disposed.

        s-----a-b-------------
        [ timeouts(stall=6)  ]
        s-----a-b-----(e,|)

    All of them pause while the subscriber is not ready for more. An answer that is whole cannot time out: what is left is
    only the end of its connection, which is then not waited for.

    Args:
        first: seconds to the first content event.
        stall: seconds between two content events.
        total: seconds for the whole stream.
        ids: provider and request id, for the failure.
        scheduler: for the timers; by default they run where the subscription's events arrive: on its loop, or in virtual
            time.

    Emits: the source's events, on the source's thread; then, when time is up, one `error` whose `details` name the
    timeout and its seconds, and completion.
    """

    def timed(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], given: SchedulerBase | None = None) -> DisposableBase:
            running = _Timed(observer, scheduler, given, (first, stall, total), ids)
            running.start(source, given)
            return running

        return Lean(subscribe)

    return timed


class _Timed(ObserverBase["Event"], DisposableBase):
    """The deadlines of one subscription."""

    __slots__ = (
        "_closed",
        "_content",
        "_demand",
        "_first",
        "_ids",
        "_last",
        "_observer",
        "_off",
        "_pausing",
        "_source",
        "_stall",
        "_total",
        "_watching",
    )

    def __init__(
        self,
        observer: ObserverBase[Event],
        scheduler: SchedulerBase | None,
        given: SchedulerBase | None,
        seconds: tuple[float | None, float | None, float | None],
        ids: tuple[str | None, str | None],
    ) -> None:
        first, stall, total = seconds
        self._observer = observer
        self._ids = ids
        self._source: DisposableBase | None = None
        self._demand = demand_of(given)
        timers = timers_of(scheduler or given)
        self._first = self._watch("first", first, timers)
        self._stall = self._watch("stall", stall, timers)
        self._total = self._watch("total", total, timers)
        self._content = False
        self._last: type | None = None
        self._off = False
        self._closed = False
        self._watching = True
        self._pausing: tuple[Watch, ...] = ()

    def _watch(self, name: str, seconds: float | None, timers: SchedulerBase) -> Watch:
        return NEVER if seconds is None else Watch(timers, seconds, partial(self._expired, name), self._demand)

    def start(self, source: Observable[Event], scheduler: SchedulerBase | None) -> None:
        self._first.start()
        self._total.start()
        self._settle()
        self._source = source.subscribe(self, scheduler=scheduler)
        if self._closed:  # meanwhile, perhaps on another thread
            self._close()

    def dispose(self) -> None:
        self._off = True
        self._close()

    def _close(self) -> None:
        self._closed = True
        self._stop()
        source, self._source = self._source, None
        if source is not None:
            source.dispose()

    def on_next(self, value: Event) -> None:
        if self._watching:
            self._note(type(value))
        self._observer.on_next(value)
        for watch in self._pausing:
            watch.look()

    def _note(self, kind: type) -> None:
        self._last = kind
        if kind in CONTENT_EVENTS:
            if self._content:
                self._stall.touch()
            else:
                self._content = True
                self._first.stop()
                self._stall.start()
                self._settle()

    def _settle(self) -> None:
        """Look only at what still runs: with the default timeouts that is nothing once output has come."""
        running = tuple(watch for watch in (self._first, self._stall, self._total) if watch.running)
        self._watching = bool(running) or not self._content
        self._pausing = () if self._demand is None else running

    def on_error(self, error: Exception) -> None:
        self._stop()
        self._observer.on_error(error)

    def on_completed(self) -> None:
        self._stop()
        self._observer.on_completed()

    def _expired(self, name: str, seconds: float) -> None:
        self._close()
        if self._last not in _TERMINALS:
            self._observer.on_next(Error(self._failure(name, seconds)))
        if not self._off:
            self._observer.on_completed()

    def _failure(self, name: str, seconds: float) -> Failure:
        provider, request_id = self._ids
        return Failure(
            kind="AdapterError",
            reason="timeout",
            message=_ADVICE[name].format(seconds),
            provider=provider,
            request_id=request_id,
            details={"timeout": name, "seconds": seconds},
        )

    def _stop(self) -> None:
        self._first.stop()
        self._stall.stop()
        self._total.stop()
