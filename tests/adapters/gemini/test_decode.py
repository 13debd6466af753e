"""What the decoder makes of answers: text, thoughts, calls, ends and errors."""

import functools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.data.events import (
    Error,
    MessageCompleted,
    MessageStarted,
    RawChunk,
    ReasoningCompleted,
    ReasoningDelta,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
    ToolResultReceived,
)
from allm_rx.data.failures import Failure
from allm_rx.data.parts import AudioPart, ImagePart, ProviderPart, ReasoningPart, TextPart, ToolCall
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.gemini.frames import BODIES, RECORDINGS, STOP, answer, chunk, events_of, partial, read, text, whole
from tests.fixture_cases import check_grammar, fold

NOTHING: dict[str, Any] = {}
DEEP: Any = functools.reduce(lambda inner, _: {"a": inner}, range(200), 1)
INCOMPLETE: list[dict[str, Any]] = [
    {"usageMetadata": {"promptTokenCount": 1}},
    {"candidates": []},
    {"candidates": None},
    {"candidates": [{}]},
    {"candidates": [{"content": {}}]},
    {"candidates": [{"content": {"role": "model"}}]},
    {"candidates": [{"content": {"parts": None}}]},
    {"candidates": [{"content": {"parts": [{}]}}]},
    {"candidates": [{"content": {"parts": [{"text": None}]}}]},
    {"type": "ping"},
]


def signed(signature: str) -> dict[str, Any]:
    return {"gemini": {"thoughtSignature": signature}}


# Bytes.


@pytest.mark.parametrize("name", sorted(BODIES))
def test_events_do_not_depend_on_a_cut(name: str) -> None:
    """A body that comes in two reads, cut at any byte, gives the events of one read."""
    body = BODIES[name]
    events = read(body)

    assert [at for at in range(len(body)) if read(body[:at], body[at:]) != events] == []


@pytest.mark.parametrize("name", sorted(BODIES))
def test_events_do_not_depend_on_bytes(name: str) -> None:
    """A body that comes byte by byte gives the events of one read."""
    body = BODIES[name]

    assert read(*(body[at : at + 1] for at in range(len(body)))) == read(body)


# Text and thoughts.


def test_plain_stream_is_started_deltas_completed() -> None:
    """A plain answer begins, grows, settles, tells its usage and ends."""
    events = read(BODIES["text"])

    assert events[0] == MessageStarted("lake-1", "lake", "gemini-lake", None, "lake-1")
    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["The", " lake is çalm", " 🌊 today."]
    assert events[-3] == TextCompleted("text-0", "The lake is çalm 🌊 today.")
    assert events[-2] == RawChunk(
        "usage", Usage(input_tokens=12, output_tokens=9, total_tokens=21, extra={"serviceTier": "standard"})
    )
    assert isinstance(events[-1], MessageCompleted)
    assert (events[-1].finish_reason, events[-1].raw_finish_reason) == ("stop", "STOP")


def test_thoughts_are_reasoning() -> None:
    """Summaries of thoughts stand in a block of their own, before the text."""
    events = read(BODIES["thoughts"])

    assert [event for event in events if isinstance(event, (ReasoningDelta, ReasoningCompleted))] == [
        ReasoningDelta("reasoning-0", "**Looking**\n\nIs it deep"),
        ReasoningDelta("reasoning-0", " or wide?\n"),
        ReasoningCompleted("reasoning-0", "**Looking**\n\nIs it deep or wide?\n"),
    ]
    assert fold(events).output_text == "Wide and shallow."


def test_signature_on_empty_text_keeps_an_empty_part() -> None:
    """What comes last and has nothing but a signature is a part all the same."""
    content = fold(read(BODIES["thoughts"])).message.content

    assert content[1:] == (TextPart(text="Wide and shallow."), TextPart(text="", provider_data=signed("bGFrZS1zaWduYXR1cmU=")))


def test_signature_without_text_keeps_an_empty_part() -> None:
    """The empty text itself may be missing."""
    response = answer(chunk(text("Hi"), {"thoughtSignature": "s"}, finish="STOP"))

    assert response.message.content == (TextPart(text="Hi"), TextPart(text="", provider_data=signed("s")))


