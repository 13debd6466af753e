"""Conversations, and the answers to them that are under way.

Rule 1: an answer belongs to its conversation, not to the page that shows it; a page may leave, come back, and come twice.
Rule 2: what was said so far is kept, so whoever comes later hears all of it, or the rest.
Rule 3: nobody pays for an answer that nobody hears: after a while without a page it is stopped.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex import operators as ops
from reactivex.subject import Subject

from allm_rx import Engine, Thread, assistant, events, stream, user
from allm_rx import operators as lx

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

KEPT = 300.0
"""Seconds for which the events of a finished answer can still be asked for."""
UNHEARD = 60.0
"""Seconds after which an answer is stopped that no page listens to."""


class Answer:
    """One call, heard by any number of pages."""

    def __init__(
        self, source: Observable[events.Event], on_event: Callable[[events.Event], None], forget: Callable[[str], object]
    ) -> None:
        self.id = uuid.uuid4().hex
        self.running = True
        self.count = 0
        """Events so far."""
        self._forget = forget
        self._listeners = 0
        self._stop: Subject[None] = Subject()
        counted = ops.do_action(self._count, self._end, self._end)
        self._events = source.pipe(lx.cancel_on(self._stop), ops.do_action(on_event), counted, ops.replay())

    def start(self) -> None:
        """Send the request: the one subscription, whoever listens."""
        self._events.connect()
        self._expect_listeners()

    def stop(self) -> None:
        """Close the request; the events end as those of a cancelled chat."""
        self._stop.on_next(None)

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


class Conversation:
    """What was said, and the latest answer while it is not part of that."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.thread = Thread()
        self.answer: Answer | None = None

    def ask(self, engine: Engine, text: str | None, forget: Callable[[str], object]) -> Answer:
        """Begin an answer to a text, or once more to what was asked last.

        `forget` is called with the answer's id when its events need not be kept any longer.
        """
        thread = self.thread if text is None else self.thread.append(user(text))
        answer = Answer(stream(engine, thread), self._keep, forget)
        self.thread, self.answer = thread, answer
        answer.start()
        return answer

    def _keep(self, event: events.Event) -> None:
        """Make a finished answer part of the conversation; one that failed stays beside it, to be asked for again."""
        if not isinstance(event, events.ChatCompleted) or event.result.error is not None:
            return
        said = event.result.final_response
        self.thread, self.answer = event.result.thread, None
        if event.result.halted_reason == "cancelled" and said is not None and said.output_text:
            # A stopped answer is not in the thread, as it may be half a tool call; what was read of it stays said.
            self.thread = self.thread.append(assistant(said.output_text))
