"""OpenAI's Responses API, seen from the server: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, argument_pieces, arguments_text, to_json
from allm_rx.testing.faults import Frame
from allm_rx.testing.protocols import Asked, OfferedTool, Received, openai_chat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from allm_rx.data.parts import ToolCall
    from allm_rx.testing.faults import FrameKind

_CREATED = 1_750_000_000
"""When every answer was made: recordings of a test shall not differ."""

_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands where the text goes in a record that is written once and filled in thousands of times."""
_NUMBER = 987_654_321
"""Stands where the number of such a record goes."""

_WHOLE = frozenset({"stop", "tool_calls"})
_INCOMPLETE = {"length": "max_output_tokens"}
"""Our words and theirs for an answer that is not whole; any other is written as it is."""


class OpenAIResponses:
    """Writes answers as responses and the events of their streams."""

    name = "openai"
    base_path = "/v1"

    def serves(self, path: str, /) -> bool:
        """Tell whether a path is this API's; see `ProviderProtocol`."""
        return path.endswith("/responses")

    def streams(self, request: Received, /) -> bool:
        """Tell whether events are asked for; see `ProviderProtocol`."""
        return request.body.get("stream") is True

    def asked(self, request: Received, /) -> Asked:
        """Read the last text of the user, the results of tools since, and what is offered; see `ProviderProtocol`."""
        given = request.body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else _dicts(given)
        last = max((at for at, item in enumerate(items) if item.get("role") == "user"), default=-1)
        offered = request.body.get("tool_choice") != "none"
        tools = [tool for tool in _dicts(request.body.get("tools")) if offered and tool.get("type") == "function"]
        return Asked(
            text=_text(items[last].get("content")) if items else "",
            tools=tuple(OfferedTool(str(tool.get("name", "")), _dict(tool.get("parameters"))) for tool in tools),
            results=tuple(_text(item.get("output")) for item in items[last + 1 :] if item.get("type") == "function_call_output"),
        )

    def headers(self, request: Received, /) -> Mapping[str, str]:
        """Give the id of the request; see `ProviderProtocol`."""
        return {"x-request-id": f"req_{request.index}"}

    def frames(self, answer: Answer, request: Received, /) -> Iterator[Frame]:
        """Write the answer as events; see `ProviderProtocol`."""
        stream, items = _Stream(answer.pace), _items(answer, request)
        beginning = _response(request, "in_progress")
        yield stream.event("response.created", {"response": beginning})
        yield stream.event("response.in_progress", {"response": beginning})
        for index, item in enumerate(items):
            yield stream.event("response.output_item.added", {"output_index": index, "item": _begun(item)})
            # After the last text its end is a part of the end: an answer that goes on forever goes on in it.
            role: FrameKind = "finish" if item["type"] == "message" and not answer.tool_calls else "content"
            yield from _within(stream, answer, {"item_id": item["id"], "output_index": index}, item, role)
            yield stream.event("response.output_item.done", {"output_index": index, "item": item}, role)
        final = _final(answer, request, items)
        yield stream.event(f"response.{final['status']}", {"response": final}, "end", answer.pace)

    def whole(self, answer: Answer, request: Received, /) -> bytes:
        """Write the answer as one response; see `ProviderProtocol`."""
        return to_json(_final(answer, request, _items(answer, request)))

    def text_record(self, text: str, request: Received, /) -> bytes:
        """Write a delta of the first item; see `ProviderProtocol`."""
        place = {"item_id": f"msg_{request.index}", "output_index": 0, "content_index": 0}
        return _Stream().event("response.output_text.delta", {**place, "delta": text, "logprobs": []}).data

    def error_record(self, message: str, /) -> bytes:
        """Write an `error` event, nested as it comes from OpenAI; see `ProviderProtocol`."""
        error = {"type": "server_error", "code": "server_error", "message": message, "param": None}
        return _Stream().event("error", {"error": error}).data

    def error_body(self, status: int, message: str | None, /) -> bytes:
        """Write the error object, the same for all of OpenAI's APIs; see `ProviderProtocol`."""
        return openai_chat.PROTOCOL.error_body(status, message)


PROTOCOL = OpenAIResponses()


class _Stream:
    """Numbers the events of one stream."""

    def __init__(self, pace: float = 0.0) -> None:
        self._numbers = itertools.count()
        self._pace = pace

    def event(self, kind: str, fields: Mapping[str, Any], role: FrameKind = "content", pause: float = 0.0) -> Frame:
        return Frame(_record(kind, {**fields, "sequence_number": next(self._numbers)}), role, pause)

    def deltas(self, kind: str, fields: Mapping[str, Any], pieces: Sequence[str]) -> Iterator[Frame]:
        record = _record(kind, {**fields, "delta": _MARK, "sequence_number": _NUMBER})
        before, rest = record.split(to_json(_MARK))
        between, after = rest.split(to_json(_NUMBER))
        for piece in pieces:
            number = to_json(next(self._numbers))
            yield Frame(b"".join((before, to_json(piece), between, number, after)), pause=self._pace)


