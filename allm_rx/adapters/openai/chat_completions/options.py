"""How compatible services differ from OpenAI where the request differs, as data.

Rule 1: a difference has a name here; no encoder or decoder asks which service it talks to.
Rule 2: how answers differ is not here, because the decoder copes with every habit at once; `think_tags` is the one
exception, since only the caller can know whether `<think>` is markup or text.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

ThinkTags = Literal["tags", "inside"]
"""`tags`: reasoning stands between `<think>` and `</think>`; `inside`: the answer begins in it, without the first tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What a service wants otherwise; the defaults are OpenAI's own ways."""

    max_tokens: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """The field for the limit; OpenAI's reasoning models refuse the old one, many servers know no other."""
    system_role: Literal["system", "developer"] = "system"
    """The role of system messages."""
    seed: str = "seed"
    """The field for the seed."""
    reasoning: Literal["effort", "openrouter", "thinking", "enable_thinking"] = "effort"
    """How the wish to think is written: `reasoning_effort`, OpenRouter's `reasoning`, `thinking.type`, or Qwen's fields."""
    shows_reasoning: bool = False
    """Whether readable reasoning comes unasked; OpenAI gives none in this protocol."""
    reasoning_echo: Literal["reasoning", "reasoning_content"] | None = None
    """The field in which reasoning of earlier turns is given back; None gives none, as OpenAI refuses it."""
    reasoning_details: bool = False
    """Whether signed reasoning is given back as `reasoning_details`."""
    json_schema: bool = True
    """Whether it holds an answer to a JSON Schema; else the answer comes as the arguments of a forced tool, as text."""
    thinks_when_forced: bool = True
    """Whether it thinks when it has to call a tool; else thinking is turned off there, and refused when it is asked for."""
    required_choice: Literal["required", "any"] = "required"
    """The word of `tool_choice` for "call some tool"."""
    allowed_tools: bool = True
    """Whether `tool_choice` can name several tools; else only those are offered."""
    short_call_ids: bool = False
    """Whether ids of calls must be nine letters or digits; others are replaced, the same each time."""
    tool_name: bool = False
    """Whether a tool message also names the tool."""
    user_after_tool: bool = True
    """Whether a user message may follow tool messages; pictures of tool results travel in one."""
    image_urls: bool = True
    """Whether the service fetches pictures itself."""
    file_urls: bool = False
    """Whether it fetches documents."""
    file_ids: bool = True
    """Whether it knows files by an id."""
    refusals: bool = True
    """Whether a refusal of an earlier turn is sent as one, not as text."""
    prompt_cache: bool = True
    """Whether it takes `prompt_cache_key` and a retention; else it caches as it likes, or what is marked."""
    cache_marks: tuple[str, ...] = ()
    """Parts of the names of models that cache what `cache_control` marks; the marks are set for them."""
    hour_marks: tuple[str, ...] = ()
    """Those of them that keep it for an hour when told so."""
    include_usage: bool = True
    """Whether usage has to be asked for by `stream_options`."""
    key_header: str = "authorization"
    """The header of the key; any other than `authorization` carries it without `Bearer`."""
    auth_optional: bool = False
    """Whether it serves without a key, as local servers do."""
    think_tags: ThinkTags | None = None
    """Whether tags in the text of an answer mark reasoning."""
    body: Mapping[str, JsonValue] = field(default_factory=dict[str, "JsonValue"], hash=False)
    """Further fields of every request; options of the request win."""


OPENAI = Quirks()
AZURE = Quirks(key_header="api-key")
COMPATIBLE = Quirks(
    max_tokens="max_tokens", shows_reasoning=True, allowed_tools=False, file_ids=False, refusals=False, prompt_cache=False
)
"""What most servers understand; taken for a host that is not known."""

LOCAL = replace(COMPATIBLE, auth_optional=True)
OLLAMA = replace(LOCAL, reasoning_echo="reasoning", image_urls=False)
OLLAMA_CLOUD = replace(OLLAMA, auth_optional=False)
VLLM = replace(LOCAL, reasoning_echo="reasoning")
LLAMA_CPP = replace(LOCAL, reasoning_echo="reasoning_content")

CEREBRAS = replace(COMPATIBLE, max_tokens="max_completion_tokens", reasoning_echo="reasoning")
THINKING = replace(COMPATIBLE, reasoning="thinking", reasoning_echo="reasoning_content")
"""Kimi and GLM: they think unless told otherwise."""
DEEPSEEK = replace(THINKING, json_schema=False, thinks_when_forced=False)
FIREWORKS = replace(COMPATIBLE, reasoning_echo="reasoning_content")
GOOGLE = replace(COMPATIBLE, tool_name=True)
GROQ = replace(COMPATIBLE, max_tokens="max_completion_tokens")
MISTRAL = replace(
    COMPATIBLE,
    seed="random_seed",
    required_choice="any",
    short_call_ids=True,
    tool_name=True,
    user_after_tool=False,
    include_usage=False,
)
OPENROUTER = replace(
    COMPATIBLE,
    reasoning="openrouter",
    reasoning_details=True,
    file_urls=True,
    cache_marks=("anthropic/", "google/gemini", "qwen/"),
    hour_marks=("anthropic/",),
)
PERPLEXITY = replace(COMPATIBLE, think_tags="tags")
QWEN = replace(COMPATIBLE, reasoning="enable_thinking")

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})

_HOSTS: tuple[tuple[str, Quirks], ...] = (
    ("api.openai.com", OPENAI),
    ("openai.azure.com", AZURE),
    ("services.ai.azure.com", replace(COMPATIBLE, key_header="api-key")),
    ("aliyuncs.com", QWEN),
    ("api.cerebras.ai", CEREBRAS),
    ("api.deepseek.com", DEEPSEEK),
    ("api.fireworks.ai", FIREWORKS),
    ("api.groq.com", GROQ),
    ("api.mistral.ai", MISTRAL),
    ("api.moonshot.ai", THINKING),
    ("api.moonshot.cn", THINKING),
    ("api.perplexity.ai", PERPLEXITY),
    ("api.z.ai", THINKING),
    ("generativelanguage.googleapis.com", GOOGLE),
    ("ollama.com", OLLAMA_CLOUD),
    ("openrouter.ai", OPENROUTER),
)


def quirks_of(base_url: str) -> Quirks:
    """Give the ways of the service at an address, so that a pasted address works.

    An unknown host gets `COMPATIBLE`, one on this machine need not have a key.
    """
    address = urlsplit(base_url)
    host = address.hostname or ""
    if host in _LOOPBACK:
        return OLLAMA if address.port == 11434 else LOCAL
    for known, quirks in _HOSTS:
        if host == known or host.endswith(f".{known}"):
            return quirks
    return COMPATIBLE
