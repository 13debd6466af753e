"""What the decoder makes of answers, in the shapes that servers give them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.data.events import (
    MessageCompleted,
    MessageStarted,
    RawChunk,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
)
from allm_rx.data.parts import TextPart
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.openai.chat_frames import BODIES, answer, chunk, events_of, read, text
from tests.fixture_cases import check_grammar


def test_plain_stream_is_started_deltas_completed() -> None:
    """A plain answer begins, grows, settles, tells its usage and ends."""
    events = read(BODIES["text"])

    assert events[0] == MessageStarted("chatcmpl-lake", "lake", "gpt-lake-1")
    assert [event.delta for event in events if isinstance(event, TextDelta)] == [
        *("The", " lake", " is", " çalm", " 🌊", " today", ".")
    ]
    assert events[-3] == TextCompleted("text-0", "The lake is çalm 🌊 today.")
    assert events[-2] == RawChunk(
        "usage", Usage(input_tokens=40, output_tokens=7, cached_input_tokens=32, reasoning_tokens=0, total_tokens=47)
    )
    assert isinstance(events[-1], MessageCompleted)
    assert (events[-1].finish_reason, events[-1].raw_finish_reason) == ("stop", "stop")


def test_tool_calls_are_started_deltas_completed() -> None:
    """Parallel calls grow under their own ids and complete in order at the finish reason."""
    events = read(BODIES["tools"])

    calls = [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta, ToolCallCompleted))]
    assert calls == [
        ToolCallStarted("call_a", "sail"),
        ToolCallDelta("call_a", '{"to":'),
        ToolCallDelta("call_a", '"nörth"}'),
        ToolCallStarted("call_b", "anchor"),
        ToolCallDelta("call_b", "{}"),
        ToolCallCompleted("call_a", "sail", {"to": "nörth"}, '{"to":"nörth"}'),
        ToolCallCompleted("call_b", "anchor", {}, "{}"),
    ]


def test_refusal_is_text_that_is_marked() -> None:
    """A refusal is an outcome: its text is the answer, its reason content_filter."""
    frames = [
        chunk({"role": "assistant", "content": None, "refusal": ""}),
        chunk({"refusal": "I "}),
        chunk({"refusal": "will not."}),
        chunk(finish="stop"),
    ]

    response = answer(*frames)

    assert response.output_text == "I will not."
    assert response.message.content == (TextPart(text="I will not.", provider_data={"openai.chat": {"refusal": True}}),)
    assert (response.finish_reason, response.raw_finish_reason) == ("content_filter", "stop")


def test_choice_zero_counts_alone() -> None:
    """Chunks of several choices are interleaved; ours is the first."""
    frames: list[dict[str, Any]] = [
        {"choices": [{"index": 1, "delta": {"content": "B"}}]},
        {"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "A"}}]},
        {"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]

    response = answer(*frames)

    assert (response.output_text, response.finish_reason) == ("A", "stop")


def test_ids_are_the_first_that_are_not_empty() -> None:
    """A first chunk of filter results, without id and model, does not name the answer."""
    frames: list[dict[str, Any]] = [
        {"choices": [], "id": "", "model": "", "prompt_filter_results": []},
        {"id": "a", "model": "m-1", "choices": [{"delta": {"content": "Hi"}}]},
        {"id": "b", "model": "m-2", "choices": [{"delta": {}, "finish_reason": "stop"}]},
    ]

    response = answer(*frames)

    assert (response.id, response.model) == ("a", "m-1")


EMPTY: list[Any] = [
    {"choices": None},
    {"choices": []},
    {},
    {"type": "ping"},
    {"choices": [{"index": 0, "delta": None}]},
    {"choices": [{"index": 0, "delta": {"role": "", "content": None, "tool_calls": None}, "finish_reason": ""}]},
    {"choices": [{"delta": {"content": "", "tool_calls": []}}], "usage": {}},
]


@pytest.mark.parametrize("frame", EMPTY)
def test_frame_that_says_nothing_changes_nothing(frame: Any) -> None:
    """Empty chunks of every kind are passed over."""
    assert answer(text("a"), frame, text("b"), chunk(finish="stop")).output_text == "ab"


def test_text_after_the_finish_reason_is_a_repetition() -> None:
    """A summary after the end is not appended to the answer."""
    assert answer(text("Hi"), chunk(finish="stop"), text("Hi")).output_text == "Hi"


@pytest.mark.parametrize("data", [b"", b" "])
def test_blank_record_is_a_sign_of_life(data: bytes) -> None:
    """A `data:` line without data neither fails nor says anything."""
    assert ChatDecoder(provider="lake").feed(SseRecord(data)) == []


def test_raw_chunks_come_when_asked_for() -> None:
    """Each frame is visible before what it means."""
    events = events_of(text("Hi"), include_raw_chunks=True)

    assert [event.type for event in events[:3]] == ["message_started", "raw_chunk", "text_delta"]


def test_key_in_an_error_is_hidden() -> None:
    """A server that repeats the key does not put it into the failure."""
    response = answer({"error": {"message": "bad key lake-123456"}}, secrets=("lake-123456",))

    assert response.error is not None
    assert "lake-123456" not in response.error.model_dump_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "tool_calls", "function", "name", "id", "index", "usage", "url"]), inner)
    ),
    max_leaves=12,
)
CHOICES: Any = st.fixed_dictionaries({}, optional={"delta": JSON, "message": JSON, "finish_reason": JSON})
FRAMES: Any = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "model": JSON,
        "usage": JSON,
        "error": JSON,
        "citations": JSON,
        "choices": JSON | st.lists(CHOICES, max_size=3),
    },
)


@given(st.lists(FRAMES, max_size=4))
def test_any_frames_give_grammatical_events(frames: list[Any]) -> None:
    """Whatever JSON comes, the decoder gives events in order and never raises."""
    events_of(*frames)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_give_grammatical_events(records: list[bytes]) -> None:
    """Whatever bytes come, the decoder gives events in order and never raises."""
    decoder = ChatDecoder(provider="lake")

    check_grammar([*(event for record in records for event in decoder.feed(SseRecord(record))), *decoder.finish()])
