"""How an answer ends: with a reason, with an error, too early, or all at once."""

from typing import Any

import pytest

from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.data.events import Error, TextDelta
from allm_rx.wire.sse import SseRecord
from tests.adapters.openai.chat_frames import BODIES, answer, chunk, read, text, whole


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("MAX_TOKENS", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("time_limit", "other"),
    ],
)
def test_finish_reason_is_one_of_ours_and_keeps_theirs(raw: str, reason: str) -> None:
    """Every word of a server maps to the closed set, and stays beside it."""
    response = answer(text("Hi"), chunk(finish=raw))

    assert (response.finish_reason, response.raw_finish_reason) == (reason, raw)


def test_first_finish_reason_counts() -> None:
    """A gateway that says stop after length hides nothing."""
    response = answer(text("Hi"), chunk(finish="length"), chunk(finish="stop"))

    assert (response.finish_reason, response.raw_finish_reason) == ("length", "length")


def test_stop_with_calls_is_tool_calls() -> None:
    """Servers that always say stop do not hide their calls."""
    frame = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}

    assert answer(chunk(frame), chunk(finish="stop")).finish_reason == "tool_calls"


def test_done_without_finish_reason_is_other() -> None:
    """The end marker alone is a natural end."""
    response = answer(text("half"))

    assert (response.finish_reason, response.raw_finish_reason, response.error) == ("other", None, None)


def test_done_without_finish_reason_is_tool_calls_when_there_are_calls() -> None:
    """A server that forgets the finish reason still gets its tools run."""
    frame = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}

    assert answer(chunk(frame)).finish_reason == "tool_calls"


def test_finish_reason_without_done_is_an_end() -> None:
    """Many servers leave the marker out."""
    response = answer(text("Hi"), chunk(finish="stop"), done=False)

    assert (response.finish_reason, response.error) == ("stop", None)


def test_neither_is_an_interruption_that_keeps_the_text() -> None:
    """A body that just ends is a failure, whatever it said before."""
    response = answer(text("half"), done=False)

    assert response.output_text == "half"
    assert response.finish_reason == "error"
    assert response.error is not None
    assert (response.error.kind, response.error.reason) == ("StreamError", "stream_interrupted")


def test_finish_reason_is_not_the_end() -> None:
    """After the finish reason the decoder waits for usage, the marker or an error."""
    decoder = ChatDecoder(provider="lake")

    decoder.feed(SseRecord(b'{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}'))

    assert (decoder.finishing, decoder.ended) == (True, False)


def test_error_after_the_finish_reason_is_an_error() -> None:
    """An upstream that fails late fails."""
    response = answer(text("Hi"), chunk(finish="stop"), {"error": {"code": 502, "message": "upstream died"}})

    assert response.finish_reason == "error"
    assert response.error is not None
    assert (response.error.reason, response.error.status) == ("server_error", None)
    assert response.output_text == "Hi"


def test_error_beside_choices_keeps_what_the_choice_said() -> None:
    """A chunk that fails may still bring text and usage."""
    frame = chunk({"content": "last"}, "error", error={"code": 429, "message": "slow down"}, usage={"total_tokens": 3})

    response = answer(frame)

    assert response.error is not None
    assert response.error.reason == "rate_limited"
    assert (response.output_text, response.usage.total_tokens) == ("last", 3)


def test_error_inside_a_choice_is_an_error() -> None:
    """Gateways put the failure of one provider into its choice."""
    choice = {"index": 0, "message": {"content": ""}, "finish_reason": "error", "error": {"code": 503, "message": "down"}}

    response = whole({"choices": [choice]})

    assert response.error is not None
    assert response.error.reason == "overloaded"


@pytest.mark.parametrize("raw", ["error", "insufficient_system_resource"])
def test_finish_reason_that_means_failure_is_an_error(raw: str) -> None:
    """A server that gives up without a word is not taken for one that answered."""
    response = answer(text("Hi"), chunk(finish=raw))

    assert response.error is not None
    assert response.error.code == raw


@pytest.mark.parametrize(
    "frame",
    [
        {"error": {"message": "the mast broke"}},
        {"error": "the mast broke"},
        {"object": "error", "message": "the mast broke", "code": 500},
        {"type": "error", "message": "the mast broke"},
        [{"error": {"message": "the mast broke", "status": "INTERNAL"}}],
    ],
)
def test_error_frame_of_any_shape_is_an_error(frame: Any) -> None:
    """Every shape of an error in a stream ends it, with the text until then."""
    response = answer(text("Half"), frame)

    assert response.output_text == "Half"
    assert response.error is not None
    assert response.error.reason == "server_error"
    assert "the mast broke" in response.error.message


def test_error_event_with_any_json_is_an_error() -> None:
    """The event's name is enough."""
    events = ChatDecoder(provider="lake").feed(SseRecord(b'{"message":"the mast broke"}', "error"))

    assert isinstance(events[-1], Error)
    assert "the mast broke" in events[-1].failure.message


def test_error_field_with_plain_text_is_an_error_of_the_server() -> None:
    """A line `error: out of memory` is no malformed answer."""
    events = ChatDecoder(provider="lake").feed(SseRecord(b"out of memory", "error"))

    assert isinstance(events[-1], Error)
    assert (events[-1].failure.reason, "out of memory" in events[-1].failure.message) == ("server_error", True)


def test_recorded_error_field_keeps_the_text() -> None:
    """A stream that ends in an `error:` line has failed, and its text stays."""
    events = read(BODIES["error_field"])

    assert isinstance(events[-1], Error)
    assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == "Half a boat"


def test_whole_answer_is_decoded_to_the_same_response() -> None:
    """A server that does not stream says the same."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm", "tool_calls": [call]}
    body = {"id": "chatcmpl-1", "model": "m", "usage": {"total_tokens": 3}}

    response = whole({**body, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})

    assert response == answer(chunk(message, "tool_calls", **{"usage": body["usage"]}))
    assert [part.type for part in response.message.content] == ["reasoning", "text", "tool_call"]


def test_whole_answer_without_finish_reason_is_whole() -> None:
    """A JSON body that parsed has its end."""
    response = whole({"choices": [{"message": {"content": "Hi"}}]})

    assert (response.output_text, response.finish_reason, response.error) == ("Hi", "other", None)


def test_whole_body_that_is_an_error_is_an_error() -> None:
    """Gateways answer 200 with an error inside."""
    response = whole({"error": {"message": "No endpoints found", "code": 404}, "user_id": "u"})

    assert response.error is not None
    assert (response.error.reason, response.error.status) == ("not_found", None)


def test_whole_body_that_is_no_answer_is_malformed() -> None:
    """JSON of something else is not an empty answer."""
    response = whole({"hello": "world"})

    assert response.error is not None
    assert response.error.reason == "malformed_response"
