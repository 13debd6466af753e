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
    "awaiting_user": ("reply", "resume"),
    "awaiting_tools": ("submit_tool_result",),
}
"""Every status and what may follow; a failed turn left a thread that can be sent again, so it may be resumed."""


def require(session: Session, operation: Operation) -> None:
    """Accept an operation on a session.

    Raises:
        SessionError: `wrong_status`; the message names the operations that are allowed.
    """
    allowed = ALLOWED[session.status]
    if operation not in allowed:
        raise SessionError(
            "wrong_status",
            f"Session {session.id!r} is {session.status!r} and does not allow `{operation}`; allowed: {', '.join(allowed)}.",
        )
