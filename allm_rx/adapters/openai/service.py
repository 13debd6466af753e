"""OpenAI's service, the home of both its protocols."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from allm_rx.operators.http_adapter import HttpAdapter


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class OpenAIService(HttpAdapter):
    """What adapters of OpenAI's protocols have in common."""

    base_url: str = field(default_factory=lambda: os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1")
    """As in OpenAI's own package; by default what `OPENAI_BASE_URL` says, else OpenAI."""
    provider: str = "openai"
    """The name in events, errors and key look-ups."""
    key_variables: tuple[str, ...] | None = ("OPENAI_API_KEY",)
    """Environment variables that may hold the key."""
