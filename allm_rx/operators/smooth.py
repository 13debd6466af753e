"""Text at an even pace, however it arrives."""

from __future__ import annotations

import unicodedata
from collections import deque
from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.abc.flow import timers_of
from allm_rx.data.events import Event, MessageRestarted, TextDelta
from allm_rx.operators.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

_FRAME = 1 / 30
"""Seconds between two pieces at the least; a display shows no more."""
_JOINER = "\u200d"
_TINTS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


def smooth(rate: float, *, scheduler: SchedulerBase | None = None) -> Callable[[Observable[Event]], Observable[Event]]:
    """Cut the text anew, so that it comes at so many characters per second.

        s-abcdef----gh-(d,|)
        [ smooth(rate=0.5) ]
        s-a-b-c-d-e-f-g(h,d,|)

    For displays that write like a hand. It slows down what comes faster and delays nothing else: whatever is no text, the end
    included, flushes the text before it, so an answer is never late. Choose a rate near the model's own.

    Args:
        rate: characters per second.
        scheduler: for the pace; by default it runs where the subscription's events arrive: on its loop, or in virtual time.

    Emits: the source's events, `text_delta` in other pieces, on the source's thread or, those that waited, on the
    scheduler's; by default these are the same. Disposing drops what waits. Costs one timer per piece, at most 30 per second,
    and holds the text that waits.

    Raises:
        ValueError: `rate` is not more than 0.
    """
    if rate <= 0:
        raise ValueError(f"`rate` is {rate}, and a pace needs more than 0 characters per second.")

    def smoothing(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], given: SchedulerBase | None = None) -> DisposableBase:
            return _Smoothed(observer, rate, timers_of(scheduler or given)).start(source, given)

        return Observable(subscribe)

    return smoothing


class _Smoothed:
    """One subscription."""

    def __init__(self, observer: ObserverBase[Event], rate: float, timers: SchedulerBase) -> None:
        self._observer = observer
        self._period = max(_FRAME, 1 / rate)
        self._share = max(1.0, rate * self._period)
        """Characters per piece."""
        self._due = 0.0
        self._timers = timers
        self._timer = SerialDisposable()
        self._turns = Turns()
        self._ticking = False
        self._waiting: deque[TextDelta] = deque()
        self._given = 0
        """How many characters of the first that waits are out."""
        self._source = SerialDisposable()

    def start(self, source: Observable[Event], given: SchedulerBase | None) -> DisposableBase:
        self._source.disposable = self._turns.hear(source, self._next, self._fail, self._complete, given)
        return CompositeDisposable(self._timer, self._source)

    def _next(self, event: Event) -> None:
        if type(event) is TextDelta:
            self._waiting.append(event)
            if not self._ticking:
                self._tick()
            return
        if type(event) is MessageRestarted:  # what waits is void
            self._waiting.clear()
            self._given = 0
        self._flush()
        self._observer.on_next(event)

    def _tick(self) -> None:
        self._ticking = bool(self._waiting)
        if not self._ticking:
            return
        ring = self._turns.ring(self._tick, self._blame)
        self._timer.disposable = self._timers.schedule_relative(self._period, ring)
        self._due += self._share
        while self._waiting and (count := int(self._due)) > 0:
            first = self._waiting[0]
            end = _whole(first.delta, self._given + count)
            self._due -= end - self._given
            self._give(first, end)
        if not self._waiting:  # what was not there cannot be made up for
            self._due = 0.0

    def _give(self, delta: TextDelta, end: int) -> None:
        begin, self._given = self._given, end
        if end >= len(delta.delta):
            self._waiting.popleft()
            self._given = 0
        self._observer.on_next(TextDelta(delta.id, delta.delta[begin:end]) if begin or self._given else delta)

    def _flush(self) -> None:
        while self._waiting:
            self._give(self._waiting[0], len(self._waiting[0].delta))

    def _fail(self, error: Exception) -> None:
        self._flush()
        self._observer.on_error(error)

    def _blame(self, error: Exception) -> None:
        self._timer.dispose()
        self._source.dispose()
        self._observer.on_error(error)

    def _complete(self) -> None:
        self._flush()
        self._observer.on_completed()


def _whole(text: str, end: int) -> int:
    """Give the end of a piece, moved behind what belongs to its last character: accents, tints, joined pictures."""
    end = min(end, len(text))
    while end < len(text) and (
        text[end] in _TINTS or text[end] == _JOINER or text[end - 1] == _JOINER or unicodedata.category(text[end])[0] == "M"
    ):
        end += 1
    return end
