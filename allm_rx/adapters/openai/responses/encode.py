"""A request of ours, as the Responses API wants it.

Rule 1: pure; the same request gives the same bytes.
Rule 2: None is left out, so the provider's own default holds; `provider_options` are merged deeply, and last.
Rule 3: by default nothing is stored at the provider (`store: false`), so what the model thought comes along encrypted and is
sent back with the conversation. `provider_options={"store": True}` turns both off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr
from pydantic_core import to_json

from allm_rx.adapters.openai.responses.messages import encode_input
from allm_rx.adapters.openai.responses.tools import encode_tools
from allm_rx.adapters.openai.schemas import strict_schema
from allm_rx.wire.http import WireRequest
from allm_rx.wire.merging import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.adapters.openai.responses.wire import Wire
    from allm_rx.data.requests import Request

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")

_THOUGHTS = "reasoning.encrypted_content"
_THOUGHTLESS = re.compile(r"(?:ft:)?(?:chatgpt-|gpt-3\.5|gpt-4|gpt-5-chat).*")
"""Models that are known not to think: they refuse to be asked for encrypted reasoning, and an unknown one is not."""


def encode(
    request: Request,
    *,
    base_url: str,
    key: SecretStr | None,
    headers: Mapping[str, str | SecretStr],
    connect_timeout: float | None = None,
) -> WireRequest:
    """Give the HTTP request that asks for a streamed answer.

    Args:
        request: what is asked.
        base_url: as in OpenAI's own package: everything before `/responses`.
        key: the API key, or None for a server without.
        headers: further headers; they win over our own.
        connect_timeout: seconds to wait for a connection.
    """
    return WireRequest(
        method="POST",
        url=endpoint(base_url),
        headers=_headers(key, headers),
        body=to_json(encode_body(request)),
        connect_timeout=connect_timeout,
    )


def endpoint(base_url: str) -> str:
    """Give the URL that requests go to; a query of `base_url`, such as Azure's `api-version`, stays at its end."""
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/responses"))


def encode_body(request: Request) -> dict[str, Any]:
    """Give the body of the request, as JSON data."""
    stored = request.provider_options.get("store", False) is not False
    body: Wire = {
        "model": request.model,
        "input": encode_input(request.messages, stored=stored),
        **encode_tools(request),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_output_tokens": request.max_tokens,
        "text": _text(request),
        "reasoning": _reasoning(request),
        **_prompt_cache(request),
        "store": False,
        "include": None if stored or _is_thoughtless(request.model) else [_THOUGHTS],
        "stream": True,
    }
    return merged({name: value for name, value in body.items() if value is not None}, request.provider_options)


def _headers(key: SecretStr | None, given: Mapping[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    headers: dict[str, str | SecretStr] = {"content-type": "application/json", "accept": "text/event-stream"}
    if key is not None:
        headers["authorization"] = SecretStr(f"Bearer {key.get_secret_value()}")
    return {**headers, **{name.lower(): value for name, value in given.items()}}


def _is_thoughtless(model: str | None) -> bool:
    return _THOUGHTLESS.fullmatch((model or "").rpartition("/")[2]) is not None


def _text(request: Request) -> Wire | None:
    wanted = request.response_format
    if wanted is None or isinstance(wanted, str):
        return {"format": {"type": wanted}} if wanted else None
    described = {"description": wanted.description} if wanted.description else {}
    schema = strict_schema(wanted.json_schema) if wanted.strict else wanted.json_schema
    name = _NO_NAME.sub("_", wanted.name)[:64]
    return {"format": {"type": "json_schema", "name": name, **described, "schema": schema, "strict": wanted.strict}}


def _reasoning(request: Request) -> Wire | None:
    wanted = request.reasoning
    if wanted is None:
        return None
    summary = None if wanted.summary == "none" else wanted.summary
    fields = {"effort": wanted.effort, "summary": summary}
    return {name: value for name, value in fields.items() if value is not None} or None


def _prompt_cache(request: Request) -> Wire:
    cache = request.prompt_cache
    if cache is None:
        return {}
    return {"prompt_cache_key": cache.key, "prompt_cache_retention": "24h" if cache.retention == "long" else None}
