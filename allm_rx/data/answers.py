"""Putting a user's answers in the place of the questions that tools asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data.parts import TextPart, ToolResultPart
from allm_rx.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.data.messages import Message
    from allm_rx.data.threads import Thread


def answered(thread: Thread, answers: Mapping[str, str]) -> Thread:
    """Give the thread with the placeholders of the last turn's questions replaced by answers.

    Args:
        thread: the conversation that a tool's question halted.
        answers: by tool call id.

    Raises:
        SessionError: `unknown_tool_call_id`, the last turn asked no such question.
    """
    messages = list(thread.messages)
    left = dict(answers)
    for position in range(len(messages) - 1, -1, -1):
        message = messages[position]
        if message.role == "assistant":
            break
        messages[position] = _filled(message, left)
    if left:
        raise SessionError("unknown_tool_call_id", f"The last turn asked nothing under {', '.join(map(repr, left))}.")
    return thread.model_copy(update={"messages": tuple(messages)})


def _filled(message: Message, left: dict[str, str]) -> Message:
    content = tuple(
        part.model_copy(update={"content": (TextPart(text=left.pop(part.id)),)})
        if isinstance(part, ToolResultPart) and part.id in left
        else part
        for part in message.content
    )
    return message.model_copy(update={"content": content})
