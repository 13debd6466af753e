"""Whatever the provider sends, the decoder gives events and one end."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.data.events import Error, MessageCompleted, RawChunk
from allm_rx.wire.sse import SseDecoder, SseRecord
from tests.adapters.anthropic.messages_frames import BODIES, hold_to_grammar

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(
    [
        *("message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta", "content_block_stop"),
        *("error", "ping"),
    ]
)
block_kinds = st.sampled_from(
    [
        *("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_result", "web_search_tool_result"),
        *("compaction", "text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta"),
    ]
)
fields = st.sampled_from(
    [
        *("text", "thinking", "signature", "data", "id", "name", "input", "partial_json", "citation", "citations", "content"),
        *("tool_use_id", "stop_reason", "usage", "model", "index", "input_tokens", "output_tokens", "cited_text", "url"),
    ]
)


@st.composite
def insides(draw: st.DrawFn) -> Any:
    """A block, a delta, a message, or something else."""
    rest = draw(st.dictionaries(fields, json_values, max_size=4))
    return draw(st.just({**rest, "type": draw(block_kinds | json_values)}) | json_values)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, Any]:
    """A frame whose parts are what they should be, or something else."""
    inside, rest = draw(insides()), draw(st.dictionaries(fields, json_values, max_size=2))
    return {
        **rest,
        "type": draw(kinds),
        "index": draw(st.integers(0, 2) | json_values),
        **dict.fromkeys(("message", "content_block", "delta"), inside),
    }


@given(st.lists(frames(), max_size=8))
def test_any_frames_give_events_of_the_grammar(given_frames: list[dict[str, Any]]) -> None:
    """Whatever the frames hold, the events obey the grammar and end with a terminal."""
    decoder = MessagesDecoder(provider="quay")

    events = [event for frame in given_frames for event in decoder.feed(SseRecord(json.dumps(frame).encode()))]
    events += decoder.finish()

    kept = [event for event in events if not isinstance(event, RawChunk)]
    hold_to_grammar(kept)
    assert isinstance(events[-1], (MessageCompleted, Error))


@given(st.binary(max_size=200), st.sampled_from(sorted(BODIES)), st.integers(0, 1000))
def test_any_bytes_give_a_terminal(noise: bytes, name: str, at: int) -> None:
    """Whatever bytes get into a body, the decoder ends with one terminal and raises nothing."""
    body = BODIES[name]
    sse, decoder = SseDecoder(), MessagesDecoder(provider="quay")

    events = [event for record in sse.feed(body[:at] + noise + body[at:]) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    events += decoder.finish()

    assert [isinstance(event, (MessageCompleted, Error)) for event in events].count(True) == 1
    assert isinstance(events[-1], (MessageCompleted, Error))


@given(insides())
def test_any_whole_body_gives_a_terminal(body: Any) -> None:
    """Whatever JSON comes in place of a message, the decoder ends with one terminal and raises nothing."""
    events = MessagesDecoder(provider="quay").whole(json.dumps(body).encode())

    assert isinstance(events[-1], (MessageCompleted, Error))
