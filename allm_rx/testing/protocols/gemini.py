"""Google's generateContent, seen from the server: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, to_json
from allm_rx.testing.faults import Frame
from allm_rx.testing.protocols import Asked, OfferedTool, Received

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from allm_rx.data.parts import ToolCall

_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where the text goes in a record that is written once and filled in thousands of times."""
_COUNT, _TOTAL = f"{_MARK}count", f"{_MARK}total"
"""Stand where the counts go, which grow from record to record."""

_FINISH_REASONS = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "error": "MALFORMED_FUNCTION_CALL",
    "other": "OTHER",
}
"""Our words and theirs; any other is written as it is."""

_BLOCKED = "prompt:"
"""How the finish reason of an answer begins that never began, because the prompt was blocked."""

_REFUSALS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "You are not allowed to use this model."),
    404: ("NOT_FOUND", "The model is not found for this version of the API."),
    429: ("RESOURCE_EXHAUSTED", "You exceeded your current quota. Please retry in 20s."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The request timed out. Please try again."),
}
"""Status and message that come with an HTTP status."""

_RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}


class Gemini:
    """Writes answers as GenerateContentResponses, one per chunk."""

    name = "gemini"
    base_path = ""

    def serves(self, path: str, /) -> bool:
        """Tell whether a path is this API's; see `ProviderProtocol`."""
        return path.endswith((":generateContent", ":streamGenerateContent"))

    def streams(self, request: Received, /) -> bool:
        """Tell whether events are asked for; see `ProviderProtocol`."""
        return _is_stream(request) and request.query.get("alt") == "sse"

    def asked(self, request: Received, /) -> Asked:
        """Read the last text of the user, the results of tools since, and what is offered; see `ProviderProtocol`."""
        text, results = "", list[str]()
        for content in _dicts(request.body.get("contents")):
            parts = _dicts(content.get("parts"))
            said = "".join(str(part.get("text", "")) for part in parts) if content.get("role") != "model" else ""
            if said:
                text, results = said, []
            results += [_result(_dict(part.get("functionResponse"))) for part in parts if "functionResponse" in part]
        calling = _dict(_dict(request.body.get("toolConfig")).get("functionCallingConfig"))
        groups = _dicts(request.body.get("tools")) if calling.get("mode") != "NONE" else []
        tools = [tool for group in groups for tool in _dicts(group.get("functionDeclarations"))]
        return Asked(
            text=text,
            tools=tuple(OfferedTool(str(tool.get("name", "")), _parameters(tool)) for tool in tools),
            results=tuple(results),
        )

    def headers(self, request: Received, /) -> Mapping[str, str]:
        """Give the tier that served the request; an id is in the body only; see `ProviderProtocol`."""
        del request
        return {"x-gemini-service-tier": "standard"}

    def frames(self, answer: Answer, request: Received, /) -> Iterator[Frame]:
        """Write the answer as chunks; see `ProviderProtocol`."""
        usage, pace = _usage(answer, request), answer.pace
        if answer.reason.startswith(_BLOCKED):
            yield Frame(_record(_blocked(answer, request, usage)), "finish")
            return
        thoughts, pieces = answer.reasoning_pieces(), answer.text_pieces()
        yield from _texts(request, {"text": _MARK, "thought": True}, "thoughtsTokenCount", thoughts, usage, pace)
        yield from _texts(request, {"text": _MARK}, "candidatesTokenCount", pieces, usage, pace)
        for index, call in enumerate(answer.tool_calls):
            yield Frame(_record(_response(request, [_call(call, first=index == 0)])), pause=pace)
        ending = _response(request, [{"text": ""}], usage, finishReason=_finish_reason(answer))
        yield Frame(_record(ending), "finish", pace)

    def whole(self, answer: Answer, request: Received, /) -> bytes:
        """Write the answer as one response; in a list, where a stream was asked for without events; see `ProviderProtocol`."""
        usage = _usage(answer, request)
        if answer.reason.startswith(_BLOCKED):
            response = _blocked(answer, request, usage)
        else:
            parts: list[dict[str, Any]] = [{"text": answer.reasoning, "thought": True}] if answer.reasoning else []
            parts += [{"text": answer.whole_text}] if answer.whole_text else []
            parts += [_call(call, first=index == 0) for index, call in enumerate(answer.tool_calls)]
            response = _response(request, parts, usage, finishReason=_finish_reason(answer))
        return to_json([response] if _is_stream(request) and not self.streams(request) else response)

    def text_record(self, text: str, request: Received, /) -> bytes:
        """Write a chunk with some text; see `ProviderProtocol`."""
        return _record(_response(request, [{"text": text}]))

    def error_record(self, message: str, /) -> bytes:
        """Write a chunk that is an error; see `ProviderProtocol`."""
        return _record({"error": {"code": 500, "message": message, "status": "INTERNAL"}})

    def error_body(self, status: int, message: str | None, /) -> bytes:
        """Write the error object; see `ProviderProtocol`."""
        word, usual = _REFUSALS.get(status) or ("INTERNAL", "An internal error has occurred.")
        error: dict[str, Any] = {"code": status, "message": message or usual, "status": word}
        return to_json({"error": {**error, "details": [_RETRY_INFO]} if status == 429 else error})


