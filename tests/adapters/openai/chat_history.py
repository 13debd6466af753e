"""Recorded requests of the Chat Completions API, read into our data; only tests need that direction."""

import base64
from dataclasses import replace
from typing import Any, cast

from allm_rx.adapters.openai.chat_completions import options
from allm_rx.adapters.openai.chat_completions.messages import DIALECT
from allm_rx.data.messages import Message, tool_result
from allm_rx.data.parts import FilePart, ImagePart, Part, ReasoningPart, TextPart, ToolCall
from allm_rx.data.requests import JsonSchema, Reasoning, Request
from allm_rx.data.tools import Tool
from allm_rx.wire.partial_json import parse_object

QUIRKS = {
    "": options.OPENAI,
    "ollama-answer": options.OLLAMA,
    "openrouter-reasoning-echo": options.OPENROUTER,
    "openrouter-reasoning-tool": options.OPENROUTER,
    "mistral-reasoning": options.MISTRAL,
    "mistral-tool": replace(options.MISTRAL, short_call_ids=False),
}
"""By the name of a case, what its service wants."""

_TAKEN = {"model", "messages", "tools", "tool_choice", "response_format", "reasoning", "reasoning_effort", "stream", "n"}


def load_request(body: dict[str, Any]) -> Request:
    """Give the request that a body stands for."""
    return Request(
        model=body["model"],
        messages=tuple(_message(message) for message in body["messages"]),
        tools=tuple(_tool(tool["function"]) for tool in body.get("tools", ())),
        tool_choice=body.get("tool_choice"),
        response_format=_format(body.get("response_format")),
        reasoning=_reasoning(body),
        provider_options={name: value for name, value in body.items() if name not in (_TAKEN | {"stream_options"})},
    )


def _message(wire: dict[str, Any]) -> Message:
    if wire["role"] == "tool":
        return tool_result(wire["tool_call_id"], wire["content"])
    content = wire.get("content") or ()
    parts: list[Part] = [TextPart(text=content)] if isinstance(content, str) else [_part(part) for part in content]
    thought = wire.get("reasoning")
    if thought:
        parts.insert(0, ReasoningPart(text=thought, provider_data={DIALECT: {"reasoning": True}}))
    parts += [_call(call) for call in wire.get("tool_calls", ())]
    details = wire.get("reasoning_details")
    kept = {DIALECT: {"reasoning_details": details}} if details else {}
    return Message(role=wire["role"], content=parts, provider_data=kept)


def _part(wire: dict[str, Any]) -> Part:
    if wire["type"] == "text":
        return TextPart(text=wire["text"])
    if wire["type"] == "file":
        media_type, data = _data_url(wire["file"]["file_data"])
        return FilePart(data=data, media_type=media_type, filename=wire["file"]["filename"])
    image = dict(wire["image_url"])
    url = image.pop("url")
    kept = {DIALECT: {"image_url": image}} if image else {}
    if not url.startswith("data:"):
        return ImagePart(url=url, provider_data=kept)
    media_type, data = _data_url(url)
    return ImagePart(data=data, media_type=media_type, provider_data=kept)


def _data_url(url: str) -> tuple[str, bytes]:
    described, _, data = url.removeprefix("data:").partition(",")
    return described.removesuffix(";base64"), base64.b64decode(data)


def _call(wire: dict[str, Any]) -> ToolCall:
    text = wire["function"]["arguments"]
    arguments = parse_object(text)
    assert isinstance(arguments, dict)
    return ToolCall(id=wire["id"], name=wire["function"]["name"], arguments=arguments, raw_arguments=text)


def _tool(wire: dict[str, Any]) -> Tool:
    return Tool(name=wire["name"], description=wire["description"], parameters=wire["parameters"], strict=wire.get("strict"))


def _format(wire: dict[str, Any] | None) -> JsonSchema | None:
    if wire is None:
        return None
    schema = wire["json_schema"]
    return JsonSchema(name=schema["name"], json_schema=schema["schema"], strict=schema["strict"])


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    if "reasoning" in body:
        return Reasoning(budget_tokens=body["reasoning"]["max_tokens"])
    return Reasoning(effort=body["reasoning_effort"]) if "reasoning_effort" in body else None


def equivalent(body: dict[str, Any]) -> dict[str, Any]:
    """Give a body in one of several spellings that mean the same to every server."""
    plain = {name: value for name, value in body.items() if name not in ("stream", "stream_options", "n")}
    plain["messages"] = [_plain_message(message) for message in body["messages"]]
    if "tools" in body:
        plain["tools"] = [_plain_tool(tool) for tool in body["tools"]]
    return plain


def _plain_message(wire: dict[str, Any]) -> dict[str, Any]:
    plain = dict(wire)
    content: Any = plain.get("content")
    if isinstance(content, list) and [part["type"] for part in cast("list[dict[str, Any]]", content)] == ["text"]:
        plain["content"] = content[0]["text"]
    if plain.get("tool_calls") and not plain.get("content"):
        plain.pop("content", None)
    if plain.get("reasoning_content") == plain.get("reasoning"):
        plain.pop("reasoning_content", None)
    return plain


def _plain_tool(wire: dict[str, Any]) -> dict[str, Any]:
    function = {name: value for name, value in wire["function"].items() if not (name == "description" and not value)}
    return {**wire, "function": function}
