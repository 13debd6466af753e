"""How requests are written in the Messages API."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from allm_rx.adapters.anthropic.auth import Auth, auth_headers
from allm_rx.adapters.anthropic.messages.encode import encode, encode_body
from allm_rx.adapters.anthropic.messages.options import DEFAULT_MAX_TOKENS
from allm_rx.data.messages import Message, assistant, system, user
from allm_rx.data.parts import TextPart
from allm_rx.data.requests import AllowedTools, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.wire.http import WireRequest
from tests.adapters.anthropic.accepted import accepted

TIDE = Tool(name="tide", description="Water at a port", parameters={"type": "object", "properties": {"port": {"type": "string"}}})
WIND = Tool(name="wind")
SEARCH = provider_tool("anthropic.messages", {"type": "web_search_20250305", "name": "web_search", "max_uses": 2})
EPHEMERAL = {"type": "ephemeral"}
OLDER = ("temperature", "top_p")
"""What only the older version of the API has; the package knows the newer one."""


def body_of(*messages: Message, **options: Any) -> dict[str, Any]:
    """The body of a request that the vendor's own models take whole."""
    request = Request(**{"messages": messages or (user("Hi"),), "model": "claude-opus-4-6", **options})
    body = encode_body(request)
    known = accepted(body)
    assert {name: value for name, value in body.items() if name not in OLDER} == known
    return body


def wire_of(auth: Auth = "x-api-key", api_version: str = "2023-06-01", betas: Sequence[str] = ()) -> WireRequest:
    """The HTTP request for a short one."""
    headers = auth_headers(SecretStr("sk-ant-quay"), auth=auth, api_version=api_version, betas=betas)
    request = Request(messages=(user("Hi"),), model="m")
    return encode(request, base_url="https://quay.example/", auth=headers, headers={"X-Ship": "1"})


def test_body_of_a_plain_request() -> None:
    """What is not given is left out, but for the limit, which the API requires."""
    assert body_of() == {
        "model": "claude-opus-4-6",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "stream": True,
    }


def test_options_go_to_their_fields() -> None:
    """Options are written under the provider's names."""
    body = body_of(temperature=0.5, top_p=0.9, max_tokens=100, stop="END")

    assert {name: body[name] for name in ("temperature", "top_p", "max_tokens", "stop_sequences")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 100,
        "stop_sequences": ["END"],
    }


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-3-haiku-20240307", 4096),
        ("claude-3-5-sonnet-latest", 8192),
        ("claude-3-7-sonnet-20250219", DEFAULT_MAX_TOKENS),
        ("claude-sonnet-4-5-20250929", DEFAULT_MAX_TOKENS),
        ("claude-of-the-future", DEFAULT_MAX_TOKENS),
        ("kimi-k2", 8192),
    ],
)
def test_limit_is_what_the_model_can_do(model: str, expected: int) -> None:
    """Without `max_tokens` an answer may be as long as the model of that name can make it."""
    assert body_of(model=model)["max_tokens"] == expected


# Who asks.


def test_request_goes_to_the_messages_endpoint() -> None:
    """The URL is made as the vendor's package makes it, and headers of the caller join ours."""
    wire = wire_of()

    assert (wire.method, wire.url) == ("POST", "https://quay.example/v1/messages")
    assert wire.plain_headers() == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-ant-quay",
        "x-ship": "1",
    }


def test_bearer_version_and_betas() -> None:
    """The key can go as a bearer token; version and betas are headers."""
    headers = wire_of(auth="bearer", api_version="2026-10-21", betas=["a-2025", "b-2026", "a-2025"]).plain_headers()

    assert headers["authorization"] == "Bearer sk-ant-quay"
    assert "x-api-key" not in headers
    assert (headers["anthropic-version"], headers["anthropic-beta"]) == ("2026-10-21", "a-2025,b-2026")


@pytest.mark.parametrize("auth", ["x-api-key", "bearer"])
def test_key_is_not_shown(auth: Auth) -> None:
    """The repr of a request hides the key, however it is sent."""
    assert "sk-ant-quay" not in repr(wire_of(auth=auth))


def test_query_of_the_base_url_stays() -> None:
    """A gateway's parameters stay behind the path."""
    wire = encode(Request(messages=(user("Hi"),)), base_url="https://quay.example/llm?tenant=7", auth={}, headers={})

    assert wire.url == "https://quay.example/llm/v1/messages?tenant=7"


