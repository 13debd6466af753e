"""Errors in the shape of each vendor, and what a call makes of them over a real socket."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from reactivex import operators as ops

from allm_rx import stream_generate
from allm_rx.data.events import Error, Event
from allm_rx.data.failures import Failure
from allm_rx.operators.run import run
from allm_rx.testing.answers import AnyAnswer, Recording
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.loopback import PATIENCE

OPENAI = ("openai", "openai-chat")
EVERY = tuple(provider.name for provider in PROVIDERS)


def openai(message: str, kind: str | None = None, code: Any = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def anthropic(message: str, kind: str = "api_error", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, **more}


def google(message: str, status: str = "INTERNAL", code: int = 500, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def detail(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


PLAIN: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "anthropic": lambda message, word: anthropic(message, word or "new_error"),
    "gemini": lambda message, word: google(message, word or "NEW_STATUS"),
    "openai": lambda message, word: openai(message, word or "new_type"),
    "openai-chat": lambda message, word: openai(message, word or "new_type"),
}
"""A refusal in each vendor's shape, with a message and a word of its own."""

BEGUN: dict[str, list[dict[str, Any]]] = {
    "anthropic": [
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    ],
    "gemini": [{"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}}], "responseId": "r"}],
    "openai": [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress", "output": []}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hel"},
    ],
    "openai-chat": [{"id": "c", "choices": [{"index": 0, "delta": {"content": "Hel"}, "finish_reason": None}]}],
}
"""The beginning of an answer that says `Hel`."""


def each(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give a row of its own to everyone who says it."""
    return [(name, *rest) for names, *rest in rows for name in names]


def events_of(name: str, answer: AnyAnswer, **adapter: Any) -> list[Event]:
    """Give the events of a call that a server gives this answer."""
    with ProviderServer(answer) as server:
        engine = BY_NAME[name].engine(server, **adapter)
        return run(stream_generate(engine, "Hi", request_id="ours").pipe(ops.to_list()), timeout=PATIENCE)


def failure_of(name: str, answer: AnyAnswer, **adapter: Any) -> Failure:
    """Give the failure of a call that failed."""
    terminal = events_of(name, answer, **adapter)[-1]
    assert isinstance(terminal, Error)
    return terminal.failure


def broken(name: str, prefix: bytes, error: Any) -> Recording:
    """Give an answer that began well and ends with an error."""
    records = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in BEGUN[name])
    return Recording(records + prefix + json.dumps(error).encode() + b"\n\n", headers={"content-type": "text/event-stream"})
