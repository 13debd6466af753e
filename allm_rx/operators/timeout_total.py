"""Give up on a whole chat that takes too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable

from allm_rx.abc.flow import demand_of, origin_of, timers_of, within
from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.sessions import Session
from allm_rx.operators.turns import Turns
from allm_rx.operators.watch import Watch
from allm_rx.reducers.closing import closing_fold
from allm_rx.reducers.failing import failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import ObserverBase, SchedulerBase

    from allm_rx.abc.flow import Origin

_TERMINALS = frozenset({ev.Error, ev.MessageCompleted})


def timeout_total(
    seconds: float, *, scheduler: SchedulerBase | None = None
) -> Callable[[Observable[ev.Event]], Observable[ev.Event]]:
    """End a stream that is not over in time: with all its steps, tools and retries.

        s-a-d-t---------------
        [ timeout_total(10)  ]
        s-a-d-t---(r,S,C,|)

    Put it right behind the call, so that it knows what kind of stream it ends. The source is disposed at once: the request is
    closed, tools are cancelled. As everything stays an event, the failure comes in band, in the grammar of the stream: an
    answer under way ends with `error`; then step, chat and session end with their results, `halted_reason` `error`. While
    tools run no answer can fail, so it is the results alone that tell. For one request there is `Timeouts(total=...)`.

    Args:
        seconds: from the subscription on; the time in which the subscriber is not ready does not count.
        scheduler: for the timer; by default it runs where the subscription's events arrive: on its loop, or in virtual time.

    Emits: the source's events, then the closing ones, all where the source's arrive; the failure is a `timeout`. Behind
    another operator the kind of the stream is unknown: one that has come to its tools then ends with `on_error`. Costs one
    timer, and the fold of the events.

    Raises:
        ValueError: `seconds` is not more than 0.
    """
    if seconds <= 0:
        raise ValueError(f"`seconds` is {seconds}, and no stream ends in no time.")

    def timed(source: Observable[ev.Event]) -> Observable[ev.Event]:
        origin = origin_of(source)

        def inside(source: Observable[ev.Event]) -> Observable[ev.Event]:
            def subscribe(observer: ObserverBase[ev.Event], given: SchedulerBase | None = None) -> DisposableBase:
                running = _Timed(observer, origin, seconds, scheduler, given)
                running.start(source)
                return running

            return Observable(subscribe)

        return within(source, inside)

    return timed


class _Timed(DisposableBase):
    """One subscription."""

    def __init__(
        self,
        observer: ObserverBase[ev.Event],
        origin: Origin,
        seconds: float,
        scheduler: SchedulerBase | None,
        given: SchedulerBase | None,
    ) -> None:
        self._observer = observer
        self._kind, self._before = origin
        self._fold = closing_fold(*origin)
        self._given = given
        self._watch = Watch(timers_of(scheduler or given), seconds, self._expired, demand_of(given))
        self._source = SerialDisposable()
        self._turns = Turns()
        self._started = ev.MessageStarted()
        self._last: type | None = None
        self._answering = True
        """Whether an answer is under way, or the next to come."""

    def start(self, source: Observable[ev.Event]) -> None:
        self._watch.start()
        self._source.disposable = self._turns.hear(source, self._next, self._fail, self._complete, self._given)

    def dispose(self) -> None:
        self._watch.stop()
        self._source.dispose()

    def _next(self, event: ev.Event) -> None:
        self._last = type(event)
        if isinstance(event, ev.MessageStarted):
            self._started = event
        self._answering = self._last is ev.StepCompleted or (self._answering and self._last not in _TERMINALS)
        self._fold.apply(event)
        self._observer.on_next(event)
        self._watch.look()

    def _fail(self, error: Exception) -> None:
        self.dispose()
        self._observer.on_error(error)

    def _complete(self) -> None:
        self._watch.stop()
        self._observer.on_completed()

    def _expired(self, seconds: float) -> None:
        self._turns.rung(lambda: self._end(seconds), self._fail)

    def _end(self, seconds: float) -> None:
        self.dispose()
        failure = _failure(seconds, self._started)
        if self._kind == "generate" and not self._answering and self._last not in _TERMINALS:
            self._observer.on_error(failure.exception())
            return
        before = self._before if isinstance(self._before, Session) and self._last is None else None
        for event in failed(self._fold, failure, answering=self._answering, before=before):
            self._observer.on_next(event)
        self._observer.on_completed()


def _failure(seconds: float, started: ev.MessageStarted) -> Failure:
    return Failure(
        kind="AdapterError",
        reason="timeout",
        message=f"The whole took longer than {seconds:g} s: give `timeout_total` more, or ask for less.",
        provider=started.provider,
        request_id=started.request_id,
        details={"timeout": "timeout_total", "seconds": seconds},
    )
