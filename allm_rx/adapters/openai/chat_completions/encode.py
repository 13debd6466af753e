"""A request of ours, as the Chat Completions API wants it.

Rule 1: pure; the same request gives the same bytes.
Rule 2: None is left out, so the provider's own default holds; `provider_options` are merged deeply, and last.
Rule 3: a budget for thinking is rounded to the words that a service knows; what it has no field for, `check` refuses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr
from pydantic_core import to_json

from allm_rx.adapters.openai.chat_completions.answers import answer_by_tool, answer_tool, stops_thinking
from allm_rx.adapters.openai.chat_completions.caching import caches_what_is_marked, mark
from allm_rx.adapters.openai.chat_completions.messages import Wire, encode_messages
from allm_rx.adapters.openai.schemas import strict_schema
from allm_rx.data.requests import AllowedTools, JsonSchema, Reasoning
from allm_rx.data.tools import ProviderTool
from allm_rx.wire.answers import answering_choice
from allm_rx.wire.http import WireRequest
from allm_rx.wire.merging import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.adapters.openai.chat_completions.options import Quirks
    from allm_rx.data.requests import Request
    from allm_rx.data.tools import Tool

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")

# Where a service knows only words for the effort, a budget is rounded to one; the borders are those between what
# gateways that translate the other way give each word.
_LITTLE, _MUCH = 2048, 12_288

_NO_THOUGHT = Reasoning(effort="none")


def encode(
    request: Request,
    *,
    quirks: Quirks,
    base_url: str,
    key: SecretStr | None,
    headers: Mapping[str, str | SecretStr],
    connect_timeout: float | None = None,
) -> WireRequest:
    """Give the HTTP request that asks for a streamed answer.

    Args:
        request: what is asked.
        quirks: how the service differs.
        base_url: as in OpenAI's own package: everything before `/chat/completions`.
        key: the API key, or None for a server without.
        headers: further headers; they win over our own.
        connect_timeout: seconds to wait for a connection.
    """
    return WireRequest(
        method="POST",
        url=endpoint(base_url),
        headers=_headers(key, headers, quirks),
        body=to_json(encode_body(request, quirks)),
        connect_timeout=connect_timeout,
    )


def endpoint(base_url: str) -> str:
    """Give the URL that requests go to; a query of `base_url`, such as Azure's `api-version`, stays at its end."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/chat/completions"))


def encode_body(request: Request, quirks: Quirks) -> dict[str, Any]:
    """Give the body of the request, as JSON data."""
    messages = encode_messages(request.messages, quirks)
    tools = _tools(request, quirks)
    if request.prompt_cache is not None and caches_what_is_marked(request, quirks):
        mark(request.prompt_cache, tools.get("tools", ()), messages, quirks)
    body: Wire = {
        "model": request.model,
        "messages": messages,
        **tools,
        "temperature": request.temperature,
        "top_p": request.top_p,
        quirks.max_tokens: request.max_tokens,
        "stop": list(request.stop) if request.stop else None,
        quirks.seed: request.seed,
        "response_format": _response_format(request, quirks),
        **_reasoning(_NO_THOUGHT if stops_thinking(request, quirks) else request.reasoning, quirks),
        **_prompt_cache(request, quirks),
        "stream": True,
        "stream_options": {"include_usage": True} if quirks.include_usage else None,
    }
    known = {name: value for name, value in body.items() if value is not None}
    return merged(merged(known, quirks.body), request.provider_options)


def _headers(key: SecretStr | None, given: Mapping[str, str | SecretStr], quirks: Quirks) -> dict[str, str | SecretStr]:
    headers: dict[str, str | SecretStr] = {"content-type": "application/json", "accept": "text/event-stream"}
    if key is not None:
        value = key.get_secret_value()
        headers[quirks.key_header] = SecretStr(f"Bearer {value}" if quirks.key_header == "authorization" else value)
    return {**headers, **{name.lower(): value for name, value in given.items()}}


