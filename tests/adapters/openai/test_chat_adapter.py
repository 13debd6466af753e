"""The adapter itself: where its key comes from, and what it sends."""

import copy
import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pytest
import reactivex
from pydantic import SecretStr
from reactivex import Observable

from allm_rx.abc.adapter import Adapter, Call
from allm_rx.abc.keys import Keys
from allm_rx.abc.transport import Transport
from allm_rx.adapters import OpenAIChat
from allm_rx.data.events import Error, Event, MessageCompleted
from allm_rx.data.messages import user
from allm_rx.data.requests import Request
from allm_rx.errors import EngineError, ValidationError
from allm_rx.wire.http import ResponseHead, WireRequest
from tests.adapters.openai.chat_frames import RECORDINGS

T = TypeVar("T")
HI = Request(messages=(user("Hi"),), model="m")


@dataclass
class Wire:
    """A transport that answers every request alike, and remembers them."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream", "x-request-id": "req_1"})
    body: bytes = (RECORDINGS / "text.sse").read_bytes()
    sent: list[WireRequest] = field(default_factory=list[WireRequest])
    keys: "Ring | None" = None
    """Loses its key when the request is sent."""

    def open(self, request: WireRequest, /) -> Observable[ResponseHead | bytes]:
        items: list[ResponseHead | bytes] = [ResponseHead(self.status, self.headers), self.body]

        def answer(_: Any) -> Observable[ResponseHead | bytes]:
            self.sent.append(request)
            if self.keys is not None:
                self.keys.key = None
            return reactivex.from_iterable(items)

        return reactivex.defer(answer)


@dataclass
class Ring:
    """A place for keys that knows one."""

    key: str | None = None

    def find(self, provider: str, variables: Sequence[str], /) -> SecretStr | None:
        return SecretStr(self.key) if self.key else None


@dataclass
class Lent:
    """A host without loops and threads."""

    transport: Transport
    keys: Keys = field(default_factory=Ring)

    def deliver(self, source: Observable[T], /) -> Observable[T]:
        return source


def events_of(adapter: OpenAIChat, call: Call) -> list[Event]:
    events: list[Event] = []
    adapter.stream(HI, call).subscribe(events.append)
    return events


def test_request_is_sent_at_subscription() -> None:
    """Every subscription is a request of its own, none is sent before."""
    wire = Wire()
    call = Call(host=Lent(wire), request_id="r1")
    stream = OpenAIChat(api_key="k-123456", base_url="https://lake.example/v1").stream(HI, call)
    assert wire.sent == []

    stream.subscribe()
    stream.subscribe()

    assert [request.url for request in wire.sent] == ["https://lake.example/v1/chat/completions"] * 2
    assert json.loads(wire.sent[0].body)["messages"] == [{"role": "user", "content": "Hi"}]
    assert wire.sent[0].plain_headers()["authorization"] == "Bearer k-123456"


def test_events_carry_all_ids() -> None:
    """The provider's name, our id and theirs are in the stream."""
    adapter = OpenAIChat(api_key="k-123456", provider="lake")

    started, *_, ended = events_of(adapter, Call(host=Lent(Wire()), request_id="r1"))

    assert (started.provider, started.request_id, started.provider_request_id) == ("lake", "r1", "req_1")  # type: ignore[union-attr]
    assert isinstance(ended, MessageCompleted)


def test_refusal_is_an_error_event() -> None:
    """A status that is no success arrives in band, without the key that the server repeats."""
    wire = Wire(status=401, body=b'{"error":{"message":"bad key k-123456","code":"invalid_api_key"}}')

    events = events_of(OpenAIChat(api_key="k-123456"), Call(host=Lent(wire), request_id="r1"))

    assert isinstance(events[0], Error)
    assert events[0].failure.reason == "authentication_failed"
    assert "k-123456" not in events[0].failure.model_dump_json()


@pytest.mark.parametrize(
    ("call_key", "own", "known", "sent"),
    [("call", "own", "known", "call"), (None, "own", "known", "own"), (None, None, "known", "known")],
)
def test_key_is_the_nearest(call_key: str | None, own: str | None, known: str, sent: str) -> None:
    """The call's key, then the adapter's, then what the runtime knows."""
    wire = Wire()
    given = SecretStr(call_key) if call_key else None

    events_of(OpenAIChat(api_key=own), Call(host=Lent(wire, Ring(known)), request_id="r1", api_key=given))

    assert wire.sent[0].plain_headers()["authorization"] == f"Bearer {sent}"


def test_missing_key_is_found_before_anything_is_sent() -> None:
    """The error names the variable to set."""
    with pytest.raises(EngineError, match="OPENAI_API_KEY") as raised:
        OpenAIChat().preflight(HI, Call(host=Lent(Wire()), request_id="r1"))

    assert raised.value.reason == "missing_key"


def test_local_server_needs_no_key() -> None:
    """A pasted local address works without one, and sends none."""
    wire = Wire()
    adapter = OpenAIChat(base_url="http://localhost:11434/v1")
    call = Call(host=Lent(wire), request_id="r1")

    adapter.preflight(HI, call)
    events_of(adapter, call)

    assert "authorization" not in wire.sent[0].headers


def test_page_in_place_of_a_stream_names_the_address() -> None:
    """A web page with status 200 means a wrong `base_url`, not a cut answer."""
    wire = Wire(headers={"content-type": "text/html; charset=utf-8"}, body=b"<html>Welcome</html>")

    events = events_of(OpenAIChat(api_key="k-123456"), Call(host=Lent(wire), request_id="r1"))

    assert isinstance(events[-1], Error)
    assert events[-1].failure.reason == "malformed_response"
    assert "base_url" in events[-1].failure.message


def test_key_that_is_taken_away_meanwhile_changes_no_failure() -> None:
    """The answer to a request that was sent is told, whatever became of the key."""
    ring = Ring("k-123456")
    wire = Wire(status=500, body=b"", keys=ring)

    events = events_of(OpenAIChat(), Call(host=Lent(wire, ring), request_id="r1"))

    assert isinstance(events[-1], Error)
    assert events[-1].failure.reason == "server_error"


def test_parts_are_checked_before_the_key() -> None:
    """What no key could mend is told first."""
    request = HI.replace(provider_options={"n": 2})

    with pytest.raises(ValidationError):
        OpenAIChat().preflight(request, Call(host=Lent(Wire()), request_id="r1"))


def test_repr_shows_no_secret() -> None:
    """Neither the key nor headers nor a password in the address."""
    adapter = OpenAIChat(
        api_key="k-123456", headers={"x-key": "h-123456"}, base_url="https://ann:p-123456@lake.example/v1", provider="lake"
    )

    assert repr(adapter) == "OpenAIChat(provider='lake', base_url='https://[REDACTED]@lake.example/v1')"
    assert isinstance(adapter.api_key, SecretStr)


def test_adapter_stays_in_its_process() -> None:
    """Pickling says what to do in its place; copies are the adapter itself."""
    adapter = OpenAIChat(api_key="k-123456")

    with pytest.raises(TypeError, match="build it in the worker"):
        pickle.dumps(adapter)
    assert copy.copy(adapter) is copy.deepcopy(adapter) is adapter


def test_adapter_is_an_adapter() -> None:
    """It fits the seam."""
    adapter: Adapter = OpenAIChat()

    assert cast("Any", adapter).provider == "openai"
