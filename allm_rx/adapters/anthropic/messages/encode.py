"""A request of ours, as the Messages API wants it.

Rule 1: pure; the same request gives the same bytes.
Rule 2: None is left out, so the provider's own default holds; `max_tokens` alone has to be sent, see `DEFAULT_MAX_TOKENS`.
Rule 3: `provider_options` are merged deeply, and last.
Rule 4: `prompt_cache` marks the ends of tools, system prompt and messages; the API knows no keys, so `check`
refuses one. Marks that blocks have in their `provider_data` stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic_core import to_json

from allm_rx.adapters.anthropic.messages.answers import answers_by_tool, with_answer_tool
from allm_rx.adapters.anthropic.messages.content import encode_messages
from allm_rx.adapters.anthropic.messages.options import max_tokens_of, reasoning_fields
from allm_rx.adapters.anthropic.schemas import closed_schema
from allm_rx.data.requests import AllowedTools, JsonSchema
from allm_rx.data.tools import ProviderTool
from allm_rx.wire.http import WireRequest
from allm_rx.wire.merging import merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from allm_rx.adapters.anthropic.messages.wire import Wire
    from allm_rx.data.requests import PromptCache, Request
    from allm_rx.data.tools import Tool

_UNMARKED = frozenset({"thinking", "redacted_thinking"})
"""Blocks that take no cache mark."""


def encode(
    request: Request,
    *,
    base_url: str,
    auth: Mapping[str, str | SecretStr],
    headers: Mapping[str, str | SecretStr],
    connect_timeout: float | None = None,
) -> WireRequest:
    """Give the HTTP request that asks for a streamed answer.

    Args:
        request: what is asked.
        base_url: as in Anthropic's own package: everything before `/v1/messages`.
        auth: the headers that say who asks, see `auth_headers`.
        headers: further headers; they win over our own.
        connect_timeout: seconds to wait for a connection.
    """
    ours: dict[str, str | SecretStr] = {"content-type": "application/json", "accept": "text/event-stream", **auth}
    return WireRequest(
        method="POST",
        url=endpoint(base_url),
        headers={**ours, **{name.lower(): value for name, value in headers.items()}},
        body=to_json(encode_body(request)),
        connect_timeout=connect_timeout,
    )


def endpoint(base_url: str) -> str:
    """Give the URL that requests go to; a query of `base_url` stays at its end."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/v1/messages"))


def encode_body(request: Request) -> Wire:
    """Give the body of the request, as JSON data."""
    conversation = encode_messages(request.messages)
    tools, choice = with_answer_tool(request, *_tools(request))
    if request.prompt_cache is not None:
        _mark(request.prompt_cache, tools, conversation.system, conversation.messages)
    body: Wire = {
        "model": request.model,
        "max_tokens": max_tokens_of(request),
        "system": _system(conversation.system),
        "messages": conversation.messages,
        "tools": tools or None,
        "tool_choice": choice,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop_sequences": list(request.stop) if request.stop else None,
        "container": conversation.container,
        "stream": True,
    }
    known = {name: value for name, value in body.items() if value is not None}
    wanted = merged(merged(known, reasoning_fields(request)), _response_format(request))
    return _with_choice(merged(wanted, request.provider_options))


def _system(blocks: list[Wire]) -> str | list[Wire] | None:
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return str(blocks[0]["text"])
    return blocks or None


def _tools(request: Request) -> tuple[list[Wire], Wire | None]:
    offered = request.tools
    choice = request.tool_choice
    if isinstance(choice, AllowedTools):
        # One tool that must be called can be named, and the tools stay as the provider's cache knows them.
        if choice.mode == "required" and len(choice.names) == 1:
            choice = choice.names[0]
        else:
            offered = tuple(tool for tool in offered if tool.name in choice.names)
            choice = choice.mode
    tools = [dict(tool.spec) if isinstance(tool, ProviderTool) else _tool(tool) for tool in offered]
    return tools, _choice(choice) if tools else None  # a choice without tools is refused


def _tool(tool: Tool) -> Wire:
    wire: Wire = {"name": tool.name}
    if tool.description:
        wire["description"] = tool.description
    wire["input_schema"] = closed_schema(tool.parameters) if tool.strict else {"type": "object", **tool.parameters}
    if tool.strict is not None:
        wire["strict"] = tool.strict
    return wire


def _choice(choice: str | None) -> Wire | None:
    match choice:
        case None:
            return None
        case "auto" | "none":
            return {"type": choice}
        case "required":
            return {"type": "any"}
        case name:
            return {"type": "tool", "name": name}


def _with_choice(body: Wire) -> Wire:
    """Complete a choice that only the options speak of, such as `{"disable_parallel_tool_use": true}`."""
    choice: Any = body.get("tool_choice")
    if isinstance(choice, dict) and "type" not in choice:
        body["tool_choice"] = {"type": "auto", **choice}
    return body


def _response_format(request: Request) -> Wire:
    wanted = request.response_format
    if not isinstance(wanted, JsonSchema) or answers_by_tool(request):
        return {}
    schema = closed_schema(wanted.json_schema)
    if wanted.description:
        schema.setdefault("description", wanted.description)
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def _mark(cache: PromptCache, tools: Sequence[Wire], system: Sequence[Wire], messages: Sequence[Wire]) -> None:
    mark = {"type": "ephemeral", "ttl": "1h"} if cache.retention == "long" else {"type": "ephemeral"}
    last = messages[-1]["content"] if messages else ()
    for blocks in (tools, system, last):
        marked = (block for block in reversed(blocks) if block.get("type") not in _UNMARKED and not block.get("defer_loading"))
        if (block := next(marked, None)) is not None:
            block.setdefault("cache_control", mark)
