"""Answers that outlive the page that asked for them.

Rule 1: an answer belongs to its conversation, not to the page that shows it; a page may leave, come back, and come twice.
Rule 2: what was said so far is kept, so whoever comes later hears all of it, or the rest.
Rule 3: nobody pays for an answer that nobody hears: after a while without a page it is stopped.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conversation import Conversation
from reactivex import Observable
from reactivex import operators as ops

from allm_rx import Engine, events

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

KEPT = 300.0
"""Seconds for which the events of a finished answer can still be asked for."""
UNHEARD = 60.0
"""Seconds after which an answer is stopped that no page listens to."""


class Answer:
    """One call, heard by any number of pages."""

    def __init__(self, source: Observable[events.Event], stop: Callable[[], object], forget: Callable[[str], object]) -> None:
        self.id = uuid.uuid4().hex
        self.stop = stop
        """Close the request: the events end as those of a cancelled chat."""
        self.running = True
        self.count = 0
        """Events so far."""
        self._forget = forget
        self._listeners = 0
        self._events = source.pipe(ops.do_action(self._count, self._end, self._end), ops.replay())

    def start(self) -> None:
        """Send the request: the one subscription, whoever listens."""
        self._events.connect()
        self._expect_listeners()

    @contextmanager
    def heard(self, first: int) -> Generator[Observable[events.Event]]:
        """Give the events from a number on: those that were kept, then those to come."""
        self._listeners += 1
        try:
            yield self._events.pipe(ops.skip(first))
        finally:
            self._listeners -= 1
            self._expect_listeners()

    def _count(self, event: events.Event) -> None:
        self.count += 1

    def _end(self, error: Exception | None = None) -> None:
        self.running = False
        asyncio.get_running_loop().call_later(KEPT, self._forget, self.id)

    def _expect_listeners(self) -> None:
        if self.running and not self._listeners:
            asyncio.get_running_loop().call_later(UNHEARD, self._stop_if_unheard)

    def _stop_if_unheard(self) -> None:
        if self.running and not self._listeners:
            self.stop()


class Talk:
    """A conversation, and its latest answer while that is not part of it."""

    def __init__(self, engine: Engine) -> None:
        self.id = uuid.uuid4().hex
        self.conversation = Conversation(engine)
        self.answer: Answer | None = None

    def ask(self, text: str | None, forget: Callable[[str], object]) -> Answer:
        """Begin an answer to a text, or once more to what was asked last.

        `forget` is called with the answer's id when its events need not be kept any longer.
        """
        answering = self.conversation.ask(text).pipe(ops.do_action(self._end))
        self.answer = Answer(answering, self.conversation.stop, forget)
        self.answer.start()
        return self.answer

    def _end(self, event: events.Event) -> None:
        if isinstance(event, events.ChatCompleted) and event.result.error is None:
            self.answer = None  # it is part of the conversation now; one that failed stays, to be asked for again
