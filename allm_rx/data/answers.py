"""Putting answers where the conversation waits for them: the user's, and those of tools that the application runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data.parts import TextPart, ToolResultPart
from allm_rx.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from allm_rx.data.messages import Message
    from allm_rx.data.parts import ResultContent
    from allm_rx.data.threads import Thread


def answered(thread: Thread, answers: Mapping[str, str | Sequence[ResultContent]]) -> Thread:
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


def with_result(thread: Thread, message: Message) -> Thread:
    """Give the thread with the result of one more call of its last answer, in the order of the calls.

    However the results come in, the same request is sent, and a provider's prompt cache finds it.

    Args:
        thread: the conversation that waits for the result.
        message: a tool message with one result.
    """
    messages = thread.messages
    last = max((index for index, one in enumerate(messages) if one.role == "assistant"), default=-1)
    order = {call.id: place for place, call in enumerate(messages[last].tool_calls)} if last >= 0 else {}
    place = order.get(message.tool_call_id or "", len(order))
    position = last + 1
    while position < len(messages) and messages[position].role == "tool" and _place(messages[position], order) < place:
        position += 1
    return thread.model_copy(update={"messages": (*messages[:position], message, *messages[position:])})


def _place(message: Message, order: Mapping[str, int]) -> int:
    return min((order.get(result.id, len(order)) for result in message.tool_results), default=len(order))


def _filled(message: Message, left: dict[str, str | Sequence[ResultContent]]) -> Message:
    content = tuple(
        part.model_copy(update={"content": _parts(left.pop(part.id))})
        if isinstance(part, ToolResultPart) and part.id in left
        else part
        for part in message.content
    )
    return message.model_copy(update={"content": content})


def _parts(said: str | Sequence[ResultContent]) -> tuple[ResultContent, ...]:
    return (TextPart(text=said),) if isinstance(said, str) else tuple(said)
