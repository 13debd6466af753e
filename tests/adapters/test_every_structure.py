"""Structured answers of every provider, over a real socket: asked for natively, parsed when whole, readable before."""

from typing import Any

import pytest
from pydantic import BaseModel
from reactivex import operators as ops

from allm_rx import chat, generate, stream_generate, tool
from allm_rx import operators as lx
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import json_schema
from allm_rx.errors import AdapterError
from allm_rx.operators.run import run
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.providers import BY_NAME, PROVIDERS, Provider
from tests.loopback import PATIENCE


class Recipe(BaseModel):
    """Something to cook."""

    title: str
    steps: list[str]


JSON = '{"title": "Brød", "steps": ["stir the dough", "wait for an hour", "bake it"]}'
WHOLE = Recipe.model_validate_json(JSON)

SCHEMAS = {
    "anthropic": ("output_config", "format", "schema"),
    "gemini": ("generationConfig", "responseJsonSchema"),
    "openai": ("text", "format", "schema"),
    "openai-chat": ("response_format", "json_schema", "schema"),
}
"""Where a request has the schema of its answer."""


def schema_of(provider: str, body: dict[str, Any]) -> Any:
    """Give the schema that a request asks for, or None."""
    found: Any = body
    for name in SCHEMAS[provider]:
        found = found.get(name) if found else None
    return found


@tool
def larder(shelf: str) -> str:
    """Tell what is on a shelf."""
    return f"flour, from {shelf}"


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
@pytest.mark.parametrize(
    "wanted", [Recipe, json_schema(Recipe.model_json_schema(), name="recipe", strict=False)], ids=["class", "schema"]
)
def test_answer_is_parsed(provider: Provider, wanted: Any) -> None:
    """The schema is in the request, and the answer, whatever was thought before it, an instance of the class."""
    with ProviderServer(Answer(JSON, reasoning='{"title": "no"}')) as server:
        response = generate(provider.engine(server), "Bread?", response_format=wanted).run(timeout=PATIENCE)
        (sent,) = server.requests

    assert response.parsed(Recipe) == WHOLE
    assert schema_of(provider.name, sent.body)["properties"].keys() == {"title", "steps"}


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_answer_fills_up_while_it_is_written(provider: Provider) -> None:
    """Instances come before the end, each with more in it; the last one is the whole."""
    with ProviderServer(Answer(JSON, chunks=3)) as server:
        stream = stream_generate(provider.engine(server), "Bread?", response_format=Recipe)
        seen = run(stream.pipe(lx.partial(Recipe), ops.to_list()), timeout=PATIENCE)

    assert len(seen) > 2
    assert seen[-1] == WHOLE
    assert (seen[0].title or "") in WHOLE.title
    lengths = [len(item.model_dump_json()) for item in seen]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_answer_that_was_cut_says_what_to_do(provider: Provider) -> None:
    """Half an answer is no instance; the error names the option that cut it."""
    with ProviderServer(Answer(JSON[:30], finish_reason="length")) as server:
        response = generate(provider.engine(server), "Bread?", response_format=Recipe, max_tokens=2000).run(timeout=PATIENCE)

    with pytest.raises(AdapterError, match="raise `max_tokens`") as raised:
        response.parsed(Recipe)
    assert raised.value.reason == "malformed_response"


@pytest.mark.parametrize(
    ("name", "model", "asked"),
    [
        # For each request: whether tools were offered, and whether the schema was asked for.
        ("anthropic", None, [(True, True), (True, True)]),
        ("gemini", None, [(True, True), (True, True)]),
        ("gemini", "gemini-2.5-flash", [(True, False), (True, False), (False, True)]),
        ("openai", None, [(True, True), (True, True)]),
        ("openai-chat", None, [(True, True), (True, True)]),
    ],
)
def test_tools_come_before_the_structure(name: str, model: str | None, asked: list[tuple[bool, bool]]) -> None:
    """Tools and schema travel together; where a model cannot have both, one more request asks for the structure."""
    call = ToolCall(id="call_1", name="larder", arguments={"shelf": "top"})
    answers = [Answer(tool_calls=[call]), *([Answer("Flour.")] if len(asked) == 3 else []), Answer(JSON)]
    with ProviderServer(answers) as server:
        engine = BY_NAME[name].engine(server, model=model)
        result = chat(engine, "Bread?", tools=[larder], response_format=Recipe).run(timeout=PATIENCE)
        sent = [request.body for request in server.requests]

    assert result.final_response is not None
    assert result.final_response.parsed(Recipe) == WHOLE
    assert [("tools" in body, schema_of(name, body) is not None) for body in sent] == asked
