"""A request of ours, as `streamGenerateContent` wants it.

Rule 1: pure; the same request gives the same bytes.
Rule 2: None is left out, so the provider's own default holds; `provider_options` are merged deeply, and last.
Rule 3: what a cached content holds already (`provider_options={"cachedContent": ...}`) is not sent again, because beside it
a system instruction or tools are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pydantic_core import to_json

from allm_rx.adapters.gemini.generate_content.contents import encode_contents, system_instruction
from allm_rx.adapters.gemini.generate_content.options import generation
from allm_rx.adapters.gemini.generate_content.schema import gemini_schema
from allm_rx.adapters.gemini.generate_content.tools import encode_tools
from allm_rx.data.requests import JsonSchema
from allm_rx.wire.http import WireRequest
from allm_rx.wire.merging import merged
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.adapters.gemini.generate_content.options import Service
    from allm_rx.data.requests import Effort, Reasoning, Request

Wire = dict[str, Any]

_IN_THE_CACHE = ("systemInstruction", "tools", "toolConfig")

_SNAKE = re.compile(r"_([a-z0-9])")
_SPELLED = frozenset({"generationConfig", "toolConfig"})
"""Fields of the body whose own fields are ours too, so that both spellings of them have to become one."""

# The second generation counts tokens; these are what Google's own translation gives each word.
_BUDGETS: dict[Effort, int] = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576}
_LARGEST = 24_576
_LARGEST_PRO = 32_768

# The third generation takes words, and all of its models know these.
_LEVELS: dict[Effort, str] = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_HIGHEST = "HIGH"


def encode(
    request: Request,
    *,
    service: Service,
    key: SecretStr | None,
    headers: Mapping[str, str | SecretStr],
    connect_timeout: float | None = None,
) -> WireRequest:
    """Give the HTTP request that asks for a streamed answer.

    Args:
        request: what is asked; its model is known.
        service: where it goes.
        key: the API key, or the access token; None for a server without.
        headers: further headers; they win over our own.
        connect_timeout: seconds to wait for a connection.
    """
    ours: dict[str, str | SecretStr] = {"content-type": "application/json", "accept": "text/event-stream"}
    given = {name.lower(): value for name, value in headers.items()}
    return WireRequest(
        method="POST",
        url=service.url(request.model or ""),
        headers={**ours, **_credential(key, service), **given},
        body=to_json(encode_body(request, service)),
        connect_timeout=connect_timeout,
    )


def _credential(key: SecretStr | None, service: Service) -> dict[str, SecretStr]:
    if key is None:
        return {}
    return {"authorization": SecretStr(f"Bearer {key.get_secret_value()}")} if service.vertex else {"x-goog-api-key": key}


def encode_body(request: Request, service: Service) -> Wire:
    """Give the body of the request, as JSON data."""
    options = spelled(request.provider_options)
    body: Wire = {
        "systemInstruction": system_instruction(request.messages),
        "contents": encode_contents(request.messages, model=request.model, service=service),
        **encode_tools(request, service),
        "generationConfig": _generation_config(request) or None,
    }
    left_out = _IN_THE_CACHE if "cachedContent" in options else ()
    known = {name: value for name, value in body.items() if value is not None and name not in left_out}
    return merged(known, options)


def spelled(options: Mapping[str, Any]) -> Wire:
    """Give options for the body with their fields in the spelling that we use; the protocol takes two."""
    wire: Wire = {}
    for name, value in options.items():
        field = _SNAKE.sub(lambda found: found[1].upper(), name)
        inner = as_object(value) if field in _SPELLED else {}
        wire[field] = spelled(inner) if inner else value
    return wire


def _generation_config(request: Request) -> Wire:
    config: Wire = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "maxOutputTokens": request.max_tokens,
        "stopSequences": list(request.stop) if request.stop else None,
        "seed": request.seed,
        **_response_format(request),
        "thinkingConfig": _thinking(request.reasoning, request.model) or None,
    }
    return {name: value for name, value in config.items() if value is not None}


def _response_format(request: Request) -> Wire:
    wanted = request.response_format
    if wanted is None or wanted == "text":
        return {}
    wire: Wire = {"responseMimeType": "application/json"}
    if isinstance(wanted, JsonSchema):
        about = {"description": wanted.description} if wanted.description else {}
        wire["responseJsonSchema"] = {**about, **gemini_schema(wanted.json_schema)}
    return wire


def _thinking(wanted: Reasoning | None, model: str | None) -> Wire:
    if wanted is None:
        return {}
    wire: Wire = {} if wanted.summary is None else {"includeThoughts": wanted.summary != "none"}
    if wanted.budget_tokens is not None:
        wire["thinkingBudget"] = wanted.budget_tokens
    elif wanted.effort is not None:
        wire |= _effort(wanted.effort, model)
    return wire


def _effort(effort: Effort, model: str | None) -> Wire:
    known = generation(model)
    if known is not None and known < 3:
        largest = _LARGEST_PRO if "pro" in (model or "") else _LARGEST
        return {"thinkingBudget": _BUDGETS.get(effort, largest)}
    return {"thinkingBudget": 0} if effort == "none" else {"thinkingLevel": _LEVELS.get(effort, _HIGHEST)}
