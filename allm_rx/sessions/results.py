"""Results of tools that the application runs itself, handed to a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.data.answers import with_result
from allm_rx.data.messages import tool_result
from allm_rx.data.tool_values import encoded
from allm_rx.errors import SessionError
from allm_rx.sessions.status import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from allm_rx.data.sessions import Session


def submit_tool_result(session: Session, tool_call_id: str, result: Any, *, is_error: bool = False) -> Session:
    """Give the session with one pending call answered; nothing is sent.

    When no call is pending any more, its status is `idle` and `resume` goes on, or `awaiting_user` where a handler has also
    asked. Results stand in the thread in the order of the calls, whichever is submitted first.

    Args:
        session: one that waits for tools.
        tool_call_id: id of the pending call.
        result: what the model shall read: text, JSON values, a pydantic model, or media parts.
        is_error: whether the tool failed.

    Raises:
        SessionError: `wrong_status`, or `unknown_tool_call_id` with the ids that are pending.
        TypeError: the result cannot be encoded.
    """
    require(session, "submit_tool_result")
    pending = {call.id: call for call in session.pending_tool_calls}
    call = pending.pop(tool_call_id, None)
    if call is None:
        known = ", ".join(map(repr, pending))
        raise SessionError(
            "unknown_tool_call_id", f"No call {tool_call_id!r} is pending in session {session.id!r}; pending: {known}."
        )
    message = tool_result(tool_call_id, encoded(result), name=call.name, is_error=is_error)
    status = session.status if pending else "awaiting_user" if session.pending_questions else "idle"
    return session.model_copy(
        update={
            "thread": with_result(session.thread, message),
            "pending_tool_calls": tuple(pending.values()),
            "status": status,
        }
    )


def submit_tool_results(session: Session, pairs: Iterable[tuple[str, Any]]) -> Session:
    """Give the session with several pending calls answered: all of them, or none and an error.

    Args:
        session: one that waits for tools; without pairs any session comes back unchanged.
        pairs: call ids and results.

    Raises:
        SessionError: see `submit_tool_result`.
    """
    for tool_call_id, result in pairs:
        session = submit_tool_result(session, tool_call_id, result)
    return session
