"""Frames of the Messages API, written short; and what a decoder makes of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.data.events import Event
from allm_rx.data.responses import Response
from allm_rx.reducers.grammar import Grammar
from allm_rx.wire.sse import SseDecoder, SseRecord
from tests.fixture_cases import check_grammar, fold

RECORDINGS = Path(__file__).parents[2] / "recordings" / "anthropic"
BODIES = {path.stem: path.read_bytes() for path in sorted(RECORDINGS.glob("*.sse"))}

OURS = "anthropic.messages"
STOP: dict[str, Any] = {"type": "message_stop"}


def start(message_id: str | None = "msg_1", model: str | None = "claude-quay-5", **usage: Any) -> dict[str, Any]:
    """Write the frame that begins a message; without usage none is told."""
    message: dict[str, Any] = {"id": message_id, "type": "message", "role": "assistant", "model": model, "content": []}
    return {"type": "message_start", "message": {**message, **({"usage": usage} if usage else {})}}


def begin(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    """Write the start of a block."""
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    """Write a delta of a block."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, Any]:
    """Write the end of a block."""
    return {"type": "content_block_stop", "index": index}


def text(index: int, *pieces: str) -> list[dict[str, Any]]:
    """Write a whole block of text."""
    return [begin(index, "text", text=""), *(delta(index, "text_delta", text=piece) for piece in pieces), stop(index)]


def tool(index: int, call_id: str, name: str, *pieces: str, kind: str = "tool_use", **fields: Any) -> list[dict[str, Any]]:
    """Write a whole block of a call whose input comes in pieces."""
    inputs = [delta(index, "input_json_delta", partial_json=piece) for piece in pieces]
    return [begin(index, kind, id=call_id, name=name, input={}, **fields), *inputs, stop(index)]


def end(reason: str | None = "end_turn", usage: dict[str, Any] | None = None, **fields: Any) -> list[dict[str, Any]]:
    """Write the two frames that end a message."""
    return [{"type": "message_delta", "delta": {"stop_reason": reason, **fields}, "usage": usage or {}}, STOP]


def events_of(*frames: Any, **options: Any) -> list[Event]:
    """Give the events of a stream of frames and of the end of its body."""
    decoder = MessagesDecoder(provider="quay", **options)
    events: list[Event] = []
    for frame in frames:
        events += decoder.feed(SseRecord(json.dumps(frame).encode(), frame.get("type", "")))
    events += decoder.finish()
    hold_to_grammar(events)
    return events


def answer(*frames: Any, **options: Any) -> Response:
    """Give what a stream of frames adds up to."""
    return fold(events_of(*frames, **options))


def whole(body: Any) -> Response:
    """Give what an answer adds up to that came as one JSON body."""
    events = MessagesDecoder(provider="quay").whole(json.dumps(body).encode())
    hold_to_grammar(events)
    return fold(events)


def read(*pieces: bytes) -> list[Event]:
    """Give the events of a recorded body, however it was cut."""
    sse, decoder = SseDecoder(), MessagesDecoder(provider="quay")
    events = [event for piece in pieces for record in sse.feed(piece) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    return [*events, *decoder.finish()]


def hold_to_grammar(events: Sequence[Event]) -> None:
    """Hold events against the grammar."""
    check_grammar(events, reports=3)  # one more than usual where a message begins twice
    grammar = Grammar()
    assert [violation for event in events if (violation := grammar.apply(event)) is not None] == []
    assert grammar.finish() is None
