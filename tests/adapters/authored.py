"""Streams that no recording has: what models make beside text, ids that others refuse, a tool of the provider that still runs."""

import base64
import json
from typing import Any

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
PICTURE = base64.b64encode(PIXEL).decode()
"""A picture of one pixel, as it travels."""

_SOUND = base64.b64encode(b"RIFF\x24\0\0\0WAVEfmt ").decode()
_PAGE = {
    "type": "url_citation",
    "url_citation": {"url": "https://tides.example", "title": "Tides", "start_index": 0, "end_index": 4},
}


def streamed(*frames: dict[str, Any]) -> bytes:
    """Write frames as a stream."""
    return b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)


def _candidate(*parts: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "index": 0, **beside}], "responseId": "r"}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _called(call_id: str, name: str, arguments: str, index: int = 0) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return _chunk({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]})


def _made(data: str, media_type: str) -> bytes:
    part = {"inlineData": {"mimeType": media_type, "data": data}, "thoughtSignature": "bWFkZQ=="}
    return streamed(_candidate({"text": "Here:"}), _candidate(part, finishReason="STOP"))


AUTHORED: dict[tuple[str, str], bytes] = {
    ("anthropic", "half a search"): streamed(
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {}}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "server_tool_use", "id": "srvtoolu_half", "name": "web_search", "input": {"query": "tide"}},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "pause_turn"}, "usage": {}},
        {"type": "message_stop"},
    ),
    ("gemini", "picture"): _made(PICTURE, "image/png"),
    ("gemini", "sound"): _made(_SOUND, "audio/wav"),
    ("openai", "picture"): streamed(
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {"id": "ig_harbour", "type": "image_generation_call", "status": "completed", "result": PICTURE},
        },
        {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}},
    ),
    ("openai-chat", "citation"): streamed(_chunk({"content": "Tide"}), _chunk({"annotations": [_PAGE]}), _chunk({}, "stop")),
    ("openai-chat", "odd ids"): streamed(
        _called("functions.sail:0", "sail", '{"to":"north"}'),
        _called("functions.sail:1", "sail", '{"to":', 1),  # cut
        _called("", "anchor", "", 2),
        _chunk({}, "tool_calls"),
    ),
    ("openai-chat", "picture"): streamed(
        _chunk({"content": "Here:"}),
        _chunk({"images": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}]}),
        _chunk({}, "stop"),
    ),
    ("openai-chat", "sound"): streamed(
        _chunk({"audio": {"id": "audio_1", "data": _SOUND, "transcript": "Splash."}}), _chunk({}, "stop")
    ),
}
"""By provider and name."""
