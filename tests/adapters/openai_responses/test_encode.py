"""What a request looks like on the wire."""

import json
from typing import Any

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import BaseModel, SecretStr, TypeAdapter

from allm_rx.adapters.openai.responses.encode import encode, encode_body, endpoint
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import FilePart, ImagePart
from allm_rx.data.requests import AllowedTools, PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from tests.adapters.openai_responses.frames import RECORDINGS, read
from tests.fixture_cases import fold

LOOK = Tool(name="look", description="Look somewhere.", parameters={"type": "object", "properties": {"at": {"type": "string"}}})
SEARCH = provider_tool("openai.responses", {"type": "web_search", "search_context_size": "low"})
TIDES = provider_tool("openai.responses", {"type": "mcp", "server_label": "tides", "server_url": "https://tides.example"})
HELM = provider_tool("openai.responses", {"type": "custom", "name": "helm"})


class Point(BaseModel):
    """A place."""

    x: int
    y: int = 0


def body(*messages: Message, **fields: Any) -> dict[str, Any]:
    request = Request(messages=messages or (user("Hi"),), **{"model": "m", **fields})
    return json.loads(encode(request, base_url="https://x/v1", key=None, headers={}).body)


def test_smallest_request() -> None:
    """What is not given is not sent; nothing is stored, and thoughts come encrypted."""
    assert body() == {
        "model": "m",
        "input": [{"role": "user", "content": "Hi"}],
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "stream": True,
    }


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4.1-nano", "ft:gpt-4o-mini:me::1", "openai/gpt-4o", "chatgpt-4o-latest", "gpt-5-chat"]
)
def test_model_that_does_not_think_is_not_asked_for_thoughts(model: str) -> None:
    """It would refuse."""
    assert "include" not in body(model=model)


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5.1-chat-latest", "o4-mini", "grok-4", "my-deployment", None])
def test_any_other_model_is_asked_for_thoughts(model: str | None) -> None:
    """A name says nothing unless it is known."""
    assert "include" in body(model=model)


def test_provider_may_store_the_answer() -> None:
    """Then it is not asked for thoughts that it keeps itself."""
    sent = body(provider_options={"store": True})

    assert (sent["store"], "include" in sent) == (True, False)


def test_options_are_merged_deeply_and_last() -> None:
    """What the caller says in the provider's words wins, down to single fields."""
    sent = body(
        reasoning=Reasoning(effort="low"),
        response_format="json_object",
        max_tokens=9,
        provider_options={
            "text": {"verbosity": "low"},
            "reasoning": {"effort": "high"},
            "max_output_tokens": 8,
            "previous_response_id": "resp_0",
            "include": ["web_search_call.action.sources"],
        },
    )

    assert sent["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert (sent["reasoning"], sent["max_output_tokens"]) == ({"effort": "high"}, 8)
    assert (sent["previous_response_id"], sent["include"]) == ("resp_0", ["web_search_call.action.sources"])


def test_options_have_their_names_here() -> None:
    """Limits, sampling, thinking and the cache."""
    sent = body(
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        reasoning=Reasoning(effort="low", summary="auto"),
        prompt_cache=PromptCache(key="boat", retention="long"),
    )

    assert (sent["max_output_tokens"], sent["temperature"], sent["top_p"]) == (9, 0.5, 0.9)
    assert sent["reasoning"] == {"effort": "low", "summary": "auto"}
    assert (sent["prompt_cache_key"], sent["prompt_cache_retention"]) == ("boat", "24h")


@pytest.mark.parametrize("wanted", [Reasoning(), Reasoning(summary="none")])
def test_wish_for_nothing_is_not_sent(wanted: Reasoning) -> None:
    """No summary is what comes unless one is asked for."""
    assert "reasoning" not in body(reasoning=wanted)


def test_request_is_deterministic_and_compact() -> None:
    """The same request gives the same bytes, without spaces."""
    request = Request(messages=(system("Be brief."), user("Hi")), model="m", tools=(LOOK,), temperature=0.5)
    twice = [encode(request, base_url="https://x/v1", key=None, headers={}).body for _ in range(2)]

    assert twice[0] == twice[1]
    assert b'{"model":"m","input":[{"role":"system","content":"Be brief."},' in twice[0]


def test_key_is_hidden_and_headers_win() -> None:
    """The key is a secret in a header; the caller's headers come last, whatever their case."""
    wire = encode(
        Request(messages=(user("Hi"),)),
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


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/responses"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/responses"),
        ("https://r.example/openai/v1?api-version=preview", "https://r.example/openai/v1/responses?api-version=preview"),
    ],
)
def test_address_is_that_of_the_vendors_package(base_url: str, url: str) -> None:
    """A base URL can be pasted; its query stays at its end."""
    assert endpoint(base_url) == url