def _tools(request: Request, quirks: Quirks) -> Wire:
    offered = request.tools
    choice: Any = request.tool_choice
    answer = answer_by_tool(request, quirks)
    if isinstance(choice, AllowedTools) and (answer is not None or not quirks.allowed_tools):
        offered = tuple(tool for tool in offered if tool.name in choice.names)
        choice = choice.mode
    tools = [dict(tool.spec) if isinstance(tool, ProviderTool) else _tool(tool) for tool in offered]
    if answer is not None:
        choice = answering_choice(choice, tools)
        tools.append(answer_tool(answer))
    if not tools:
        return {}  # a choice without tools is refused
    return {"tools": tools, "tool_choice": _choice(choice, request, quirks)}


def _tool(tool: Tool) -> Wire:
    function: Wire = {"name": tool.name, "description": tool.description}
    if not tool.description:
        del function["description"]
    function["parameters"] = strict_schema(tool.parameters) if tool.strict else tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: AllowedTools | str | None, request: Request, quirks: Quirks) -> Any:
    match choice:
        case None | "auto" | "none":
            return choice
        case "required":
            return quirks.required_choice
        case AllowedTools(names=names, mode=mode):
            tools = [_reference(name, request) for name in names]
            return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
        case str(name):
            return _reference(name, request)


def _reference(name: str, request: Request) -> Wire:
    tool = next((tool for tool in request.tools if tool.name == name), None)
    if not isinstance(tool, ProviderTool):
        return {"type": "function", "function": {"name": name}}
    kind = tool.spec.get("type")
    inner = tool.spec.get(kind) if isinstance(kind, str) else None
    named = {"name": inner["name"]} if isinstance(inner, dict) and "name" in inner else None
    return {"type": kind, kind: named} if named and isinstance(kind, str) else {"type": kind}


def _response_format(request: Request, quirks: Quirks) -> Wire | None:
    wanted = request.response_format
    if wanted is None or isinstance(wanted, str):
        return {"type": wanted} if wanted else None
    return None if answer_by_tool(request, quirks) is not None else {"type": "json_schema", "json_schema": _json_schema(wanted)}


def _json_schema(wanted: JsonSchema) -> Wire:
    schema: Wire = {"name": _NO_NAME.sub("_", wanted.name)[:64]}
    if wanted.description:
        schema["description"] = wanted.description
    schema["schema"] = strict_schema(wanted.json_schema) if wanted.strict else wanted.json_schema
    schema["strict"] = wanted.strict
    return schema


def _reasoning(wanted: Reasoning | None, quirks: Quirks) -> Wire:
    if wanted is None or (wanted.effort is None and wanted.budget_tokens is None and wanted.summary is None):
        return {}
    budget = wanted.budget_tokens
    effort = wanted.effort or _effort(budget)
    match quirks.reasoning:
        case "effort":
            return {"reasoning_effort": effort}
        case "openrouter":
            return {"reasoning": _openrouter(wanted)}
        case "thinking":
            return {"thinking": {"type": "disabled" if effort == "none" else "enabled"}} if effort else {}
        case "enable_thinking":
            return {"enable_thinking": effort != "none" if effort else None, "thinking_budget": budget or None}


def _effort(budget: int | None) -> str | None:
    if budget is None:
        return None
    return "none" if budget == 0 else "low" if budget <= _LITTLE else "medium" if budget <= _MUCH else "high"


def _openrouter(wanted: Reasoning) -> Wire:
    wire: Wire = {"effort": wanted.effort} if wanted.effort else {}
    if wanted.budget_tokens == 0:
        wire = {"enabled": False}
    elif wanted.budget_tokens and not wire:  # it takes one of the two
        wire = {"max_tokens": wanted.budget_tokens}
    return {**wire, "exclude": True} if wanted.summary == "none" else wire or {"enabled": True}


def _prompt_cache(request: Request, quirks: Quirks) -> Wire:
    cache = request.prompt_cache
    if cache is None or not quirks.prompt_cache:
        return {}
    return {"prompt_cache_key": cache.key, "prompt_cache_retention": "24h" if cache.retention == "long" else None}
