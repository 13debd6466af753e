"""How an answer ends: with a reason, with an error, too early, or all at once."""

import json
from typing import Any

import pytest

from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.data.events import Error, MessageCompleted, TextDelta
from allm_rx.data.parts import TextPart
from allm_rx.wire.sse import SseRecord
from tests.adapters.anthropic.messages_frames import (
    BODIES,
    OURS,
    STOP,
    answer,
    begin,
    delta,
    end,
    events_of,
    read,
    start,
    stop,
    text,
    tool,
    whole,
)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_body_that_ends_early_is_no_success(name: str) -> None:
    """A body cut at any byte before the end of `message_stop` or of the error is an error of its own."""
    body = BODIES[name]
    last = body.rindex(b"data: ")

    ends = {type(read(body[:at])[-1]) for at in range(0, last, 7)}

    assert ends == {Error}


# How it ends.


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "other"),
        ("compaction", "other"),
        ("a_new_one", "other"),
        (None, "other"),
    ],
)
def test_stop_reason_is_one_of_ours(raw: str | None, ours: str) -> None:
    """Every stop reason has a finish reason, and the provider's word stays beside it."""
    response = answer(start(), *text(0, "Hi"), *end(raw))

    assert (response.finish_reason, response.raw_finish_reason) == (ours, raw)


@pytest.mark.parametrize("raw", ["end_turn", None])
def test_calls_are_to_be_run_whatever_the_stop_reason_says(raw: str | None) -> None:
    """A plain stop, or none at all, with calls of the application is `tool_calls`."""
    response = answer(start(), *tool(0, "toolu_1", "look", '{"at": 1}'), *end(raw))

    assert response.finish_reason == "tool_calls"


def test_refusal_tells_why() -> None:
    """The details of a refusal are kept with the message, and the text before it stays."""
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}

    response = answer(start(), *text(0, "Well"), *end("refusal", stop_details=details))

    assert response.output_text == "Well"
    assert response.message.provider_data == {OURS: {"stop_details": details}}


def test_container_is_kept_for_the_next_turn() -> None:
    """The container that code runs in is kept with the message."""
    container = {"id": "container_1", "expires_at": "2030-01-01T00:00:00Z"}

    response = answer(start(), *text(0, "Well"), *end("tool_use", container=container))

    assert response.message.provider_data == {OURS: {"container": container}}


def test_stop_reason_alone_is_no_end() -> None:
    """A body that ends between the stop reason and `message_stop` was cut; nothing of it is lost."""
    response = answer(start(), *text(0, "Hi"), end()[0])

    assert response.error is not None
    assert (response.error.kind, response.error.reason) == ("StreamError", "stream_interrupted")
    assert "message_stop" in response.error.message
    assert response.output_text == "Hi"


def test_awaited_end_marker_can_be_done_without() -> None:
    """When the connection stays open after the stop reason and nothing comes, the answer settles as complete."""
    decoder = MessagesDecoder(provider="quay")
    for frame in (start(), *text(0, "Hi"), end()[0]):
        decoder.feed(SseRecord(json.dumps(frame).encode()))

    assert decoder.finishing
    (completed,) = decoder.settle()
    assert isinstance(completed, MessageCompleted)
    assert completed.finish_reason == "stop"
    assert decoder.settle() == []


def test_unfinished_answer_does_not_settle() -> None:
    """Without a stop reason there is nothing to settle for."""
    decoder = MessagesDecoder(provider="quay")
    decoder.feed(SseRecord(json.dumps(start()).encode()))

    assert isinstance(decoder.settle()[-1], Error)


def test_what_follows_the_end_is_ignored() -> None:
    """Nothing comes after the terminal."""
    assert events_of(start(), *end(), *text(0, "more"), STOP)[-1:] == events_of(start(), *end())[-1:]


WORDS = [f"word{number} " for number in range(9)]
SAID = "".join(WORDS)


