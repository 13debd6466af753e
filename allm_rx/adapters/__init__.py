"""One adapter per protocol, each loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allm_rx.adapters.anthropic.messages.adapter import Anthropic
    from allm_rx.adapters.fake import Fake
    from allm_rx.adapters.gemini.generate_content.adapter import Gemini
    from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
    from allm_rx.adapters.openai.responses.adapter import OpenAI

__all__ = ["Anthropic", "Fake", "Gemini", "OpenAI", "OpenAIChat"]

_MODULES = {
    "Anthropic": "allm_rx.adapters.anthropic.messages.adapter",
    "Fake": "allm_rx.adapters.fake",
    "Gemini": "allm_rx.adapters.gemini.generate_content.adapter",
    "OpenAI": "allm_rx.adapters.openai.responses.adapter",
    "OpenAIChat": "allm_rx.adapters.openai.chat_completions.adapter",
}

if not TYPE_CHECKING:  # else a misspelt name would be `Any`

    def __getattr__(name: str) -> Any:
        """Import the adapter that was asked for (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}: use one of {', '.join(__all__)}.")
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
