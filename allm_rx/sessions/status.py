"""Which operation a session allows in which status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from allm_rx.errors import SessionError

if TYPE_CHECKING:
    from allm_rx.data.sessions import Session, SessionStatus

Operation = Literal["start", "reply", "resume", "step", "submit_tool_result"]

ALLOWED: dict[SessionStatus, tuple[Operation, ...]] = {
    "idle": ("start", "reply", "resume", "step"),
    "completed": ("start", "reply", "resume", "step"),
    "cancelled": ("start", "reply", "resume", "step"),
    "error": ("reply", "resume", "step"),
    "awaiting_user": ("reply",),
    "awaiting_tools": ("submit_tool_result",),
}
"""Every status and what may follow; a failed turn left a thread that can be sent again, so it may be resumed."""


def allowed(session: Session) -> tuple[Operation, ...]:
    """Give the operations that a session allows now.

    While calls are pending, nothing can be sent: a handler may have asked the user, or failed, beside calls that the
    application has to answer.
    """
    return ("submit_tool_result",) if session.pending_tool_calls else ALLOWED[session.status]


def require(session: Session, operation: Operation) -> None:
    """Accept an operation on a session.

    Raises:
        SessionError: `wrong_status`; the message names the operations that are allowed.
    """
    known = allowed(session)
    if operation in known:
        return
    what = f"Session {session.id!r} is {session.status!r} and does not allow `{operation}`; allowed: {', '.join(known)}."
    if session.pending_tool_calls:
        what += f" Calls that wait for results: {', '.join(repr(call.id) for call in session.pending_tool_calls)}."
    raise SessionError("wrong_status", what)
