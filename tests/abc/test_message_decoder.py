"""What every decoder of a chat protocol guarantees, shown on a toy protocol."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.data import events as ev
from allm_rx.data.events import Event
from allm_rx.data.failures import Failure
from allm_rx.data.messages import assistant
from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.assertions import assert_grammar
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.sse import SseRecord
from tests.toy_protocol import END, ToyDecoder, decoded, frame, frames, record

STARTED = ev.MessageStarted("1", "toy", "m", "ours", None)
NAMELESS = ev.MessageStarted(None, "toy", None, "ours", None)
NAMES = {"id": "1", "model": "m"}
SMILE_IN_HALVES = (b'{"say":"a\\ud83d"}', b'{"say":"\\ude00b"}')


def raw(*frames: bytes) -> bytes:
    """A body of frames that are written by hand."""
    return b"".join(b"data: " + one + b"\n\n" for one in frames) + END


def types(events: list[Event]) -> list[str]:
    """The types of events."""
    return [event.type for event in events]


def failure(events: list[Event]) -> Failure:
    """The failure at the end."""
    assert isinstance(events[-1], ev.Error)
    return events[-1].failure


# An answer.


def test_an_answer_has_a_start_its_blocks_and_a_terminal() -> None:
    """In the order of the grammar, and the terminal carries the whole message."""
    events = decoded(frames(NAMES, {"say": "Hel"}, {"say": "lo"}, {"usage": {"input_tokens": 3}}, {"finish": "stop"}))

    assert events == [
        STARTED,
        ev.TextDelta("text-0", "Hel"),
        ev.TextDelta("text-0", "lo"),
        ev.TextCompleted("text-0", "Hello"),
        ev.RawChunk("usage", Usage(input_tokens=3)),
        ev.MessageCompleted(assistant("Hello"), "stop", "stop"),
    ]


def test_the_start_comes_once_and_first() -> None:
    """Also when the names come late, or several times."""
    events = decoded(frames({"say": "a"}, NAMES, NAMES, {"say": "b"}))

    assert events[0] == NAMELESS
    assert types(events).count("message_started") == 1


def test_an_empty_answer_is_an_answer() -> None:
    """A start and a terminal, and nothing between them."""
    assert decoded(frames({"finish": "stop"})) == [NAMELESS, ev.MessageCompleted(assistant(""), "stop", "stop")]


def test_runs_of_text_and_reasoning_are_blocks() -> None:
    """Each change of kind completes the block before it."""
    events = decoded(frames({"think": "x"}, {"say": "y"}, {"think": "z"}))

    assert [(event.type, event.id) for event in events if isinstance(event, (ev.TextCompleted, ev.ReasoningCompleted))] == [
        ("reasoning_completed", "reasoning-0"),
        ("text_completed", "text-1"),
        ("reasoning_completed", "reasoning-2"),
    ]


def test_a_call_ends_the_text_before_it() -> None:
    """Blocks come in the order they began."""
    events = decoded(frames({"say": "a"}, {"call": "t", "id": "c"}, {"args": '{"x":'}, {"args": "1}"}, {"finish": "stop"}))

    assert types(events[1:-1]) == [
        "text_delta",
        "text_completed",
        "tool_call_started",
        "tool_call_delta",
        "tool_call_delta",
        "tool_call_completed",
    ]


def test_a_stop_with_calls_is_tool_calls() -> None:
    """Several servers always say stop."""
    *_, end = decoded(frames({"call": "t", "id": "c"}, {"args": "{}"}, {"finish": "stop"}))

    assert isinstance(end, ev.MessageCompleted)
    assert (end.finish_reason, end.raw_finish_reason) == ("tool_calls", "stop")


def test_empty_deltas_are_no_events() -> None:
    """A delta is never empty."""
    assert types(decoded(frames({"say": ""}, {"think": ""}, {"call": "t", "id": "c"}, {"args": ""}))) == [
        "message_started",
        "tool_call_started",
        "tool_call_completed",
        "message_completed",
    ]


# Calls.


@pytest.mark.parametrize(
    ("given_ids", "ids"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a-2", "a-3"]),
        (["", None], ["call_0", "call_1"]),
        (["a", "a", "a-2"], ["a", "a-2", "a-2-2"]),
        (["call_1", None], ["call_1", "call_1-2"]),
    ],
)
def test_ids_of_calls_are_repaired(given_ids: list[Any], ids: list[str]) -> None:
    """Missing, repeated and empty ones become unique within the message (F-21)."""
    events = decoded(frames(*({"call": "t", "id": given_id} for given_id in given_ids)))

    assert [event.id for event in events if isinstance(event, ev.ToolCallStarted)] == ids
    assert_grammar(events)


def test_arguments_that_are_no_object_are_an_error_of_the_call() -> None:
    """The answer goes on, and the model can be told (F-14)."""
    events = decoded(frames({"call": "t", "id": "c"}, {"args": "[1"}, {"finish": "tool_calls"}))

    [call] = [event for event in events if isinstance(event, ev.ToolCallCompleted)]
    assert (call.arguments, call.raw_arguments, call.error is None) == ({}, "[1", False)
    assert isinstance(events[-1], ev.MessageCompleted)


def test_arguments_that_were_cut_say_so() -> None:
    """An answer that ran into its limit has not made a mistake."""
    *_, end = decoded(frames({"call": "t", "id": "c"}, {"args": '{"x": "a'}, {"finish": "length"}))

    assert isinstance(end, ev.MessageCompleted)
    [call] = end.message.tool_calls
    assert call.error == "The call was cut off before its arguments were complete."


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """Nothing is wrong with it."""
    *_, end = decoded(frames({"call": "t", "id": "c"}, {"finish": "tool_calls"}))

    assert isinstance(end, ev.MessageCompleted)
    assert end.message.tool_calls == (ToolCall(id="c", name="t", raw_arguments=""),)


# Usage.


def test_usage_comes_once_before_the_terminal() -> None:
    """Several reports are merged field by field."""
    events = decoded(frames({"usage": {"input_tokens": 3}}, {"say": "a"}, {"usage": {"output_tokens": 5}}, {"finish": "stop"}))

    assert types(events).count("raw_chunk") == 1
    assert events[-2] == ev.RawChunk("usage", Usage(input_tokens=3, output_tokens=5))


@pytest.mark.parametrize("ending", [frame(error={"message": "lost"}), b""], ids=["error", "cut"])
def test_usage_comes_before_an_error_too(ending: bytes) -> None:
    """What failed has cost something."""
    events = decoded(frames({"usage": {"input_tokens": 3}}, {"say": "a"}, end=ending))

    assert types(events) == ["message_started", "text_delta", "raw_chunk", "error"]


# Frames of the provider.


def test_frames_are_given_when_they_are_wanted() -> None:
    """Each once, in front of what it means; those before the start wait for it."""
    events = decoded(frames({"x": 1}, {"say": "a"}), decoder=ToyDecoder(include_raw_chunks=True))

    assert events[:4] == [
        NAMELESS,
        ev.RawChunk("chunk", {"x": 1}),
        ev.RawChunk("chunk", {"say": "a"}),
        ev.TextDelta("text-0", "a"),
    ]


def test_frames_are_named_by_their_type_or_event() -> None:
    """And never by the name that is ours."""
    decoder = ToyDecoder(include_raw_chunks=True)

    records = [record(type="ping"), SseRecord(b"{}", "heartbeat"), record(type="usage"), record(say="a")]
    events = [event for one in records for event in decoder.feed(one)]

    assert [event.kind for event in events if isinstance(event, ev.RawChunk)] == ["ping", "heartbeat", "chunk", "chunk"]


def test_frames_before_an_error_are_not_lost() -> None:
    """They explain it."""
    decoder = ToyDecoder(include_raw_chunks=True)

    events = decoded(frames({"error": {"message": "no"}}), decoder=decoder)

    assert types(events) == ["message_started", "raw_chunk", "error"]


def test_without_being_asked_for_there_are_no_frames() -> None:
    """Only usage is always given."""
    assert "raw_chunk" not in types(decoded(frames({"x": 1}, {"say": "a"}, {"finish": "stop"})))


# Text that is cut in the middle of a character.


@pytest.mark.parametrize("kind", ["say", "think"])
def test_halves_of_a_character_are_joined(kind: str) -> None:
    """A surrogate at the end of a delta waits for its other half."""
    one, two = (half.replace(b"say", kind.encode()) for half in SMILE_IN_HALVES)
    events = decoded(raw(one, two))

    assert [event.delta for event in events if isinstance(event, (ev.TextDelta, ev.ReasoningDelta))] == ["a", "😀b"]


def test_a_half_that_stays_alone_is_replaced() -> None:
    """At the end of its block it becomes U+FFFD, in deltas and whole."""
    events = decoded(raw(SMILE_IN_HALVES[0], b'{"think":"x"}'))

    texts = [event for event in events if isinstance(event, (ev.TextDelta, ev.TextCompleted))]
    assert texts == [ev.TextDelta("text-0", "a"), ev.TextDelta("text-0", "�"), ev.TextCompleted("text-0", "a�")]


def test_halves_in_arguments_are_joined() -> None:
    """A call's text is text too."""
    events = decoded(raw(b'{"call":"t","id":"c"}', b'{"args":"\\"\\ud83d"}', b'{"args":"\\ude00\\""}'))

    assert "".join(event.arguments_delta for event in events if isinstance(event, ev.ToolCallDelta)) == '"😀"'


