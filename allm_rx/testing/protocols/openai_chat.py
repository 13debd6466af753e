"""OpenAI's Chat Completions, seen from the server: https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, argument_pieces, arguments_text, to_json
from allm_rx.testing.faults import Frame
from allm_rx.testing.protocols import Asked, OfferedTool, Received

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CREATED = 1_750_000_000
"""When every answer was made: recordings of a test shall not differ."""

_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where the text goes in a record that is written once and filled in thousands of times."""

_REFUSALS = {
    400: ("invalid_request_error", None, "The request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "permission_denied", "You are not allowed to use this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 20s."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
}
"""Type, code and message that come with a status."""


class OpenAIChat:
    """Writes answers as chat completions and their chunks."""

    name = "openai-chat"
    base_path = "/v1"

    def serves(self, path: str, /) -> bool:
        """Tell whether a path is this API's; see `ProviderProtocol`."""
        return path.endswith("/chat/completions")

    def streams(self, request: Received, /) -> bool:
        """Tell whether chunks are asked for; see `ProviderProtocol`."""
        return request.body.get("stream") is True

    def asked(self, request: Received, /) -> Asked:
        """Read the last user message, what tools said since, and what is offered; see `ProviderProtocol`."""
        messages = _dicts(request.body.get("messages"))
        last = max((at for at, message in enumerate(messages) if message.get("role") == "user"), default=-1)
        functions = [_dict(tool.get("function")) for tool in _dicts(request.body.get("tools"))]
        offered = request.body.get("tool_choice") != "none"
        return Asked(
            text=_text(messages[last].get("content")) if messages else "",
            tools=tuple(OfferedTool(str(f.get("name", "")), _dict(f.get("parameters"))) for f in functions if f and offered),
            results=tuple(_text(m.get("content")) for m in messages[last + 1 :] if m.get("role") == "tool"),
        )

    def headers(self, request: Received, /) -> Mapping[str, str]:
        """Give the id of the request; see `ProviderProtocol`."""
        return {"x-request-id": f"req_{request.index}"}

    def frames(self, answer: Answer, request: Received, /) -> Iterator[Frame]:
        """Write the answer as chunks; see `ProviderProtocol`."""
        pace = answer.pace
        yield Frame(_chunk(request, {"role": "assistant", "content": "", "refusal": None}))
        yield from _texts(request, "reasoning_content", answer.reasoning_pieces(), pace)
        yield from _texts(request, "content", answer.text_pieces(), pace)
        for delta in _call_deltas(answer):
            yield Frame(_chunk(request, {"tool_calls": [delta]}), pause=pace)
        yield Frame(_chunk(request, {}, finish_reason=answer.reason), "finish", pace)
        usage = _usage(answer, request)
        if usage and _wants_usage(request):
            yield Frame(_record({**_chunk_head(request), "choices": [], "usage": usage}), "usage")
        yield Frame(b"data: [DONE]\n\n", "end")

    def whole(self, answer: Answer, request: Received, /) -> bytes:
        """Write the answer as one chat completion; see `ProviderProtocol`."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.whole_text or None, "refusal": None}
        if answer.reasoning:
            message["reasoning_content"] = answer.reasoning
        if answer.tool_calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}
                for call in answer.tool_calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.reason}
        completion: dict[str, Any] = {**_chunk_head(request), "object": "chat.completion", "choices": [choice]}
        usage = _usage(answer, request)
        if usage:
            completion["usage"] = usage
        return to_json(completion)

    def text_record(self, text: str, request: Received, /) -> bytes:
        """Write a chunk with some text; see `ProviderProtocol`."""
        return _chunk(request, {"content": text})

    def error_record(self, message: str, /) -> bytes:
        """Write a chunk that is an error; see `ProviderProtocol`."""
        return _record({"error": {"message": message, "type": "server_error", "param": None, "code": None}})

    def error_body(self, status: int, message: str | None, /) -> bytes:
        """Write the error object; see `ProviderProtocol`."""
        kind, code, usual = _REFUSALS.get(status) or ("server_error", None, "The server had an error.")
        return to_json({"error": {"message": message or usual, "type": kind, "param": None, "code": code}})


PROTOCOL = OpenAIChat()


def _chunk_head(request: Received) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request.index}",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": request.body.get("model", "test-model"),
        "system_fingerprint": "fp_allm_rx",
    }


def _chunk(request: Received, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    usage = {"usage": None} if _wants_usage(request) else {}
    return _record({**_chunk_head(request), "choices": [choice], **usage})


def _record(value: dict[str, Any]) -> bytes:
    return b"data: " + to_json(value) + b"\n\n"


def _texts(request: Received, name: str, pieces: Sequence[str], pace: float) -> Iterator[Frame]:
    before, after = _chunk(request, {name: _MARK}).split(to_json(_MARK))
    for piece in pieces:
        yield Frame(before + to_json(piece) + after, pause=pace)


def _call_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(answer.tool_calls):
        yield {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        for piece in argument_pieces(call):
            yield {"index": index, "function": {"arguments": piece}}


def _wants_usage(request: Received) -> bool:
    return _dict(request.body.get("stream_options")).get("include_usage") is True


def _usage(answer: Answer, request: Received) -> dict[str, Any]:
    usage = answer.usage
    if usage is None:
        usage = Usage(input_tokens=len(request.raw) // 4, output_tokens=answer.tokens())
    elif usage == Usage():
        return {}
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion if usage.total_tokens is None else usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens or 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0, "audio_tokens": 0},
        **usage.extra,
    }


def _text(content: object) -> str:
    """Give what a message says, be it text or parts."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in _dicts(content))


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [_dict(item) for item in cast("list[object]", value)] if isinstance(value, list) else []
