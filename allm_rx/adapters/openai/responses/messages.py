"""Messages of ours, as the input of the Responses API: a list of items.

Rule 1: pure; the same messages give the same JSON, byte for byte, so that the provider's prompt cache finds them.
Rule 2: `provider_data["openai.responses"]` is read, foreign keys are dropped. What an assistant message keeps there makes the
items that came, unchanged; on what the user sends it holds further fields of the wire's part (`{"detail": "low"}`), and a
`ProviderPart` in a user message is an item of its own (`{"type": "mcp_approval_response", ...}`).
Rule 3: a system message is an item of the role `system`, not `instructions`: so it keeps its place, there may be several, and
servers that refuse `instructions` take it. Names of speakers have no place in this protocol.
Rule 4: what cannot be sent back is left out, so a conversation that came from a model can always be sent again: reasoning of
other protocols, reasoning that led to nothing, and, where the provider stores nothing, reasoning that it could only look up.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pydantic_core import to_json

from allm_rx.adapters.openai.responses.content import as_base64, encode_content
from allm_rx.adapters.openai.responses.results import encode_result
from allm_rx.adapters.openai.responses.wire import Wire, own, without
from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    Part,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.wire.shapes import as_object, as_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from allm_rx.data.messages import Message

_LOOKED_UP = frozenset({"code_interpreter_call", "file_search_call", "image_generation_call", "web_search_call"})
"""Items that the provider takes only together with the reasoning that led to them."""


def encode_input(messages: Iterable[Message], *, stored: bool) -> list[Wire]:
    """Give the `input` of a request.

    Args:
        messages: the conversation.
        stored: whether the provider keeps answers, so that it can look up items by their ids.
    """
    wire: list[Wire] = []
    calls: dict[str, ToolCall] = {}
    for message in messages:
        if message.role == "assistant":
            calls |= {call.id: call for call in message.tool_calls}
            wire += _sendable(_items(message), stored=stored)
            continue
        wire += (encode_result(result, calls.get(result.id)) for result in message.tool_results)
        if message.role != "tool":
            wire += _said(message)
    return wire


# What the user says.


def _said(message: Message) -> Iterator[Wire]:
    parts = [part for part in message.content if _is_sayable(part)]
    for is_item, group in groupby(parts, _is_item):
        if is_item:
            yield from (dict(own(part)) for part in group)
        else:
            yield {"role": message.role, "content": encode_content(list(group))}
    if not parts and not message.tool_results:
        yield {"role": message.role, "content": ""}


def _is_sayable(part: Part) -> bool:
    return bool(own(part)) if isinstance(part, ProviderPart) else isinstance(part, (TextPart, ImagePart, FilePart))


def _is_item(part: Part) -> bool:
    return isinstance(part, ProviderPart) and not as_word(own(part).get("type")).startswith("input_")


# What the model said.


def _items(message: Message) -> Iterator[Wire]:
    parts = [part for part in message.content if not isinstance(part, SourcePart)]  # they are in their text's annotations
    for place, group in groupby(parts, _place):
        if place:
            yield _message(list(group))
        elif place is not None:
            yield {"role": "assistant", "content": "".join(_text(part) for part in group)}
        else:
            yield from filter(None, map(_item, group))


def _place(part: Part) -> bytes | None:
    """Give what parts of one item have in common; empty for text that came from elsewhere, None for what is no text."""
    around = as_object(own(part).get("message"))
    if around:
        return to_json(around)
    return b"" if _text(part) else None


def _text(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text
        case AudioPart(transcript=str(transcript)):
            return transcript
        case _:
            return ""


def _message(parts: Sequence[Part]) -> Wire:
    return {**as_object(own(parts[0])["message"]), "content": [_content(part) for part in parts if _was_told(part)]}


def _was_told(part: Part) -> bool:
    """Tell whether a part stands for one of the wire; a message without any has a text that holds nothing but its fields."""
    return not isinstance(part, TextPart) or bool(part.text) or len(own(part)) > 1


def _content(part: Part) -> Wire:
    kept = without(own(part), "message", "refusal")
    if not isinstance(part, TextPart):
        return kept
    kind, name = ("refusal", "refusal") if own(part).get("refusal") else ("output_text", "text")
    return {"type": kind, name: part.text, **kept}


def _item(part: Part) -> Wire | None:
    kept: Wire = dict(own(part))
    match part:
        case ToolCall(provider_executed=False):
            return _call(part, kept)
        case ImagePart() if kept:
            return {"result": as_base64(part.data or b""), **kept}
        case ReasoningPart() if "type" not in kept:  # one of several parts, of which the last keeps the item
            return None
        case ReasoningPart() | ToolCall() | ToolResultPart() | ProviderPart():
            return kept or None
        case _:
            return None


def _call(call: ToolCall, kept: Wire) -> Wire:
    match kept.get("type"):
        case "function_call" | None:
            return {"type": "function_call", **kept, "call_id": call.id, "name": call.name, "arguments": _arguments(call)}
        case "custom_tool_call":
            return {**kept, "call_id": call.id, "name": call.name, "input": call.arguments.get("input", "")}
        case _:
            return {**kept, "call_id": call.id}


def _arguments(call: ToolCall) -> str:
    # As the model wrote them, so that the prompt cache still fits; what was wrong with broken ones, the result says.
    raw = call.raw_arguments
    if raw is None or call.error is not None or not raw.lstrip().startswith("{"):
        return to_json(call.arguments).decode()
    return raw


def _sendable(items: Iterable[Wire], *, stored: bool) -> list[Wire]:
    """Give the items of an answer that can be sent again; see rule 4."""
    sendable: list[Wire] = []
    lost = False
    for item in items:
        kind = as_word(item.get("type"))
        if kind == "reasoning":
            lost = not (stored or item.get("encrypted_content") or item.get("content"))
            if not lost:
                sendable.append(item)
        elif not (lost and kind in _LOOKED_UP):
            # By its id the provider would see that the reasoning before the item is missing.
            sendable.append(without(item, "id") if lost else item)
    while sendable and sendable[-1].get("type") == "reasoning":
        sendable.pop()
    return sendable
