"""What a request looks like on the wire, but for its messages."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from allm_rx.adapters.openai.chat_completions import options
from allm_rx.adapters.openai.chat_completions.encode import encode, encode_body, endpoint
from allm_rx.adapters.openai.chat_completions.options import OPENAI, Quirks, quirks_of
from allm_rx.data.messages import assistant, system, tool_result, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import AllowedTools, PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from tests.adapters.openai.chat_bodies import body, said

LOOK = Tool(name="look", description="Look somewhere.", parameters={"type": "object", "properties": {"at": {"type": "string"}}})


def test_smallest_request() -> None:
    """What is not given is not sent; usage is asked for."""
    assert body() == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_request_is_deterministic_and_compact() -> None:
    """The same request gives the same bytes, without spaces."""
    request = Request(messages=(system("Be brief."), user("Hi")), model="m", tools=(LOOK,), temperature=0.5)
    twice = [encode(request, quirks=OPENAI, base_url="https://x/v1", key=None, headers={}).body for _ in range(2)]

    assert twice[0] == twice[1]
    assert b'{"model":"m","messages":[{"role":"system","content":"Be brief."},' in twice[0]


def test_key_is_hidden_and_headers_win() -> None:
    """The key is a secret in a header; the caller's headers come last, whatever their case."""
    wire = encode(
        Request(messages=(user("Hi"),)),
        quirks=OPENAI,
        base_url="https://x/v1",
        key=SecretStr("lake-key"),
        headers={"Accept": "text/plain", "OpenAI-Project": "p"},
    )

    assert wire.plain_headers() == {
        "content-type": "application/json",
        "accept": "text/plain",
        "authorization": "Bearer lake-key",
        "openai-project": "p",
    }
    assert "lake-key" not in repr(wire)


def test_key_header_of_azure_has_no_bearer() -> None:
    """Azure takes the bare key under another name."""
    wire = encode(
        Request(messages=(user("Hi"),)), quirks=options.AZURE, base_url="https://x/v1", key=SecretStr("lake-key"), headers={}
    )

    assert wire.plain_headers()["api-key"] == "lake-key"
    assert "authorization" not in wire.headers


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        (
            "https://a.example/openai/deployments/d?api-version=7",
            "https://a.example/openai/deployments/d/chat/completions?api-version=7",
        ),
    ],
)
def test_base_url_means_what_it_means_in_openai_s_package(base_url: str, url: str) -> None:
    """The path is appended, a trailing slash is tolerated, a query stays at the end."""
    assert endpoint(base_url) == url


def test_options_have_their_names() -> None:
    """Every option of the model group has its field."""
    sent = body(
        temperature=0.0,
        top_p=0.9,
        max_tokens=10,
        stop=("END",),
        seed=7,
        reasoning=Reasoning(effort="low"),
        prompt_cache=PromptCache(key="k", retention="long"),
        response_format="json_object",
    )

    assert {name: sent[name] for name in sent if name not in ("model", "messages", "stream", "stream_options")} == {
        "temperature": 0.0,
        "top_p": 0.9,
        "max_completion_tokens": 10,
        "stop": ["END"],
        "seed": 7,
        "reasoning_effort": "low",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "response_format": {"type": "json_object"},
    }


def test_provider_options_are_merged_deeply_and_last() -> None:
    """The provider's own words win, and change only what they name."""
    sent = body(
        temperature=0.5, provider_options={"temperature": 1, "stream_options": {"include_obfuscation": False}, "logprobs": True}
    )

    assert sent["temperature"] == 1
    assert sent["logprobs"] is True
    assert sent["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_tools_have_their_form() -> None:
    """A function tool with what is known of it, a provider's tool as it is."""
    custom = {"type": "custom", "custom": {"name": "sing"}}

    sent = body(tools=(LOOK, Tool(name="bare"), provider_tool("openai.chat", custom)))

    assert sent["tools"] == [
        {"type": "function", "function": {"name": "look", "description": "Look somewhere.", "parameters": dict(LOOK.parameters)}},
        {"type": "function", "function": {"name": "bare", "parameters": {"type": "object", "properties": {}}}},
        custom,
    ]
    assert "tool_choice" not in sent


def test_strict_tool_gets_a_strict_schema() -> None:
    """Strict mode wants closed objects that require everything."""
    sent = body(tools=(LOOK.replace(strict=True),))["tools"][0]["function"]

    assert sent["strict"] is True
    assert sent["parameters"] == {
        "type": "object",
        "properties": {"at": {"type": "string"}},
        "additionalProperties": False,
        "required": ["at"],
    }


NAMED = {"type": "function", "function": {"name": "look"}}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("look", NAMED),
        (
            AllowedTools(names=("look",), mode="required"),
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
        ),
        ("custom", {"type": "custom", "custom": {"name": "sing"}}),
    ],
)
def test_tool_choice_has_every_form(choice: Any, sent: Any) -> None:
    """A word, a tool, or several tools."""
    tools = (LOOK, provider_tool("openai.chat", {"type": "custom", "custom": {"name": "sing"}}))

    assert body(tools=tools, tool_choice=choice)["tool_choice"] == sent


def test_choice_without_tools_is_left_out() -> None:
    """Servers refuse a choice among nothing."""
    assert "tool_choice" not in body(tool_choice="none")


