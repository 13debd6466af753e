"""The adapter itself: where its key comes from, what it sends, and what it makes of a real server's answers."""

import pytest
from pydantic import SecretStr
from reactivex import operators as ops

from allm_rx.abc.adapter import Call
from allm_rx.adapters.gemini.generate_content.adapter import Gemini
from allm_rx.data.events import Error, Event, MessageCompleted, MessageStarted, TextDelta
from allm_rx.data.messages import Message, tool_result, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import Request
from allm_rx.data.tools import Tool
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError
from allm_rx.operators.run import run
from allm_rx.runtime.host import HOST
from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.faults import ErrorFrame, Fault, NoTerminal
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.gemini.frames import BODIES
from tests.fixture_cases import check_grammar, fold

HI = Request(messages=(user("Hi"),), model="gemini-3-pro-preview")
CALL = Call(host=HOST, request_id="r1")
LAKE = ToolCall(id="fc-1", name="look", arguments={"at": "sea"})


def events_of(adapter: Gemini, request: Request = HI, call: Call = CALL) -> list[Event]:
    """All events of one stream, which obey the grammar."""
    events = run(adapter.stream(request, call).pipe(ops.to_list()), timeout=20)
    check_grammar(events)
    return events


def asked(server: ProviderServer) -> Gemini:
    """The adapter that asks a server of ours."""
    return Gemini(base_url=server.base_url("gemini"), api_key="AIza-lake")


# Against a server.


def test_answer_of_a_server_is_streamed() -> None:
    """Thoughts, text and usage arrive as they were scripted, with all ids."""
    with ProviderServer(Answer("Hello you.", reasoning="They greet.")) as server:
        events = events_of(asked(server))
        (sent,) = server.requests

    assert events[0] == MessageStarted("resp_0", "gemini", "gemini-3-pro-preview", "r1", "resp_0")
    response = fold(events)
    assert (response.output_text, response.reasoning, response.finish_reason) == ("Hello you.", "They greet.", "stop")
    assert response.usage == Usage(
        input_tokens=len(sent.raw) // 4, output_tokens=4, reasoning_tokens=2, total_tokens=len(sent.raw) // 4 + 4
    )
    assert (sent.path, sent.query["alt"]) == ("/v1beta/models/gemini-3-pro-preview:streamGenerateContent", "sse")
    assert sent.headers["x-goog-api-key"] == "AIza-lake"


def test_tools_go_round() -> None:
    """Calls of an answer, sent back with a result, reach the server as it made them: ids, signature and order."""
    with ProviderServer([Answer(tool_calls=[LAKE, LAKE.replace(id="fc-2")]), Answer("Calm.")]) as server:
        answer = fold(events_of(asked(server), HI.replace(tools=(Tool(name="look"),))))
        saved = Message.model_validate_json(answer.message.model_dump_json())
        results = [tool_result(call.id, "calm") for call in saved.tool_calls]
        events_of(asked(server), HI.replace(messages=(user("Hi"), saved, *results)))

    call = {"name": "look", "args": {"at": "sea"}}
    assert server.requests[1].body["contents"][1]["parts"] == [
        {"functionCall": {"id": "fc-1", **call}, "thoughtSignature": "ZmMtMQ=="},
        {"functionCall": {"id": "fc-2", **call}},
    ]
    assert [part["functionResponse"]["id"] for part in server.requests[1].body["contents"][2]["parts"]] == ["fc-1", "fc-2"]


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        (NoTerminal(), "stream_interrupted", "Hello you."),
        (ErrorFrame(after=1, message="The lake froze."), "server_error", "Hello"),
    ],
)
def test_fault_is_an_error_event(fault: Fault, reason: str, text: str) -> None:
    """A broken answer ends with an error, and keeps what came."""
    with ProviderServer(Answer("Hello you."), faults=[fault]) as server:
        response = fold(events_of(asked(server)))

    assert response.error is not None
    assert (response.error.reason, response.output_text) == (reason, text)


@pytest.mark.parametrize(
    ("finish", "reason", "raw"),
    [("content_filter", "content_filter", "SAFETY"), ("prompt:BLOCKLIST", "content_filter", "prompt:BLOCKLIST")],
)
def test_refused_content_is_an_outcome(finish: str, reason: str, raw: str) -> None:
    """A stop for safety, and a prompt that was blocked, are no errors."""
    with ProviderServer(Answer("No.", finish_reason=finish)) as server:
        response = fold(events_of(asked(server)))

    assert (response.finish_reason, response.raw_finish_reason, response.error) == (reason, raw, None)


