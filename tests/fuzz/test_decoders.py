"""Whatever comes over the wire, every protocol's decoder gives well-formed events that end in one terminal."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allm_rx.abc.decoder import Decoder
from allm_rx.data.events import Error, Event, MessageCompleted, dumps
from allm_rx.data.failures import Failure
from allm_rx.testing.assertions import assert_grammar
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.sse import RecordTooLarge, SseDecoder
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.fixture_cases import fold
from tests.fuzz.mutations import DEEP, LONG, ODD, UNHURRIED, damaged, values

LIMIT = 2 * LONG
SOME = settings(max_examples=60, suppress_health_check=UNHURRIED)
RECORDED = [(provider.name, stem) for provider in PROVIDERS for stem in provider.recordings]
NAMES = [provider.name for provider in PROVIDERS]


def made(protocol: str, *, raw: bool = False) -> Any:
    return BY_NAME[protocol].decoder(provider=protocol, include_raw_chunks=raw)


def streamed(decoder: Decoder, body: bytes, size: int, limit: int = LIMIT) -> Iterator[Event]:
    """Read a body in pieces, as the exchange does."""
    sse = SseDecoder(limit)
    try:
        for start in range(0, len(body), size):
            for record in sse.feed(body[start : start + size]):
                assert len(record.data) <= limit
                yield from decoder.feed(record)
        for record in sse.finish():
            yield from decoder.feed(record)
    except RecordTooLarge as error:
        yield from decoder.fail(Failure(kind="StreamError", reason="record_too_large", message=str(error)))
        return
    yield from decoder.finish()


def assert_sound(events: list[Event]) -> None:
    """Well-formed, one terminal, which is typed, and all of it can be written down and folded."""
    assert_grammar(events)
    assert [type(event) in (Error, MessageCompleted) for event in events] == [False] * (len(events) - 1) + [True]
    for event in events:
        dumps(event)
    fold(events).model_dump_json()


@pytest.mark.parametrize("protocol", NAMES)
@given(body=st.binary() | st.text().map(lambda text: f"data: {text}\n\n".encode(errors="surrogatepass")), size=st.integers(1, 64))
def test_any_bytes(protocol: str, body: bytes, size: int) -> None:
    """Noise is one error, or an answer that had nothing in it."""
    assert_sound(list(streamed(made(protocol), body, size)))


@pytest.mark.parametrize(("protocol", "stem"), RECORDED)
@given(data=st.data())
@SOME
def test_damaged_recordings(protocol: str, stem: str, data: st.DataObject) -> None:
    """An answer that was torn, or has other values than it should, is read as far as it goes."""
    body = data.draw(damaged(BY_NAME[protocol].recordings[stem]))
    size = data.draw(st.sampled_from([7, 100, 4096, LONG]) if len(body) < 100_000 else st.just(65_536))
    raw = data.draw(st.booleans())

    assert_sound(list(streamed(made(protocol, raw=raw), body, size)))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:20]))
@pytest.mark.parametrize("protocol", NAMES)
def test_every_value_in_turn_is_odd(protocol: str, odd: bytes) -> None:
    """No value of a whole answer may be what it likes to be; each is tried with everything odd."""
    body = next(iter(sorted(BY_NAME[protocol].recordings.values(), key=len)))
    every = 1 if len(odd) < 1000 else 7  # the long ones take long

    for start, end in values(body)[::every]:
        assert_sound(list(streamed(made(protocol, raw=True), body[:start] + odd + body[end:], LONG)))


@pytest.mark.parametrize(("protocol", "stem"), RECORDED)
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=UNHURRIED)
def test_what_is_read_does_not_depend_on_the_cuts(protocol: str, stem: str, data: st.DataObject) -> None:
    """Damaged or not, the same bytes give the same events, however they came."""
    body = data.draw(damaged(BY_NAME[protocol].recordings[stem]))[:50_000]
    size = data.draw(st.integers(1, 50))

    assert list(streamed(made(protocol), body, size)) == list(streamed(made(protocol), body, len(body) or 1))


@pytest.mark.parametrize("protocol", NAMES)
@settings(max_examples=50)
@given(body=st.binary() | st.sampled_from(ODD), status=st.sampled_from([400, 401, 404, 429, 500, 529, 599]))
def test_any_refusal(protocol: str, body: bytes, status: int) -> None:
    """A refusal is one error with its status, whatever it says."""
    events = list(made(protocol).refuse(ResponseHead(status, {}), body))

    assert_sound(events)
    assert isinstance(events[-1], Error)
    assert events[-1].failure.status == status


@pytest.mark.parametrize("protocol", NAMES)
@settings(max_examples=50)
@given(body=st.binary() | st.sampled_from(ODD))
def test_any_whole_body(protocol: str, body: bytes) -> None:
    """What comes in place of a stream is read, or is one error."""
    assert_sound(list(made(protocol).whole(body)))


@pytest.mark.parametrize("protocol", NAMES)
def test_a_record_beyond_the_limit_is_one_error(protocol: str) -> None:
    """Nothing larger than the limit is held, and what came before it is kept."""
    body = b"data: " + b"x" * 10_000

    events = list(streamed(made(protocol), body, 100, limit=1000))

    assert_sound(events)
    assert isinstance(events[-1], Error)
    assert events[-1].failure.reason == "record_too_large"


@pytest.mark.parametrize("protocol", NAMES)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"choices":[', b'{"candidates":['])
def test_depth_is_no_crash(protocol: str, opening: bytes) -> None:
    """Frames of ten thousand levels end the answer, not the process."""
    assert_sound(list(streamed(made(protocol), b"data: " + opening * DEEP + b"\n\n", LONG)))
    assert_sound(list(made(protocol).whole(opening * DEEP)))
