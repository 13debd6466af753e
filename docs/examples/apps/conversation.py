"""What was said, and how it goes on: the part of a chat program that knows no window.

Rule 1: a question is part of the conversation at once, an answer when it is complete; so what failed can be asked again.
Rule 2: what was read of an answer that was stopped stays said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import operators as ops
from reactivex.subject import Subject

from allm_rx import Engine, Thread, assistant, events, stream, user
from allm_rx import operators as lx

if TYPE_CHECKING:
    from reactivex import Observable


class Conversation:
    """One thread of messages with a model."""

    def __init__(self, engine: Engine) -> None:
        self.thread = Thread()
        self._engine = engine
        self._stop: Subject[None] = Subject()

    def ask(self, text: str | None = None) -> Observable[events.Event]:
        """Give the answer to a text; without one, to the question that was not answered. Subscribe once.

        Raises:
            UsageError: it cannot be sent, for want of a key for example; nothing was said then.
        """
        thread = self.thread if text is None else self.thread.append(user(text))
        answer = stream(self._engine, thread).pipe(lx.cancel_on(self._stop), ops.do_action(self._keep))
        self.thread = thread
        return answer

    def stop(self) -> None:
        """Close the request under way; its events end as those of a cancelled chat."""
        self._stop.on_next(None)

    def _keep(self, event: events.Event) -> None:
        if not isinstance(event, events.ChatCompleted) or event.result.error is not None:
            return
        said = event.result.final_response
        self.thread = event.result.thread
        if event.result.halted_reason == "cancelled" and said is not None and said.output_text:
            # A stopped answer is not in the thread, as it may be half a tool call; what was read of it stays said.
            self.thread = self.thread.append(assistant(said.output_text))
