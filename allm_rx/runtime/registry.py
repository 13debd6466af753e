"""From `"vendor:model"` to an adapter: ours, the compatible services, and those that other packages register."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, cast

from allm_rx.errors import EngineError
from allm_rx.runtime.endpoints import ENDPOINTS

if TYPE_CHECKING:
    from allm_rx.abc.adapter import Adapter

ENTRY_POINTS = "allm_rx.adapters"
"""Group of entry points; each names a callable without arguments that gives an adapter."""

_VENDORS: dict[str, str] = {
    "anthropic": "allm_rx.adapters.anthropic.messages.adapter:Anthropic",
    "gemini": "allm_rx.adapters.gemini.generate_content.adapter:Gemini",
    "openai-chat": "allm_rx.adapters.openai.chat_completions.adapter:OpenAIChat",
    "openai": "allm_rx.adapters.openai.responses.adapter:OpenAI",
}


def vendors() -> tuple[str, ...]:
    """Give all known vendor names, sorted."""
    return tuple(sorted({*_VENDORS, *ENDPOINTS, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def adapter_for(reference: str) -> tuple[Adapter, str]:
    """Give the adapter and the model's name for `"vendor:model"`, split at the first colon.

    Raises:
        EngineError: `unknown_model_prefix`, the message names the nearest vendor; `missing_model`, nothing follows the colon.
    """
    vendor, colon, model = reference.partition(":")
    if colon and not model:
        raise EngineError("missing_model", f"{reference!r} names no model: write it behind the colon.")
    if not colon:
        raise EngineError(
            "unknown_model_prefix",
            f"Model {reference!r} has no vendor: prefix it ('openai:{reference}') or pass `adapter=` to `Engine`.",
        )
    return _make(vendor, reference), model


def _make(vendor: str, reference: str) -> Adapter:
    if vendor in _VENDORS:
        module, _, name = _VENDORS[vendor].partition(":")
        return cast("Adapter", getattr(import_module(module), name)())
    if vendor in ENDPOINTS:
        return ENDPOINTS[vendor].adapter()
    for point in entry_points(group=ENTRY_POINTS, name=vendor):
        make: Any = point.load()
        return cast("Adapter", make())
    near = difflib.get_close_matches(vendor, vendors(), n=1)
    hint = f"did you mean '{near[0]}:'?" if near else f"known are {', '.join(vendors())}."
    raise EngineError("unknown_model_prefix", f"No adapter is registered for the prefix of {reference!r}: {hint}")