PROTOCOL = Gemini()


def _is_stream(request: Received) -> bool:
    return request.path.endswith(":streamGenerateContent")


def _about(request: Received) -> dict[str, Any]:
    model = request.path.rpartition("/")[2].partition(":")[0]
    return {"modelVersion": model, "responseId": f"resp_{request.index}"}


def _response(
    request: Received, parts: Sequence[Mapping[str, Any]], usage: Mapping[str, Any] | None = None, **beside: Any
) -> dict[str, Any]:
    candidate = {"content": {"parts": parts, "role": "model"}, **beside, "index": 0}
    counted = {"usageMetadata": usage} if usage else {}
    return {"candidates": [candidate], **counted, **_about(request)}


def _blocked(answer: Answer, request: Received, usage: Mapping[str, Any]) -> dict[str, Any]:
    feedback = {"promptFeedback": {"blockReason": answer.reason.removeprefix(_BLOCKED)}}
    return {**feedback, **({"usageMetadata": usage} if usage else {}), **_about(request)}


def _finish_reason(answer: Answer) -> str:
    return _FINISH_REASONS.get(answer.reason, answer.reason)


def _record(value: Mapping[str, Any]) -> bytes:
    return b"data: " + to_json(value) + b"\r\n\r\n"


def _texts(
    request: Received,
    part: Mapping[str, Any],
    counted: str,
    pieces: Sequence[str],
    usage: Mapping[str, Any],
    pace: float,
) -> Iterator[Frame]:
    """Write a chunk per piece; each repeats the prompt's count, and tells how many pieces of this kind there were so far."""
    prompt = usage.get("promptTokenCount", 0)
    running = {"promptTokenCount": prompt, counted: _COUNT, "totalTokenCount": _TOTAL} if usage else None
    before, between = _record(_response(request, [part], running)).split(to_json(_MARK))
    middle, _, rest = between.partition(to_json(_COUNT))
    inner, _, after = rest.partition(to_json(_TOTAL))
    for count, piece in enumerate(pieces, 1):
        numbers = b"%d%b%d%b" % (count, inner, prompt + count, after) if usage else b""
        yield Frame(before + to_json(piece) + middle + numbers, pause=pace)


def _call(call: ToolCall, *, first: bool) -> dict[str, Any]:
    """Write a call; the first of a turn is signed, as the third generation wants it back."""
    part: dict[str, Any] = {"functionCall": {"name": call.name, "args": call.arguments, "id": call.id}}
    signature = _dict(call.provider_data.get("gemini")).get("thoughtSignature") or base64.b64encode(call.id.encode()).decode()
    return {**part, "thoughtSignature": signature} if first else part


def _usage(answer: Answer, request: Received) -> dict[str, Any]:
    """Write what is reported; thoughts are counted beside the text, prompts of hosted tools beside the prompt."""
    usage = answer.usage
    if usage is None:
        thoughts = len(answer.reasoning_pieces()) or None
        usage = Usage(input_tokens=len(request.raw) // 4, output_tokens=answer.tokens(), reasoning_tokens=thoughts)
    elif usage == Usage():
        return {}
    tools = usage.extra.get("toolUsePromptTokenCount")
    prompt, output = usage.input_tokens or 0, usage.output_tokens or 0
    counts: dict[str, Any] = {
        "promptTokenCount": prompt - (tools if isinstance(tools, int) else 0),
        "cachedContentTokenCount": usage.cached_input_tokens,
        "candidatesTokenCount": output - (usage.reasoning_tokens or 0),
        "thoughtsTokenCount": usage.reasoning_tokens,
        "totalTokenCount": prompt + output if usage.total_tokens is None else usage.total_tokens,
    }
    return {**{name: count for name, count in counts.items() if count is not None}, **usage.extra}


def _result(response: Mapping[str, Any]) -> str:
    told = next(iter(_dict(response.get("response")).values()), "")
    return told if isinstance(told, str) else to_json(told).decode()


def _parameters(tool: Mapping[str, Any]) -> dict[str, Any]:
    return _dict(tool.get("parametersJsonSchema")) or _lower(_dict(tool.get("parameters")))


def _lower(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema of the OpenAPI subset, which has its types in capitals, as a JSON Schema."""
    lower = dict(schema)
    if isinstance(kind := schema.get("type"), str):
        lower["type"] = kind.lower()
    if "properties" in schema:
        lower["properties"] = {name: _lower(_dict(inner)) for name, inner in _dict(schema["properties"]).items()}
    return lower


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [_dict(item) for item in cast("list[object]", value)] if isinstance(value, list) else []