@pytest.mark.parametrize(
    "between",
    [
        text(0)[:1],
        [stop(0)],
        [stop(0), *text(0)[:1]],
        [start("msg_2")],
        [end("max_tokens")[0]],
    ],
    ids=["started-again", "stopped", "stopped-and-started", "another-message", "ended"],
)
def test_repeating_records_belong_to_the_block_that_is_open(between: list[dict[str, Any]]) -> None:
    """Records alike but for their text are of the open block, also where a broken stream reuses its index."""
    first, again = text(0, *WORDS)[:-1], text(0, *WORDS)[1:-1]

    events = events_of(start("msg_1"), *first, *between, *again, *end())

    last = events[-1]
    assert isinstance(last, MessageCompleted)
    kept = [SAID] if between == [start("msg_2")] else [SAID, SAID]
    assert [part.text for part in last.message.content if isinstance(part, TextPart)] == kept
    assert [event.delta for event in events if isinstance(event, TextDelta)] == WORDS * 2


def test_repeating_thoughts_are_no_text() -> None:
    """Thoughts and text take the same short way to different blocks."""
    thoughts = [delta(0, "thinking_delta", thinking=word) for word in WORDS]

    response = answer(start(), begin(0, "thinking", thinking=""), *thoughts, stop(0), *text(1, *WORDS), *end())

    assert (response.reasoning, response.output_text) == (SAID, SAID)


# Errors.


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded", "details": None}},
        {"error": {"type": "overloaded_error", "message": "Overloaded"}},
    ],
)
def test_error_frame_is_the_end(frame: dict[str, Any]) -> None:
    """An error in the stream ends the answer, and what came before it stays."""
    response = answer(start(), *text(0, "Hel")[:-1], frame, *end())

    assert response.error is not None
    assert (response.error.reason, response.error.status, response.output_text) == ("overloaded", None, "Hel")
    assert response.error.provider_request_id == frame.get("request_id")


def test_flat_error_is_known_by_its_event() -> None:
    """A gateway's error object without a wrapper is one by the name of its event."""
    decoder = MessagesDecoder(provider="quay")

    (error,) = decoder.feed(SseRecord(b'{"type": "rate_limit_error", "message": "Slow down"}', "error"))

    assert isinstance(error, Error)
    assert error.failure.reason == "rate_limited"


@pytest.mark.parametrize("body", [b"data: <html>\n\n", b"data: {]\n\n"])
def test_frame_that_is_no_json_is_told(body: bytes) -> None:
    """Something else than JSON is an error that shows it."""
    (error,) = read(body)

    assert isinstance(error, Error)
    assert error.failure.reason == "malformed_response"
    assert body[6:-2].decode() in error.failure.message


def test_half_characters_are_joined_and_lone_ones_replaced() -> None:
    """Text whose characters are torn between two deltas is whole; what cannot be whole is replaced."""
    frames = [start(), *text(0, "a \ud83c", "\udf0a b \ud83c"), *end()]

    assert answer(*frames).output_text == "a 🌊 b \ufffd"


# Answers that come whole.


def test_whole_body_gives_the_same_message() -> None:
    """An answer that came as one body has the same parts, usage and reason as the streamed one."""
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "text", "text": "Hi", "citations": [{"type": "page_location", "document_index": 0}]},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}},
    ]
    usage: dict[str, Any] = {"input_tokens": 3, "output_tokens": 4}
    body = {
        "id": "msg_1",
        "type": "message",
        "model": "claude-quay-5",
        "content": blocks,
        "stop_reason": "tool_use",
        "usage": usage,
    }

    response = whole(body)

    streamed = answer(
        start(**usage),
        begin(0, "thinking", thinking="Hm"),
        delta(0, "signature_delta", signature="c2ln"),
        stop(0),
        begin(1, "text", text=""),
        delta(1, "citations_delta", citation={"type": "page_location", "document_index": 0}),
        *text(1, "Hi")[1:],
        begin(2, "tool_use", id="toolu_1", name="look", input={"at": 1}),
        stop(2),
        *end("tool_use"),
    )
    assert response == streamed


def test_whole_body_may_be_empty() -> None:
    """No content at all is an answer."""
    response = whole({"id": "msg_1", "model": "m", "content": [], "stop_reason": "end_turn"})

    assert (response.output_text, response.finish_reason, response.error) == ("", "stop", None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}, "not_found"),
        ({"hello": "world"}, "malformed_response"),
        ([1], "stream_interrupted"),
        ("text", "malformed_response"),
    ],
)
def test_whole_body_that_is_no_message_is_an_error(body: Any, reason: str) -> None:
    """An error in place of a message, and anything else, is told."""
    response = whole(body)

    assert response.error is not None
    assert response.error.reason == reason
