"""Send a failed request again, after a growing pause."""

from __future__ import annotations

import random  # noqa: TID251 - only the default of the parameter `chance`
from typing import TYPE_CHECKING

from reactivex.abc import DisposableBase, ObserverBase

from allm_rx.abc.flow import timers_of
from allm_rx.data.events import (
    CONTENT_EVENTS,
    Error,
    Event,
    MessageCompleted,
    MessageRestarted,
    MessageStarted,
    RawChunk,
)
from allm_rx.operators.lean import Lean

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable
    from reactivex.abc import SchedulerBase

    from allm_rx.data.failures import Failure
    from allm_rx.data.policies import RetryPolicy

_OUTPUT = CONTENT_EVENTS | {MessageCompleted}
"""What ends the time of silent retries; an empty answer is an answer."""


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
    current message is void. A `Retry-After` beyond `policy.max_delay` is not waited for: the `error` comes at once.

    Args:
        policy: which failures, how often, and how long to wait.
        on_retry: called before each pause with the attempt that failed (from 1), the pause in seconds, and the failure;
            what it raises goes to `on_error`.
        chance: gives a number from 0 to 1 for the jitter.
        scheduler: for the pauses; by default they run where the subscription's events arrive: on its loop, or in virtual
            time.

    Emits: the events of the last attempt, on the source's thread; `message_started` comes with the first content, and
    behind it the usage that earlier attempts reported. Errors through `on_error` are not failures of a provider and pass
    at once.
    """

    def retrying(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], given: SchedulerBase | None = None) -> DisposableBase:
            running = _Retrying(source, observer, policy, on_retry, chance, timers_of(scheduler or given), given)
            running.begin()
            return running

        return source if policy.max_attempts == 1 else Lean(subscribe)

    return retrying


class _Retrying(ObserverBase[Event], DisposableBase):
    """The attempts of one subscription."""

    __slots__ = (
        "_attempt",
        "_chance",
        "_current",
        "_failure",
        "_given",
        "_observer",
        "_off",
        "_on_retry",
        "_output",
        "_pause",
        "_policy",
        "_source",
        "_spent",
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
        self._current: DisposableBase | None = None
        self._pause: DisposableBase | None = None
        self._attempt = 0
        self._off = False
        self._output = False
        self._withheld: list[Event] = []
        self._spent: list[Event] = []
        self._failure: Failure | None = None

    def begin(self) -> None:
        self._attempt += 1
        self._failure = None
        inner = self._source.subscribe(self, scheduler=self._given)
        if self._failure is not None:  # it failed within `subscribe`
            inner.dispose()
            return
        self._current = inner
        if self._off:  # left meanwhile, perhaps on another thread
            self.dispose()

    def dispose(self) -> None:
        self._off = True
        current, self._current = self._current, None
        pause, self._pause = self._pause, None
        if current is not None:
            current.dispose()
        if pause is not None:
            pause.dispose()

    def on_next(self, value: Event) -> None:
        if self._failure is not None:  # an error is final for its message
            return
        if type(value) is Error:
            self._on_failure(value)
        elif self._output:
            self._observer.on_next(value)
        else:
            self._withheld.append(value)
            if type(value) in _OUTPUT:
                self._output = True
                self._release()

    def _on_failure(self, event: Error) -> None:
        failure = event.failure
        delay = self._delay(failure)
        if delay is None:
            self._withheld.append(event)
            self._release()
            return
        self._failure = failure
        self._spent += [one for one in self._withheld if type(one) is RawChunk and one.kind == "usage"]
        self._withheld = []
        if self._on_retry is not None:
            try:
                self._on_retry(self._attempt, delay, failure)
            except Exception as error:  # noqa: BLE001 - what a callback raises ends the stream, as in every operator
                self._fail(error)
                return
        if self._current is not None:
            self._current.dispose()
        self._pause = self._timer.schedule_relative(delay, self._again)
        if self._off:
            self.dispose()

    def _delay(self, failure: Failure) -> float | None:
        policy = self._policy
        if self._attempt >= policy.max_attempts or (self._output and not policy.restart) or not policy.allows(failure):
            return None
        return policy.delay(self._attempt, failure, chance=self._chance())

    def _again(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        if self._output and self._failure is not None:
            self._observer.on_next(MessageRestarted(self._attempt + 1, self._failure))
        if self._off:
            return
        try:
            self.begin()
        except Exception as error:  # noqa: BLE001 - a source that cannot be subscribed again ends the stream
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.dispose()
        self._observer.on_error(error)

    def on_error(self, error: Exception) -> None:
        if self._failure is None:
            self._release()
            if not self._off:
                self._observer.on_error(error)

    def on_completed(self) -> None:
        if self._failure is None:
            self._release()
            if not self._off:
                self._observer.on_completed()

    def _release(self) -> None:
        """Give what was withheld, the usage of earlier attempts behind the start of this one."""
        events, self._withheld, spent, self._spent = self._withheld, [], self._spent, []
        if spent:
            start = 1 if events and type(events[0]) is MessageStarted else 0
            events[start:start] = spent
        for event in events:
            if self._off:
                return
            self._observer.on_next(event)
