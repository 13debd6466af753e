"""Frames of the Chat Completions API, written short; and what a decoder makes of them."""

import json
from pathlib import Path
from typing import Any

from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.data.events import Event
from allm_rx.data.responses import Response
from allm_rx.wire.sse import SseDecoder, SseRecord
from tests.fixture_cases import check_grammar, fold

RECORDINGS = Path(__file__).parents[2] / "recordings" / "openai_chat"
BODIES = {path.stem: path.read_bytes() for path in sorted(RECORDINGS.glob("*.sse"))}


def chunk(delta: Any = None, finish: str | None = None, **beside: Any) -> dict[str, Any]:
    """Write one chunk whose only choice has this delta."""
    choice: dict[str, Any] = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "model": "m", "choices": [choice], **beside}


def text(content: str) -> dict[str, Any]:
    """Write a chunk of text."""
    return chunk({"content": content})


def call(**fields: Any) -> dict[str, Any]:
    """Write a chunk with one delta of a tool call; `name` and `arguments` go where they belong."""
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return chunk({"tool_calls": [{**fields, "function": function}]})


def events_of(*frames: Any, done: bool = True, **options: Any) -> list[Event]:
    """Give the events of a stream of frames, `[DONE]` and the end of the body included."""
    decoder = ChatDecoder(provider="lake", **options)
    events: list[Event] = []
    for frame in frames:
        events += decoder.feed(SseRecord(json.dumps(frame).encode()))
    if done:
        events += decoder.feed(SseRecord(b"[DONE]"))
    events += decoder.finish()
    check_grammar(events)
    return events


def answer(*frames: Any, done: bool = True, **options: Any) -> Response:
    """Give what a stream of frames adds up to."""
    return fold(events_of(*frames, done=done, **options))


def whole(body: Any) -> Response:
    """Give what an answer adds up to that came as one JSON body."""
    events = ChatDecoder(provider="lake").whole(json.dumps(body).encode())
    check_grammar(events)
    return fold(events)


def read(*pieces: bytes) -> list[Event]:
    """Give the events of a recorded body, however it was cut."""
    sse, decoder = SseDecoder(), ChatDecoder(provider="lake")
    events = [event for piece in pieces for record in sse.feed(piece) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    return [*events, *decoder.finish()]