def _record(kind: str, fields: Mapping[str, Any]) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + to_json({"type": kind, **fields}) + b"\n\n"


def _within(stream: _Stream, answer: Answer, place: Mapping[str, Any], item: dict[str, Any], role: FrameKind) -> Iterator[Frame]:
    """Write what happens between an item's beginning and its end."""
    match item["type"]:
        case "reasoning":
            at, (part,) = {**place, "summary_index": 0}, item["summary"]
            yield stream.event("response.reasoning_summary_part.added", {**at, "part": {**part, "text": ""}})
            yield from stream.deltas("response.reasoning_summary_text.delta", at, answer.reasoning_pieces())
            yield stream.event("response.reasoning_summary_text.done", {**at, "text": part["text"]})
            yield stream.event("response.reasoning_summary_part.done", {**at, "part": part})
        case "message":
            at, (part,) = {**place, "content_index": 0}, item["content"]
            yield stream.event("response.content_part.added", {**at, "part": {**part, "text": ""}})
            yield from stream.deltas("response.output_text.delta", {**at, "logprobs": []}, answer.text_pieces())
            yield stream.event("response.output_text.done", {**at, "text": part["text"], "logprobs": []}, role)
            yield stream.event("response.content_part.done", {**at, "part": part}, role)
        case _:
            call = next(call for call in answer.tool_calls if call.id == item["call_id"])
            yield from stream.deltas("response.function_call_arguments.delta", place, argument_pieces(call))
            told = {"name": call.name, "arguments": item["arguments"]}
            yield stream.event("response.function_call_arguments.done", {**place, **told})


def _items(answer: Answer, request: Received) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if answer.reasoning:
        summary = [{"type": "summary_text", "text": answer.reasoning}]
        items.append({"id": f"rs_{request.index}", "type": "reasoning", "summary": summary, **_sealed(answer, request)})
    status = "completed" if answer.reason in _WHOLE else "incomplete"
    if text := answer.whole_text:
        part: dict[str, Any] = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
        message: dict[str, Any] = {"type": "message", "status": status, "role": "assistant", "content": [part]}
        items.append({"id": f"msg_{request.index}", **message})
    items += (_call(call, f"fc_{request.index}_{at}", status) for at, call in enumerate(answer.tool_calls))
    return items


def _call(call: ToolCall, item_id: str, status: str) -> dict[str, Any]:
    told = {"call_id": call.id, "name": call.name, "arguments": arguments_text(call)}
    return {"id": item_id, "type": "function_call", "status": status, **told}


def _sealed(answer: Answer, request: Received) -> dict[str, str]:
    """Give what looks like encrypted thoughts and depends on them, where it was asked for."""
    if "reasoning.encrypted_content" not in (request.body.get("include") or ()):
        return {}
    return {"encrypted_content": base64.b64encode(f"sealed: {len(answer.reasoning)} characters".encode()).decode()}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """Give an item as it is before anything is in it."""
    empty: dict[str, dict[str, Any]] = {
        "reasoning": {"summary": []},
        "message": {"status": "in_progress", "content": []},
        "function_call": {"status": "in_progress", "arguments": ""},
    }
    return {**item, **empty[item["type"]]}


def _response(request: Received, status: str, **fields: Any) -> dict[str, Any]:
    body = request.body
    return {
        "id": f"resp_{request.index}",
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": body.get("model", "test-model"),
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "store": body.get("store", True),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "usage": None,
        "metadata": body.get("metadata", {}),
        **fields,
    }


def _final(answer: Answer, request: Received, items: list[dict[str, Any]]) -> dict[str, Any]:
    told = {"output": items, "usage": _usage(answer, request)}
    reason = answer.reason
    if reason in _WHOLE:
        return _response(request, "completed", **told)
    if reason == "error":
        error = {"code": "server_error", "message": "The server had an error while processing your request."}
        return _response(request, "failed", error=error, **told)
    return _response(request, "incomplete", incomplete_details={"reason": _INCOMPLETE.get(reason, reason)}, **told)


def _usage(answer: Answer, request: Received) -> dict[str, Any] | None:
    usage = answer.usage
    if usage is None:
        usage = Usage(input_tokens=len(request.raw) // 4, output_tokens=answer.tokens())
    elif usage == Usage():
        return None
    prompt, output = usage.input_tokens or 0, usage.output_tokens or 0
    cached, written = usage.cached_input_tokens or 0, usage.cache_write_input_tokens or 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": prompt + output if usage.total_tokens is None else usage.total_tokens,
        **usage.extra,
    }


def _text(content: object) -> str:
    """Give what a message or a result says, be it text or parts."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in _dicts(content))


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [_dict(item) for item in cast("list[object]", value)] if isinstance(value, list) else []