# Failures.


def test_a_body_without_its_end_is_interrupted() -> None:
    """What came stays, and the message says what is missing."""
    events = decoded(frames({"say": "a"}, end=b""))

    assert types(events) == ["message_started", "text_delta", "error"]
    assert failure(events).reason == "stream_interrupted"
    assert failure(events).message == "toy closed the stream before its end marker: the answer is incomplete. Send it again."


def test_a_body_that_was_cut_in_a_frame_is_interrupted() -> None:
    """Half a frame is not malformed, only half."""
    assert failure(decoded(b'data: {"say": "a')).reason == "stream_interrupted"


def test_a_frame_that_is_not_json_is_an_error_that_shows_it() -> None:
    """With what it is, and without secrets."""
    decoder = ToyDecoder(secrets=("my-own-key",))

    failed = failure(decoded(b"data: Bad gateway for my-own-key\n\n", decoder=decoder))

    assert failed.reason == "malformed_response"
    assert "toy sent something that is not JSON: 'Bad gateway for [REDACTED]'" in failed.message


@pytest.mark.parametrize("data", [b'"text"', b"3", b"null", b"true"])
def test_json_that_is_no_object_means_nothing(data: bytes) -> None:
    """It surprises, and is skipped."""
    assert types(decoded(raw(data, b'{"say":"a"}'))) == ["message_started", "text_delta", "text_completed", "message_completed"]


