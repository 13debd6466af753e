"""The adapter itself: where its key comes from, what it sends, and what it makes of a real server's answers."""

import pytest
from reactivex import operators as ops

from allm_rx.abc.adapter import Call
from allm_rx.adapters.anthropic.messages.adapter import Anthropic
from allm_rx.data.events import Error, Event, MessageCompleted, MessageStarted
from allm_rx.data.messages import tool_result, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import Request
from allm_rx.data.usage import Usage
from allm_rx.errors import ValidationError
from allm_rx.operators.run import run
from allm_rx.runtime.host import HOST
from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.faults import ErrorFrame, Fault, NoTerminal
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.anthropic.messages_frames import RECORDINGS, hold_to_grammar
from tests.fixture_cases import fold

HI = Request(messages=(user("Hi"),), model="claude-quay-5")
CALL = Call(host=HOST, request_id="r1")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine says of Anthropic."""
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)


def events_of(adapter: Anthropic, request: Request = HI, call: Call = CALL) -> list[Event]:
    """All events of one stream, which obey the grammar."""
    events = run(adapter.stream(request, call).pipe(ops.to_list()), timeout=20)
    hold_to_grammar(events)
    return events


def asked(server: ProviderServer) -> Anthropic:
    """The adapter that asks a server of ours."""
    return Anthropic(base_url=server.base_url("anthropic"), api_key="sk-ant-quay")


# Against a server.


def test_answer_arrives_with_all_ids() -> None:
    """Text, reasoning, usage and ids come over a real connection."""
    usage = Usage(input_tokens=9, output_tokens=4, cached_input_tokens=3, cache_write_input_tokens=1, reasoning_tokens=2)
    with ProviderServer(Answer("Hello, Zoë 🙂", reasoning="Greet.", usage=usage)) as server:
        events = events_of(asked(server))

    response = fold(events)
    assert events[0] == MessageStarted("msg_0", "anthropic", "claude-quay-5", "r1", "req_0")
    assert (response.output_text, response.reasoning, response.finish_reason) == ("Hello, Zoë 🙂", "Greet.", "stop")
    assert response.usage == usage


def test_request_has_its_headers() -> None:
    """Version and key are sent, and the vendor's own path is asked."""
    with ProviderServer(Answer("Hi")) as server:
        events_of(asked(server))

        (received,) = server.requests
    assert received.path == "/v1/messages"
    assert (received.headers["x-api-key"], received.headers["anthropic-version"]) == ("sk-ant-quay", "2023-06-01")
    assert received.body["stream"] is True


def test_turn_with_tools_goes_on_with_its_signed_thought() -> None:
    """What was thought and called goes back with the results, and the model answers."""
    calls = [ToolCall(id="toolu_1", name="look", arguments={"at": 1}), ToolCall(id="toolu_2", name="look", arguments={})]
    with ProviderServer([Answer(reasoning="Look twice.", tool_calls=calls), Answer("Two ships.")]) as server:
        adapter = asked(server)
        first = fold(events_of(adapter))
        results = [tool_result(call.id, "a ship") for call in first.tool_calls]
        second = fold(events_of(adapter, HI.replace(messages=(*HI.messages, first.message, *results))))

        sent = server.requests[1].body["messages"]
    assert second.output_text == "Two ships."
    assert [block["type"] for block in sent[1]["content"]] == ["thinking", "tool_use", "tool_use"]
    assert sent[1]["content"][0]["signature"]
    assert [block["tool_use_id"] for block in sent[2]["content"]] == ["toolu_1", "toolu_2"]


@pytest.mark.parametrize(
    ("answer", "faults", "reason"),
    [
        (ErrorAnswer(401), [], "authentication_failed"),
        (ErrorAnswer(429, headers={"retry-after": "7"}), [], "rate_limited"),
        (ErrorAnswer(529), [], "overloaded"),
        (Answer("Hello you"), [ErrorFrame(after=3)], "server_error"),
        (Answer("Hello you"), [NoTerminal()], "stream_interrupted"),
        (Answer("Hello you"), [NoTerminal(marker_only=True)], "stream_interrupted"),
    ],
)
def test_failure_is_one_error_event(answer: Answer | ErrorAnswer, faults: list[Fault], reason: str) -> None:
    """Whatever goes wrong arrives in band, with the ids of the request."""
    with ProviderServer(answer, faults=faults) as server:
        *_, last = events_of(asked(server))

    assert isinstance(last, Error)
    assert (last.failure.reason, last.failure.request_id, last.failure.provider_request_id) == (reason, "r1", "req_0")


def test_recorded_answer_arrives_whole() -> None:
    """A recording, padding and pings and all, gives its message over a real connection."""
    body = (RECORDINGS / "thinking_tools.sse").read_bytes()
    with ProviderServer(Recording(body)) as server:
        last = events_of(asked(server))[-1]

    assert isinstance(last, MessageCompleted)
    assert [part.type for part in last.message.content] == ["reasoning", "reasoning", "text", "tool_call", "tool_call"]


# Keys.


def test_token_is_sent_as_a_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OAuth token is found under its own variable and sent as one."""
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "oauth-quay")
    with ProviderServer(Answer("Hi")) as server:
        events_of(Anthropic(base_url=server.base_url("anthropic"), auth="bearer", betas="oauth-2025-04-20"))

        headers = server.requests[0].headers
    assert (headers["authorization"], headers["anthropic-beta"]) == ("Bearer oauth-quay", "oauth-2025-04-20")


# The value.


def test_version_decides_what_is_taken() -> None:
    """A request that the older version takes is refused under the newer one."""
    request = HI.replace(temperature=0.2)

    Anthropic(api_key="k").preflight(request, CALL)

    with pytest.raises(ValidationError, match="2026-10-21"):
        Anthropic(api_key="k", api_version="2026-10-21").preflight(request, CALL)
