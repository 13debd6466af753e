"""Recorded requests of the Responses API, read into our data; only tests need that direction."""

from itertools import groupby
from typing import Any, cast

from allm_rx.adapters.openai.responses.wire import DIALECT, without
from allm_rx.data.messages import Message, assistant, system, tool_result
from allm_rx.data.parts import Part, ReasoningPart, TextPart, ToolCall
from allm_rx.data.requests import Reasoning, Request
from allm_rx.data.tools import Tool
from allm_rx.wire.partial_json import parse_object

_TAKEN = {"model", "input", "instructions", "tools", "text", "reasoning", "temperature", "stream", "store", "include"}


def load_request(body: dict[str, Any]) -> Request:
    """Give the request that a body stands for; a service that was not asked for thoughts is not asked here either."""
    told = [system(body["instructions"])] if "instructions" in body else []
    asked: dict[str, Any] = {} if body.get("include") or body["model"].startswith("gpt-") else {"include": []}
    return Request(
        model=body["model"],
        messages=(*told, *_messages(body["input"])),
        tools=tuple(Tool(**without(tool, "type")) for tool in body.get("tools", ())),
        temperature=body.get("temperature"),
        response_format=body.get("text", {}).get("format", {}).get("type"),
        reasoning=Reasoning(effort=body["reasoning"]["effort"]) if "reasoning" in body else None,
        provider_options={**without(body, *_TAKEN), **asked},
    )


def _messages(items: list[dict[str, Any]]) -> list[Message]:
    messages: list[Message] = []
    for is_answer, group in groupby(items, lambda item: item.get("type") in ("reasoning", "function_call")):
        if is_answer:
            messages.append(assistant([_part(item) for item in group]))
        else:
            messages += [_message(item) for item in group]
    return messages


def _part(item: dict[str, Any]) -> Part:
    if item["type"] == "reasoning":
        return ReasoningPart(provider_data={DIALECT: item})
    arguments = parse_object(item["arguments"])
    assert isinstance(arguments, dict)
    return ToolCall(id=item["call_id"], name=item["name"], arguments=arguments, raw_arguments=item["arguments"])


def _message(item: dict[str, Any]) -> Message:
    if item.get("type") == "function_call_output":
        return tool_result(item["call_id"], item["output"])
    content = item["content"]
    parts = content if isinstance(content, str) else [TextPart(text=part["text"]) for part in content]
    return Message(role=item["role"], content=parts)


def equivalent(body: dict[str, Any]) -> dict[str, Any]:
    """Give a body in one of several spellings that mean the same to every server."""
    told = [{"role": "system", "content": body["instructions"]}] if "instructions" in body else []
    plain = without(body, "instructions", "stream", *(() if body.get("include") else ("include",)))
    return {**plain, "input": [*told, *(_plain(item) for item in body["input"])]}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    content: Any = item.get("content")
    if not isinstance(content, list):
        return item
    (part,) = cast("list[dict[str, Any]]", content)
    return {**item, "content": part["text"]} if part["type"] == "output_text" else item
