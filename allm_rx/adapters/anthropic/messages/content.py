"""Messages of ours, as the Messages API writes them.

Rule 1: pure; the same messages give the same JSON, byte for byte, so that the provider's prompt cache finds them.
Rule 2: `provider_data["anthropic.messages"]` is read, foreign keys are dropped. With what a user sends it holds further fields
of the wire's block (`{"cache_control": ...}`, `{"citations": {"enabled": true}}`), with an answer what it has to be given back:
a signed thought, a server tool's call and result, a compaction go back as they came.
Rule 3: what the API cannot hold in an assistant message (sources, pictures, thoughts and tools of other providers) is left
out, and so is empty text: a conversation that came from any model can always be sent.
Rule 4: system messages go into `system`, wherever they stood. One with `{"role": "system"}` in its `provider_data` stays in
its place, for models that allow it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from allm_rx.adapters.anthropic.messages.media import media_block
from allm_rx.adapters.anthropic.messages.wire import Wire, own
from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.wire.merging import merged
from allm_rx.wire.shapes import as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from allm_rx.data.messages import Message
    from allm_rx.data.parts import Part

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 128


@dataclass(slots=True)
class Conversation:
    """The messages of a request, on the wire."""

    system: list[Wire] = field(default_factory=list[Wire])
    """The blocks of the system prompt."""
    messages: list[Wire] = field(default_factory=list[Wire])
    container: str | None = None
    """The container in which the last turn of the model still runs code."""


def encode_messages(messages: Iterable[Message]) -> Conversation:
    """Give the messages as the API wants them: neighbours of one role merged, results of tools first."""
    wire = Conversation()
    calls = _CallIds()
    for message in messages:
        match message.role:
            case "system":
                _system(wire, message)
            case "assistant":
                _add(wire, "assistant", list(_assistant(message, calls)))
                wire.container = _container(message)
            case "user" | "tool":
                if wire.messages and wire.messages[-1]["role"] == "assistant" and message.role == "user":
                    wire.container = None  # a turn of its own, to which the code of the last one owes nothing
                _add(wire, "user", list(_user(message, calls)))
    for message in wire.messages:
        if message["role"] == "user":
            message["content"].sort(key=_is_no_result)
    _trim(wire.messages)
    return wire


class _CallIds:
    """Ids of calls as the API takes them, each used once.

    Ours are unique within a message only, and other providers make them of any characters.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._latest: dict[str, str] = {}

    def of_call(self, given: str) -> str:
        """Give the id for a call."""
        base = _safe(given)
        wire, count = base, 1
        while wire in self._used:
            count += 1
            wire = f"{base}_{count}"
        self._used.add(wire)
        self._latest[given] = wire
        return wire

    def of_result(self, given: str) -> str:
        """Give the id for a result; of calls with one id it answers the latest."""
        return self._latest.get(given) or _safe(given)


def _safe(given: str) -> str:
    """Give an id without what the API refuses; the digest keeps ids apart that differ in just that."""
    if given and not _NOT_IN_IDS.search(given):
        return given
    return f"{_NOT_IN_IDS.sub('_', given)}_{hashlib.sha256(given.encode()).hexdigest()[:8]}"


def _add(wire: Conversation, role: str, blocks: list[Wire]) -> None:
    if not blocks:
        return
    if wire.messages and wire.messages[-1]["role"] == role:
        wire.messages[-1]["content"] += blocks
    else:
        wire.messages.append({"role": role, "content": blocks})


def _is_no_result(block: Wire) -> bool:
    return block.get("type") != "tool_result"


def _system(wire: Conversation, message: Message) -> None:
    blocks = [block for part in message.content if isinstance(part, TextPart) and (block := _text(part)) is not None]
    if own(message).get("role") == "system":
        _add(wire, "system", blocks)
    else:
        wire.system += blocks


def _text(part: TextPart) -> Wire | None:
    """Give the block of a text; None for one without a character to read, which the API refuses."""
    return merged({"type": "text", "text": part.text}, own(part)) if part.text.strip() else None


# What the user and the tools say.


def _user(message: Message, calls: _CallIds) -> Iterator[Wire]:
    for part in message.content:
        if isinstance(part, ToolResultPart):
            yield _tool_result(part, calls)
        elif (block := _said(part)) is not None:
            yield block


def _said(part: Part) -> Wire | None:
    match part:
        case TextPart():
            return _text(part)
        case ImagePart() | FilePart() | AudioPart():
            block = media_block(part)
            return block if block is None else merged(block, own(part))
        case ProviderPart():
            return dict(own(part)) or None
        case _:
            return None


def _tool_result(result: ToolResultPart, calls: _CallIds) -> Wire:
    wire: Wire = {"type": "tool_result", "tool_use_id": calls.of_result(result.id)}
    blocks = [block for part in result.content if (block := _said(part)) is not None]
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        wire["content"] = blocks[0]["text"]
    elif blocks:
        wire["content"] = blocks
    if result.is_error:
        wire["is_error"] = True
    return merged(wire, own(result))


# What the model said.


def _assistant(message: Message, calls: _CallIds) -> Iterator[Wire]:
    for part in message.content:
        if (block := _answered(part, calls)) is not None:
            yield block


def _answered(part: Part, calls: _CallIds) -> Wire | None:
    kept: Wire = dict(own(part))
    match part:
        case TextPart():
            return _text(part)
        case AudioPart(transcript=str(transcript)) if transcript.strip():
            return {"type": "text", "text": transcript}
        case ReasoningPart():
            return _thinking(part.text, kept)
        case ToolCall(provider_executed=True):
            return {**kept, "input": part.arguments} if kept else None
        case ToolCall():
            kept.pop("id", None)
            wire = {"type": "tool_use", "id": calls.of_call(part.id), "name": _name(part.name), "input": part.arguments}
            return {**wire, **kept}
        case ToolResultPart() | ProviderPart():
            return kept or None
        case _:
            return None


def _name(given: str) -> str:
    """Give the name of a tool as the API takes it; models of other providers make up names of any characters."""
    return _NOT_IN_IDS.sub("_", given)[:_LONGEST_NAME] or "unnamed"


def _thinking(text: str, kept: Wire) -> Wire | None:
    if not kept:  # another provider's, or unsigned: the API would refuse it
        return None
    return kept if kept.get("type") == "redacted_thinking" else {"type": "thinking", "thinking": text, **kept}


def _container(message: Message) -> str | None:
    """Give the container of a turn that goes on: the API wants it with results of tools that its code waits for."""
    found: Any = as_object(own(message).get("container")).get("id")
    return found if isinstance(found, str) else None


def _trim(messages: list[Wire]) -> None:
    """Take white space off the end of an answer that the model shall go on with; the API refuses it."""
    if messages and messages[-1]["role"] == "assistant":
        last = messages[-1]["content"][-1]
        if last.get("type") == "text":
            messages[-1]["content"][-1] = {**last, "text": as_text(last.get("text")).rstrip()}
