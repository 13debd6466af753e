"""The recorded streams of every protocol that the tests carry, cut anywhere."""

import pytest

from allm_rx.data.events import Event
from allm_rx.wire.sse import SseDecoder
from tests.adapters.providers import PROVIDERS, Provider

RECORDED = [(provider, stem) for provider in PROVIDERS for stem in provider.recordings]


def read(provider: Provider, *pieces: bytes) -> list[Event]:
    """The events of a body, however it was cut."""
    sse, decoder = SseDecoder(), provider.decoder(provider="lake")
    events = [event for piece in pieces for record in sse.feed(piece) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    return [*events, *decoder.finish()]


@pytest.mark.parametrize(("provider", "name"), RECORDED, ids=str)
def test_events_do_not_depend_on_a_cut(provider: Provider, name: str) -> None:
    """A body that comes in two reads, cut at any byte, or of a long one at every seventh, gives the events of one read."""
    body = provider.recordings[name]
    events, step = read(provider, body), 1 if len(body) < 5000 else 7

    assert [at for at in range(0, len(body), step) if read(provider, body[:at], body[at:]) != events] == []


@pytest.mark.parametrize(("provider", "name"), RECORDED, ids=str)
def test_events_do_not_depend_on_bytes(provider: Provider, name: str) -> None:
    """A body that comes byte by byte gives the events of one read."""
    body = provider.recordings[name]

    assert read(provider, *(body[at : at + 1] for at in range(len(body)))) == read(provider, body)
