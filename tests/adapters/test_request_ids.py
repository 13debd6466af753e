"""The provider's id of a request is text of a server like any other: people read it, and so it is made safe."""

import pytest

from allm_rx import operators as lx
from allm_rx import stream_generate
from allm_rx.data.events import Event, MessageStarted, dumps
from allm_rx.testing.answers import Recording
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.wire.sse import SseRecord
from tests.adapters.providers import BY_NAME, PROVIDERS, Provider
from tests.loopback import KEY, PATIENCE


def served(provider: Provider, request_id: str) -> list[Event]:
    """Serve a recording under a request id and give what it says."""
    headers = {"content-type": "text/event-stream", "x-request-id": request_id}
    seen: list[Event] = []
    with ProviderServer(Recording(provider.recordings["text"], 200, headers)) as server:
        stream = stream_generate(provider.engine(server), "Hi", on_event=seen.append)
        lx.run(stream.pipe(lx.collect_response()), timeout=PATIENCE)
    return seen


def ids(events: list[Event]) -> list[str | None]:
    """Give the provider's ids in events."""
    return [event.provider_request_id for event in events if isinstance(event, MessageStarted)]


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_key_in_the_id_of_a_request_is_not_shown(provider: Provider) -> None:
    """A server that echoes the key in a header does not bring it into an event."""
    events = served(provider, f"req for {KEY}")

    assert ids(events) == ["req for [REDACTED]"]
    assert [event for event in events if KEY in dumps(event)] == []


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_id_of_a_request_stays_as_it_is(provider: Provider) -> None:
    """What support asks for is not changed."""
    assert ids(served(provider, "req_011CQ-4f:1")) == ["req_011CQ-4f:1"]


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_control_characters_are_taken_out(provider: Provider) -> None:
    """An id that is printed turns no terminal red."""
    assert provider.decoder(provider="lake", provider_request_id="req\x1b[31m").provider_request_id == "req[31m"


def test_key_in_the_id_of_an_answer_of_geminis_is_not_shown() -> None:
    """Without a header the id in the body stands for it."""
    decoder = BY_NAME["gemini"].decoder(provider="lake", secrets=("harbor-key",))

    decoder.feed(SseRecord(b'{"responseId": "r harbor-key", "candidates": []}'))

    assert decoder.provider_request_id == "r [REDACTED]"