def test_signed_part_is_not_merged_with_a_neighbour() -> None:
    """Unsigned text goes on from chunk to chunk, signed text stands alone."""
    response = answer(
        chunk(text("a")), chunk(text("b")), chunk(text("c", "1")), chunk(text("d", "2")), chunk(text("e"), finish="STOP")
    )

    assert response.message.content == (
        TextPart(text="ab"),
        TextPart(text="c", provider_data=signed("1")),
        TextPart(text="d", provider_data=signed("2")),
        TextPart(text="e"),
    )


def test_signed_thought_keeps_its_signature() -> None:
    """Reasoning that has to come back is told apart from reasoning that has not."""
    response = answer(chunk({"text": "Hm", "thought": True, "thoughtSignature": "s"}, text("Hi"), finish="STOP"))

    assert response.message.content == (ReasoningPart(text="Hm", provider_data=signed("s")), TextPart(text="Hi"))


def test_halves_of_a_character_are_joined() -> None:
    """A character whose UTF-16 halves come in two chunks is one character."""
    first = b'{"candidates":[{"content":{"parts":[{"text":"a\\ud83c"}]}}]}'
    second = b'{"candidates":[{"content":{"parts":[{"text":"\\udf0a!"}]},"finishReason":"STOP"}]}'
    decoder = GenerateContentDecoder(provider="lake")

    events = [*decoder.feed(SseRecord(first)), *decoder.feed(SseRecord(second)), *decoder.finish()]

    assert fold(events).output_text == "a🌊!"


@pytest.mark.parametrize("frame", INCOMPLETE)
def test_anything_may_be_missing(frame: dict[str, Any]) -> None:
    """Chunks without candidates, content, parts or text change nothing."""
    response = answer(chunk(text("a")), frame, chunk(text("b"), finish="STOP"))

    assert (response.output_text, response.error) == ("ab", None)


def test_id_of_the_exchange_wins_over_that_of_the_answer() -> None:
    """A gateway's header names the request; without one the answer's own id is what support can ask for."""
    started, *_ = events_of(chunk(text("a"), finish="STOP"), provider_request_id="gate-1")

    assert started == MessageStarted("r", "lake", "m", None, "gate-1")


def test_chunks_that_differ_in_their_text_only_are_read_right() -> None:
    """Whatever the text is, between chunks of one form it is what it says."""
    said = ["a", "b", 'say "ho"', "äö🌊", "back\\slash", "", "tab\t", "z"]

    response = answer(*(chunk(text(piece)) | {"usageMetadata": {"trafficType": "ON_DEMAND"}} for piece in said), STOP)

    assert (response.output_text, response.usage.extra) == ("".join(said), {"trafficType": "ON_DEMAND"})


def test_only_the_first_candidate_is_read() -> None:
    """Chunks of several candidates may be mixed; the others are not asked for."""
    other = chunk(text("x"))["candidates"][0] | {"index": 1}
    both = {"candidates": [other, chunk(text("b"), finish="STOP")["candidates"][0]]}

    assert answer(chunk(text("a")), {"candidates": [other]}, both).output_text == "ab"


def test_raw_chunks_are_given_when_they_are_wanted() -> None:
    """Each chunk is in the stream as it came, none before the start."""
    frames = (chunk(text("a")), STOP)

    events = events_of(*frames, include_raw_chunks=True)

    assert isinstance(events[0], MessageStarted)
    assert [event.data for event in events if isinstance(event, RawChunk)] == list(frames)


# Calls.


def test_calls_come_whole() -> None:
    """A call is told at once; its own id and signature are kept, a missing id is made up, missing arguments are none."""
    events = read(BODIES["tools"])

    assert [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta, ToolCallCompleted))] == [
        ToolCallStarted("fc-7", "depth"),
        ToolCallDelta("fc-7", '{"at":"nörth","metres":true'),
        ToolCallDelta("fc-7", "}"),
        ToolCallCompleted(
            "fc-7",
            "depth",
            {"at": "nörth", "metres": True},
            provider_data={"gemini": {"id": "fc-7", "thoughtSignature": "c2FpbA=="}},
        ),
        ToolCallStarted("call_1", "anchor"),
        ToolCallCompleted("call_1", "anchor", {}),
    ]


