"""How models differ where a request differs: how they think, and how long their answers may be.

Rule 1: a model is known by the version in its name, whatever vendor or date stands around it; an unknown one is taken to be new.
Rule 2: an effort and a budget are two words for one wish; a model that knows only one of them is given that one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from allm_rx.wire.answers import thinks

if TYPE_CHECKING:
    from allm_rx.adapters.anthropic.messages.wire import Wire
    from allm_rx.data.requests import Effort, Reasoning, Request

DEFAULT_MAX_TOKENS = 32_000
"""What is sent where `max_tokens` is None, since the API requires the field: what every current model can give.

Older models are given less, see `max_tokens_of`.
"""

LEAST_BUDGET = 1024
"""The smallest budget for thinking that the API takes."""

Version = tuple[int, int]
Thinking = Literal["budget", "both", "effort"]
"""How a model is told to think: by a number of tokens, by either, or by an effort only."""

# Both orders of the name: `claude-sonnet-4-5-20250929` and `claude-3-7-sonnet-20250219`; a date is no version.
_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[.-](\d{1,2}))?(?!\d)")

_OLD_LIMITS: tuple[tuple[Version, int], ...] = (((3, 5), 4096), ((3, 7), 8192))
"""Versions before which an answer could only have so many tokens."""
_UNKNOWN_LIMIT = 8192
"""For models of others behind the same protocol, which refuse more than their context can hold."""

_BUDGETS: dict[Effort, int] = {
    "minimal": LEAST_BUDGET,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 31_000,
}
_EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")
_ROOM = 8192
"""Tokens that are left for the answer, where a budget alone decides how long it may be."""


def version_of(model: str | None) -> Version | None:
    """Give the version in a model's name.

    >>> version_of("claude-opus-4-20250514"), version_of("anthropic/claude-sonnet-4.5"), version_of("kimi-k2")
    ((4, 0), (4, 5), None)
    """
    found = _VERSION.search(model or "")
    return (int(found[1]), int(found[2] or 0)) if found else None


def thinking_of(model: str | None) -> Thinking:
    """Give how a model is told to think."""
    version = version_of(model)
    if version is None or version == (4, 6):
        return "both"
    return "budget" if version < (4, 6) else "effort"


def max_tokens_of(request: Request) -> int:
    """Give the limit of an answer: the request's, else what the model can do and its thinking leaves room for."""
    if request.max_tokens is not None:
        return request.max_tokens
    version = version_of(request.model)
    if version is None:
        limit = DEFAULT_MAX_TOKENS if "claude" in (request.model or "") else _UNKNOWN_LIMIT
    else:
        limit = next((most for before, most in _OLD_LIMITS if version < before), DEFAULT_MAX_TOKENS)
    budget = request.reasoning.budget_tokens if request.reasoning is not None else None
    return max(limit, budget + _ROOM) if budget and thinking_of(request.model) != "effort" else limit


def reasoning_fields(request: Request) -> Wire:
    """Give the fields of the body that ask for thinking, or turn it off.

    It is turned off in so many words, because some models think unless told otherwise.
    """
    wanted = request.reasoning
    if wanted is None:
        return {}
    if wanted.effort == "none" or wanted.budget_tokens == 0:
        return {"thinking": {"type": "disabled"}}
    form = thinking_of(request.model)
    thinking: Wire = {"type": "adaptive"}
    if form == "budget" or (form == "both" and wanted.budget_tokens is not None):
        thinking = {"type": "enabled", "budget_tokens": _budget(wanted, request)}
    if wanted.summary is not None:
        thinking["display"] = "omitted" if wanted.summary == "none" else "summarized"
    if not thinks(request) and form == "budget":  # there is nothing to hide: these models think only when told to
        return {}
    effort = _effort(wanted, form)
    return {"thinking": thinking, **({"output_config": {"effort": effort}} if effort else {})}


def _budget(wanted: Reasoning, request: Request) -> int:
    if wanted.budget_tokens is not None:
        return wanted.budget_tokens
    # An effort is no promise: it shrinks to what the limit of the answer leaves.
    return max(LEAST_BUDGET, min(_BUDGETS[wanted.effort or "medium"], max_tokens_of(request) - LEAST_BUDGET))


def _effort(wanted: Reasoning, form: Thinking) -> str | None:
    if form == "budget":
        return None
    if wanted.effort is not None:
        return "low" if wanted.effort == "minimal" else wanted.effort
    if wanted.budget_tokens is None or form == "both":
        return None
    return next((word for word in _EFFORTS if wanted.budget_tokens <= _BUDGETS[word]), "max")
