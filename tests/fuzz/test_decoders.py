"""Whatever comes over the wire, every protocol's decoder gives well-formed events that end in one terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allm_rx.data.events import Error
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.fuzz.mutations import DEEP, HARD, LONG, ODD, UNHURRIED, damaged, values
from tests.fuzz.properties import (
    NAMES,
    assert_sound,
    cuts_do_not_matter,
    made,
    refusal_is_one_error,
    stream_is_sound,
    streamed,
    whole_body_is_sound,
)

SOME = settings(max_examples=60, suppress_health_check=UNHURRIED)
RECORDED = [(provider.name, stem) for provider in PROVIDERS for stem in provider.recordings]


@pytest.mark.parametrize("protocol", NAMES)
@given(body=st.binary() | st.text().map(lambda text: f"data: {text}\n\n".encode(errors="surrogatepass")), size=st.integers(1, 64))
def test_any_bytes(protocol: str, body: bytes, size: int) -> None:
    """Noise is one error, or an answer that had nothing in it."""
    stream_is_sound(protocol, body, size)


@pytest.mark.parametrize(("protocol", "stem"), RECORDED)
@given(data=st.data())
@SOME
def test_damaged_recordings(protocol: str, stem: str, data: st.DataObject) -> None:
    """An answer that was torn, or has other values than it should, is read as far as it goes."""
    body = data.draw(damaged(BY_NAME[protocol].recordings[stem]))
    size = data.draw(st.sampled_from([7, 100, 4096, LONG]) if len(body) < 100_000 else st.just(65_536))
    raw = data.draw(st.booleans())

    stream_is_sound(protocol, body, size, raw=raw)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:20]))
@pytest.mark.parametrize("protocol", NAMES)
def test_every_value_in_turn_is_odd(protocol: str, odd: bytes) -> None:
    """No value of a whole answer may be what it likes to be; each is tried with everything odd."""
    body = next(iter(sorted(BY_NAME[protocol].recordings.values(), key=len)))
    every = 1 if len(odd) < 1000 else 7  # the long ones take long

    for start, end in values(body)[::every]:
        stream_is_sound(protocol, body[:start] + odd + body[end:], LONG, raw=True)


@pytest.mark.parametrize("odd", HARD, ids=lambda odd: repr(odd[:20]))
@pytest.mark.parametrize(("protocol", "stem"), RECORDED)
def test_every_value_in_turn_is_hard_to_write(protocol: str, stem: str, odd: bytes) -> None:
    """What a parser takes and a writer does not, in place of every value of every recording, is told or left out."""
    body = BY_NAME[protocol].recordings[stem]

    for start, end in values(body):
        stream_is_sound(protocol, body[:start] + odd + body[end:], LONG, raw=True)


@pytest.mark.parametrize(("protocol", "stem"), RECORDED)
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=UNHURRIED)
def test_what_is_read_does_not_depend_on_the_cuts(protocol: str, stem: str, data: st.DataObject) -> None:
    """Damaged or not, the same bytes give the same events, however they came."""
    body = data.draw(damaged(BY_NAME[protocol].recordings[stem]))[:50_000]
    size = data.draw(st.integers(1, 50))

    cuts_do_not_matter(protocol, body, size)


@pytest.mark.parametrize("protocol", NAMES)
@settings(max_examples=50)
@given(body=st.binary() | st.sampled_from(ODD), status=st.sampled_from([400, 401, 404, 429, 500, 529, 599]))
def test_any_refusal(protocol: str, body: bytes, status: int) -> None:
    """A refusal is one error with its status, whatever it says."""
    refusal_is_one_error(protocol, status, body)


@pytest.mark.parametrize("protocol", NAMES)
@settings(max_examples=50)
@given(body=st.binary() | st.sampled_from(ODD))
def test_any_whole_body(protocol: str, body: bytes) -> None:
    """What comes in place of a stream is read, or is one error."""
    whole_body_is_sound(protocol, body)


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
    stream_is_sound(protocol, b"data: " + opening * DEEP + b"\n\n", LONG)
    whole_body_is_sound(protocol, opening * DEEP)
