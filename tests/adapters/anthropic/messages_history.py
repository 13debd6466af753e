"""Recorded requests of the Messages API, read into our data; only tests need that direction."""

import base64
from typing import Any

from allm_rx.adapters.anthropic.messages.wire import DIALECT
from allm_rx.data.messages import Message, system
from allm_rx.data.parts import FilePart, ImagePart, Part, ReasoningPart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.requests import Reasoning, Request, json_schema
from allm_rx.data.tools import ProviderTool, Tool

_TAKEN = {"model", "messages", "system", "tools", "max_tokens", "thinking", "output_config", "stream"}


def load_request(body: dict[str, Any]) -> Request:
    """Give the request that a body stands for."""
    prompt = [system([_part(block) for block in body["system"]])] if "system" in body else []
    thinking = body.get("thinking")
    wanted = body.get("output_config", {}).get("format")
    return Request(
        model=body["model"],
        messages=(*prompt, *(_message(message) for message in body["messages"])),
        tools=tuple(_tool(tool) for tool in body.get("tools", ())),
        max_tokens=body["max_tokens"],
        reasoning=Reasoning(budget_tokens=thinking["budget_tokens"]) if thinking else None,
        response_format=json_schema(wanted["schema"]) if wanted else None,
        provider_options={name: value for name, value in body.items() if name not in _TAKEN},
    )


def _message(wire: dict[str, Any]) -> Message:
    parts = [_part(block) for block in wire["content"]]
    role = "tool" if any(isinstance(part, ToolResultPart) for part in parts) else wire["role"]
    return Message(role=role, content=parts)


def _part(wire: dict[str, Any]) -> Part:
    left = {key: value for key, value in wire.items() if key not in ("type", "text", "source", "title")}
    kept: dict[str, Any] = {DIALECT: left} if left else {}
    match wire["type"]:
        case "text":
            return TextPart(text=wire["text"], provider_data=kept)
        case "thinking":
            return ReasoningPart(text=wire["thinking"], provider_data={DIALECT: {"signature": wire["signature"]}})
        case "tool_use":
            return ToolCall(id=wire["id"], name=wire["name"], arguments=wire["input"])
        case "tool_result":
            texts = tuple(TextPart(text=block["text"]) for block in wire["content"])
            return ToolResultPart(id=wire["tool_use_id"], content=texts)
        case "image":
            data = base64.b64decode(wire["source"]["data"])
            return ImagePart(data=data, media_type=wire["source"]["media_type"], provider_data=kept)
        case _:
            source = wire["source"]
            data = source["data"].encode() if source["type"] == "text" else base64.b64decode(source["data"])
            return FilePart(data=data, media_type=source["media_type"], filename=wire["title"], provider_data=kept)


def _tool(wire: dict[str, Any]) -> Tool | ProviderTool:
    if "type" in wire:
        return ProviderTool(dialect=DIALECT, spec=wire)
    return Tool(name=wire["name"], description=wire["description"], parameters=wire["input_schema"])


def equivalent(body: dict[str, Any]) -> dict[str, Any]:
    """Give a body in one of several spellings that mean the same: texts as blocks, and without `stream`."""
    plain = {name: value for name, value in body.items() if name != "stream"}
    if "system" in body:
        plain["system"] = _blocks(body["system"])
    plain["messages"] = [{**message, "content": _blocks(message["content"])} for message in body["messages"]]
    return plain


def _blocks(content: Any) -> list[dict[str, Any]]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [{**block, "content": _blocks(block["content"])} if block["type"] == "tool_result" else block for block in blocks]
