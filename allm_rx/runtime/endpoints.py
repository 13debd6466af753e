"""The services that speak the Chat Completions API, as data: where they are, and what they want otherwise.

Rule: a service is one row; adding one is adding a row, and no code asks for its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allm_rx.adapters.openai.chat_completions import options

if TYPE_CHECKING:
    from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
    from allm_rx.adapters.openai.chat_completions.options import Quirks


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a compatible service is."""

    provider: str
    """Its name in events, errors and key look-ups."""
    base_url: str
    """Everything before `/chat/completions`."""
    key_variables: tuple[str, ...] = ()
    """Environment variables that may hold its key, the likeliest first."""
    quirks: Quirks = options.COMPATIBLE
    """How its requests differ from OpenAI's."""

    def adapter(self) -> OpenAIChat:
        """Give an adapter for the service."""
        # Loaded when it is asked for: it brings the codec, and most programs use one or two services.
        from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat  # noqa: PLC0415 - see above

        return OpenAIChat(base_url=self.base_url, provider=self.provider, key_variables=self.key_variables, quirks=self.quirks)


def _at(provider: str, base_url: str, *key_variables: str, quirks: Quirks = options.COMPATIBLE) -> Endpoint:
    return Endpoint(provider=provider, base_url=base_url, key_variables=key_variables, quirks=quirks)


ENDPOINTS: dict[str, Endpoint] = {
    # Servers on this machine, at the ports they choose themselves.
    "llama-cpp": _at("llama-cpp", "http://localhost:8080/v1", "LLAMA_API_KEY", quirks=options.LLAMA_CPP),
    "lm-studio": _at("lm-studio", "http://localhost:1234/v1", "LM_API_TOKEN", quirks=options.LOCAL),
    "ollama": _at("ollama", "http://localhost:11434/v1", "OLLAMA_API_KEY", quirks=options.OLLAMA),
    "vllm": _at("vllm", "http://localhost:8000/v1", "VLLM_API_KEY", quirks=options.VLLM),
    # Services.
    "cerebras": _at("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", quirks=options.CEREBRAS),
    "deepinfra": _at("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    "deepseek": _at("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", quirks=options.DEEPSEEK),
    "fireworks": _at("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", quirks=options.FIREWORKS),
    "gemini-chat": _at(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        quirks=options.GOOGLE,
    ),
    "groq": _at("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", quirks=options.GROQ),
    "huggingface": _at("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "mistral": _at("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", quirks=options.MISTRAL),
    "moonshot": _at("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", quirks=options.THINKING),
    "novita": _at("novita", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY"),
    "nvidia": _at("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    "ollama-cloud": _at("ollama-cloud", "https://ollama.com/v1", "OLLAMA_API_KEY", quirks=options.OLLAMA_CLOUD),
    "openrouter": _at("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", quirks=options.OPENROUTER),
    "perplexity": _at("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", "PPLX_API_KEY", quirks=options.PERPLEXITY),
    "qwen": _at(
        "qwen",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
        "QWEN_API_KEY",
        quirks=options.QWEN,
    ),
    "sambanova": _at("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    "together": _at("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "xai": _at("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
    "zai": _at("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", "Z_AI_API_KEY", quirks=options.THINKING),
}
"""Every compatible service by the name before the colon of `Engine.from_model("name:model")`."""
