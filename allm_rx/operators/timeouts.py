"""Give up on a provider that does not answer, or stops answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable
from reactivex.scheduler import TimeoutScheduler

from allm_rx.abc.flow import demand_of
from allm_rx.data.events import CONTENT_EVENTS, Error
from allm_rx.data.failures import Failure
from allm_rx.operators.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.events import Event

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
    """End the stream with an `error` event of reason `timeout` when it is too slow; the source is disposed.

        s-----a-b-------------
        [ timeouts(stall=6)  ]
        s-----a-b-----(e,|)

    All of them pause while the subscriber is not ready for more.

    Args:
        first: seconds to the first content event.
        stall: seconds between two content events.
        total: seconds for the whole stream.
        ids: provider and request id, for the failure.
        scheduler: for the timers; by default the subscription's, which is the owning loop or virtual time.

    Emits: the source's events, on the source's thread; then, when time is up, one `error` whose `details` name the
    timeout and its seconds, and completion.
    """

    def timed(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], given: SchedulerBase | None = None) -> DisposableBase:
            timer = scheduler or given or TimeoutScheduler.singleton()
            return _Timed(observer, timer, first, stall, total, ids).start(source, given)

        return Observable(subscribe)

    return timed


class _Timed:
    """The deadlines of one subscription."""

    __slots__ = ("_content", "_first", "_ids", "_observer", "_pausing", "_stall", "_stalling", "_subscription", "_total")

    def __init__(
        self,
        observer: ObserverBase[Event],
        timer: SchedulerBase,
        first: float | None,
        stall: float | None,
        total: float | None,
        ids: tuple[str | None, str | None],
    ) -> None:
        self._ids = ids
        self._observer = observer
        self._subscription = SerialDisposable()
        self._first = Watch(timer, first, lambda seconds: self._expired("first", seconds))
        self._stall = Watch(timer, stall, lambda seconds: self._expired("stall", seconds))
        self._total = Watch(timer, total, lambda seconds: self._expired("total", seconds))
        self._content = False
        self._stalling = stall is not None
        self._pausing = () if demand_of(timer) is None else (self._first, self._stall, self._total)

    def start(self, source: Observable[Event], scheduler: SchedulerBase | None) -> DisposableBase:
        self._first.start()
        self._total.start()
        inner = source.subscribe(self._on_next, self._on_error, self._on_completed, scheduler=scheduler)
        self._subscription.disposable = inner
        return CompositeDisposable(Disposable(self._stop), self._subscription)

    def _on_next(self, event: Event) -> None:
        if not self._content or self._stalling:
            self._note(event)
        self._observer.on_next(event)
        for watch in self._pausing:
            watch.look()

    def _note(self, event: Event) -> None:
        if type(event) in CONTENT_EVENTS:
            if self._content:
                self._stall.touch()
            else:
                self._content = True
                self._first.stop()
                self._stall.start()

    def _on_error(self, error: Exception) -> None:
        self._stop()
        self._observer.on_error(error)

    def _on_completed(self) -> None:
        self._stop()
        self._observer.on_completed()

    def _expired(self, name: str, seconds: float) -> None:
        self._stop()
        self._subscription.dispose()
        details = {"timeout": name, "seconds": seconds}
        provider, request_id = self._ids
        failure = Failure(
            kind="AdapterError",
            reason="timeout",
            message=_ADVICE[name].format(seconds),
            provider=provider,
            request_id=request_id,
            details=details,
        )
        self._observer.on_next(Error(failure))
        self._observer.on_completed()

    def _stop(self) -> None:
        self._first.stop()
        self._stall.stop()
        self._total.stop()
