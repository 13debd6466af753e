"""The loopback provider's Messages API, as Anthropic's own client reads it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import TextBlock, ThinkingBlock, ToolUseBlock

from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Cut, ErrorFrame, Fault, Flood, HtmlPage
from allm_rx.testing.provider_server import ProviderServer

HI: Any = [{"role": "user", "content": "Hi"}]
WEATHER = ToolCall(id="toolu_1", name="get_weather", arguments={"city": "Oslo"})
TIME = ToolCall(id="toolu_2", name="get_time", arguments={})
OFFERED: Any = [
    {
        "name": "get_weather",
        "description": "Tells the weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]

Connect = Callable[[ProviderServer], anthropic.Anthropic]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Give official clients, which are closed in the end."""
    clients: list[anthropic.Anthropic] = []

    def connect(server: ProviderServer) -> anthropic.Anthropic:
        clients.append(anthropic.Anthropic(base_url=server.base_url("anthropic"), api_key="sk-ant-test", max_retries=0))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def test_the_official_client_streams_text(connect: Connect) -> None:
    """Text arrives in the pieces it was scripted in."""
    with (
        ProviderServer(Answer(chunks=["Hel", "lo ", "Zoë 🙂"])) as server,
        connect(server).messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        pieces = list(stream.text_stream)
        message = stream.get_final_message()

    assert pieces == ["Hel", "lo ", "Zoë 🙂"]
    assert (message.id, message.model, message.stop_reason) == ("msg_0", "m", "end_turn")


def test_the_official_client_streams_thinking(connect: Connect) -> None:
    """Thoughts come first, and signed."""
    with (
        ProviderServer(Answer("Hello.", reasoning="They greet me.")) as server,
        connect(server).messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        thinking, text = stream.get_final_message().content

    assert isinstance(thinking, ThinkingBlock)
    assert isinstance(text, TextBlock)
    assert (thinking.thinking, text.text) == ("They greet me.", "Hello.")
    assert thinking.signature


def test_the_official_client_streams_tool_calls(connect: Connect) -> None:
    """Calls arrive in order, their arguments in pieces, one of them without any."""
    with (
        ProviderServer(Answer("One moment.", tool_calls=[WEATHER, TIME])) as server,
        connect(server).messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        message = stream.get_final_message()

    calls = [block for block in message.content if isinstance(block, ToolUseBlock)]
    assert message.stop_reason == "tool_use"
    assert [(call.id, call.name, call.input) for call in calls] == [
        ("toolu_1", "get_weather", {"city": "Oslo"}),
        ("toolu_2", "get_time", {}),
    ]


def test_the_official_client_gets_usage(connect: Connect) -> None:
    """The prompt is told in its exclusive parts, reasoning as a part of the output."""
    usage = Usage(input_tokens=12, output_tokens=7, cached_input_tokens=4, cache_write_input_tokens=3, reasoning_tokens=2)
    with (
        ProviderServer(Answer("Hi", usage=usage)) as server,
        connect(server).messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        told = stream.get_final_message().usage

    assert (told.input_tokens, told.cache_read_input_tokens, told.cache_creation_input_tokens, told.output_tokens) == (5, 4, 3, 7)
    assert told.output_tokens_details is not None
    assert told.output_tokens_details.thinking_tokens == 2


def test_usage_can_be_kept_back(connect: Connect) -> None:
    """An empty usage reports nothing, as gateways do."""
    with ProviderServer(Answer("Hi", usage=Usage())) as server:
        message = connect(server).messages.create(model="m", max_tokens=9, messages=HI)

    assert "usage" not in message.to_dict()


def test_the_official_client_gets_whole_answers(connect: Connect) -> None:
    """A request without `stream` gets one body that says the same."""
    with ProviderServer(Answer("One moment.", reasoning="Hm", tool_calls=[WEATHER])) as server:
        message = connect(server).messages.create(model="m", max_tokens=9, messages=HI)

    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.OverloadedError),
    ],
)
def test_the_official_client_knows_the_refusals(connect: Connect, status: int, kind: type[anthropic.APIStatusError]) -> None:
    """A refusal has its class, the provider's words, and the id of the request."""
    with ProviderServer(ErrorAnswer(status)) as server, pytest.raises(kind) as caught:
        connect(server).messages.create(model="m", max_tokens=9, messages=HI)

    assert caught.value.request_id == "req_0"
    assert caught.value.type is not None


def test_the_official_client_knows_an_error_inside_the_stream(connect: Connect) -> None:
    """An error event is raised with its message."""
    with (
        ProviderServer(Answer("Hello you"), faults=[ErrorFrame(after=3, message="The engine stopped.")]) as server,
        connect(server).messages.stream(model="m", max_tokens=9, messages=HI) as stream,
        pytest.raises(anthropic.APIStatusError, match="The engine stopped"),
    ):
        stream.until_done()


def test_the_official_client_reads_an_answer_without_end(connect: Connect) -> None:
    """More text than anyone asked for goes on in the block of the answer."""
    with (
        ProviderServer(Answer("It goes on"), faults=[Flood(" and on")]) as server,
        connect(server).messages.stream(model="m", max_tokens=9, messages=HI) as stream,
    ):
        pieces = [piece for piece, _ in zip(stream.text_stream, range(6), strict=False)]

    assert "".join(pieces) == "It goes on and on and on and on"


@pytest.mark.parametrize(
    ("fault", "kind"), [(HtmlPage(502), anthropic.InternalServerError), (Cut(40), anthropic.APIConnectionError)]
)
def test_the_official_client_fails_when_the_server_does(connect: Connect, fault: Fault, kind: type[anthropic.APIError]) -> None:
    """Faults reach the client as what they are."""
    with ProviderServer(Answer("Hello"), faults=[fault]) as server, pytest.raises(kind):
        connect(server).messages.create(model="m", max_tokens=9, messages=HI)


def test_small_talk_calls_an_offered_tool_and_uses_its_result(connect: Connect) -> None:
    """Without a script the server reads what is asked, what is offered, and what tools gave back."""
    ask: Any = [{"role": "user", "content": "Weather in Oslo?"}]
    with ProviderServer() as server:
        create = connect(server).messages.create
        asked = create(model="m", max_tokens=9, messages=ask, tools=OFFERED)
        call = next(block for block in asked.content if isinstance(block, ToolUseBlock))
        result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "Sunny, 7 degrees."}]}
        history: Any = [*ask, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
        told = create(model="m", max_tokens=9, messages=history, tools=OFFERED)

    assert call.input == {"city": "Oslo"}
    assert isinstance(told.content[0], TextBlock)
    assert "Sunny, 7 degrees." in told.content[0].text


def test_tools_that_may_not_be_called_are_not_offered(connect: Connect) -> None:
    """A choice of none makes small talk of any question."""
    ask: Any = [{"role": "user", "content": [{"type": "text", "text": "Weather in Oslo?"}]}]
    with ProviderServer() as server:
        message = connect(server).messages.create(
            model="m", max_tokens=9, messages=ask, tools=OFFERED, tool_choice={"type": "none"}
        )

    assert [block.type for block in message.content] == ["text"]


def test_request_is_in_the_book(connect: Connect) -> None:
    """What the client sent can be read afterwards."""
    with ProviderServer(Answer("Hi")) as server:
        connect(server).messages.create(model="m", max_tokens=9, messages=HI)

        (received,) = server.requests
    assert (received.path, json.loads(received.raw)["max_tokens"]) == ("/v1/messages", 9)