def test_refusal_is_an_error_event() -> None:
    """A status that is no success arrives in band, without the key that the server repeats."""
    body = {"error": {"code": 400, "message": "bad key lake-key-1", "details": [{"reason": "API_KEY_INVALID"}]}}
    with ProviderServer(ErrorAnswer(400, body)) as server:
        events = events_of(Gemini(base_url=server.base_url("gemini"), api_key="lake-key-1"))

    assert isinstance(events[0], Error)
    assert events[0].failure.reason == "authentication_failed"
    assert "lake-key-1" not in events[0].failure.model_dump_json()


def test_wait_of_a_refusal_is_told() -> None:
    """The delay that the provider asks for is on the failure."""
    with ProviderServer(ErrorAnswer(429)) as server:
        (event,) = events_of(asked(server))

    assert isinstance(event, Error)
    assert (event.failure.reason, event.failure.retry_after) == ("rate_limited", 20.0)


def test_recording_is_streamed() -> None:
    """A recorded body comes through the whole stack."""
    with ProviderServer(Recording(BODIES["text"])) as server:
        events = events_of(asked(server))

    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["The", " lake is çalm", " 🌊 today."]
    assert isinstance(events[-1], MessageCompleted)


# Vertex AI.


def test_vertex_asks_for_a_token_per_request() -> None:
    """A function gives each request the token of its time, in a header."""
    tokens = iter(["token-one", "token-two"])
    with ProviderServer(Answer("Hi")) as server:
        adapter = Gemini.vertex(project="p", location="eu", access_token=lambda: next(tokens), base_url=server.base_url("gemini"))
        stream = adapter.stream(HI, CALL)
        run(stream)
        run(stream)

    assert [sent.headers["authorization"] for sent in server.requests] == ["Bearer token-one", "Bearer token-two"]
    path = "/v1beta1/projects/p/locations/eu/publishers/google/models/gemini-3-pro-preview:streamGenerateContent"
    assert server.requests[0].path == path


def test_token_function_that_raises_is_an_error_event() -> None:
    """The failure names the class of the exception, and nothing that may hold a token."""

    def token() -> str:
        raise RuntimeError("ya29.secret expired")

    (event,) = events_of(Gemini.vertex(project="p", location="global", access_token=token))

    assert isinstance(event, Error)
    assert event.failure.reason == "authentication_failed"
    assert "RuntimeError" in event.failure.message
    assert "ya29" not in event.failure.model_dump_json()


def test_missing_token_is_found_before_anything_is_sent() -> None:
    """Keys of AI Studio are no tokens."""
    with pytest.raises(EngineError, match="access_token") as raised:
        Gemini.vertex(project="p", location="global", access_token="").preflight(HI, CALL)

    assert raised.value.reason == "missing_key"


def test_token_of_the_call_wins() -> None:
    """The call's own key is sent as the token."""
    with ProviderServer(Answer("Hi")) as server:
        adapter = Gemini.vertex(project="p", location="eu", access_token="own", base_url=server.base_url("gemini"))
        events_of(adapter, call=Call(host=HOST, request_id="r1", api_key=SecretStr("mine")))

    assert server.requests[0].headers["authorization"] == "Bearer mine"


def test_half_a_place_is_refused() -> None:
    """A project without a location is neither here nor there."""
    with pytest.raises(TypeError, match="together"):
        Gemini(project="p")


# Keys and addresses.


def test_address_of_vertex_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Google's own package."""
    monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", "https://vertex.example")

    assert Gemini.vertex(project="p", location="eu", access_token="t").base_url == "https://vertex.example"


# The object.


def test_repr_shows_the_project_and_no_token() -> None:
    """Of Vertex AI it tells where the model runs."""
    vertex = Gemini.vertex(project="p", location="eu", access_token="t-123456")

    assert repr(vertex) == (
        "Gemini(provider='gemini', base_url='https://aiplatform.eu.rep.googleapis.com', project='p', location='eu')"
    )
    assert isinstance(vertex.access_token, SecretStr)