def test_stop_with_calls_is_tool_calls() -> None:
    """The provider says STOP for calls too."""
    response = fold(read(BODIES["tools"]))

    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "STOP")


def test_repeated_ids_are_made_unique() -> None:
    """Two calls with one id are two calls, and each gives the provider its own id back."""
    call = {"functionCall": {"name": "f", "id": "1"}}

    calls = answer(chunk(call, call, finish="STOP")).tool_calls

    assert [call.id for call in calls] == ["1", "1-2"]
    assert [call.provider_data for call in calls] == [{"gemini": {"id": "1"}}] * 2


def test_partial_arguments_are_put_together() -> None:
    """Arguments by path become one object, in arrays too; a call without a closing part is complete."""
    calls = fold(read(BODIES["partial_arguments"])).tool_calls

    assert [(call.name, call.arguments) for call in calls] == [
        ("moor", {"boats": [{"name": "Möwe II", "flags": None}, {"name": "Kiel", "crew": 3}]}),
        ("rest", {}),
        ("row", {"fast": False}),
    ]
    assert calls[0].provider_data == signed("bW9vcg==")


def test_partial_arguments_are_told_as_json() -> None:
    """The deltas of a call are the text of its arguments, as far as each chunk goes."""
    events = read(BODIES["partial_arguments"])

    assert [event.arguments_delta for event in events if isinstance(event, ToolCallDelta) and event.id == "call_0"] == [
        '{"boats":[{"name":"Möwe',
        " II",
        '","flags":null',
        '},{"name":"Kiel',
        '","crew":3',
        "}]}",
    ]


def test_call_whose_last_part_is_missing_is_complete_at_stop() -> None:
    """The provider forgets to close calls; its STOP closes them."""
    start = {"functionCall": {"name": "f", "willContinue": True}}

    (call,) = answer(chunk(start), chunk(partial(("$.a", "string", "x"))), STOP).tool_calls

    assert (call.arguments, call.error) == ({"a": "x"}, None)


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "SAFETY"])
def test_call_that_was_cut_is_not_run(finish: str) -> None:
    """Arguments that did not come to their end are told to be cut, be they as complete as they may."""
    start = {"functionCall": {"name": "f", "willContinue": True}}

    (call,) = answer(chunk(start), chunk(partial(("$.a", "string", "x"))), chunk(finish=finish)).tool_calls

    assert (call.arguments, call.raw_arguments) == ({}, '{"a":"x')
    assert call.error == "The call was cut off before its arguments were complete."


def test_call_that_was_complete_is_not_cut() -> None:
    """A call is over with its own part, whatever ends the answer later."""
    done = {"functionCall": {"name": "f", "args": {"a": 1}}}

    (call,) = answer(chunk(done), chunk(text("and th"), finish="MAX_TOKENS")).tool_calls

    assert (call.arguments, call.error) == ({"a": 1}, None)


def test_call_of_an_interrupted_stream_is_cut() -> None:
    """A body that ends inside a call gives no call that could be run."""
    start = {"functionCall": {"name": "f", "willContinue": True}}

    response = answer(chunk(start), chunk(partial(("$.a", "string", "x"))))

    assert response.error is not None
    assert response.tool_calls[0].error == "The call was cut off before its arguments were complete."


def test_new_call_ends_the_open_one() -> None:
    """A name begins a call, whatever the one before announced."""
    frames = (chunk({"functionCall": {"name": name, "willContinue": True}}) for name in "fg")

    assert [call.name for call in answer(*frames, STOP).tool_calls] == ["f", "g"]


def test_end_of_no_call_is_ignored() -> None:
    """A closing part that comes twice closes nothing."""
    response = answer(chunk({"functionCall": {"name": "f"}}, {"functionCall": {}}, finish="STOP"))

    assert [call.name for call in response.tool_calls] == ["f"]


# What the provider runs itself.