def test_a_list_of_frames_is_read_like_its_frames() -> None:
    """Some servers wrap an error so."""
    assert failure(decoded(raw(b'[1, {"error": {"message": "wrapped"}}, {"say": "x"}]'))).message == "wrapped"


@pytest.mark.parametrize("data", [{"say": 3}, {"usage": "much"}, {"usage": {"nonsense": 1}}], ids=str)
def test_a_frame_of_another_shape_is_an_error(data: dict[str, Any]) -> None:
    """The provider's failure, not a crash of the program."""
    assert failure(decoded(frames(data))).reason == "malformed_response"


def test_an_error_is_final() -> None:
    """Nothing follows it, whatever comes."""
    decoder = ToyDecoder()
    events = decoded(frames({"error": {"message": "no"}}, {"say": "a"}, {"finish": "stop"}), decoder=decoder)

    assert types(events) == ["error"]
    assert decoder.ended
    assert decoder.feed(record(say="x")) == decoder.finish() == decoder.fail(failure(events)) == []


def test_nothing_follows_the_terminal() -> None:
    """A second end marker, more text, a broken connection."""
    decoder = ToyDecoder()
    events = decoded(frames({"finish": "stop"}) + END + frame(say="x"), decoder=decoder)

    assert types(events) == ["message_started", "message_completed"]
    assert decoder.fail(Failure(kind="StreamError", reason="stream_interrupted", message="reset")) == []


