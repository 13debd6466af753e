"""How an answer ends: with a reason, with an error, too early, or all at once."""

import functools
import json
from typing import Any

import pytest

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.data.events import Error, MessageCompleted, RawChunk
from allm_rx.data.failures import Failure
from allm_rx.data.parts import TextPart
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.gemini.frames import BODIES, RECORDINGS, STOP, answer, chunk, events_of, read, signed, text, whole
from tests.fixture_cases import fold

DEEP: Any = functools.reduce(lambda inner, _: {"a": inner}, range(200), 1)


# How it ends.


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("STOP", "stop"),
        ("FUNCTION_CALL", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("IMAGE_PROHIBITED_CONTENT", "content_filter"),
        ("IMAGE_RECITATION", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("OTHER", "other"),
        ("LANGUAGE", "other"),
        ("NO_IMAGE", "other"),
        ("IMAGE_OTHER", "other"),
        ("FINISH_REASON_UNSPECIFIED", "other"),
        ("LOW_TIDE", "other"),
    ],
)
def test_finish_reason_is_one_of_ours_and_keeps_theirs(raw: str, reason: str) -> None:
    """Every word of the provider maps to the closed set, and stays beside it."""
    response = answer(chunk(text("Hi"), finish=raw))

    assert (response.finish_reason, response.raw_finish_reason, response.error) == (reason, raw, None)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("MALFORMED_FUNCTION_CALL", "malformed_response"),
        ("MALFORMED_RESPONSE", "malformed_response"),
        ("UNEXPECTED_TOOL_CALL", "malformed_response"),
        ("TOO_MANY_TOOL_CALLS", "server_error"),
        ("MISSING_THOUGHT_SIGNATURE", "invalid_request"),
    ],
)
def test_answer_that_gave_up_is_an_error(raw: str, reason: str) -> None:
    """The failure tells the provider's word and explanation; what came before stays."""
    response = answer(chunk(text("Hi"), finish=raw, finishMessage="call:sail{to:"))

    assert response.error is not None
    assert (response.error.reason, response.error.code, response.output_text) == (reason, raw, "Hi")
    assert f"lake ended the answer with {raw}: call:sail{{to:. " in response.error.message


def test_unspecified_reason_of_a_gateway_ends_nothing() -> None:
    """A default that stands in every chunk gives way to the true reason."""
    decoder = GenerateContentDecoder(provider="lake")
    decoder.feed(SseRecord(json.dumps(chunk(text("a"), finish="FINISH_REASON_UNSPECIFIED")).encode()))
    assert not decoder.finishing

    events = decoder.feed(SseRecord(json.dumps(chunk(text("b"), finish="MAX_TOKENS")).encode()))

    assert decoder.finishing
    assert fold([*events, *decoder.finish()]).finish_reason == "length"


def test_blocked_prompt_is_filtered_content() -> None:
    """An answer that never began because of the prompt is an outcome, not an error."""
    response = fold(read(BODIES["blocked"]))

    assert (response.finish_reason, response.raw_finish_reason) == ("content_filter", "prompt:PROHIBITED_CONTENT")
    assert (response.error, response.usage.input_tokens, response.message.content) == (None, 11, ())


def test_feedback_without_a_reason_blocks_nothing() -> None:
    """Ratings of a prompt that passed are no block."""
    feedback: dict[str, Any] = {"promptFeedback": {"blockReason": "BLOCKED_REASON_UNSPECIFIED", "safetyRatings": []}}

    assert answer(feedback, chunk(text("Hi"), finish="STOP")).finish_reason == "stop"


def test_end_without_a_finish_reason_is_an_interruption() -> None:
    """A body that ends before the answer does is an error, and what came of it stays."""
    response = answer(chunk(text("Hi")) | {"usageMetadata": {"promptTokenCount": 3}})

    assert response.error is not None
    assert (response.error.kind, response.error.reason) == ("StreamError", "stream_interrupted")
    assert (response.output_text, response.usage.input_tokens) == ("Hi", 3)


def test_answer_waits_for_the_end_of_the_body() -> None:
    """The finish reason is not the end: a signature and usage may follow."""
    response = answer(chunk(text("Hi"), finish="STOP"), chunk(text("", "s")) | {"usageMetadata": {"promptTokenCount": 3}})

    assert response.message.content == (TextPart(text="Hi"), TextPart(text="", provider_data=signed("s")))
    assert response.usage.input_tokens == 3


