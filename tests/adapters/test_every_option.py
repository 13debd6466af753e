"""Every model option at every provider: in the body as the provider wants it, or refused before anything is sent."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from allm_rx import generate
from allm_rx.adapters import Anthropic
from allm_rx.data.messages import user
from allm_rx.data.requests import AllowedTools, Effort, PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool
from allm_rx.errors import ValidationError
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.options import MODEL
from tests.adapters.providers import BY_NAME, CALL, PROVIDERS, Desk, Provider
from tests.loopback import KEY


class Point(BaseModel):
    """A place on the water."""

    x: int


HI = (user("Hi"),)
TOOLS = (Tool(name="look", description="Look."), Tool(name="row", description="Row."))
SCHEMA = Point.model_json_schema()
CLOSED = {**SCHEMA, "additionalProperties": False}
ANSWERING = {
    "name": "answer_as_json",
    "description": "Give your final answer by calling this tool, once.",
    "parameters": CLOSED,
}
BARE = {name: value for name, value in SCHEMA.items() if name != "description"}

Body = dict[str, Any]
UNASKED: Body = {}
"""The provider does so anyway, so that nothing has to be said."""

Outcome = Body | str
"""What the option adds to the body, field by field; or the path at which it is refused."""


def config(**fields: Any) -> Body:
    """What Gemini is told in its `generationConfig`."""
    return {"generationConfig": fields}


def thinking(**fields: Any) -> Body:
    """What Gemini is told about thinking."""
    return config(thinkingConfig=fields)


def calling(mode: str, *names: str) -> Body:
    """What Gemini is told about calling functions."""
    allowed = {"allowedFunctionNames": list(names)} if names else {}
    return {"toolConfig": {"functionCallingConfig": {"mode": mode, **allowed}}}


def claude(kind: str, effort: str | None = None, **fields: Any) -> Body:
    """What Anthropic is told about thinking."""
    effort_field = {"output_config": {"effort": effort}} if effort else {}
    return {"thinking": {"type": kind, **fields}, **effort_field}


def chosen(*names: str, mode: str = "auto") -> Body:
    """What the Chat Completions API is told about several tools."""
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}}


def marked(**mark: Any) -> Body:
    """What Anthropic is told to keep in its cache."""
    block = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", **mark}}
    return {"messages": [{"role": "user", "content": [block]}]}


ROWS: dict[str, tuple[dict[str, Any], Outcome, Outcome, Outcome, Outcome]] = {
    # option: its value; then Anthropic, Gemini, OpenAI (Responses), OpenAI (Chat Completions)
    "temperature": (
        {"temperature": 0.5},
        {"temperature": 0.5},
        config(temperature=0.5),
        {"temperature": 0.5},
        {"temperature": 0.5},
    ),
    "temperature=2": (
        {"temperature": 2},
        "temperature",
        config(temperature=2.0),
        {"temperature": 2.0},
        {"temperature": 2.0},
    ),
    "top_p": ({"top_p": 0.5}, {"top_p": 0.5}, config(topP=0.5), {"top_p": 0.5}, {"top_p": 0.5}),
    "max_tokens": (
        {"max_tokens": 3000},
        {"max_tokens": 3000},
        config(maxOutputTokens=3000),
        {"max_output_tokens": 3000},
        {"max_completion_tokens": 3000},
    ),
    "stop": (
        {"stop": ["END", "."]},
        {"stop_sequences": ["END", "."]},
        config(stopSequences=["END", "."]),
        "stop",
        {"stop": ["END", "."]},
    ),
    "seed": ({"seed": 7}, "seed", config(seed=7), "seed", {"seed": 7}),
    "tool_choice=auto": (
        {"tools": TOOLS, "tool_choice": "auto"},
        {"tool_choice": {"type": "auto"}},
        calling("AUTO"),
        {"tool_choice": "auto"},
        {"tool_choice": "auto"},
    ),
    "tool_choice=none": (
        {"tools": TOOLS, "tool_choice": "none"},
        {"tool_choice": {"type": "none"}},
        calling("NONE"),
        {"tool_choice": "none"},
        {"tool_choice": "none"},
    ),
    "tool_choice=required": (
        {"tools": TOOLS, "tool_choice": "required"},
        {"tool_choice": {"type": "any"}},
        calling("ANY"),
        {"tool_choice": "required"},
        {"tool_choice": "required"},
    ),
    "tool_choice=row": (
        {"tools": TOOLS, "tool_choice": "row"},
        {"tool_choice": {"type": "tool", "name": "row"}},
        calling("ANY", "row"),
        {"tool_choice": {"type": "function", "name": "row"}},
        {"tool_choice": {"type": "function", "function": {"name": "row"}}},
    ),
    "tool_choice=some": (
        {"tools": TOOLS, "tool_choice": AllowedTools(names=("row",))},
        {"tools": [{"name": "row", "description": "Row.", "input_schema": TOOLS[1].parameters}], "tool_choice": {"type": "auto"}},
        calling("VALIDATED", "row"),
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "row"}]}},
        chosen("row"),
    ),
    "tool_choice=one of some": (
        {"tools": TOOLS, "tool_choice": AllowedTools(names=("look", "row"), mode="required")},
        {"tool_choice": {"type": "any"}},
        calling("ANY", "look", "row"),
        {
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "look"}, {"type": "function", "name": "row"}],
            }
        },
        chosen("look", "row", mode="required"),
    ),
    "response_format=text": (
        {"response_format": "text"},
        UNASKED,
        UNASKED,
        {"text": {"format": {"type": "text"}}},
        {"response_format": {"type": "text"}},
    ),
    "response_format=json_object": (
        {"response_format": "json_object"},
        "response_format",
        config(responseMimeType="application/json"),
        {"text": {"format": {"type": "json_object"}}},
        {"response_format": {"type": "json_object"}},
    ),
    "response_format=class": (
        {"response_format": Point},
        {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
        config(responseMimeType="application/json", responseJsonSchema=SCHEMA),
        {"text": {"format": {"type": "json_schema", "name": "Point", "schema": CLOSED, "strict": True}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "Point", "schema": CLOSED, "strict": True},
            }
        },
    ),
    "response_format=schema": (
        {"response_format": json_schema(BARE, name="place", strict=False, description="Where.")},
        {"output_config": {"format": {"type": "json_schema", "schema": {**CLOSED, "description": "Where."}}}},
        config(responseMimeType="application/json", responseJsonSchema={**BARE, "description": "Where."}),
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "place",
                    "description": "Where.",
                    "schema": BARE,
                    "strict": False,
                }
            }
        },
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "place", "description": "Where.", "schema": BARE, "strict": False},
            }
        },
    ),
    "reasoning=none": (
        {"reasoning": "none"},
        claude("disabled"),
        "reasoning.effort",
        {"reasoning": {"effort": "none"}},
        {"reasoning_effort": "none"},
    ),
    "reasoning=minimal": (
        {"reasoning": "minimal"},
        claude("adaptive", "low"),
        thinking(thinkingLevel="MINIMAL"),
        {"reasoning": {"effort": "minimal"}},
        {"reasoning_effort": "minimal"},
    ),
    **{
        f"reasoning={effort}": (
            {"reasoning": effort},
            claude("adaptive", effort),
            thinking(thinkingLevel=effort.upper() if effort in ("low", "medium", "high") else "HIGH"),
            {"reasoning": {"effort": effort}},
            {"reasoning_effort": effort},
        )
        for effort in ("low", "medium", "high", "xhigh", "max")
    },
    "reasoning.budget_tokens": (
        {"reasoning": Reasoning(budget_tokens=4096)},
        claude("enabled", budget_tokens=4096),
        thinking(thinkingBudget=4096),
        "reasoning.budget_tokens",
        {"reasoning_effort": "medium"},
    ),
    "reasoning.effort and budget_tokens": (
        {"reasoning": Reasoning(effort="high", budget_tokens=4096)},
        claude("enabled", "high", budget_tokens=4096),
        "reasoning",
        "reasoning.budget_tokens",
        "reasoning",
    ),
    "reasoning.summary=auto": (
        {"reasoning": Reasoning(summary="auto")},
        claude("adaptive", display="summarized"),
        thinking(includeThoughts=True),
        {"reasoning": {"summary": "auto"}},
        "reasoning.summary",
    ),
    **{
        f"reasoning.summary={kind}": (
            {"reasoning": Reasoning(summary=kind)},
            claude("adaptive", display="summarized"),
            thinking(includeThoughts=True),
            {"reasoning": {"summary": kind}},
            "reasoning.summary",
        )
        for kind in ("concise", "detailed")
    },
    "reasoning.summary=none": (
        {"reasoning": Reasoning(summary="none")},
        claude("adaptive", display="omitted"),
        thinking(includeThoughts=False),
        UNASKED,
        UNASKED,
    ),
    "prompt_cache": ({"prompt_cache": True}, marked(), UNASKED, UNASKED, UNASKED),
    "prompt_cache.key": (
        {"prompt_cache": PromptCache(key="k")},
        "prompt_cache.key",
        "prompt_cache.key",
        {"prompt_cache_key": "k"},
        {"prompt_cache_key": "k"},
    ),
    "prompt_cache.retention": (
        {"prompt_cache": PromptCache(retention="long")},
        marked(ttl="1h"),
        "prompt_cache.retention",
        {"prompt_cache_retention": "24h"},
        {"prompt_cache_retention": "24h"},
    ),
}

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

CELLS: dict[tuple[str, str], tuple[dict[str, Any], Outcome]] = {
    (provider.name, option): (row[0], outcome)
    for option, row in ROWS.items()
    for provider, outcome in zip(PROVIDERS, row[1:], strict=True)
}


def added(provider: str, fields: dict[str, Any], **adapter: Any) -> Body:
    """Give the fields of the body that an option changes; the tools are there without it."""
    asked = BY_NAME[provider]
    plain = asked.sent(Request(messages=HI, tools=fields.get("tools", ())), **adapter)
    body = asked.sent(Request(messages=HI, **fields), **adapter)
    if not adapter:  # others have words of their own
        asked.accepted(body)
    assert plain.keys() - body.keys() == set()
    return {name: value for name, value in body.items() if plain.get(name) != value}


def hold(provider: str, fields: dict[str, Any], outcome: Outcome, **adapter: Any) -> None:
    """Hold an option at a provider against what is to come of it."""
    if not isinstance(outcome, str):
        assert added(provider, fields, **adapter) == outcome
        return
    with pytest.raises(ValidationError) as raised:
        BY_NAME[provider].sent(Request(messages=HI, **fields), **adapter)
    (issue,) = raised.value.errors
    assert (raised.value.reason, raised.value.provider) == ("unsupported_capability", "openai" if adapter else _named(provider))
    assert ".".join(map(str, issue.path)) == outcome
    assert _named(provider) in issue.message


def _named(provider: str) -> str:
    return "openai" if provider == "openai-chat" else provider


@pytest.mark.parametrize(("provider", "option"), CELLS)
def test_option_is_in_the_body_or_refused(provider: str, option: str) -> None:
    """An option adds its own fields and no others, as the vendor's package has them; or pre-flight names option and provider."""
    fields, outcome = CELLS[provider, option]

    hold(provider, fields, outcome)


