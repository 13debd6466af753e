"""Messages of ours, as the Chat Completions API writes them.

Rule 1: pure; the same messages give the same JSON, byte for byte, so that the provider's prompt cache finds them.
Rule 2: `provider_data["openai.chat"]` is read, foreign keys are dropped. On what the user sends it holds further fields of the
wire's part (`{"cache_control": ...}`, `{"image_url": {"detail": "low"}}`).
Rule 3: a tool message holds text only, so pictures and files of tool results follow in one user message.
Rule 4: reasoning goes back to the protocol it came from only; who made it, `provider_data` says, and unknown is foreign.
Rule 5: what an assistant message cannot hold (sources, pictures, results of the provider's own tools) is left out: a
conversation that came from a model can always be sent again.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    Part,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.wire.merging import merged
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import JsonValue

    from allm_rx.adapters.openai.chat_completions.options import Quirks
    from allm_rx.data.messages import Message

DIALECT = "openai.chat"
"""Our key in `provider_data`."""

SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")

_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-m4a": "m4a", "mp4": "m4a"}

Wire = dict[str, Any]


def encode_messages(messages: Iterable[Message], quirks: Quirks) -> list[Wire]:
    """Give the `messages` of a request."""
    wire: list[Wire] = []
    attached: list[Wire] = []
    for message in messages:
        results = message.tool_results
        if attached and not results:
            wire.append({"role": "user", "content": attached})
            attached = []
        for result in results:
            wire.append(_tool(result, message, quirks))
            attached += _attachments(result)
        if message.role == "assistant":
            wire.append(_assistant(message, quirks))
        elif message.role != "tool" and (not results or _said(message)):
            role = quirks.system_role if message.role == "system" else "user"
            wire.append(_named({"role": role, "content": _content(_said(message))}, message))
    if attached:
        wire.append({"role": "user", "content": attached})
    return wire


def own(part: Part | Message) -> dict[str, JsonValue]:
    """Give what this protocol keeps with a part or a message."""
    return as_object(part.provider_data.get(DIALECT))


def call_id(given: str, quirks: Quirks) -> str:
    """Give the id of a call as the service takes it."""
    if not quirks.short_call_ids or SHORT_ID.fullmatch(given):
        return given
    return hashlib.sha256(given.encode()).hexdigest()[:9]


def _named(wire: Wire, message: Message) -> Wire:
    return {**wire, "name": message.name} if message.name else wire


def _said(message: Message) -> list[Part]:
    return [part for part in message.content if _is_content(part)]


def _is_content(part: Part) -> bool:
    if isinstance(part, ProviderPart):
        return bool(own(part))
    return isinstance(part, (TextPart, ImagePart, FilePart, AudioPart))


def _content(parts: Sequence[Part]) -> str | list[Wire]:
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], TextPart) and not own(parts[0]):
        return parts[0].text
    return [_part(part) for part in parts]


def _part(part: Part) -> Wire:
    extra = {key: value for key, value in own(part).items() if key not in ("audio", "refusal")}
    return merged(_plain_part(part), extra)


def _plain_part(part: Part) -> Wire:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case ImagePart():
            return {"type": "image_url", "image_url": {"url": part.url or _data_url(part)}}
        case FilePart(file_id=str(file_id)):
            return {"type": "file", "file": {"file_id": file_id}}
        case FilePart():
            name = part.filename or ("document.pdf" if part.media_type == "application/pdf" else "document")
            return {"type": "file", "file": {"filename": name, "file_data": part.url or _data_url(part)}}
        case AudioPart():
            subtype = (part.media_type or "").partition("/")[2].partition(";")[0]
            data = {"data": _base64(part.data or b""), "format": _AUDIO_FORMATS.get(subtype, subtype)}
            return {"type": "input_audio", "input_audio": data}
        case _:  # an item of this protocol: its own words are all of it
            return {}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _data_url(part: ImagePart | FilePart) -> str:
    return f"data:{part.media_type};base64,{_base64(part.data or b'')}"


def _tool(result: ToolResultPart, message: Message, quirks: Quirks) -> Wire:
    text = result.text
    if not text and result.content:
        text = "The result follows."
    wire: Wire = {"role": "tool", "tool_call_id": call_id(result.id, quirks), "content": text}
    name = result.name or message.name
    return {**wire, "name": name} if quirks.tool_name and name else wire


def _attachments(result: ToolResultPart) -> list[Wire]:
    media = [part for part in result.content if not isinstance(part, TextPart)]
    if not media:
        return []
    return [{"type": "text", "text": f"From the result of tool call {result.id}:"}, *(_part(part) for part in media)]


def _assistant(message: Message, quirks: Quirks) -> Wire:
    texts = [part for part in message.content if isinstance(part, TextPart)]
    text = "".join(part.text for part in texts)
    calls = [_call(part, quirks) for part in message.tool_calls]
    wire: Wire = {"role": "assistant", "content": text if text or not calls else None}
    if quirks.refusals and texts and all(own(part).get("refusal") for part in texts):
        wire["content"] = [{"type": "refusal", "refusal": text}]
    if calls:
        wire["tool_calls"] = calls
    return _named({**wire, **_audio(message, has_text=bool(text)), **_reasoning(message, quirks)}, message)


def _call(call: ToolCall, quirks: Quirks) -> Wire:
    kept = own(call)
    wire: Wire = {"id": call_id(call.id, quirks), "type": "function"}
    if kept.get("type") == "custom":
        wire |= {"type": "custom", "custom": {"name": call.name, "input": call.arguments.get("input", "")}}
    else:
        wire["function"] = {"name": call.name, "arguments": _arguments(call)}
    extra = kept.get("extra_content")  # Google's thought signature
    return {**wire, "extra_content": extra} if extra else wire


def _arguments(call: ToolCall) -> str:
    # As the model wrote them, so that the prompt cache still fits; but many servers parse what they are sent, and broken
    # JSON would fail the whole conversation. What was wrong with it, the tool's result says.
    raw = call.raw_arguments
    if raw is None or call.error is not None or not raw.lstrip().startswith("{"):
        return to_json(call.arguments).decode()
    return raw


def _audio(message: Message, *, has_text: bool) -> Wire:
    for part in message.content:
        if isinstance(part, AudioPart):
            spoken = own(part).get("audio")
            if isinstance(spoken, dict) and spoken.get("id"):
                return {"audio": {"id": spoken["id"]}}
            if part.transcript and not has_text:
                return {"content": part.transcript}
    return {}


def _reasoning(message: Message, quirks: Quirks) -> Wire:
    details = own(message).get("reasoning_details")
    if quirks.reasoning_details and details:
        return {"reasoning_details": details}
    if quirks.reasoning_echo is None:
        return {}
    text = "".join(part.text for part in message.content if isinstance(part, ReasoningPart) and _is_own(part, message))
    return {quirks.reasoning_echo: text} if text else {}


def _is_own(part: ReasoningPart, message: Message) -> bool:
    return DIALECT in part.provider_data or (not part.provider_data and DIALECT in message.provider_data)
