"""Our adapters against a server that others wrote: what we take for the protocols is what they take for them."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from reactivex import operators as ops

from allm_rx import Engine, Response, chat, generate, stream_generate, system, tool, user
from allm_rx import operators as lx
from allm_rx.operators.run import run
from tests.adapters.providers import PROVIDERS, Provider
from tests.fixture_cases import text_of
from tests.independent.aimock import PATHS, serving
from tests.loopback import KEY, PATIENCE

TEXT = "All is calm today: çalm, in fact 🌊."
THOUGHT = "Salt comes from stone, and rivers carry it."

ANSWERS: list[dict[str, Any]] = [
    {"match": {"userMessage": "weather"}, "response": {"content": TEXT}},
    {"match": {"userMessage": "salty"}, "response": {"content": "From rivers.", "reasoning": THOUGHT}},
    {"match": {"userMessage": "who", "systemMessage": "harbour master"}, "response": {"content": "The harbour master."}},
    {"match": {"userMessage": "place"}, "response": {"content": '{"port": "Bergen", "depth": 12}'}},
    {
        "match": {"userMessage": "tide", "hasToolResult": False},
        "response": {"toolCalls": [{"name": "tide", "arguments": {"port": port}} for port in ("Bergen", "Oslo")]},
    },
    {"match": {"userMessage": "tide", "toolResultContains": "high at six in Oslo"}, "response": {"content": "At six."}},
    {
        "match": {"userMessage": "much"},
        "response": {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429},
    },
]


class Place(BaseModel):
    """Where a ship may lie."""

    port: str
    depth: int


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, for all tests of this file."""
    with serving(ANSWERS, tmp_path_factory.mktemp("aimock")) as found:
        yield found


@pytest.fixture(params=PROVIDERS, ids=str)
def engine(request: pytest.FixtureRequest, address: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine for each protocol."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    provider: Provider = request.param
    return Engine(
        adapter=provider.adapter(base_url=address + PATHS[provider.name], api_key=KEY), model=provider.model, retry=False
    )


def asked(engine: Engine, question: Any, **options: Any) -> Response:
    """Ask, and wait for the answer."""
    return generate(engine, question, **options).run(timeout=PATIENCE)


def test_text_is_streamed(engine: Engine) -> None:
    """The text comes in pieces, in an order that the grammar allows, and the answer ends well."""
    events = run(stream_generate(engine, "How is the weather?").pipe(lx.validate_grammar(), ops.to_list()), timeout=PATIENCE)

    pieces = [event.delta for event in events if event.type == "text_delta"]
    assert len(pieces) > 2
    assert "".join(pieces) == TEXT
    assert events[-1].type == "message_completed"
    assert events[-1].finish_reason == "stop"


def test_reasoning_is_streamed(engine: Engine) -> None:
    """What was thought comes apart from what is said."""
    response = asked(engine, "Why is the sea salty?")

    assert (response.reasoning, text_of(response)) == (THOUGHT, "From rivers.")


def test_tools_go_round(engine: Engine) -> None:
    """Two calls at once are read, run and answered, and the server finds the results where it looks for them."""
    ports: list[str] = []

    @tool
    def tide(port: str) -> str:
        """Tell the tide in a port."""
        ports.append(port)
        return f"high at six in {port}"

    result = chat(engine, "When is the tide?", tools=[tide], max_concurrency=1).run(timeout=PATIENCE)

    assert ports == ["Bergen", "Oslo"]
    assert result.final_response is not None
    assert (result.halted_reason, result.final_response.output_text) == ("completed", "At six.")


def test_system_message_is_found_where_they_look(engine: Engine) -> None:
    """The server answers only those who send the system message in its place."""
    assert asked(engine, [system("You are the harbour master."), user("who are you?")]).output_text == "The harbour master."


def test_structure_is_parsed(engine: Engine) -> None:
    """An answer that was asked for by a schema is an instance of its class."""
    assert asked(engine, "Which place?", response_format=Place).parsed(Place) == Place(port="Bergen", depth=12)


def test_refusal_has_its_reason(engine: Engine) -> None:
    """An error status becomes a failure with our word for it."""
    response = asked(engine, "How much?")

    assert response.error is not None
    assert (response.error.reason, response.error.status) == ("rate_limited", 429)
    assert "Slow down" in response.error.message


def test_question_without_answer_is_an_error(engine: Engine) -> None:
    """What the server has no answer for is no empty success."""
    assert asked(engine, "Anything else?").finish_reason == "error"