def test_allowed_tools_are_the_only_ones_where_no_form_exists() -> None:
    """A service that cannot be told which tools are allowed is offered only those."""
    sent = body(tools=(LOOK, Tool(name="hear")), tool_choice=AllowedTools(names=("hear",)), quirks=options.COMPATIBLE)

    assert [tool["function"]["name"] for tool in sent["tools"]] == ["hear"]
    assert sent["tool_choice"] == "auto"


def test_schema_of_an_answer_has_its_form() -> None:
    """A schema goes with its name, description and strictness; strict ones are closed."""
    wanted = json_schema({"type": "object", "properties": {"a": {"type": "integer"}}}, name="My[int]", description="d")

    assert body(response_format=wanted)["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "My_int_",
            "description": "d",
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "additionalProperties": False,
                "required": ["a"],
            },
            "strict": True,
        },
    }


def test_schema_that_is_not_strict_stays_as_it_is() -> None:
    """Without strictness nothing is added."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}

    assert body(response_format=json_schema(schema, strict=False))["response_format"]["json_schema"]["schema"] == schema


def test_pydantic_class_becomes_a_strict_schema() -> None:
    """Nested classes are closed too, and a reference has no neighbours."""

    class Point(BaseModel):
        x: int = 0

    class Line(BaseModel):
        begin: Point
        end: Point | None = None

    schema = body(response_format=Line)["response_format"]["json_schema"]["schema"]

    assert schema["required"] == ["begin", "end"]
    assert schema["$defs"]["Point"]["additionalProperties"] is False
    assert "default" not in schema["properties"]["end"]


def test_reasoning_has_the_form_of_the_service() -> None:
    """The same wish, in four ways."""
    low, off = Reasoning(effort="low"), Reasoning(budget_tokens=0)

    assert body(reasoning=off)["reasoning_effort"] == "none"
    assert body(reasoning=low, quirks=options.OPENROUTER)["reasoning"] == {"effort": "low"}
    assert body(reasoning=Reasoning(budget_tokens=500), quirks=options.OPENROUTER)["reasoning"] == {"max_tokens": 500}
    assert body(reasoning=off, quirks=options.OPENROUTER)["reasoning"] == {"enabled": False}
    assert body(reasoning=Reasoning(summary="none"), quirks=options.OPENROUTER)["reasoning"] == {"exclude": True}
    assert body(reasoning=off, quirks=options.DEEPSEEK)["thinking"] == {"type": "disabled"}
    assert body(reasoning=low, quirks=options.QWEN)["enable_thinking"] is True


@pytest.mark.parametrize(("budget", "effort"), [(0, "none"), (1000, "low"), (8000, "medium"), (50_000, "high")])
def test_budget_is_rounded_to_a_word(budget: int, effort: str) -> None:
    """Where only words are known, a number becomes the nearest."""
    assert body(reasoning=Reasoning(budget_tokens=budget))["reasoning_effort"] == effort


def test_mistral_differs_in_data_only() -> None:
    """All differences of one service, together."""
    quirks = options.MISTRAL
    talk = (user("Hi"), assistant([ToolCall(id="toolu_long", name="look")]), tool_result("toolu_long", "1", name="look"))

    sent = body(*talk, tools=(LOOK,), tool_choice="required", seed=1, quirks=quirks)

    call_id = sent["messages"][1]["tool_calls"][0]["id"]
    assert (len(call_id), call_id.isalnum()) == (9, True)
    assert sent["messages"][2] == {"role": "tool", "tool_call_id": call_id, "content": "1", "name": "look"}
    assert (sent["tool_choice"], sent["random_seed"]) == ("any", 1)
    assert "stream_options" not in sent


def test_id_of_nine_characters_stays() -> None:
    """Mistral's own ids go back as they came."""
    sent = said(user("Hi"), assistant([ToolCall(id="g6fVbXS8K", name="look")]), quirks=options.MISTRAL)

    assert sent[1]["tool_calls"][0]["id"] == "g6fVbXS8K"


def test_system_may_be_called_developer() -> None:
    """A model that knows no system messages gets them under another name."""
    sent = said(system("Be brief."), user("Hi"), quirks=replace(OPENAI, system_role="developer"))

    assert sent[0] == {"role": "developer", "content": "Be brief."}


def test_fields_of_a_service_come_before_those_of_the_request() -> None:
    """Fixed fields are a default."""
    quirks = replace(OPENAI, body={"usage": {"include": True}, "store": True})

    sent = encode_body(Request(messages=(user("Hi"),), provider_options={"store": False}), quirks)

    assert (sent["usage"], sent["store"]) == ({"include": True}, False)


@pytest.mark.parametrize(
    ("base_url", "quirks"),
    [
        ("https://api.openai.com/v1", options.OPENAI),
        ("https://res.openai.azure.com/openai/v1", options.AZURE),
        ("https://api.deepseek.com", options.DEEPSEEK),
        ("http://localhost:11434/v1", options.OLLAMA),
        ("http://127.0.0.1:9000/v1", options.LOCAL),
        ("https://llm.example.com/v1", options.COMPATIBLE),
        ("https://notopenrouter.ai/v1", options.COMPATIBLE),
    ],
)
def test_pasted_address_has_its_quirks(base_url: str, quirks: Quirks) -> None:
    """What is known of a host is taken without being asked for."""
    assert quirks_of(base_url) == quirks
