"""What the decoder makes of text, thoughts, media and usage."""

from typing import Any

import pytest

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.data.events import (
    MessageCompleted,
    MessageStarted,
    RawChunk,
    ReasoningCompleted,
    ReasoningDelta,
    TextCompleted,
    TextDelta,
)
from allm_rx.data.parts import AudioPart, ImagePart, ProviderPart, ReasoningPart, TextPart
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.gemini.frames import BODIES, STOP, answer, chunk, events_of, read, signed, text
from tests.fixture_cases import fold

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