def test_end_marker_of_a_gateway_is_understood() -> None:
    """This protocol has none, but some who speak it do."""
    decoder = GenerateContentDecoder(provider="lake")
    decoder.feed(SseRecord(json.dumps(chunk(text("Hi"), finish="STOP")).encode()))

    events = decoder.feed(SseRecord(b"[DONE]"))

    assert isinstance(events[-1], MessageCompleted)


# Errors.


def test_error_in_a_stream_keeps_what_came() -> None:
    """An error chunk ends the answer with its reason; text and usage stay."""
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}

    response = answer(chunk(text("Hi")) | {"usageMetadata": {"promptTokenCount": 3}}, error, chunk(text("no"), finish="STOP"))

    assert response.error is not None
    assert (response.error.reason, response.error.status, response.error.code) == ("overloaded", None, "503")
    assert (response.output_text, response.usage.input_tokens) == ("Hi", 3)


def test_bare_error_after_chunks_is_an_error() -> None:
    """Lines of JSON outside the frames, in a list even, are read."""
    response = fold(read(BODIES["bare_error"]))

    assert response.error is not None
    assert response.error.reason == "overloaded"
    assert "The lake is overloaded." in response.error.message
    assert (response.output_text, response.usage.input_tokens) == ("The la", 12)


def test_frame_that_is_not_json_is_an_error() -> None:
    """What cannot be read is told with its first characters."""
    decoder = GenerateContentDecoder(provider="lake")

    (event,) = decoder.feed(SseRecord(b"<html>lake</html>"))

    assert isinstance(event, Error)
    assert event.failure.reason == "malformed_response"
    assert "<html>lake</html>" in event.failure.message


@pytest.mark.parametrize(
    "frame",
    [
        {"candidates": {"a": 1}},
        {"candidates": [{"content": [1]}]},
        chunk({"executableCode": DEEP}),
        chunk({"inlineData": {"mimeType": "image/png", "data": "a"}}),
        chunk({"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "$" + ".a" * 65, "stringValue": "x"}]}}),
    ],
)
def test_frame_of_another_shape_is_an_error(frame: dict[str, Any]) -> None:
    """What makes no sense where it stands is the provider's failure, not an exception."""
    response = answer(frame, STOP)

    assert response.error is not None
    assert response.error.reason == "malformed_response"


def test_broken_exchange_tells_usage_first() -> None:
    """What was consumed is told, however the answer ends."""
    decoder = GenerateContentDecoder(provider="lake")
    decoder.feed(SseRecord(json.dumps(chunk(text("Hi")) | {"usageMetadata": {"promptTokenCount": 3}}).encode()))

    *_, usage, error = decoder.fail(Failure(kind="AdapterError", reason="network_error", message="gone"))

    assert usage == RawChunk("usage", Usage(input_tokens=3))
    assert isinstance(error, Error)


# Whole answers.


def test_whole_answer_gives_the_same_events() -> None:
    """A body that is one chunk is that chunk."""
    body = {**chunk(text("Hi"), finish="STOP"), "usageMetadata": {"promptTokenCount": 3}}

    assert GenerateContentDecoder(provider="lake").whole(json.dumps(body).encode()) == events_of(body)


def test_stream_without_sse_is_an_array() -> None:
    """Without `alt=sse` the chunks are items of one JSON array."""
    response = whole((RECORDINGS / "array.json").read_bytes())

    assert (response.output_text, response.finish_reason, response.usage.total_tokens) == ("The lake.", "stop", 5)


def test_array_under_another_content_type_is_read_too() -> None:
    """An array that is labelled as an event stream is one bare record."""
    response = fold(read((RECORDINGS / "array.json").read_bytes()))

    assert (response.output_text, response.finish_reason) == ("The lake.", "stop")


@pytest.mark.parametrize("wrapped", [True, False])
def test_whole_error_is_an_error(wrapped: bool) -> None:
    """Under a status of success too, and in a list of one."""
    error = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}

    response = whole([error] if wrapped else error)

    assert response.error is not None
    assert response.error.reason == "rate_limited"


@pytest.mark.parametrize(
    ("body", "said"),
    [({"object": "list"}, "answered without `candidates`"), ({"message": "No such lake."}, "No such lake.")],
)
def test_other_json_is_told_as_such(body: dict[str, Any], said: str) -> None:
    """A server that is none of this protocol's is not mistaken for a broken stream."""
    response = whole(body)

    assert response.error is not None
    assert response.error.kind == "AdapterError"
    assert said in response.error.message
