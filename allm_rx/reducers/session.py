"""What a session's operation leaves behind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.sessions import LastHalt, Session, SessionStatus, Turn
from allm_rx.reducers.chat import ChatFold

if TYPE_CHECKING:
    from allm_rx.data.results import ChatResult, StepResult

_STATUS: dict[str | None, SessionStatus] = {
    "ask_user": "awaiting_user",
    "manual_tool_calls": "awaiting_tools",
    "tool_error": "error",
    "error": "error",
    "interrupted": "error",
    "cancelled": "cancelled",
    None: "idle",
}
"""Any other reason means that the turn came to an end of its own: `completed`."""

_INTERRUPTED = Failure(
    kind="StreamError",
    reason="stream_interrupted",
    message="The answer ended without saying why, so it is not whole: resume the session to ask again.",
)


def projected(session: Session, result: ChatResult | StepResult) -> Session:
    """Give the session after an operation: its thread, status, what it waits for, and why the run ended."""
    reason = result.halted_reason
    status = _STATUS.get(reason, "completed")
    questions, calls = result.pending_questions, result.pending_tool_calls
    if status == "completed" and calls:  # a handler halted while others wait for the application
        status = "awaiting_tools"
    failure = result.error
    if status == "error" and failure is None:
        failure = _INTERRUPTED
    return session.model_copy(
        update={
            "thread": session.thread.model_copy(update={"messages": result.thread.messages}),
            "status": status,
            "pending_questions": questions if status == "awaiting_user" else (),
            "pending_tool_calls": calls,
            "last_halt": None if reason is None else LastHalt(reason=reason, failure=failure),
        }
    )


class SessionFold:
    """What the events of one operation of a session add up to."""

    def __init__(self, *, is_step: bool = False) -> None:
        """Begin with no event seen.

        Args:
            is_step: whether the operation is one step, whose result is a `StepResult`.
        """
        self._is_step = is_step
        self._session: Session | None = None
        self.chat = ChatFold()
        """The chat of the operation."""
        self._turn: Turn | None = None

    def apply(self, event: ev.Event) -> Self:
        """Take one event into account."""
        if isinstance(event, ev.SessionStarted):
            self._session = event.session
            self.chat = ChatFold(event.session.thread)
        elif isinstance(event, ev.SessionCompleted):
            self._turn = event.turn
        else:
            self.chat.apply(event)
        return self

    @property
    def started(self) -> bool:
        """Whether `session_started` was seen."""
        return self._session is not None

    @property
    def ended(self) -> bool:
        """Whether the operation came to its end."""
        return self._turn is not None

    def turn(self) -> Turn:
        """Give the session and the result; of a stream that was left early the started session and its partial result.

        Raises:
            ValueError: no `session_started` was seen, so there is no session to give.
        """
        if self._turn is not None:
            return self._turn
        if self._session is None:
            raise ValueError("The stream holds no `session_started`: fold the events of a function of `allm_rx.sessions`.")
        result = self._step() if self._is_step else self.chat.result()
        return Turn(session=projected(self._session, result), result=result)

    def _step(self) -> StepResult:
        chat = self.chat
        return chat.steps[0] if chat.steps else chat.current.result(chat.thread)
