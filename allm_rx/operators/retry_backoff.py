"""Send a failed request again, after a growing pause."""

from __future__ import annotations

import random  # noqa: TID251 - only the default of the parameter `chance`
from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable
from reactivex.scheduler import TimeoutScheduler

from allm_rx.data.events import CONTENT_EVENTS, Error, Event, MessageRestarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.failures import Failure
    from allm_rx.data.policies import RetryPolicy


def retry_backoff(
    policy: RetryPolicy,
    *,
    on_retry: Callable[[int, float, Failure], None] | None = None,
    chance: Callable[[], float] = random.random,
    scheduler: SchedulerBase | None = None,
) -> Callable[[Observable[Event]], Observable[Event]]:
    """Subscribe to the source again when its answer failed in a way that may heal.

        s-(e,|)
           --s-a-b-(d,|)
        [ retry_backoff(policy) ]
        -----(s,a)-b-(d,|)

    Before output an attempt restarts silently: what it gave so far (`message_started`, `error`) is withheld, so an answer
    begins once. After output nothing is retried unless `policy.restart`; then `message_restarted` tells that all of the
    current message is void.

    Args:
        policy: which failures, how often, and how long to wait.
        on_retry: called before each pause with the attempt that failed (from 1), the pause in seconds, and the failure.
        chance: gives a number from 0 to 1 for the jitter.
        scheduler: for the pauses; by default the subscription's, which is the owning loop or virtual time.

    Emits: the events of the last attempt, on the source's thread; `message_started` comes with the first content. Errors
    through `on_error` are not failures of a provider and pass at once.
    """

    def retrying(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], given: SchedulerBase | None = None) -> DisposableBase:
            timer = scheduler or given or TimeoutScheduler.singleton()
            return _Retrying(source, observer, policy, on_retry, chance, timer, given).start()

        return Observable(subscribe)

    return retrying


class _Retrying:
    """The attempts of one subscription."""

    __slots__ = (
        "_attempt",
        "_chance",
        "_current",
        "_failure",
        "_given",
        "_observer",
        "_on_retry",
        "_output",
        "_pause",
        "_policy",
        "_source",
        "_timer",
        "_withheld",
    )

    def __init__(
        self,
        source: Observable[Event],
        observer: ObserverBase[Event],
        policy: RetryPolicy,
        on_retry: Callable[[int, float, Failure], None] | None,
        chance: Callable[[], float],
        timer: SchedulerBase,
        given: SchedulerBase | None,
    ) -> None:
        self._source = source
        self._observer = observer
        self._policy = policy
        self._on_retry = on_retry
        self._chance = chance
        self._timer = timer
        self._given = given
        self._current = SerialDisposable()
        self._pause = SerialDisposable()
        self._attempt = 0
        self._output = False
        self._withheld: list[Event] = []
        self._failure: Failure | None = None

    def start(self) -> DisposableBase:
        self._begin()
        return CompositeDisposable(self._current, self._pause)

    def _begin(self) -> None:
        self._attempt += 1
        self._failure = None
        self._current.disposable = self._source.subscribe(
            self._on_next, self._observer.on_error, self._on_completed, scheduler=self._given
        )

    def _on_next(self, event: Event) -> None:
        if self._failure is not None:  # an error is final for its message
            return
        if type(event) is Error:
            self._on_failure(event)
        elif self._output:
            self._observer.on_next(event)
        elif type(event) in CONTENT_EVENTS:
            self._output = True
            self._release()
            self._observer.on_next(event)
        else:
            self._withheld.append(event)

    def _on_failure(self, event: Error) -> None:
        failure = event.failure
        policy = self._policy
        delay = None
        if self._attempt < policy.max_attempts and (policy.restart or not self._output) and policy.allows(failure):
            delay = policy.delay(self._attempt, failure, chance=self._chance())
        if delay is None:
            self._release()
            self._observer.on_next(event)
            return
        self._failure = failure
        self._withheld = []
        if self._on_retry is not None:
            self._on_retry(self._attempt, delay, failure)
        self._current.disposable = None
        self._pause.disposable = self._timer.schedule_relative(delay, self._again)

    def _again(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        if self._output and self._failure is not None:
            self._observer.on_next(MessageRestarted(self._attempt + 1, self._failure))
        self._begin()

    def _on_completed(self) -> None:
        if self._failure is None:
            self._release()
            self._observer.on_completed()

    def _release(self) -> None:
        withheld, self._withheld = self._withheld, []
        for event in withheld:
            self._observer.on_next(event)
