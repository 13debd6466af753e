"""What the canned server says: any answer is rendered once, as the bytes of its HTTP chunks.

Rule 1: an answer is named by the path it is asked for at, so that one server gives all of them.
Rule 2: the records are as long as a provider's own, and repeat as theirs do.
Rule 3: each is one write of one HTTP chunk, as from a provider that flushes per token, or `together` of them, as from a proxy.
"""

import json
from dataclasses import astuple, dataclass
from functools import lru_cache

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
TOOL = "add_one"
"""The tool that is called while there are turns left; it takes the integer `number`."""

Fields = dict[str, object]


@dataclass(frozen=True)
class Answer:
    """One way to answer."""

    chunks: int = 1
    """Pieces of text."""
    together: int = 1
    """Records per HTTP chunk."""
    pace: int = 0
    """Milliseconds between HTTP chunks."""
    held: int = 0
    """1 when the server waits behind the first piece of text until it is told to go on."""
    length: int = 7
    """Characters of one piece of text."""
    turns: int = 0
    """Calls of the tool before there is any text; each is a request of its own."""

    @property
    def path(self) -> str:
        """The path that names it."""
        return "/" + "-".join(str(part) for part in astuple(self))

    @classmethod
    def named(cls, path: str) -> "Answer":
        """Read a path."""
        return cls(*(int(part) for part in path.strip("/").split("-")))

    @property
    def watched(self) -> bool:
        """Whether it takes long enough that a client may leave before its end."""
        return bool(self.pace or self.held)


@dataclass(frozen=True)
class Rendered:
    """The HTTP chunks of an answer."""

    first: tuple[bytes, ...]
    """Those up to the first piece of text."""
    rest: tuple[bytes, ...]


@lru_cache
def rendered(answer: Answer, protocol: str, answered: int) -> Rendered:
    """Render an answer.

    Args:
        answer: what is asked for.
        protocol: `chat` or `messages`.
        answered: the tool results that the request had.
    """
    if answered < answer.turns:
        records, opening = _CALLS[protocol](answered), 1
    else:
        texts = [f"tok{number % 1000:03d} ".ljust(answer.length, "x") for number in range(answer.chunks)]
        records, opening = _TEXTS[protocol](texts)
    bodies = [b"".join(records[start : start + answer.together]) for start in range(0, len(records), answer.together)]
    pieces = [b"%x\r\n%b\r\n" % (len(body), body) for body in bodies] + [b"0\r\n\r\n"]
    opening = -(-opening // answer.together)
    return Rendered(tuple(pieces[:opening]), tuple(pieces[opening:]))


def _chat_text(texts: list[str]) -> tuple[list[bytes], int]:
    records = [_choice({"content": text}, None) for text in texts]
    return [*records, *_chat_end("stop", len(texts))], 1


def _chat_call(number: int) -> list[bytes]:
    function: Fields = {"name": TOOL, "arguments": ""}
    call: Fields = {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
    opening = _choice({"role": "assistant", "content": None, "tool_calls": [call]}, None)
    parts = ['{"num', 'ber":', f"{number}}}"]
    arguments = [_choice({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}, None) for part in parts]
    return [opening, *arguments, *_chat_end("tool_calls", len(parts))]


def _chat_end(reason: str, tokens: int) -> list[bytes]:
    usage = {"prompt_tokens": 12, "completion_tokens": tokens, "total_tokens": 12 + tokens}
    return [_choice({}, reason), _data({**_chunk(), "choices": [], "usage": usage}), b"data: [DONE]\n\n"]


def _chunk() -> Fields:
    return {
        "id": "chatcmpl-BQx7f3nVbench",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "gpt-bench-2026-01-01",
        "service_tier": "default",
        "system_fingerprint": "fp_07871e2ad8",
    }


def _choice(delta: Fields, reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _data({**_chunk(), "choices": [choice], "usage": None})


def _messages_text(texts: list[str]) -> tuple[list[bytes], int]:
    deltas = [_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in texts]
    block: Fields = {"type": "text", "text": ""}
    return [*_messages_begin(block), *deltas, *_messages_end("end_turn", len(texts))], 3


def _messages_call(number: int) -> list[bytes]:
    block: Fields = {"type": "tool_use", "id": f"toolu_{number}", "name": TOOL, "input": {}}
    parts = ['{"num', 'ber":', f"{number}}}"]
    deltas = [_event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": part}) for part in parts]
    return [*_messages_begin(block), *deltas, *_messages_end("tool_use", len(parts))]


def _messages_begin(block: Fields) -> list[bytes]:
    message: Fields = {
        "id": "msg_01bench",
        "type": "message",
        "role": "assistant",
        "model": "claude-bench-2026-01-01",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    }
    return [_event("message_start", message=message), _event("content_block_start", index=0, content_block=block)]


def _messages_end(reason: str, tokens: int) -> list[bytes]:
    delta: Fields = {"stop_reason": reason, "stop_sequence": None}
    return [
        _event("content_block_stop", index=0),
        _event("message_delta", delta=delta, usage={"output_tokens": tokens}),
        _event("message_stop"),
    ]


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\n".encode() + _data({"type": kind, **fields})


def _data(fields: Fields) -> bytes:
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


_TEXTS = {"chat": _chat_text, "messages": _messages_text}
_CALLS = {"chat": _chat_call, "messages": _messages_call}