def test_same_request_gives_the_same_bytes() -> None:
    """A request from JSON is byte-identical to the one it was made from."""
    request = Request(messages=(system("Be brief."), user("Hi")), model="m", tools=(TIDE,), reasoning=Reasoning(effort="low"))
    again = Request.model_validate_json(request.model_dump_json())

    first, second = (encode(item, base_url="https://quay.example", auth={}, headers={}) for item in (request, again))

    assert first.body == second.body


# Tools.


def test_tools_are_described() -> None:
    """Our tools are named, described and have a schema; a tool of the provider is sent as it is."""
    body = body_of(tools=[TIDE, WIND, SEARCH])

    assert body["tools"] == [
        {
            "name": "tide",
            "description": "Water at a port",
            "input_schema": {"type": "object", "properties": {"port": {"type": "string"}}},
        },
        {"name": "wind", "input_schema": {"type": "object", "properties": {}}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ]


def test_strict_tool_has_a_closed_schema() -> None:
    """A strict tool says so, and its schema is in the subset that can be held to."""
    (tool,) = body_of(tools=[TIDE.replace(strict=True)])["tools"]

    assert (tool["strict"], tool["input_schema"]["additionalProperties"]) == (True, False)


@pytest.mark.parametrize(
    ("choice", "wire", "offered"),
    [
        (None, None, ["tide", "wind"]),
        ("auto", {"type": "auto"}, ["tide", "wind"]),
        ("none", {"type": "none"}, ["tide", "wind"]),
        ("required", {"type": "any"}, ["tide", "wind"]),
        ("wind", {"type": "tool", "name": "wind"}, ["tide", "wind"]),
        (AllowedTools(names=("wind",)), {"type": "auto"}, ["wind"]),
        (AllowedTools(names=("wind",), mode="required"), {"type": "tool", "name": "wind"}, ["tide", "wind"]),
        (AllowedTools(names=("wind", "tide"), mode="required"), {"type": "any"}, ["tide", "wind"]),
    ],
)
def test_tool_choice(choice: Any, wire: Any, offered: list[str]) -> None:
    """Every form of choice has its own; of allowed tools the others are not offered."""
    body = body_of(tools=[TIDE, WIND], tool_choice=choice)

    assert body.get("tool_choice") == wire
    assert [tool["name"] for tool in body["tools"]] == offered


def test_choice_without_tools_is_not_sent() -> None:
    """A choice among no tools is refused by the API, and says nothing."""
    assert "tool_choice" not in body_of(tool_choice="auto")


@pytest.mark.parametrize(("choice", "kind"), [(None, "auto"), ("required", "any")])
def test_parallel_calls_are_turned_off_by_the_providers_option(choice: str | None, kind: str) -> None:
    """The option joins the choice that is there, or makes one."""
    body = body_of(tools=[TIDE], tool_choice=choice, provider_options={"tool_choice": {"disable_parallel_tool_use": True}})

    assert body["tool_choice"] == {"type": kind, "disable_parallel_tool_use": True}


# Thinking.


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "effort"),
    [
        ("claude-opus-4-6", {"effort": "high"}, {"type": "adaptive"}, "high"),
        ("claude-opus-4-6", {"effort": "minimal"}, {"type": "adaptive"}, "low"),
        ("claude-opus-4-6", {"budget_tokens": 2000}, {"type": "enabled", "budget_tokens": 2000}, None),
        ("claude-opus-4-6", {"effort": "max", "budget_tokens": 2000}, {"type": "enabled", "budget_tokens": 2000}, "max"),
        ("claude-opus-4-6", {"summary": "auto"}, {"type": "adaptive", "display": "summarized"}, None),
        ("claude-opus-4-6", {"effort": "low", "summary": "none"}, {"type": "adaptive", "display": "omitted"}, "low"),
        ("claude-opus-4-6", {"summary": "none"}, {"type": "adaptive", "display": "omitted"}, None),
        ("claude-opus-4-6", {"effort": "none"}, {"type": "disabled"}, None),
        ("claude-opus-4-6", {"budget_tokens": 0}, {"type": "disabled"}, None),
        ("claude-sonnet-4-5", {"effort": "low"}, {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-sonnet-4-5", {"effort": "max"}, {"type": "enabled", "budget_tokens": 30976}, None),
        ("claude-sonnet-4-5", {"summary": "none"}, None, None),
        ("claude-3-7-sonnet-20250219", {"budget_tokens": 5000}, {"type": "enabled", "budget_tokens": 5000}, None),
        ("claude-opus-4-7", {"budget_tokens": 2000}, {"type": "adaptive"}, "low"),
        ("claude-fable-5-1", {"budget_tokens": 60_000}, {"type": "adaptive"}, "max"),
        ("some-model", {"effort": "xhigh"}, {"type": "adaptive"}, "xhigh"),
        ("some-model", {"budget_tokens": 1024}, {"type": "enabled", "budget_tokens": 1024}, None),
    ],
)
def test_thinking_is_asked_for_as_the_model_knows_it(
    model: str, reasoning: dict[str, Any], thinking: dict[str, Any] | None, effort: str | None
) -> None:
    """Efforts and budgets become what a model of that version takes."""
    body = body_of(model=model, reasoning=Reasoning(**reasoning))

    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_limit_leaves_room_behind_the_budget() -> None:
    """Without `max_tokens` a large budget raises the limit above it."""
    body = body_of(model="claude-sonnet-4-5", reasoning=Reasoning(budget_tokens=50_000))

    assert body["max_tokens"] > body["thinking"]["budget_tokens"] == 50_000


def test_effort_shrinks_to_the_limit() -> None:
    """A budget that stands for an effort leaves the answer its tokens."""
    body = body_of(model="claude-sonnet-4-5", reasoning=Reasoning(effort="high"), max_tokens=4096)

    assert body["thinking"]["budget_tokens"] == 3072


# Structured output.


class Ship(BaseModel):
    name: str
    masts: int


def test_schema_is_held_to() -> None:
    """A pydantic class is a format of the output, beside an effort."""
    body = body_of(response_format=Ship, reasoning=Reasoning(effort="low"))

    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "title": "Ship",
            "properties": {"name": {"type": "string", "title": "Name"}, "masts": {"type": "integer", "title": "Masts"}},
            "required": ["name", "masts"],
            "additionalProperties": False,
        },
    }


