"""Every model option at every provider: in the body as the provider wants it, or refused before anything is sent."""

from typing import Any, get_args

import pytest

from allm_rx import generate
from allm_rx.adapters import Anthropic
from allm_rx.data.requests import AllowedTools, Effort, PromptCache, Reasoning, Request, json_schema
from allm_rx.errors import ValidationError
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.options import MODEL
from tests.adapters.option_bodies import CLOSED, HI, SCHEMA, TOOLS, UNASKED, Body, Outcome, Point, hold
from tests.adapters.providers import CALL, PROVIDERS, Desk, Provider
from tests.loopback import KEY

BARE = {name: value for name, value in SCHEMA.items() if name != "description"}


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

CELLS: dict[tuple[str, str], tuple[dict[str, Any], Outcome]] = {
    (provider.name, option): (row[0], outcome)
    for option, row in ROWS.items()
    for provider, outcome in zip(PROVIDERS, row[1:], strict=True)
}


@pytest.mark.parametrize(("provider", "option"), CELLS)
def test_option_is_in_the_body_or_refused(provider: str, option: str) -> None:
    """An option adds its own fields and no others, as the vendor's package has them; or pre-flight names option and provider."""
    fields, outcome = CELLS[provider, option]

    hold(provider, fields, outcome)


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
