"""The loopback provider's generateContent, as Google's own client reads it."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.faults import Cut, ErrorFrame, Fault, Flood, HtmlPage
from allm_rx.testing.provider_server import ProviderServer

WEATHER = ToolCall(id="call_1", name="get_weather", arguments={"city": "Oslo"})
TIME = ToolCall(id="call_2", name="get_time", arguments={})
SCHEMA = types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"])
OFFERED = types.Tool(
    function_declarations=[types.FunctionDeclaration(name="get_weather", description="Tells the weather", parameters=SCHEMA)]
)

Connect = Callable[[ProviderServer], genai.Client]
Chunk = types.GenerateContentResponse


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Give official clients, which are closed in the end."""
    clients: list[genai.Client] = []

    def connect(server: ProviderServer) -> genai.Client:
        options = types.HttpOptions(base_url=server.base_url("gemini"), api_version="v1beta")
        clients.append(genai.Client(api_key="AIza-test", http_options=options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def stream(client: genai.Client, ask: Any = "Hi", **config: Any) -> Iterator[Chunk]:
    models: Any = client.models  # its types name optional packages
    return models.generate_content_stream(model="m", contents=ask, config=types.GenerateContentConfig(**config))


def whole(client: genai.Client) -> Chunk:
    models: Any = client.models
    return models.generate_content(model="m", contents="Hi")


def parts_of(chunks: Iterator[Chunk] | list[Chunk]) -> list[types.Part]:
    contents = [chunk.candidates[0].content for chunk in chunks if chunk.candidates]
    return [part for content in contents if content is not None for part in content.parts or ()]


def test_the_official_client_streams_text(connect: Connect) -> None:
    """Text arrives in the pieces it was scripted in, and why it ended in the last chunk."""
    with ProviderServer(Answer(chunks=["Hel", "lo ", "Zoë 🙂"])) as server:
        chunks = list(stream(connect(server)))

    assert [part.text for part in parts_of(chunks)] == ["Hel", "lo ", "Zoë 🙂", ""]
    assert (chunks[0].response_id, chunks[0].model_version) == ("resp_0", "m")
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_the_official_client_streams_thoughts(connect: Connect) -> None:
    """Thoughts come first, and are marked."""
    with ProviderServer(Answer("Hello.", reasoning="They greet.")) as server:
        parts = parts_of(stream(connect(server)))

    assert [(part.text, part.thought) for part in parts] == [("They", True), (" greet.", True), ("Hello.", None), ("", None)]


def test_the_official_client_streams_tool_calls(connect: Connect) -> None:
    """Calls come whole and in order, the first of them signed."""
    with ProviderServer(Answer("One moment.", tool_calls=[WEATHER, TIME])) as server:
        calls = [part for part in parts_of(stream(connect(server))) if part.function_call]

    told = [part.function_call for part in calls if part.function_call]
    assert [(call.id, call.name, call.args) for call in told] == [
        ("call_1", "get_weather", {"city": "Oslo"}),
        ("call_2", "get_time", {}),
    ]
    assert [part.thought_signature for part in calls] == [b"call_1", None]


def test_the_official_client_gets_usage(connect: Connect) -> None:
    """Counts grow with the chunks; thoughts are counted beside the text, prompts of tools beside the prompt."""
    usage = Usage(
        input_tokens=12, output_tokens=7, cached_input_tokens=4, reasoning_tokens=2, extra={"toolUsePromptTokenCount": 3}
    )
    with ProviderServer(Answer("Hi you", usage=usage)) as server:
        told = [chunk.usage_metadata for chunk in stream(connect(server)) if chunk.usage_metadata]

    assert [count.candidates_token_count for count in told] == [1, 2, 5]
    last = told[-1]
    assert (last.prompt_token_count, last.tool_use_prompt_token_count, last.cached_content_token_count) == (9, 3, 4)
    assert (last.thoughts_token_count, last.total_token_count) == (2, 19)


def test_usage_can_be_kept_back(connect: Connect) -> None:
    """An empty usage reports nothing, as gateways do."""
    with ProviderServer(Answer("Hi you", usage=Usage())) as server:
        assert [chunk.usage_metadata for chunk in stream(connect(server))] == [None] * 3


def test_the_official_client_gets_whole_answers(connect: Connect) -> None:
    """A request for one body gets one that says the same."""
    with ProviderServer(Answer("One moment.", reasoning="Hm", tool_calls=[WEATHER])) as server:
        answer = whole(connect(server))

    assert [(part.text, part.thought, bool(part.function_call)) for part in parts_of([answer])] == [
        ("Hm", True, False),
        ("One moment.", None, False),
        (None, None, True),
    ]
    assert answer.usage_metadata
    assert answer.usage_metadata.thoughts_token_count == 1


def test_the_official_client_sees_a_blocked_prompt(connect: Connect) -> None:
    """An answer that never began has feedback in its place."""
    with ProviderServer(Answer(finish_reason="prompt:SAFETY")) as server:
        (chunk,) = stream(connect(server))
        answer = whole(connect(server))

    assert chunk.prompt_feedback
    assert chunk.prompt_feedback.block_reason == types.BlockedReason.SAFETY
    assert (chunk.candidates, answer.candidates) == (None, None)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (404, "NOT_FOUND"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
    ],
)
def test_the_official_client_knows_the_refusals(connect: Connect, status: int, word: str) -> None:
    """A refusal has its status, in a stream as well."""
    with ProviderServer(ErrorAnswer(status)) as server, pytest.raises(errors.APIError) as caught:
        list(stream(connect(server)))

    assert (caught.value.code, caught.value.status) == (status, word)


def test_the_official_client_knows_an_error_inside_the_stream(connect: Connect) -> None:
    """An error chunk is raised with its message, after what came before."""
    seen: list[Chunk] = []
    with (
        ProviderServer(Answer("Hello you"), faults=[ErrorFrame(after=1, message="The engine stopped.")]) as server,
        pytest.raises(errors.APIError, match="The engine stopped"),
    ):
        seen.extend(stream(connect(server)))

    assert [part.text for part in parts_of(seen)] in ([], ["Hello"])


def test_the_official_client_reads_an_answer_without_end(connect: Connect) -> None:
    """More text than anyone asked for goes on as text."""
    with ProviderServer(Answer("It goes on"), faults=[Flood(" and on")]) as server:
        chunks = [chunk for chunk, _ in zip(stream(connect(server)), range(6), strict=False)]

    assert "".join(part.text or "" for part in parts_of(chunks)) == "It goes on and on and on and on"


@pytest.mark.parametrize(
    ("fault", "said"), [(HtmlPage(502), "502 Bad Gateway"), (Cut(40), "closed connection without sending complete message body")]
)
def test_the_official_client_fails_when_the_server_does(connect: Connect, fault: Fault, said: str) -> None:
    """Faults reach the client as what they are."""
    with ProviderServer(Answer("Hello"), faults=[fault]) as server, pytest.raises(Exception, match=said):
        list(stream(connect(server)))


def test_a_stream_without_events_is_an_array(connect: Connect) -> None:
    """Whoever forgets `alt=sse` gets a list of JSON, as from the provider."""
    with ProviderServer(Answer("Hello")) as server:
        url = f"{server.base_url('gemini')}/v1beta/models/m:streamGenerateContent"
        with urllib.request.urlopen(urllib.request.Request(url, b'{"contents":[]}')) as answer:
            body = json.loads(answer.read())

    assert [item["candidates"][0]["content"]["parts"] for item in body] == [[{"text": "Hello"}]]


def test_chunks_are_written_as_the_provider_does() -> None:
    """Data lines with CRLF and a blank line, and nothing else: Google's client knows no comments."""
    with ProviderServer(Answer("Hello you")) as server:
        url = f"{server.base_url('gemini')}/v1beta/models/m:streamGenerateContent?alt=sse"
        with urllib.request.urlopen(urllib.request.Request(url, b'{"contents":[]}')) as answer:
            lines = answer.read().split(b"\r\n")

    assert [line[:7] for line in lines] == [*([b"data: {", b""] * 3), b""]


def test_small_talk_calls_an_offered_tool_and_uses_its_result(connect: Connect) -> None:
    """Without a script the server reads what is asked, what is offered, and what tools gave back."""
    ask = types.Content(role="user", parts=[types.Part(text="Weather in Oslo?")])
    with ProviderServer() as server:
        client = connect(server)
        (call,) = (part for part in parts_of(stream(client, [ask], tools=[OFFERED])) if part.function_call)
        assert call.function_call
        result = types.Part.from_function_response(name="get_weather", response={"output": "Sunny, 7 degrees."})
        history = [ask, types.Content(role="model", parts=[call]), types.Content(role="user", parts=[result])]
        told = "".join(part.text or "" for part in parts_of(stream(client, history, tools=[OFFERED])))

    assert call.function_call.args == {"city": "Oslo"}
    assert "Sunny, 7 degrees." in told


def test_tools_that_may_not_be_called_are_not_offered(connect: Connect) -> None:
    """A mode of NONE makes small talk of any question."""
    none = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.NONE))
    with ProviderServer() as server:
        parts = parts_of(stream(connect(server), "Weather in Oslo?", tools=[OFFERED], tool_config=none))

    assert not any(part.function_call for part in parts)


def test_request_is_in_the_book(connect: Connect) -> None:
    """What the client sent can be read afterwards."""
    with ProviderServer(Answer("Hi")) as server:
        list(stream(connect(server)))

    (request,) = server.requests
    assert (request.path, request.query["alt"]) == ("/v1beta/models/m:streamGenerateContent", "sse")
    assert request.headers["x-goog-api-key"] == "AIza-test"
    assert request.body["contents"] == [{"parts": [{"text": "Hi"}], "role": "user"}]