def test_description_of_a_format_is_the_schemas() -> None:
    """What a format is for goes where the model reads it."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}

    body = body_of(response_format=json_schema(schema, description="How many"))

    assert body["output_config"]["format"]["schema"]["description"] == "How many"


def test_text_is_no_format() -> None:
    """Plain text is what comes anyway."""
    assert "output_config" not in body_of(response_format="text")


# The prompt cache, and what is said in the provider's own words.


@pytest.mark.parametrize(("cache", "mark"), [(True, EPHEMERAL), ({"retention": "long", "key": "k"}, {**EPHEMERAL, "ttl": "1h"})])
def test_prompt_cache_marks_the_ends(cache: Any, mark: dict[str, str]) -> None:
    """The last tool, the end of the system prompt and the last message are marked, and nothing else."""
    body = body_of(system("Be brief."), user("One"), assistant("Two"), user("Three"), tools=[WIND, TIDE], prompt_cache=cache)

    assert body["tools"][-1]["cache_control"] == mark
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    assert body["messages"][-1]["content"][-1] == {"type": "text", "text": "Three", "cache_control": mark}
    assert repr(body).count("cache_control") == 3


def test_prompt_cache_passes_over_what_cannot_be_marked() -> None:
    """Tools that load later and thoughts take no mark."""
    later = provider_tool("anthropic.messages", {"name": "sail", "input_schema": {"type": "object"}, "defer_loading": True})

    body = body_of(tools=[TIDE, later], prompt_cache=True)

    assert ["cache_control" in tool for tool in body["tools"]] == [True, False]


def test_mark_of_the_caller_stays() -> None:
    """A mark that is there already is not replaced."""
    own = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}

    body = body_of(user([TextPart(text="Long", provider_data={"anthropic.messages": own})]), prompt_cache=True)

    assert body["messages"][0]["content"] == [{"type": "text", "text": "Long", **own}]


def test_provider_options_go_in_last() -> None:
    """Options in the provider's words are merged deeply and win."""
    options = {"output_config": {"effort": "max"}, "max_tokens": 7, "metadata": {"user_id": "u"}}

    body = body_of(response_format=Ship, max_tokens=9, provider_options=options)

    assert (body["max_tokens"], body["metadata"]) == (7, {"user_id": "u"})
    assert set(body["output_config"]) == {"effort", "format"}