def test_code_is_a_call_of_the_provider() -> None:
    """Code and what came out of it are a call and its result, and each keeps its whole part."""
    events = read(BODIES["search"])

    code: dict[str, Any] = {"id": "x-1", "language": "PYTHON", "code": "print(6 * 7)"}
    assert [event for event in events if getattr(event, "id", "") == "x-1" and not isinstance(event, ToolCallDelta)] == [
        ToolCallStarted("x-1", "codeExecution", provider_executed=True),
        ToolCallCompleted(
            "x-1",
            "codeExecution",
            {"language": "PYTHON", "code": "print(6 * 7)"},
            provider_executed=True,
            provider_data={"gemini": {"executableCode": code}},
        ),
        ToolResultReceived(
            "x-1",
            "codeExecution",
            (TextPart(text="42\n"),),
            provider_data={"gemini": {"codeExecutionResult": {"id": "x-1", "outcome": "OUTCOME_OK", "output": "42\n"}}},
        ),
    ]


def test_search_is_a_call_of_the_provider() -> None:
    """So are its other tools, with their signatures."""
    call, result, *_ = fold(read(BODIES["search"])).message.content

    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.arguments) == ("t-1", "GOOGLE_SEARCH_WEB", {"queries": ["lake"]})
    assert call.provider_executed
    assert call.provider_data["gemini"] == {
        "toolCall": {"id": "t-1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["lake"]}},
        "thoughtSignature": "c2Vhcmno",
    }
    assert result.model_dump()["content"][0]["text"] == '{"hits":2}'


def test_provider_calls_are_not_for_the_application() -> None:
    """An answer whose only calls ran already has stopped."""
    response = fold(read(BODIES["search"]))

    assert (response.tool_calls, response.finish_reason) == ((), "stop")


def test_code_that_failed_is_an_error() -> None:
    """Any outcome but success is one; a result without output has no content."""
    failed = {"codeExecutionResult": {"outcome": "OUTCOME_DEADLINE_EXCEEDED"}}

    events = events_of(chunk({"executableCode": {"code": "while 1: pass"}}, failed, finish="STOP"))

    (result,) = (event for event in events if isinstance(event, ToolResultReceived))
    assert (result.id, result.is_error, result.content) == ("call_0", True, ())


# Media and items.


def test_pictures_and_sound_are_media() -> None:
    """Inline data become parts, in place and signed; both alphabets of base64 are read."""
    picture = {"inlineData": {"mimeType": "image/png", "data": "_-8="}, "thoughtSignature": "s"}
    sound = {"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "aGk"}}

    response = answer(chunk(text("See:"), picture, sound, finish="STOP"))

    assert response.message.content == (
        TextPart(text="See:"),
        ImagePart(data=b"\xff\xef", media_type="image/png", provider_data=signed("s")),
        AudioPart(data=b"hi", media_type="audio/L16;rate=24000"),
    )


def test_file_of_the_model_is_a_reference() -> None:
    """Media that lie somewhere are given by their address."""
    part = {"fileData": {"mimeType": "image/png", "fileUri": "gs://lake/p.png"}}

    assert answer(chunk(part, finish="STOP")).message.content == (ImagePart(url="gs://lake/p.png", media_type="image/png"),)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("depthMap", {"depthMap": {"metres": [1, 2]}, "thoughtSignature": "s"}),
        ("inlineData", {"inlineData": {"mimeType": "video/mp4", "data": "aGk="}}),
        ("inlineData", {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thought": True}),
        ("fileData", {"fileData": {"mimeType": "image/png"}}),
    ],
)
def test_other_part_is_kept_whole(kind: str, part: dict[str, Any]) -> None:
    """What is not modelled is an item in its place: parts to come, other media, pictures that are thoughts."""
    response = answer(chunk(part, text("Hi"), finish="STOP"))

    assert response.message.content == (ProviderPart(kind=kind, provider_data={"gemini": part}), TextPart(text="Hi"))


# Usage.


def test_usage_is_what_was_told_last() -> None:
    """Counts are cumulative, and a field that vanishes or is null keeps its last value."""
    counts = [
        {"trafficType": "ON_DEMAND"},
        {"promptTokenCount": 9, "candidatesTokenCount": 1, "cachedContentTokenCount": 4, "totalTokenCount": 10},
        {"promptTokenCount": None, "candidatesTokenCount": 3, "thoughtsTokenCount": 5, "totalTokenCount": 17},
    ]

    response = answer(*(chunk(text("a")) | {"usageMetadata": told} for told in counts), STOP)

    assert response.usage == Usage(
        input_tokens=9,
        output_tokens=8,
        cached_input_tokens=4,
        reasoning_tokens=5,
        total_tokens=17,
        extra={"trafficType": "ON_DEMAND"},
    )


def test_prompts_of_tools_are_input() -> None:
    """What the provider's own tools read is counted beside the prompt, and is input all the same."""
    usage = fold(read(BODIES["search"])).usage

    assert (usage.input_tokens, usage.output_tokens) == (87, 14)
    assert usage.extra == {"toolUsePromptTokenCount": 80}


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


# Anything.

words = st.sampled_from(["", "a", "é", "\ud83d", "\ude00", "STOP", "MAX_TOKENS", "image/png", "aGk=", "$.a.b", "$.a[1]"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


def some(**fields: Any) -> Any:
    """Objects with some of the fields, most of them as documented."""
    return st.fixed_dictionaries(NOTHING, optional={name: value | anything for name, value in fields.items()})


pieces = some(jsonPath=words, stringValue=words, numberValue=st.integers(0, 3), nullValue=st.just("NULL_VALUE"))
calls = some(
    name=st.just("f"), id=words, args=some(a=words), partialArgs=st.lists(pieces, max_size=3), willContinue=st.booleans()
)
parts = some(
    text=words,
    thought=st.booleans(),
    thoughtSignature=words,
    functionCall=calls,
    executableCode=some(id=words, code=words),
    codeExecutionResult=some(id=words, output=words),
    toolCall=some(id=words, args=some(a=words)),
    toolResponse=some(id=words, response=some(a=words)),
    inlineData=some(mimeType=words, data=words),
    fileData=some(mimeType=words, fileUri=words),
    other=words,
)
spans = some(startIndex=st.integers(-3, 9), endIndex=st.integers(-3, 9), text=words)
grounding = some(
    groundingChunks=st.lists(some(web=some(uri=words, title=words)), max_size=2),
    groundingSupports=st.lists(some(segment=spans, groundingChunkIndices=st.lists(st.integers(0, 2), max_size=2)), max_size=2),
)
candidates = some(
    index=st.integers(0, 1),
    content=some(parts=st.lists(parts, max_size=3)),
    finishReason=words,
    groundingMetadata=grounding,
    urlContextMetadata=some(urlMetadata=st.lists(some(retrievedUrl=words), max_size=2)),
    citationMetadata=some(citations=st.lists(some(uri=words), max_size=2)),
)
frames = some(
    candidates=st.lists(candidates, max_size=2),
    usageMetadata=some(promptTokenCount=st.integers(0, 9)),
    promptFeedback=some(blockReason=words),
    error=some(code=st.integers(), message=words, details=st.lists(some(retryDelay=words, violations=anything), max_size=2)),
    modelVersion=words,
    responseId=words,
)


@given(st.lists(frames | anything, max_size=5))
def test_any_chunks_give_events_of_the_grammar(given_frames: list[Any]) -> None:
    """Whatever the provider sends, the stream has one end, and its events are data."""
    decoder = GenerateContentDecoder(provider="lake")

    events = [event for frame in given_frames for event in decoder.feed(SseRecord(json.dumps(frame).encode()))]
    events += decoder.finish()

    check_grammar(events)
    assert isinstance(events[-1], (MessageCompleted, Error))


@given(st.binary(max_size=200), st.sampled_from(sorted(BODIES)), st.integers(0, 4000))
def test_any_bytes_give_events_of_the_grammar(garbage: bytes, name: str, at: int) -> None:
    """Garbage in the middle of a body is an event, never an exception."""
    body = BODIES[name]
    at = min(at, len(body))

    check_grammar(read(body[:at] + garbage + body[at:]))
