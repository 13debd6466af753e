"""The adapter itself: where its key comes from, what it sends, and what it makes of a real server's answers."""

import copy
import pickle
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from reactivex import operators as ops

from allm_rx.abc import service
from allm_rx.abc.adapter import Adapter, Call
from allm_rx.adapters.anthropic.messages.adapter import Anthropic
from allm_rx.data.events import Error, Event, MessageCompleted, MessageStarted
from allm_rx.data.messages import tool_result, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import Request
from allm_rx.data.usage import Usage
from allm_rx.errors import EngineError, ValidationError
from allm_rx.operators.run import run
from allm_rx.runtime import keys
from allm_rx.runtime.host import HOST
from allm_rx.testing.answers import Answer, ErrorAnswer, Recording
from allm_rx.testing.faults import ErrorFrame, Fault, NoTerminal, WholeBody
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.anthropic.messages_frames import RECORDINGS, hold_to_grammar
from tests.fixture_cases import fold

HI = Request(messages=(user("Hi"),), model="claude-quay-5")
CALL = Call(host=HOST, request_id="r1")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine says of Anthropic."""
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)


@pytest.fixture
def stored() -> Iterator[None]:
    """Store a key for this process."""
    keys.put("anthropic", "sk-ant-stored")
    yield
    keys.delete("anthropic")


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


def test_whole_body_is_the_same_answer() -> None:
    """A server that answers a stream request with one JSON body is understood."""
    with ProviderServer(Answer("Hello", reasoning="Greet."), faults=[WholeBody()]) as server:
        response = fold(events_of(asked(server)))

    assert (response.output_text, response.reasoning, response.finish_reason) == ("Hello", "Greet.", "stop")


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


def test_refusal_that_repeats_the_key_does_not_show_it() -> None:
    """A server may put the key into its message; we do not."""
    body = {"type": "error", "error": {"type": "authentication_error", "message": "no such key: k-quay-77"}}
    with ProviderServer(ErrorAnswer(401, body)) as server:
        adapter = Anthropic(base_url=server.base_url("anthropic"), api_key="k-quay-77")
        (event,) = events_of(adapter)

    assert isinstance(event, Error)
    assert "k-quay-77" not in event.failure.model_dump_json()


# Keys.


def test_missing_key_is_found_before_anything_is_sent() -> None:
    """The error names the variable to set."""
    with pytest.raises(EngineError, match="ANTHROPIC_API_KEY") as raised:
        Anthropic().preflight(HI, CALL)

    assert raised.value.reason == "missing_key"


@pytest.mark.usefixtures("stored")
def test_key_is_found_where_keys_are_kept() -> None:
    """A stored key is enough, and a key that is gone later is found missing then."""
    adapter = Anthropic()

    adapter.preflight(HI, CALL)
    keys.delete("anthropic")

    with pytest.raises(EngineError):
        adapter.preflight(HI, CALL)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("own", "call", "sent"), [(None, None, "sk-ant-stored"), ("a", None, "a"), ("a", "b", "b")])
def test_key_is_the_nearest(own: str | None, call: str | None, sent: str) -> None:
    """The call's key, then the adapter's, then what the runtime knows."""
    given = SecretStr(call) if call else None
    with ProviderServer(Answer("Hi")) as server:
        adapter = Anthropic(base_url=server.base_url("anthropic"), api_key=own)
        events_of(adapter, call=Call(host=HOST, request_id="r1", api_key=given))

        assert server.requests[0].headers["x-api-key"] == sent


def test_key_that_is_taken_away_meanwhile_changes_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal of a request that was sent is told, whatever became of the key."""
    monkeypatch.setattr(service, "_LOOPBACK", frozenset[str]())

    def answer(body: object, index: int) -> ErrorAnswer:
        keys.delete("anthropic")
        return ErrorAnswer(529)

    keys.put("anthropic", "sk-ant-stored")
    with ProviderServer(answer) as server:
        *_, last = events_of(Anthropic(base_url=server.base_url("anthropic")))

    assert isinstance(last, Error)
    assert last.failure.reason == "overloaded"


def test_token_is_sent_as_a_bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An OAuth token is found under its own variable and sent as one."""
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "oauth-quay")
    with ProviderServer(Answer("Hi")) as server:
        events_of(Anthropic(base_url=server.base_url("anthropic"), auth="bearer", betas="oauth-2025-04-20"))

        headers = server.requests[0].headers
    assert (headers["authorization"], headers["anthropic-beta"]) == ("Bearer oauth-quay", "oauth-2025-04-20")


def test_server_on_this_machine_needs_no_key() -> None:
    """A pasted local address works without a key, and none is sent."""
    with ProviderServer(Answer("Hi")) as server:
        adapter = Anthropic(base_url=server.base_url("anthropic"))
        adapter.preflight(HI, CALL)
        events_of(adapter)

        assert "x-api-key" not in server.requests[0].headers


def test_address_of_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the vendor's package, a variable leads elsewhere."""
    assert Anthropic().base_url == "https://api.anthropic.com"

    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://quay.example")

    assert Anthropic().base_url == "https://quay.example"


# The value.


def test_parts_are_checked_before_the_key() -> None:
    """What no key could mend is told first."""
    with pytest.raises(ValidationError):
        Anthropic().preflight(HI.replace(seed=1), CALL)


def test_version_decides_what_is_taken() -> None:
    """A request that the older version takes is refused under the newer one."""
    request = HI.replace(temperature=0.2)

    Anthropic(api_key="k").preflight(request, CALL)

    with pytest.raises(ValidationError, match="2026-10-21"):
        Anthropic(api_key="k", api_version="2026-10-21").preflight(request, CALL)


def test_repr_shows_no_secret() -> None:
    """Neither the key nor headers nor a password in the address."""
    adapter = Anthropic(api_key="k-123456", headers={"x-key": "h-123456"}, base_url="https://ann:p-123456@quay.example")

    assert repr(adapter) == "Anthropic(provider='anthropic', base_url='https://[REDACTED]@quay.example')"
    assert isinstance(adapter.api_key, SecretStr)


def test_adapter_stays_in_its_process() -> None:
    """Pickling says what to do in its place; copies are the adapter itself."""
    adapter = Anthropic(api_key="k-123456")

    with pytest.raises(TypeError, match="build it in the worker"):
        pickle.dumps(adapter)
    assert copy.copy(adapter) is copy.deepcopy(adapter) is adapter


def test_adapter_is_an_adapter() -> None:
    """It fits the seam."""
    adapter: Adapter = Anthropic()

    assert adapter.provider == "anthropic"
