"""Bodies of the Messages API, as requests give them."""

from typing import Any

from allm_rx.adapters.anthropic.messages.encode import encode_body
from allm_rx.data.messages import Message
from allm_rx.data.requests import Request
from tests.adapters.anthropic.accepted import accepted


def body_of(*messages: Message, typed: bool = True) -> dict[str, Any]:
    """The body for some messages, which the vendor's own models take whole."""
    body = encode_body(Request(messages=messages, model="claude-quay-5"))
    assert not typed or accepted(body) == body
    return body


def blocks_of(*messages: Message, typed: bool = True) -> list[dict[str, Any]]:
    """The blocks of the only message on the wire."""
    (message,) = body_of(*messages, typed=typed)["messages"]
    return message["content"]


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