@pytest.mark.parametrize(("service", "option"), SERVICES, ids=str)
def test_compatible_service_gets_its_own_words(service: str, option: str) -> None:
    """Services that speak the same protocol with other words are told in theirs, or the option is refused."""
    fields, outcome = SERVICES[service, option]

    hold("openai-chat", fields, outcome, base_url=service)


def test_every_option_has_its_rows() -> None:
    """No model option is left out, and no word of those that have words."""
    told = {option.partition("=")[0].partition(".")[0] for option in ROWS}

    assert told == MODEL - {"model", "tools", "provider_options"}
    assert {f"reasoning={effort}" for effort in get_args(Effort)} <= ROWS.keys()
    assert {f"reasoning.{name}" for name in ("budget_tokens", "summary=auto", "summary=none")} <= ROWS.keys()


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_provider_options_have_the_last_word(provider: Provider) -> None:
    """What is said in the provider's own words goes in last, as it is."""
    body = provider.sent(Request(messages=HI, temperature=0.5, provider_options={"temperature": 0.1, "fog": {"dense": True}}))

    assert (body["temperature"], body["fog"]) == (0.1, {"dense": True})


def test_refusal_is_raised_at_the_call() -> None:
    """Whoever makes the call sees the refusal there, and nothing is sent."""
    desk = Desk()
    engine = Engine(adapter=Anthropic(api_key=KEY, transport=desk), model="claude-opus-4-6")

    with pytest.raises(ValidationError, match="anthropic has no seed, but 7 is given"):
        generate(engine, "Hi", seed=7)

    assert desk.sent == []


@pytest.mark.parametrize(
    ("model", "fields", "path"),
    [
        ("claude-sonnet-4-5", {"reasoning": Reasoning(effort="high", budget_tokens=4096)}, "reasoning"),
        ("claude-opus-4-7", {"reasoning": Reasoning(effort="high", budget_tokens=4096)}, "reasoning"),
        ("claude-opus-4-6", {"reasoning": Reasoning(effort="none", budget_tokens=4096)}, "reasoning"),
        ("claude-opus-4-6", {"reasoning": "low", "temperature": 0.5}, "temperature"),
        ("claude-opus-4-6", {"reasoning": "low", "tools": TOOLS, "tool_choice": "required"}, "tool_choice"),
    ],
)
def test_options_that_exclude_each_other_are_refused(model: str, fields: dict[str, Any], path: str) -> None:
    """What Anthropic's models cannot do together is found before anything is sent."""
    with pytest.raises(ValidationError) as raised:
        Anthropic(api_key=KEY).preflight(Request(messages=HI, model=model, **fields), CALL)

    assert [".".join(map(str, issue.path)) for issue in raised.value.errors] == [path]
