"""The loopback provider's Responses API, as OpenAI's own client reads it, its validation at its strictest."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFailedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionToolCall,
    ResponseIncompleteEvent,
    ResponseReasoningItem,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
)

from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import ErrorFrame, Flood
from allm_rx.testing.provider_server import ProviderServer

WEATHER = ToolCall(id="call_1", name="get_weather", arguments={"city": "Oslo"})
TIME = ToolCall(id="call_2", name="get_time", arguments={})
OFFERED: Any = [
    {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": False,
    }
]

Connect = Callable[[ProviderServer], openai.OpenAI]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Give official clients, which are closed in the end."""
    clients: list[openai.OpenAI] = []

    def connect(server: ProviderServer) -> openai.OpenAI:
        base_url = server.base_url("openai")
        clients.append(openai.OpenAI(base_url=base_url, api_key="sk-test-key", max_retries=0, _strict_response_validation=True))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def streamed(client: openai.OpenAI, **options: Any) -> list[ResponseStreamEvent]:
    return list(client.responses.create(model="m", input="Hi", stream=True, **options))


def final(events: list[ResponseStreamEvent]) -> Response:
    last = events[-1]
    assert isinstance(last, (ResponseCompletedEvent, ResponseFailedEvent, ResponseIncompleteEvent))
    return last.response


def test_the_official_client_streams_text(connect: Connect) -> None:
    """Text arrives in the pieces it was scripted in, and whole at the end; events are numbered."""
    with ProviderServer(Answer(chunks=["Hel", "lo ", "Zoë 🙂"])) as server:
        events = streamed(connect(server))

    assert [event.delta for event in events if isinstance(event, ResponseTextDeltaEvent)] == ["Hel", "lo ", "Zoë 🙂"]
    assert (final(events).output_text, final(events).model, final(events).status) == ("Hello Zoë 🙂", "m", "completed")
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_the_official_client_puts_the_answer_together(connect: Connect) -> None:
    """Its own reader of streams finds every item where the events say it is."""
    answer = Answer("One moment.", reasoning="They ask.", tool_calls=[WEATHER, TIME])
    with (
        ProviderServer(answer) as server,
        connect(server).responses.stream(model="m", input="Hi", tools=OFFERED) as stream,
    ):
        for _ in stream:
            pass
        response = stream.get_final_response()

    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
    assert response.output_text == "One moment."


def test_the_official_client_streams_reasoning(connect: Connect) -> None:
    """Thoughts come first, summed up, and sealed where that was asked for."""
    with ProviderServer(Answer("Hello.", reasoning="They greet me.")) as server:
        events = streamed(connect(server), include=["reasoning.encrypted_content"])
        unasked = streamed(connect(server))

    thought, told = final(events).output[0], final(unasked).output[0]
    deltas = [event.delta for event in events if isinstance(event, ResponseReasoningSummaryTextDeltaEvent)]
    assert deltas == ["They", " greet", " me."]
    assert isinstance(thought, ResponseReasoningItem)
    assert isinstance(told, ResponseReasoningItem)
    assert thought.summary[0].text == "They greet me."
    assert thought.encrypted_content
    assert told.encrypted_content is None


def test_the_official_client_streams_tool_calls(connect: Connect) -> None:
    """Parallel calls arrive in order, their arguments in pieces."""
    with ProviderServer(Answer(tool_calls=[WEATHER, TIME])) as server:
        events = streamed(connect(server), tools=OFFERED)

    calls = [item for item in final(events).output if isinstance(item, ResponseFunctionToolCall)]
    deltas = [event for event in events if isinstance(event, ResponseFunctionCallArgumentsDeltaEvent)]
    assert [(call.call_id, call.name, json.loads(call.arguments)) for call in calls] == [
        ("call_1", "get_weather", {"city": "Oslo"}),
        ("call_2", "get_time", {}),
    ]
    assert "".join(event.delta for event in deltas if event.output_index == 0) == '{"city":"Oslo"}'


