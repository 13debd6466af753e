"""Recorded requests of the generateContent API, read into our data; only tests need that direction."""

import base64
from typing import Any

from allm_rx.data.messages import Message
from allm_rx.data.parts import ImagePart, Part, TextPart, ToolCall, ToolResultPart
from allm_rx.data.requests import JsonSchema, Reasoning, Request
from allm_rx.data.tools import ProviderTool, Tool

DIALECT = "gemini"
SIGNATURE = "thoughtSignature"


def load_request(body: dict[str, Any], model: str) -> Request:
    """Give the request that a body stands for."""
    config = dict(body.get("generationConfig") or {})
    thinking = config.pop("thinkingConfig", {})
    schema, kind = config.pop("responseJsonSchema", None), config.pop("responseMimeType", None)
    options = {name: body[name] for name in ("cachedContent",) if name in body}
    return Request(
        model=model,
        messages=(*_system(body), *_messages(body["contents"])),
        tools=tuple(tool for group in body.get("tools", ()) for tool in _tools(group)),
        reasoning=_reasoning(thinking),
        response_format=JsonSchema(json_schema=schema) if schema else "json_object" if kind else None,
        provider_options={**options, "generationConfig": config} if config else options,
    )


def equivalent(body: dict[str, Any]) -> dict[str, Any]:
    """Give a body in one of several spellings that mean the same to the server."""
    plain = {name: value for name, value in body.items() if value and name != "tools"}
    if "systemInstruction" in plain:
        plain["systemInstruction"] = {"parts": plain["systemInstruction"]["parts"]}
    plain["contents"] = [{"role": content["role"], "parts": content["parts"]} for content in body["contents"]]
    plain["tools"] = [_plain_group(group) for group in body.get("tools", ())]
    config: dict[str, Any] = body.get("generationConfig", {})
    if thinking := config.get("thinkingConfig"):
        level = thinking["thinkingLevel"].upper()
        plain["generationConfig"] = {**config, "thinkingConfig": {**thinking, "thinkingLevel": level}}
    return plain


def _system(body: dict[str, Any]) -> list[Message]:
    instruction = body.get("systemInstruction")
    return [Message(role="system", content=[part["text"] for part in instruction["parts"]])] if instruction else []


def _messages(contents: list[dict[str, Any]]) -> list[Message]:
    messages: list[Message] = []
    for content in contents:
        called = {call.name: call for call in messages[-1].tool_calls} if messages else {}
        parts = [_part(part, called) for part in content["parts"]]
        role = "assistant" if content["role"] == "model" else "user"
        messages.append(Message(role="tool" if isinstance(parts[0], ToolResultPart) else role, content=parts))
    return messages


def _part(wire: dict[str, Any], called: dict[str, ToolCall]) -> Part:
    back = {SIGNATURE: wire[SIGNATURE]} if SIGNATURE in wire else {}
    if "functionCall" in wire:
        call = wire["functionCall"]
        back |= {"id": call["id"]} if "id" in call else {}
        return ToolCall(id=call.get("id", call["name"]), name=call["name"], arguments=call["args"], provider_data={DIALECT: back})
    if "functionResponse" in wire:
        result = wire["functionResponse"]
        given = {DIALECT: {"response": result["response"]}}
        return ToolResultPart(id=called[result["name"]].id, name=result["name"], provider_data=given)
    if "inlineData" in wire:
        return ImagePart(data=base64.b64decode(wire["inlineData"]["data"]), media_type=wire["inlineData"]["mimeType"])
    return TextPart(text=wire["text"], provider_data={DIALECT: back} if back else {})


def _tools(group: dict[str, Any]) -> list[Tool | ProviderTool]:
    if "functionDeclarations" not in group:
        return [ProviderTool(dialect="gemini", spec=group)]
    return [
        Tool(name=tool["name"], description=tool["description"], parameters=_lower(_parameters(tool)))
        for tool in group["functionDeclarations"]
    ]


def _reasoning(thinking: dict[str, Any]) -> Reasoning | None:
    if not thinking:
        return None
    summary = "auto" if thinking.get("includeThoughts") else None
    return Reasoning(effort=thinking["thinkingLevel"].lower(), summary=summary)


def _plain_group(group: dict[str, Any]) -> dict[str, Any]:
    """Give a group with its schemas in one spelling; parameters that take nothing may as well be absent."""
    if "functionDeclarations" not in group:
        return group
    declarations: list[dict[str, Any]] = []
    for tool in group["functionDeclarations"]:
        schema = _lower(_parameters(tool))
        plain = {"name": tool["name"], "description": tool.get("description") or ""}
        declarations.append({**plain, "parameters": schema} if schema.get("properties") else plain)
    return {"functionDeclarations": declarations}


def _parameters(tool: dict[str, Any]) -> dict[str, Any]:
    spellings = ("parameters", "parametersJsonSchema", "parameters_json_schema")
    given: list[dict[str, Any]] = [tool[name] for name in spellings if name in tool]
    return given[0] if given else {}


def _lower(schema: dict[str, Any]) -> dict[str, Any]:
    """Give a schema with types as JSON Schema spells them; the OpenAPI subset has them in capitals."""
    lower = dict(schema)
    if "type" in lower:
        lower["type"] = lower["type"].lower()
    if "properties" in lower:
        lower["properties"] = {name: _lower(inner) for name, inner in lower["properties"].items()}
    return lower