def test_a_failure_is_told_who_asked_and_who_answered() -> None:
    """Ids of the request are filled in where they are missing."""
    decoder = ToyDecoder(ResponseHead(200, {"x-request-id": "theirs"}))

    failed = failure(decoder.fail(Failure(kind="StreamError", reason="stream_interrupted", message="reset", request_id="mine")))

    assert (failed.provider, failed.request_id, failed.provider_request_id) == ("toy", "mine", "theirs")


def test_a_refusal_without_json_shows_its_text() -> None:
    """The decoder is given what can be read, made safe to show."""
    decoder = ToyDecoder(secrets=("my-own-key",))

    [error] = decoder.refuse(ResponseHead(502, {}), b"<h1>Bad\x07 gateway</h1> my-own-key")

    assert isinstance(error, ev.Error)
    assert (error.failure.status, error.failure.message) == (502, "<h1>Bad gateway</h1> [REDACTED]")


# One JSON body.


def test_a_whole_body_gives_the_same_events() -> None:
    """As a stream of it would."""
    assert ToyDecoder().whole(b' {"say": "Hello"}') == [
        NAMELESS,
        ev.TextDelta("text-0", "Hello"),
        ev.TextCompleted("text-0", "Hello"),
        ev.MessageCompleted(assistant("Hello"), "stop", "stop"),
    ]


def test_a_body_that_is_a_list_is_a_stream() -> None:
    """Its frames are read one by one, and its end is an end."""
    events = ToyDecoder().whole(b'[{"say": "a"}, {"finish": "stop"}]')

    assert types(events) == ["message_started", "text_delta", "text_completed", "message_completed"]
    assert failure(ToyDecoder().whole(b'[{"say": "a"}]')).reason == "stream_interrupted"


@pytest.mark.parametrize("body", [b"", b"<html>", b'"text"', b"[]", b"{", b'{"other": 1}'])
def test_a_body_that_is_no_answer_is_an_error(body: bytes) -> None:
    """Never an empty answer."""
    assert failure(ToyDecoder().whole(body)).reason == "malformed_response"


# Whatever comes.

BODY = frames(NAMES, {"think": "é"}, {"say": "a😀"}, {"call": "t", "id": "c"}, {"args": '{"x": 1}'}, {"finish": "stop"})


@pytest.mark.parametrize("cut", range(len(BODY) + 1))
def test_the_events_do_not_depend_on_how_the_body_was_cut(cut: int) -> None:
    """At any byte."""
    assert decoded(BODY[:cut], BODY[cut:]) == decoded(BODY)


@pytest.mark.parametrize("cut", range(len(BODY)))
def test_a_body_that_stops_anywhere_is_well_formed(cut: int) -> None:
    """It has what came, and one terminal."""
    events = decoded(BODY[:cut])

    assert_grammar(events)
    assert isinstance(events[-1], ev.MessageCompleted if b'"finish":"stop"}' in BODY[:cut] else ev.Error)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
keys = st.sampled_from(["say", "think", "call", "id", "args", "usage", "finish", "error", "model"])
some_frames = st.lists(
    st.dictionaries(keys, anything, max_size=2)
    | st.fixed_dictionaries({"say": st.text(max_size=3)})
    | st.fixed_dictionaries({"call": st.text(max_size=3), "id": st.sampled_from(["a", "", None])})
    | st.fixed_dictionaries({"args": st.text(max_size=3)})
    | anything,
    max_size=6,
)


@given(some_frames, st.booleans(), st.booleans())
def test_any_frames_give_a_well_formed_stream(given_frames: list[Any], ends: bool, raw_chunks: bool) -> None:
    """Decoding is total, and its events obey the grammar."""
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in given_frames) + (END if ends else b"")

    assert_grammar(decoded(body, decoder=ToyDecoder(include_raw_chunks=raw_chunks)))


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_give_a_well_formed_stream(body: bytes, cut: int) -> None:
    """Whatever a server sends, in whatever pieces."""
    events = decoded(body[:cut], body[cut:])

    assert_grammar(events)
    assert events == decoded(body)


@given(st.binary(max_size=60), st.sampled_from([200, 404, 500]))
def test_any_body_gives_a_terminal(body: bytes, status: int) -> None:
    """Whole or refused."""
    assert_grammar(ToyDecoder().whole(body))
    assert_grammar(ToyDecoder().refuse(ResponseHead(status, {}), body))
