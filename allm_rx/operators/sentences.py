"""The sentences of an answer, for speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.data.events import (
    Error,
    Event,
    MessageCompleted,
    MessageRestarted,
    MessageStarted,
    TextCompleted,
    TextDelta,
    ToolCallStarted,
)
from allm_rx.operators.sentence_splitter import SentenceSplitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

_BREAKS = frozenset({Error, MessageCompleted, TextCompleted, ToolCallStarted})
"""What ends a text, though its last sentence has no mark."""
_VOIDS = frozenset({MessageRestarted, MessageStarted})
"""What says that a text which was not ended never will be."""


def sentences() -> Callable[[Observable[Event]], Observable[str]]:
    """Give the text sentence by sentence, each as soon as it is known to be whole.

        s-Hi._-I_am-_Dr._No._-Bye-(d,|)
        [         sentences()         ]
        -------A--------------B---(C,|)

    A sentence is whole when the next one begins, its line ends, or the text does, so it comes one token after its mark.
    Abbreviations, decimals, initials, ellipses and the marks of Chinese and Japanese are known; Markdown is left as it is.
    Together they are the text but for the space around them.

    Emits: a sentence, never empty, on the source's thread; the rest at the end, and before an error. An `error` event becomes
    `on_error`. Costs a search through each piece that holds a mark.
    """

    def speaking(source: Observable[Event]) -> Observable[str]:
        def subscribe(observer: ObserverBase[str], scheduler: SchedulerBase | None = None) -> DisposableBase:
            speaking = _Speaking(observer)
            return source.subscribe(speaking.on_next, observer.on_error, speaking.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return speaking


class _Speaking:
    """One subscription."""

    def __init__(self, observer: ObserverBase[str]) -> None:
        self._observer = observer
        self._splitter = SentenceSplitter()

    def on_next(self, event: Event) -> None:
        if type(event) is TextDelta:
            self._say(self._splitter.feed(event.delta))
        elif type(event) in _BREAKS:
            self._say(self._splitter.flush())
            if type(event) is Error:
                self._observer.on_error(event.failure.exception())
        elif type(event) in _VOIDS:
            self._splitter.flush()

    def on_completed(self) -> None:
        self._say(self._splitter.flush())
        self._observer.on_completed()

    def _say(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._observer.on_next(sentence)