def test_tools_are_flat() -> None:
    """A tool that does not say so is not strict; the provider's own are sent as they were given."""
    assert body(tools=(LOOK, SEARCH))["tools"] == [
        {
            "type": "function",
            "name": "look",
            "description": "Look somewhere.",
            "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
            "strict": False,
        },
        {"type": "web_search", "search_context_size": "low"},
    ]


def test_strict_tool_gets_a_strict_schema() -> None:
    """Objects are closed, and require all they have."""
    (sent,) = body(tools=(LOOK.replace(strict=True, description=""),))["tools"]

    assert sent == {
        "type": "function",
        "name": "look",
        "parameters": {
            "type": "object",
            "properties": {"at": {"type": "string"}},
            "additionalProperties": False,
            "required": ["at"],
        },
        "strict": True,
    }


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("look", {"type": "function", "name": "look"}),
        ("helm", {"type": "custom", "name": "helm"}),
        ("web_search", {"type": "web_search"}),
        ("mcp", {"type": "mcp", "server_label": "tides"}),
        (
            AllowedTools(names=("look", "web_search"), mode="required"),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "look"}, {"type": "web_search"}],
            },
        ),
    ],
)
def test_choice_of_tools_has_every_form(choice: Any, wire: Any) -> None:
    """A word, a tool of any kind by its name, or several."""
    assert body(tools=(LOOK, SEARCH, TIDES, HELM), tool_choice=choice)["tool_choice"] == wire


def test_choice_without_tools_is_not_sent() -> None:
    """It would be refused."""
    assert "tool_choice" not in body(tool_choice="none")


def test_format_is_a_schema_that_the_model_is_held_to() -> None:
    """A pydantic class is closed and named; a description goes along."""
    wanted = json_schema(Point.model_json_schema(), name="the point", description="A place.")

    assert body(response_format=wanted)["text"]["format"] == {
        "type": "json_schema",
        "name": "the_point",
        "description": "A place.",
        "schema": {
            "title": "Point",
            "description": "A place.",
            "type": "object",
            "properties": {"x": {"title": "X", "type": "integer"}, "y": {"title": "Y", "type": "integer", "default": 0}},
            "required": ["x", "y"],
            "additionalProperties": False,
        },
        "strict": True,
    }


def test_format_that_is_not_strict_is_sent_as_it_is() -> None:
    """An open map is fine where the model is not held to it."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "integer"}}

    sent = body(response_format=json_schema(schema, strict=False))["text"]["format"]

    assert (sent["schema"], sent["strict"]) == (schema, False)


# The vendor's own types.


def conversation(*names: str) -> list[Message]:
    """Give a conversation in which these recorded answers were given, and their calls answered."""
    messages: list[Message] = [system("Be brief."), user("Hi")]
    for name in names:
        answer = fold(read((RECORDINGS / f"{name}.sse").read_bytes())).message
        messages += [answer, *(tool_result(call.id, "done") for call in answer.tool_calls), user("Go on.")]
    return messages


def test_conversation_that_was_saved_sends_the_same_bytes() -> None:
    """Calls, encrypted thoughts and hosted tools survive JSON byte for byte."""
    request = Request(messages=tuple(conversation("tools", "hosted", "text")), model="m", tools=(LOOK, SEARCH))
    again = Request.model_validate_json(request.model_dump_json())

    sent = [encode(each, base_url="https://x/v1", key=None, headers={}).body for each in (request, again)]

    assert sent[0] == sent[1]
    assert b"dGhvdWdodHM+/w==" in sent[0]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": conversation("tools", "hosted", "text")},
        {
            "messages": [
                user(["See:", ImagePart(url="https://x/a.png"), FilePart(data=b"px", media_type="application/pdf")]),
                assistant("Nice."),
                user("Hm"),
            ]
        },
        {"tools": (LOOK, SEARCH, HELM), "tool_choice": AllowedTools(names=("look", "web_search"))},
        {"tools": (LOOK.replace(strict=True),), "tool_choice": "look"},
        {"response_format": Point, "temperature": 0.5, "top_p": 0.5, "max_tokens": 100},
        {"reasoning": Reasoning(effort="high", summary="detailed"), "prompt_cache": PromptCache(key="k", retention="long")},
        {"provider_options": {"previous_response_id": "resp_0", "store": True, "text": {"verbosity": "low"}}},
    ],
)
def test_body_is_what_the_vendors_package_would_send(fields: dict[str, Any]) -> None:
    """Its own types accept every body, and know every field in it."""
    sent = encode_body(Request(**{"messages": [user("Hi")], "model": "m", **fields}))

    accepted = TypeAdapter(ResponseCreateParamsStreaming).validate_python(sent)

    assert set(accepted) == set(sent)
    assert _as_data(accepted["input"]) == sent["input"]  # type: ignore[typeddict-item]


def _as_data(value: Any) -> Any:
    """Give what was accepted as JSON data: lists are validated lazily."""
    return json.loads(TypeAdapter(Any).dump_json(value))
