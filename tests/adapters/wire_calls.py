"""What a body of each protocol says about calls of tools and their results, in order; and whether nothing of it dangles."""

import re
from collections.abc import Iterator
from typing import Any

Step = tuple[str, str]
"""`call` or `result`, and the id that joins them."""

FORMATS = {
    "anthropic": re.compile(r"[a-zA-Z0-9_-]{1,64}"),
    "gemini": re.compile(r".+"),
    "openai": re.compile(r".{1,64}"),
    "openai-chat": re.compile(r".{1,64}"),
}
"""What an id may look like."""


def steps(name: str, body: dict[str, Any]) -> list[Step]:
    """Give the calls that the application had to run, and their results; those that the provider ran are not among them."""
    return list(_READERS[name](body))


def hold_together(name: str, body: dict[str, Any]) -> None:
    """Hold a body against what all providers want: ids in their format, one result for every call, behind it."""
    waiting: list[str] = []
    for kind, call_id in steps(name, body):
        assert FORMATS[name].fullmatch(call_id)
        if kind == "call":
            assert name == "gemini" or call_id not in waiting
            waiting.append(call_id)
        else:
            waiting.remove(call_id)
    assert waiting == []


def _anthropic(body: dict[str, Any]) -> Iterator[Step]:
    for at, message in enumerate(body["messages"]):
        assert at == 0 or message["role"] != body["messages"][at - 1]["role"]
        for block in message["content"]:
            if block["type"] == "tool_use":
                yield "call", block["id"]
            elif block["type"] == "tool_result":
                yield "result", block["tool_use_id"]


def _gemini(body: dict[str, Any]) -> Iterator[Step]:
    assert body["contents"][0]["role"] == "user"
    for content in body["contents"]:
        for part in content["parts"]:
            for kind, field in (("call", "functionCall"), ("result", "functionResponse")):
                if field in part:
                    yield kind, part[field].get("id") or part[field]["name"]


def _openai(body: dict[str, Any]) -> Iterator[Step]:
    for item in body["input"]:
        kind = item.get("type", "message")
        if kind in ("function_call", "custom_tool_call"):
            yield "call", item["call_id"]
        elif kind.endswith("_output"):
            yield "result", item["call_id"]


def _chat(body: dict[str, Any]) -> Iterator[Step]:
    for message in body["messages"]:
        yield from (("call", call["id"]) for call in message.get("tool_calls", ()))
        if message["role"] == "tool":
            yield "result", message["tool_call_id"]


_READERS = {"anthropic": _anthropic, "gemini": _gemini, "openai": _openai, "openai-chat": _chat}
