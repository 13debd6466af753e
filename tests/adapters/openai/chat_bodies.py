"""Bodies of the Chat Completions API, as requests give them."""

import json
from typing import Any

from allm_rx.adapters.openai.chat_completions.encode import encode
from allm_rx.adapters.openai.chat_completions.options import OPENAI, Quirks
from allm_rx.data.messages import Message, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import Request

CALL = ToolCall(id="c1", name="look", arguments={"at": "sea"})


def body(*messages: Message, quirks: Quirks = OPENAI, **fields: Any) -> dict[str, Any]:
    request = Request(messages=messages or (user("Hi"),), model="m", **fields)
    return json.loads(encode(request, quirks=quirks, base_url="https://x/v1", key=None, headers={}).body)


def said(*messages: Message, quirks: Quirks = OPENAI) -> list[dict[str, Any]]:
    return body(*messages, quirks=quirks)["messages"]
