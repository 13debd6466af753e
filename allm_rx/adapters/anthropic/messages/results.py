"""What tools that the provider ran gave back, as content a program can read.

Rule 1: the block itself is kept whole beside it, so what is left out here is lost to nobody.
Rule 2: any JSON gives some content, never an exception; a kind of result that is yet to come gives the texts it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.parts import FilePart, TextPart
from allm_rx.wire.shapes import as_object, as_text, as_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.adapters.anthropic.messages.wire import Wire
    from allm_rx.data.parts import ResultContent

_RESULT = "_tool_result"

_SAID = ("text", "title", "url", "stdout", "stderr", "error_code", "error_message", "tool_name")
_HELD = ("content", "lines", "tool_references")


def is_result(kind: str) -> bool:
    """Tell whether a type of block is the result of a tool that the provider ran."""
    return kind.endswith(_RESULT)


def tool_of(kind: str) -> str:
    """Give the name of the tool that a type of result comes from.

    >>> tool_of("web_search_tool_result")
    'web_search'
    """
    return kind.removesuffix(_RESULT)


def is_failed(block: Wire) -> bool:
    """Tell whether a result says that the tool failed."""
    content = as_object(block.get("content"))
    return block.get("is_error") is True or "error_code" in content or as_text(content.get("type")).endswith("_error")


def content_of(block: Wire) -> tuple[ResultContent, ...]:
    """Give the texts of a result, a line or more for each thing in it, and the files that were made."""
    parts: list[ResultContent] = []
    lines: list[str] = []
    for found in _found(block.get("content"), 0):
        if isinstance(found, str):
            lines.append(found)
        else:
            parts.append(found)
    text = "\n".join(line for line in lines if line)
    return (TextPart(text=text), *parts) if text else tuple(parts)


_DEEPEST = 6


def _found(value: Any, depth: int) -> Iterator[str | FilePart]:
    if isinstance(value, str):
        yield value
    elif depth == _DEEPEST:
        return
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _found(item, depth + 1)
    elif isinstance(value, dict):
        fields = cast("Wire", value)
        if file_id := as_word(fields.get("file_id")):
            yield FilePart(file_id=file_id)
        yield from (as_text(fields.get(name)) for name in _SAID)
        source = as_object(fields.get("source"))
        if source.get("type") == "text":  # a page that was fetched
            yield as_text(source.get("data"))
        for name in _HELD:
            yield from _found(fields.get(name), depth + 1)