def test_the_official_client_gets_usage(connect: Connect) -> None:
    """It comes unasked, with its details; an empty one is not reported."""
    usage = Usage(input_tokens=12, output_tokens=7, cached_input_tokens=4, cache_write_input_tokens=2, reasoning_tokens=3)
    with ProviderServer([Answer("Hi", usage=usage), Answer("Hi", usage=Usage())]) as server:
        told, kept = final(streamed(connect(server))).usage, final(streamed(connect(server))).usage

    assert told is not None
    assert (told.input_tokens, told.output_tokens, told.total_tokens) == (12, 7, 19)
    assert (told.input_tokens_details.cached_tokens, told.input_tokens_details.cache_write_tokens) == (4, 2)
    assert told.output_tokens_details.reasoning_tokens == 3
    assert kept is None


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("error", "failed", None),
    ],
)
def test_the_official_client_knows_how_it_ended(connect: Connect, reason: str, status: str, why: str | None) -> None:
    """Every finish reason is written in the protocol's words."""
    with ProviderServer(Answer("Hi", finish_reason=reason)) as server:
        response = final(streamed(connect(server)))

    assert (response.status, response.incomplete_details and response.incomplete_details.reason) == (status, why)
    assert (response.error is not None) is (status == "failed")


def test_the_official_client_gets_whole_answers(connect: Connect) -> None:
    """A request without `stream` gets one body that says the same."""
    with ProviderServer(Answer("One moment.", reasoning="Hm", tool_calls=[WEATHER])) as server:
        response = connect(server).responses.create(model="m", input="Hi", tools=OFFERED)

    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.usage is not None
    assert response.usage.output_tokens == 5


@pytest.mark.parametrize(
    ("status", "raised", "code"),
    [
        (400, openai.BadRequestError, None),
        (401, openai.AuthenticationError, "invalid_api_key"),
        (404, openai.NotFoundError, "model_not_found"),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, None),
    ],
)
def test_the_official_client_understands_refusals(connect: Connect, status: int, raised: Any, code: str | None) -> None:
    """A refusal has its class, the provider's words, and the id of the request."""
    with ProviderServer(ErrorAnswer(status)) as server, pytest.raises(raised) as caught:
        streamed(connect(server))

    assert (caught.value.code, caught.value.request_id) == (code, "req_0")


def test_the_official_client_gets_errors_inside_a_stream(connect: Connect) -> None:
    """An error event raises after what came before it."""
    seen: list[str] = []
    with ProviderServer(Answer("Hello you", faults=[ErrorFrame(5, "Out of luck.")])) as server:
        stream = connect(server).responses.create(model="m", input="Hi", stream=True)
        with pytest.raises(openai.APIError, match=r"Out of luck\."):
            seen.extend(event.type for event in stream)

    assert seen[-1] == "response.output_text.delta"


def test_the_official_client_reads_an_answer_without_end(connect: Connect) -> None:
    """More text than anyone asked for goes on in the text of the answer."""
    with ProviderServer(Answer("It goes on"), faults=[Flood(" and on")]) as server:
        stream = connect(server).responses.create(model="m", input="Hi", stream=True)
        deltas = (event for event in stream if isinstance(event, ResponseTextDeltaEvent))
        pieces = [event.delta for event, _ in zip(deltas, range(6), strict=False)]
        stream.close()

    assert "".join(pieces) == "It goes on and on and on and on"


def test_small_talk_calls_an_offered_tool_and_uses_its_result(connect: Connect) -> None:
    """Without a script the server reads what is asked, what is offered, and what tools gave back."""
    with ProviderServer() as server:
        create = connect(server).responses.create
        asked = create(model="m", input="Weather in Oslo?", tools=OFFERED)
        (call,) = asked.output
        assert isinstance(call, ResponseFunctionToolCall)
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny, 7 degrees."}
        question = {"role": "user", "content": [{"type": "input_text", "text": "Weather in Oslo?"}]}
        told = create(model="m", input=[question, call.to_dict(), result], tools=OFFERED)  # type: ignore[list-item]

    assert json.loads(call.arguments) == {"city": "Oslo"}
    assert "Sunny, 7 degrees." in told.output_text


def test_tools_that_may_not_be_called_are_not_offered(connect: Connect) -> None:
    """A choice of none makes small talk of any question."""
    with ProviderServer() as server:
        response = connect(server).responses.create(model="m", input="Weather in Oslo?", tools=OFFERED, tool_choice="none")

    assert [item.type for item in response.output] == ["message"]
