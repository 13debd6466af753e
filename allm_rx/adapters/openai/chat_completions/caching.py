"""Marks of what is to be cached, for services behind which some models cache nothing else.

Rule 1: which models those are, the service's quirks say; all others cache by themselves and get no marks.
Rule 2: marked are the ends of the tools, of the system prompt and of what was said last: what the next request repeats.
Rule 3: a mark stands on a part with text; where text stands alone, it becomes a part. Marks of the caller's own stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.errors import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from allm_rx.adapters.openai.chat_completions.options import Quirks
    from allm_rx.data.requests import PromptCache, Request

Wire = dict[str, Any]

_FIELD = "cache_control"


def caches_what_is_marked(request: Request, quirks: Quirks) -> bool:
    """Tell whether a request that wants a cache has to mark what goes into it."""
    return request.prompt_cache is not None and _is_among(request.model, quirks.cache_marks)


def mark(cache: PromptCache, tools: Sequence[Wire], messages: Sequence[Wire], quirks: Quirks) -> None:
    """Mark what is to be cached.

    Args:
        cache: how long it shall be kept.
        tools: as they are sent.
        messages: as they are sent.
        quirks: how the service differs.
    """
    control: Wire = {"type": "ephemeral", "ttl": "1h"} if cache.retention == "long" else {"type": "ephemeral"}
    if (tool := next((tool for tool in reversed(tools) if "function" in tool), None)) is not None:
        tool.setdefault(_FIELD, control)
    system = [message for message in messages if message["role"] == quirks.system_role]
    spoken = [message for message in messages if message["role"] in ("user", "tool")]
    for message in (*system[-1:], *spoken[-1:]):
        _mark_text(message, control)


def cache_issues(request: Request, quirks: Quirks, provider: str) -> Iterator[Issue]:
    """Give what a service does not take that has no words for a cache, or only marks."""
    cache = request.prompt_cache
    if cache is None or quirks.prompt_cache:
        return
    if cache.key is not None:
        what = f"{provider} takes no key for its cache, such as {cache.key!r}: leave `key` out"
        yield Issue(("prompt_cache", "key"), "unsupported_cache_key", what)
    if cache.retention == "long" and not _is_among(request.model, quirks.hour_marks):
        what = f"{provider} decides itself how long it caches: leave `retention` out"
        yield Issue(("prompt_cache", "retention"), "unsupported_cache_retention", what)


def _is_among(model: str | None, known: Sequence[str]) -> bool:
    return any(part in (model or "") for part in known)


def _mark_text(message: Wire, control: Wire) -> None:
    content: Any = message["content"]
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    parts = [part for part in cast("list[Wire]", content) if part.get("type") == "text" and part.get("text")]
    if parts:
        parts[-1].setdefault(_FIELD, control)
        message["content"] = content
