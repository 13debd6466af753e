"""Ask somebody else when an answer fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable

from allm_rx.data.events import CONTENT_EVENTS, Error, Event, MessageCompleted, MessageRestarted, MessageStarted, RawChunk
from allm_rx.operators.attempts import Alternative, Attempt, Bill, falls_through, stream_of
from allm_rx.operators.turns import subscribe_there

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import ObserverBase, SchedulerBase

    from allm_rx.data.failures import Failure

_ANSWER = CONTENT_EVENTS | {Error, MessageCompleted, MessageRestarted, MessageStarted, RawChunk}


def fallback(
    *others: Alternative, restart: bool = False, when: Callable[[Failure], bool] = falls_through
) -> Callable[[Observable[Event]], Observable[Event]]:
    """Go on with the next stream when one fails.

        s-(e,|)
          s-a-b-(d,|)
        [ fallback(other) ]
        ----(s,a)-b-(d,|)

    Before output the failed attempt leaves no trace, and an answer begins once. After output it fails as without fallback,
    unless `restart`: then `message_restarted` says that all of the message so far is void, and the next one begins. What was
    tried is paid for: the usage that is reported is that of all together.

    Args:
        others: streams, or functions that make one when its turn comes; what such a function raises of `AllmError`, a missing
            key for instance, is a failure like any other.
        restart: whether to begin anew after output; once a step is done nothing does.
        when: which failures fall through; `RetryPolicy().allows` takes those that may heal.

    Emits: the events of the last stream tried, on the thread of its source; `message_started` comes with the first output.
    When all fail, the last one's `error`. What comes by `on_error` is no failure of a provider and passes at once. Costs
    half a microsecond per event.
    """
    alternatives = [stream_of(other) for other in others]

    def falling(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            running = _Falling(observer, [source, *alternatives], scheduler, when, restart=restart)
            running.begin()
            return running

        return Observable(subscribe)

    return falling


class _Falling(DisposableBase):
    """One subscription."""

    def __init__(
        self,
        observer: ObserverBase[Event],
        sources: list[Observable[Event]],
        scheduler: SchedulerBase | None,
        when: Callable[[Failure], bool],
        *,
        restart: bool,
    ) -> None:
        self._observer = observer
        self._sources = sources
        self._scheduler = scheduler
        self._when = when
        self._restart = restart
        self._bill = Bill()
        self._current = SerialDisposable()
        self._attempt: Attempt | None = None
        self._output = False
        self._number = 1
        """The attempt as `message_restarted` counts."""

    def begin(self) -> None:
        """Subscribe to the next stream; what comes late of the one before is not heard."""
        source, self._attempt = self._sources.pop(0), (attempt := Attempt(self._bill))
        self._current.disposable = heard = SerialDisposable()  # first, since what fails at once makes room for the next
        heard.disposable = subscribe_there(
            lambda: source.subscribe(
                lambda event: self._next(attempt, event),
                lambda error: self._end(attempt, lambda: self._observer.on_error(error)),
                lambda: self._end(attempt, self._observer.on_completed),
                scheduler=self._scheduler,
            ),
            self._scheduler,
        )

    def dispose(self) -> None:
        self._current.dispose()

    def _next(self, attempt: Attempt, event: Event) -> None:
        if attempt is not self._attempt:
            return
        failed = type(event) is Error
        if failed and self._goes_on(event.failure):
            self._fall(attempt, event.failure)
        elif self._output:
            self._pass(attempt, event)
        elif attempt.hold(event) or failed:
            self._release(attempt)

    def _pass(self, attempt: Attempt, event: Event) -> None:
        kind = type(event)
        if kind not in _ANSWER:
            self._sources.clear()  # a step cannot be taken back
        elif isinstance(event, MessageRestarted):
            self._number = max(self._number + 1, event.attempt)
            event = MessageRestarted(self._number, event.failure)
        self._observer.on_next(attempt.billed(event))

    def _goes_on(self, failure: Failure) -> bool:
        if not self._sources or (self._output and not self._restart):
            return False
        try:
            return self._when(failure)
        except Exception as error:  # noqa: BLE001 - what a function of the caller's raises ends the stream, as in every operator
            self._attempt = None
            self._observer.on_error(error)
            return False

    def _fall(self, attempt: Attempt, failure: Failure) -> None:
        self._bill.add(attempt.usage)
        if self._output:
            self._number += 1
            self._observer.on_next(MessageRestarted(self._number, failure))
        if not self._current.is_disposed:
            self.begin()

    def _release(self, attempt: Attempt) -> None:
        self._output = True
        for event in attempt.release():
            self._observer.on_next(event)

    def _end(self, attempt: Attempt, end: Callable[[], None]) -> None:
        if attempt is self._attempt:
            if not self._output:
                self._release(attempt)
            end()
