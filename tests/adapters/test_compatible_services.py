"""Model options at services that speak the Chat Completions API in words of their own."""

from typing import Any

import pytest

from allm_rx.data.requests import AllowedTools, PromptCache, Reasoning
from tests.adapters.option_bodies import ANSWERING, TOOLS, UNASKED, Outcome, Point, hold

SERVICES: dict[tuple[str, str], tuple[dict[str, Any], Outcome]] = {
    # a service's address and an option: its value, and what comes of it
    ("https://llm.example.com/v1", "max_tokens"): ({"max_tokens": 9}, {"max_tokens": 9}),
    ("https://llm.example.com/v1", "allowed"): (
        {"tools": TOOLS, "tool_choice": AllowedTools(names=("look",), mode="required")},
        {
            "tools": [
                {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": TOOLS[0].parameters}}
            ],
            "tool_choice": "required",
        },
    ),
    ("https://llm.example.com/v1", "summary=auto"): ({"reasoning": Reasoning(summary="auto")}, UNASKED),
    ("https://llm.example.com/v1", "summary=none"): ({"reasoning": Reasoning(summary="none")}, "reasoning.summary"),
    ("https://llm.example.com/v1", "summary=concise"): ({"reasoning": Reasoning(summary="concise")}, "reasoning.summary"),
    ("https://llm.example.com/v1", "cache"): ({"prompt_cache": True}, UNASKED),
    ("https://llm.example.com/v1", "cache.key"): ({"prompt_cache": PromptCache(key="k")}, "prompt_cache.key"),
    ("https://llm.example.com/v1", "cache.retention"): (
        {"prompt_cache": PromptCache(retention="long")},
        "prompt_cache.retention",
    ),
    ("https://openrouter.ai/api/v1", "effort"): ({"reasoning": "low"}, {"reasoning": {"effort": "low"}}),
    ("https://openrouter.ai/api/v1", "budget"): (
        {"reasoning": Reasoning(budget_tokens=9)},
        {"reasoning": {"max_tokens": 9}},
    ),
    ("https://openrouter.ai/api/v1", "both"): ({"reasoning": Reasoning(effort="low", budget_tokens=9)}, "reasoning"),
    ("https://openrouter.ai/api/v1", "cache.key"): ({"prompt_cache": PromptCache(key="k")}, "prompt_cache.key"),
    ("https://openrouter.ai/api/v1", "summary=none"): (
        {"reasoning": Reasoning(summary="none")},
        {"reasoning": {"exclude": True}},
    ),
    ("https://api.deepseek.com", "effort"): ({"reasoning": "low"}, {"thinking": {"type": "enabled"}}),
    ("https://api.deepseek.com", "off"): ({"reasoning": "none"}, {"thinking": {"type": "disabled"}}),
    ("https://api.deepseek.com", "response_format=class"): (
        {"response_format": Point},
        {
            "tools": [{"type": "function", "function": ANSWERING}],
            "tool_choice": {"type": "function", "function": {"name": "answer_as_json"}},
            "thinking": {"type": "disabled"},
        },
    ),
    ("https://api.deepseek.com", "choice and effort"): (
        {"tools": TOOLS, "tool_choice": "required", "reasoning": "low"},
        "tool_choice",
    ),
    ("https://api.mistral.ai/v1", "seed"): ({"seed": 7}, {"random_seed": 7}),
    ("https://api.mistral.ai/v1", "choice"): ({"tools": TOOLS, "tool_choice": "required"}, {"tool_choice": "any"}),
    ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "budget"): (
        {"reasoning": Reasoning(budget_tokens=9)},
        {"enable_thinking": True, "thinking_budget": 9},
    ),
}
"""What differs at services that speak the Chat Completions API."""


@pytest.mark.parametrize(("service", "option"), SERVICES, ids=str)
def test_compatible_service_gets_its_own_words(service: str, option: str) -> None:
    """Services that speak the same protocol with other words are told in theirs, or the option is refused."""
    fields, outcome = SERVICES[service, option]

    hold("openai-chat", fields, outcome, base_url=service)
