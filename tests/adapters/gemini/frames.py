"""Chunks of the generateContent API, written short; and what a decoder makes of them."""

import json
from pathlib import Path
from typing import Any

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.data.events import Event
from allm_rx.data.responses import Response
from allm_rx.wire.sse import SseDecoder, SseRecord
from tests.fixture_cases import check_grammar, fold

RECORDINGS = Path(__file__).parents[2] / "recordings" / "gemini"
BODIES = {path.stem: path.read_bytes() for path in sorted(RECORDINGS.glob("*.sse"))}
STOP: dict[str, Any] = {"candidates": [{"finishReason": "STOP"}]}


def chunk(*parts: Any, finish: str | None = None, **beside: Any) -> dict[str, Any]:
    """Write one chunk whose only candidate has these parts, and more beside them."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **beside}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}


def text(content: str, signature: str | None = None) -> dict[str, Any]:
    """Write a part of text."""
    return {"text": content} if signature is None else {"text": content, "thoughtSignature": signature}


def signed(signature: str) -> dict[str, Any]:
    """Write what is kept of a signature."""
    return {"gemini": {"thoughtSignature": signature}}


def partial(*pieces: Any, goes_on: bool = True) -> dict[str, Any]:
    """Write a part with some more arguments; a piece is a path, the kind of its value, and the value."""
    told = [{"jsonPath": path, f"{kind}Value": value} for path, kind, value in pieces]
    call: dict[str, Any] = {"partialArgs": told}
    return {"functionCall": {**call, "willContinue": True} if goes_on else call}


def events_of(*frames: Any, **options: Any) -> list[Event]:
    """Give the events of a stream of chunks, the end of the body included."""
    decoder = GenerateContentDecoder(provider="lake", **options)
    events: list[Event] = []
    for frame in frames:
        events += decoder.feed(SseRecord(json.dumps(frame).encode()))
    events += decoder.finish()
    check_grammar(events)
    return events


def answer(*frames: Any) -> Response:
    """Give what a stream of chunks adds up to."""
    return fold(events_of(*frames))


def whole(body: Any) -> Response:
    """Give what an answer adds up to that came as one JSON body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    events = GenerateContentDecoder(provider="lake").whole(data)
    check_grammar(events)
    return fold(events)


def read(*pieces: bytes) -> list[Event]:
    """Give the events of a recorded body, however it was cut."""
    sse, decoder = SseDecoder(), GenerateContentDecoder(provider="lake")
    events = [event for piece in pieces for record in sse.feed(piece) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    return [*events, *decoder.finish()]
