"""Messages of ours, as `contents` and a system instruction.

Rule 1: pure; the same messages give the same JSON, byte for byte, so that the provider's prompt cache finds them.
Rule 2: `provider_data["gemini"]` is read, foreign keys are dropped. On what the user or a tool sends it holds further fields of
the wire's part (`{"videoMetadata": ...}`, `{"response": ...}`), on what the model sent it is what the model wants back.
Rule 3: a part that came from here goes back in its place with its signature; reasoning without one has no use and stays out.
Rule 4: results of tools have a content of their own, which follows the one with the calls.
Rule 5: what no field exists for (sources, what other providers' tools did) is left out: a conversation can always go on.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from allm_rx.adapters.gemini.generate_content.options import is_third
from allm_rx.adapters.gemini.provider_data import DIALECT, SIGNATURE
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
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    from allm_rx.adapters.gemini.generate_content.options import Service
    from allm_rx.data.messages import Message

Wire = dict[str, Any]
Media = ImagePart | FilePart | AudioPart

NO_SIGNATURE = "skip_thought_signature_validator"
"""What Google documents for calls that its model did not make; without it the third generation refuses them.

See https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

_EXECUTED = frozenset({"executableCode", "codeExecutionResult", "toolCall", "toolResponse"})


def system_instruction(messages: Iterable[Message]) -> Wire | None:
    """Give the system instruction: the texts of all system messages, wherever they stand."""
    parts = [
        {"text": part.text, **own(part)}
        for message in messages
        if message.role == "system"
        for part in message.content
        if isinstance(part, TextPart)
    ]
    return {"parts": parts} if parts else None


def encode_contents(messages: Iterable[Message], *, model: str | None, service: Service) -> list[Wire]:
    """Give the `contents` of a request."""
    writer = _Writer(service, third=is_third(model))
    for message in messages:
        writer.add(message)
    return writer.contents()


def own(part: Part | Message) -> Wire:
    """Give what this protocol keeps with a part."""
    return as_object(part.provider_data.get(DIALECT))


class _Writer:
    """The contents while they are written."""

    def __init__(self, service: Service, *, third: bool) -> None:
        self._service = service
        self._third = third
        self._contents: list[Wire] = []
        self._results: Wire | None = None  # the content with results, while nothing else followed it
        self._attached: list[Wire] = []  # media of results, for a model that takes only text from tools
        self._calls: dict[str, ToolCall] = {}

    def add(self, message: Message) -> None:
        match message.role:
            case "system":
                return
            case "user":
                self._append("user", [_user_part(part, self._service) for part in message.content if _is_content(part)])
            case "assistant":
                self._calls.update({call.id: call for call in message.tool_calls})
                parts = (_model_part(part, self._service) for part in message.content)
                self._append("model", [part for part in parts if part])
            case "tool":
                self._answer([self._result(result) for result in message.tool_results])

    def contents(self) -> list[Wire]:
        self._attach()
        if self._third:
            for content in self._contents:
                _sign(content)
        return self._contents

    def _append(self, role: str, parts: list[Wire]) -> None:
        self._attach()
        last = self._contents[-1] if self._contents else None
        if not parts and role == "model":
            return  # an answer without content; an empty content would be refused
        if last is not None and last["role"] == role and last is not self._results:
            last["parts"] += parts
            return
        self._results = None
        self._contents.append({"role": role, "parts": parts or [{"text": ""}]})

    def _answer(self, parts: list[Wire]) -> None:
        if self._results is None:
            self._results = {"role": "user", "parts": []}
            self._contents.append(self._results)
        self._results["parts"] += parts

    def _result(self, result: ToolResultPart) -> Wire:
        call = self._calls.get(result.id)
        wire: Wire = {} if call is None or "id" not in own(call) else {"id": own(call)["id"]}
        wire["name"] = result.name or (call.name if call is not None else result.id)
        media = [part for part in result.content if isinstance(part, Media)]
        text = result.text
        if media and not self._third:
            text = text or "The result follows."
            named = {"text": f"From the result of {wire['name']!r}:"}
            self._attached += [named, *(_medium(part, self._service) for part in media)]
        elif media:
            wire["parts"] = [_medium(part, self._service) for part in media]
        wire["response"] = {"error" if result.is_error else "output": text}
        return {"functionResponse": {**wire, **own(result)}}

    def _attach(self) -> None:
        attached, self._attached = self._attached, []
        if attached:
            self._append("user", attached)


def _is_content(part: Part) -> bool:
    return bool(own(part)) if isinstance(part, ProviderPart) else isinstance(part, (TextPart, Media))


def _user_part(part: Part, service: Service) -> Wire:
    if isinstance(part, Media):
        return _medium(part, service)
    return {"text": part.text, **own(part)} if isinstance(part, TextPart) else own(part)


def _model_part(part: Part, service: Service) -> Wire | None:
    """Give a part of an answer as it came; None where it does not go back."""
    back = own(part)
    match part:
        case TextPart(text=text):
            return {"text": text, **back} if text or back else None
        case ReasoningPart(text=text):
            return {"text": text, "thought": True, **back} if SIGNATURE in back else None
        case ToolCall(provider_executed=False):
            return _function_call(part, back)
        case ToolCall() | ToolResultPart():
            return dict(back) if _EXECUTED & back.keys() else None
        case ImagePart() | AudioPart() | FilePart():
            return _medium(part, service)
        case ProviderPart():
            return dict(back) if SIGNATURE in back or not back.get("thought") else None
        case _:  # a source; the model finds it again
            return None


def _function_call(call: ToolCall, back: Wire) -> Wire:
    given = {"id": back["id"]} if "id" in back else {}
    beside = {key: value for key, value in back.items() if key != "id"}
    return {"functionCall": {**given, "name": call.name, "args": call.arguments}, **beside}


def _sign(content: Wire) -> None:
    """Sign the first call of a turn, where its own provider has not."""
    first = next((part for part in content["parts"] if "functionCall" in part), None)
    if content["role"] == "model" and first is not None:
        first.setdefault(SIGNATURE, NO_SIGNATURE)


def _medium(part: Media, service: Service) -> Wire:
    if part.data is not None:
        return {"inlineData": {"mimeType": part.media_type, "data": _base64(part.data)}, **own(part)}
    url = part.url or ""
    if url.startswith("data:"):
        return {"inlineData": _data_url(url, part.media_type), **own(part)}
    uri = service.file_uri(part.file_id) if part.file_id is not None else url
    typed = {"mimeType": part.media_type} if part.media_type else {}
    return {"fileData": {**typed, "fileUri": uri}, **own(part)}


def _data_url(url: str, media_type: str | None) -> Wire:
    described, _, data = url.removeprefix("data:").partition(",")
    kind, *parameters = described.split(";")
    plain = unquote_to_bytes(data)
    content = plain.decode("ascii", "replace") if "base64" in parameters else _base64(plain)
    return {"mimeType": media_type or kind or "text/plain", "data": content}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
