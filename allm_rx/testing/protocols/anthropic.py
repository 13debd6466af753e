"""Anthropic's Messages API, seen from the server: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, argument_pieces, to_json
from allm_rx.testing.faults import Frame
from allm_rx.testing.protocols import Asked, OfferedTool, Received

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from allm_rx.testing.faults import FrameKind

_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where the text goes in a record that is written once and filled in thousands of times."""

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
"""Our words and theirs; any other is written as it is."""

_REFUSALS = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "You are not allowed to use this model."),
    404: ("not_found_error", "The model was not found."),
    413: ("request_too_large", "The request is too large."),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    529: ("overloaded_error", "Overloaded"),
}
"""Type and message that come with a status."""


class AnthropicMessages:
    """Writes answers as messages and the events of their streams."""

    name = "anthropic"
    base_path = ""

    def serves(self, path: str, /) -> bool:
        """Tell whether a path is this API's; see `ProviderProtocol`."""
        return path.endswith("/v1/messages")

    def streams(self, request: Received, /) -> bool:
        """Tell whether events are asked for; see `ProviderProtocol`."""
        return request.body.get("stream") is True

    def asked(self, request: Received, /) -> Asked:
        """Read the last text of the user, the results of tools since, and what is offered; see `ProviderProtocol`."""
        text, results = "", list[str]()
        for message in _dicts(request.body.get("messages")):
            said = _said(message.get("content")) if message.get("role") == "user" else ""
            if said:
                text, results = said, []
            blocks = _dicts(message.get("content"))
            results += [] if said else [_said(block.get("content")) for block in blocks if block.get("type") == "tool_result"]
        offered = _dict(request.body.get("tool_choice")).get("type") != "none"
        tools = [tool for tool in _dicts(request.body.get("tools")) if offered and "input_schema" in tool]
        return Asked(
            text=text,
            tools=tuple(OfferedTool(str(tool.get("name", "")), _dict(tool["input_schema"])) for tool in tools),
            results=tuple(results),
        )

    def headers(self, request: Received, /) -> Mapping[str, str]:
        """Give the id of the request; see `ProviderProtocol`."""
        return {"request-id": f"req_{request.index}"}

    def frames(self, answer: Answer, request: Received, /) -> Iterator[Frame]:
        """Write the answer as events; see `ProviderProtocol`."""
        usage, pace = _usage(answer, request), answer.pace
        yield _frame("message_start", {"message": {**_message(request), **_counted(usage, output_tokens=1)}})
        index = 0
        if answer.reasoning:
            yield _start(index, {"type": "thinking", "thinking": "", "signature": ""})
            yield from _texts(index, "thinking", answer.reasoning_pieces(), pace)
            yield _delta(index, {"type": "signature_delta", "signature": _signature(answer.reasoning)})
            yield _stop(index)
            index += 1
        if pieces := answer.text_pieces():
            yield _start(index, {"type": "text", "text": ""})
            yield from _texts(index, "text", pieces, pace)
            yield _stop(index, "content" if answer.tool_calls else "finish")
            index += 1
        for call in answer.tool_calls:
            yield _start(index, {"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
            for piece in ("", *argument_pieces(call)):
                yield _delta(index, {"type": "input_json_delta", "partial_json": piece}, pace)
            yield _stop(index)
            index += 1
        yield _frame("message_delta", {"delta": _ending(answer), **_counted(usage)}, "finish", pace)
        yield _frame("message_stop", {}, "end")

    def whole(self, answer: Answer, request: Received, /) -> bytes:
        """Write the answer as one message; see `ProviderProtocol`."""
        content: list[dict[str, Any]] = []
        if answer.reasoning:
            content.append({"type": "thinking", "thinking": answer.reasoning, "signature": _signature(answer.reasoning)})
        if answer.whole_text:
            content.append({"type": "text", "text": answer.whole_text})
        content += [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in answer.tool_calls]
        counted = _counted(_usage(answer, request))
        return to_json({**_message(request), "content": content, **_ending(answer), **counted})

    def text_record(self, text: str, request: Received, /) -> bytes:
        """Write a delta of the first block; see `ProviderProtocol`."""
        del request
        return _delta(0, {"type": "text_delta", "text": text}).data

    def error_record(self, message: str, /) -> bytes:
        """Write an `error` event; see `ProviderProtocol`."""
        return _frame("error", {"error": {"type": "api_error", "message": message}}).data

    def error_body(self, status: int, message: str | None, /) -> bytes:
        """Write the error object; see `ProviderProtocol`."""
        kind, usual = _REFUSALS.get(status) or ("api_error", "Internal server error")
        return to_json({"type": "error", "error": {"type": kind, "message": message or usual}})


PROTOCOL = AnthropicMessages()


def _message(request: Received) -> dict[str, Any]:
    return {
        "id": f"msg_{request.index}",
        "type": "message",
        "role": "assistant",
        "model": request.body.get("model", "test-model"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _ending(answer: Answer) -> dict[str, Any]:
    return {"stop_reason": _STOP_REASONS.get(answer.reason, answer.reason), "stop_sequence": None}


def _frame(kind: str, fields: Mapping[str, Any], role: FrameKind = "content", pause: float = 0.0) -> Frame:
    return Frame(b"event: " + kind.encode() + b"\ndata: " + to_json({"type": kind, **fields}) + b"\n\n", role, pause)


def _start(index: int, block: Mapping[str, Any]) -> Frame:
    return _frame("content_block_start", {"index": index, "content_block": block})


def _delta(index: int, delta: Mapping[str, Any], pause: float = 0.0) -> Frame:
    return _frame("content_block_delta", {"index": index, "delta": delta}, pause=pause)


def _stop(index: int, role: FrameKind = "content") -> Frame:
    return _frame("content_block_stop", {"index": index}, role)


def _texts(index: int, name: str, pieces: Sequence[str], pace: float) -> Iterator[Frame]:
    before, after = _delta(index, {"type": f"{name}_delta", name: _MARK}).data.split(to_json(_MARK))
    for piece in pieces:
        yield Frame(before + to_json(piece) + after, pause=pace)


def _signature(text: str) -> str:
    """Give what looks like a signature and depends on the text, as a real one does."""
    return base64.b64encode(f"signed: {len(text)} characters".encode()).decode()


def _usage(answer: Answer, request: Received) -> Usage:
    if answer.usage is None:
        return Usage(input_tokens=len(request.raw) // 4, output_tokens=answer.tokens())
    return answer.usage


def _counted(usage: Usage, **instead: int) -> dict[str, Any]:
    """Write what is reported; the parts of the prompt exclude each other, and nothing is left out silently."""
    if usage == Usage():
        return {}
    read, written = usage.cached_input_tokens or 0, usage.cache_write_input_tokens or 0
    counts: dict[str, Any] = {
        "input_tokens": max(0, (usage.input_tokens or 0) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
        **instead,
    }
    if usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return {"usage": {**counts, **usage.extra}}


def _said(content: object) -> str:
    """Give the text of a message or a result, be it a string or blocks."""
    if isinstance(content, str):
        return content
    return "".join(str(block.get("text", "")) for block in _dicts(content) if block.get("type") == "text")


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [_dict(item) for item in cast("list[object]", value)] if isinstance(value, list) else []
