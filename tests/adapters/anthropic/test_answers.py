"""Structured answers of models that have none of their own: a forced tool, lifted back to text."""

import json
from typing import Any

import pydantic
import pytest

from allm_rx import Engine, ToolCall, errors, generate, json_schema, stream_generate, tool
from allm_rx import operators as lx
from allm_rx.adapters import Anthropic
from allm_rx.adapters.anthropic.messages.encode import encode_body
from allm_rx.data.messages import user
from allm_rx.data.requests import Request
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.wire.answers import ANSWER_TOOL

OLD, NEW = "claude-3-5-haiku-20241022", "claude-sonnet-4-5"


class City(pydantic.BaseModel):
    name: str
    people: int


OSLO = ToolCall(id="toolu_1", name=ANSWER_TOOL, arguments={"name": "Oslo", "people": 717710})


def engine(server: ProviderServer, model: str = OLD) -> Engine:
    return Engine(adapter=Anthropic(base_url=server.base_url("anthropic"), api_key="x"), model=model, retry=False)


def body(**options: Any) -> dict[str, Any]:
    given = {"model": OLD, "response_format": City, **options}
    return encode_body(Request(messages=(user("Oslo?"),), **given))


def test_an_old_model_is_forced_to_call_the_answer_tool() -> None:
    """Without native structured output the schema is the tool's."""
    sent = body()

    assert sent["tool_choice"] == {"type": "tool", "name": ANSWER_TOOL}
    assert [offered["name"] for offered in sent["tools"]] == [ANSWER_TOOL]
    assert sent["tools"][0]["input_schema"]["required"] == ["name", "people"]
    assert "output_config" not in sent


def test_a_new_model_gets_the_schema_itself() -> None:
    """Where it is native no tool is added."""
    sent = body(model=NEW)

    assert sent["output_config"]["format"]["type"] == "json_schema"
    assert "tools" not in sent


def test_beside_tools_of_the_callers_one_of_them_all_is_forced() -> None:
    """The model may look something up before it answers."""

    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    sent = body(tools=(weather.spec,))

    assert sent["tool_choice"] == {"type": "any"}
    assert [offered["name"] for offered in sent["tools"]] == ["weather", ANSWER_TOOL]


def test_the_answer_is_the_tools_input_as_text() -> None:
    """It parses, no call is left, and the finish reason is a plain stop."""
    with ProviderServer(Answer(tool_calls=[OSLO])) as server:
        response = generate(engine(server), "Oslo?", response_format=City).run()

    assert response.parsed(City) == City(name="Oslo", people=717710)
    assert response.tool_calls == ()
    assert (response.finish_reason, response.raw_finish_reason) == ("stop", "tool_use")


def test_the_answer_streams_as_text_within_the_grammar() -> None:
    """The pieces of the input are the pieces of the text."""
    pieces: list[str] = []
    with ProviderServer(Answer(tool_calls=[OSLO])) as server:
        stream = stream_generate(engine(server), "Oslo?", response_format=City)
        lx.run(stream.pipe(lx.validate_grammar(), lx.text(), lx.reduce_with(lambda: Pieces(pieces))))

    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"name": "Oslo", "people": 717710}


class Pieces:
    """Keeps what passes."""

    def __init__(self, kept: list[str]) -> None:
        self._kept = kept

    def apply(self, piece: str, /) -> None:
        self._kept.append(piece)


def test_a_call_of_another_tool_is_a_call() -> None:
    """Only the answer tool is lifted."""
    call = ToolCall(id="toolu_2", name="weather", arguments={"city": "Oslo"})
    with ProviderServer(Answer(tool_calls=[call])) as server:
        schema = json_schema(City.model_json_schema())

        response = generate(engine(server), "Oslo?", response_format=schema).run()

    assert [found.name for found in response.tool_calls] == ["weather"]
    assert response.finish_reason == "tool_calls"


def test_thinking_beside_it_is_refused() -> None:
    """A forced tool and thinking exclude each other, and the error says what to leave out."""
    with ProviderServer() as server, pytest.raises(errors.ValidationError, match="leave out the reasoning"):
        generate(engine(server, "claude-3-7-sonnet-20250219"), "Oslo?", response_format=City, reasoning="low")


def test_its_name_is_reserved_where_it_is_used() -> None:
    """A tool of the caller's by that name would be taken for the answer."""

    @tool(name=ANSWER_TOOL)
    def mine() -> str:
        """Mine."""
        return ""

    with ProviderServer() as server, pytest.raises(errors.ValidationError, match="another name"):
        generate(engine(server), "Oslo?", response_format=City, tools=[mine])
