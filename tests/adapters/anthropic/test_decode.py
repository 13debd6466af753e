"""What the decoder makes of answers of the Messages API."""

from typing import Any

import pytest

from allm_rx.data.events import (
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
)
from allm_rx.data.parts import SourcePart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.usage import Usage
from tests.adapters.anthropic.messages_frames import BODIES, OURS, answer, end, events_of, read, start, text


def test_plain_stream_is_started_deltas_completed() -> None:
    """A plain answer begins, tells its prompt, grows, settles, tells its usage and ends."""
    events = read(BODIES["text"])

    early = Usage(
        input_tokens=2060,
        output_tokens=1,
        cached_input_tokens=2048,
        cache_write_input_tokens=0,
        extra={"service_tier": "standard"},
    )
    sentence = "The lamp turns 🌊 sløwly."
    assert events[:-1] == [
        MessageStarted("msg_lighthouse", "quay", "claude-harbour-5"),
        RawChunk("usage", early),
        TextDelta("block-0", "The lamp"),
        TextDelta("block-0", " turns 🌊 sløwly"),
        TextDelta("block-0", "."),
        TextCompleted("block-0", sentence),
        RawChunk("usage", early.replace(output_tokens=9)),
    ]
    assert isinstance(events[-1], MessageCompleted)
    assert events[-1].message.content == (TextPart(text=sentence),)
    assert (events[-1].finish_reason, events[-1].raw_finish_reason) == ("stop", "end_turn")


def test_thoughts_and_calls_come_in_order_with_what_signs_them() -> None:
    """Thinking keeps its signature, hidden thinking its data, and calls grow under their own ids."""
    events = [event for event in read(BODIES["thinking_tools"]) if not isinstance(event, (RawChunk, TextDelta))]

    thought = "Two ports, so two calls — first Bergen."
    signed: dict[str, Any] = {OURS: {"signature": "c2lnbmVkLWJ5LXRoZS1oYXJib3VyLW1hc3Rlcg=="}}
    hidden: dict[str, Any] = {OURS: {"type": "redacted_thinking", "data": "aGlkZGVuLWluLXRoZS1ob2xk"}}
    direct: dict[str, Any] = {OURS: {"caller": {"type": "direct"}}}
    raw = '{"port": "Bergen", "days": 2}'
    assert events[1:-1] == [
        ReasoningDelta("block-0", "Two ports, "),
        ReasoningDelta("block-0", "so two calls — first Bergen."),
        ReasoningCompleted("block-0", thought, signed),
        ReasoningCompleted("block-1", "", hidden),
        TextCompleted("block-2", "I will ask both ports."),
        ToolCallStarted("toolu_bergen", "tide"),
        ToolCallDelta("toolu_bergen", '{"port": "Ber'),
        ToolCallDelta("toolu_bergen", 'gen", "days": 2}'),
        ToolCallCompleted("toolu_bergen", "tide", {"port": "Bergen", "days": 2}, raw, provider_data=direct),
        ToolCallStarted("toolu_clock", "clock"),
        ToolCallCompleted("toolu_clock", "clock", {}, ""),
    ]


def test_search_is_a_call_and_a_result_of_the_provider() -> None:
    """A server tool's call and result are told as such, cited sources come before their text, and all is kept whole."""
    message = read(BODIES["search"])[-1]

    assert isinstance(message, MessageCompleted)
    call, result, source, cited, rest = message.message.content
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResultPart)
    assert (call.provider_executed, call.arguments) == (True, {"query": "tide Bergen"})
    assert (result.id, result.name, result.provider_executed) == ("srvtoolu_tides", "web_search", True)
    assert result.text == "Tides at Bergen\nhttps://tides.example/bergen"
    block: Any = result.provider_data[OURS]
    assert block["content"][0]["encrypted_content"] == "ZW5jcnlwdGVk"
    assert source == SourcePart(
        url="https://tides.example/bergen",
        title="Tides at Bergen",
        quote="Low water is at noon.",
        block_id="block-2",
        provider_data={OURS: {"type": "web_search_result_location"}},
    )
    assert isinstance(cited, TextPart)
    citations: Any = cited.provider_data[OURS]
    assert (cited.text, citations["citations"][0]["encrypted_index"]) == ("Low water is at noon", "ZW5jcnlwdGVkLWluZGV4")
    assert rest == TextPart(text=".")


# Usage.


def test_usage_counts_the_whole_prompt() -> None:
    """The parts of the prompt exclude each other on the wire; ours is their sum."""
    response = answer(
        start(input_tokens=3, cache_creation_input_tokens=100, cache_read_input_tokens=2000, output_tokens=1),
        *end(usage={"output_tokens": 5, "output_tokens_details": {"thinking_tokens": 4}}),
    )

    assert response.usage == Usage(
        input_tokens=2103, output_tokens=5, cached_input_tokens=2000, cache_write_input_tokens=100, reasoning_tokens=4
    )


@pytest.mark.parametrize(("early", "late"), [(0, 50), (50, 0), (50, None)])
def test_unknown_prompt_is_not_zero(early: int, late: int | None) -> None:
    """A gateway's zero or null does not hide the number that the other report has."""
    response = answer(start(input_tokens=early, output_tokens=1), *end(usage={"input_tokens": late, "output_tokens": 2}))

    assert (response.usage.input_tokens, response.usage.output_tokens) == (50, 2)


def test_usage_of_other_kinds_is_kept_by_name() -> None:
    """What has no name of ours stays under the provider's, details with a dot, so that answers add up."""
    usage = {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0}, "output_tokens": 1}

    response = answer(start(), *end(usage=usage))

    assert (response.usage + response.usage).extra == {"server_tool_use.web_search_requests": 4}


def test_usage_is_known_when_the_stream_fails() -> None:
    """What the prompt cost is told although the answer broke."""
    response = answer(start(input_tokens=9, output_tokens=1), *text(0, "Hi"))

    assert response.error is not None
    assert response.usage.input_tokens == 9


# Raw frames.


def test_raw_frames_come_when_asked_for() -> None:
    """With `include_raw_chunks` every frame is also given as it came, none before the start of the message."""
    frames = [{"type": "ping"}, start(), *text(0, "Hi"), *end()]

    events = events_of(*frames, include_raw_chunks=True)

    assert isinstance(events[0], MessageStarted)
    assert [event.data for event in events if isinstance(event, RawChunk) and event.kind != "usage"] == frames
