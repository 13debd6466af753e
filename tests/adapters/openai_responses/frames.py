"""Events of the Responses API, written short; and what a decoder makes of them."""

import json
from pathlib import Path
from typing import Any

from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.data.events import Event
from allm_rx.data.responses import Response
from allm_rx.wire.sse import SseDecoder, SseRecord
from tests.fixture_cases import check_grammar, fold

RECORDINGS = Path(__file__).parents[2] / "recordings" / "openai_responses"


def ev(kind: str, **fields: Any) -> dict[str, Any]:
    """Write an event of a response."""
    return {"type": f"response.{kind}", **fields}


def added(index: int | None, kind: str, **item: Any) -> dict[str, Any]:
    """Write the beginning of an item; without an index it has none."""
    return _about(index, "output_item.added", item={"type": kind, **item})


def done(index: int | None, kind: str, **item: Any) -> dict[str, Any]:
    """Write the end of an item."""
    return _about(index, "output_item.done", item={"type": kind, **item})


def ended(index: int | None, item: dict[str, Any]) -> dict[str, Any]:
    """Write the end of an item that has a name already."""
    return _about(index, "output_item.done", item=item)


def text(delta: str, index: int | None = 0, content: int = 0, **fields: Any) -> dict[str, Any]:
    """Write some more text."""
    return _about(index, "output_text.delta", content_index=content, delta=delta, **fields)


def _about(index: int | None, kind: str, **fields: Any) -> dict[str, Any]:
    return ev(kind, **({} if index is None else {"output_index": index}), **fields)


def said(*texts: str, **item: Any) -> dict[str, Any]:
    """Write a whole message."""
    parts: list[dict[str, Any]] = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "role": "assistant", "content": parts, **item}


def created(**response: Any) -> dict[str, Any]:
    """Write the first event of an answer."""
    return ev("created", response={"id": "resp_1", "model": "m", "status": "in_progress", "output": [], **response})


def completed(*output: Any, **response: Any) -> dict[str, Any]:
    """Write the last event of an answer."""
    return ev("completed", response={"status": "completed", "output": list(output), **response})


def events_of(*frames: Any, **options: Any) -> list[Event]:
    """Give the events of a stream of frames, the end of the body included."""
    decoder = ResponsesDecoder(provider="lake", **options)
    events: list[Event] = []
    for frame in frames:
        events += decoder.feed(SseRecord(json.dumps(frame).encode()))
    events += decoder.finish()
    check_grammar(events)
    return events


def answer(*frames: Any, **options: Any) -> Response:
    """Give what a stream of frames adds up to."""
    return fold(events_of(*frames, **options))


def whole(body: Any, **options: Any) -> Response:
    """Give what an answer adds up to that came as one JSON body."""
    events = ResponsesDecoder(provider="lake", **options).whole(json.dumps(body).encode())
    check_grammar(events)
    return fold(events)


def read(*pieces: bytes) -> list[Event]:
    """Give the events of a recorded body, however it was cut."""
    sse, decoder = SseDecoder(), ResponsesDecoder(provider="lake")
    events = [event for piece in pieces for record in sse.feed(piece) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    return [*events, *decoder.finish()]
