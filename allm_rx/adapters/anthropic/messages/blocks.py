"""The content blocks of an answer while they arrive: each kind turns its deltas into what the emitter is told.

Rule 1: a block begins with its start, grows by deltas, and is stopped once; one that never stops is settled at the end.
Rule 2: what the next turn has to send back is kept in the words of the wire.
Rule 3: a delta that its block does not know changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import to_json

from allm_rx.adapters.anthropic.messages.results import content_of, is_failed, is_result, tool_of
from allm_rx.adapters.anthropic.messages.wire import Wire, kept
from allm_rx.data.events import ReasoningCompleted, TextCompleted
from allm_rx.data.parts import ProviderPart, SourcePart
from allm_rx.wire.partial_json import parse_object
from allm_rx.wire.shapes import as_object, as_objects, as_text, as_word
from allm_rx.wire.text import repair, repair_json

if TYPE_CHECKING:
    from allm_rx.abc.emitter import EventEmitter
    from allm_rx.data.events import Event

_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})

_NAMELESS = "unnamed"
"""Stands for a tool that a call forgot to name; no tool is found under it, and so the model is told."""

_DROPPED = "The answer broke off and began again: this call does not count."

# What a source says in fields of its own, or only the provider can read.
_CITED = frozenset({"cited_text", "url", "title", "document_title", "file_id", "encrypted_index"})


class Block:
    """One content block; these defaults are for one that comes whole."""

    plain: str | None = None
    """The type of delta that only adds text to the block."""

    def say(self, text: str) -> None:
        """Take the text of a plain delta."""

    def delta(self, kind: str, delta: Wire) -> None:
        """Take a delta of that type."""

    def stop(self) -> bool:
        """Say that the block is over; False when it has to wait until it is known why the answer ended."""
        return True

    def settle(self, *, cut: bool) -> None:
        """Say that the answer is over, and with it a block that did not stop; `cut` when it reached its limit."""
        del cut
        self.stop()

    def drop(self) -> Event | None:
        """Say that the block does not count, because its message was given up; give the event that tells so."""
        return None


def open_block(out: EventEmitter, block_id: str, block: Wire, tools: dict[str, str], answer_tool: str | None = None) -> Block:
    """Give the reader of a block that has started.

    Args:
        out: told what the block says.
        block_id: the block's id in events.
        block: its first state.
        tools: names of the calls so far by their ids on the wire; a new call is added.
        answer_tool: the tool whose input is the answer, see `wire.answers`.
    """
    kind = as_text(block.get("type"))
    if kind == "text":
        return _Text(out, block_id, block)
    if kind in ("thinking", "redacted_thinking"):
        return _Thinking(out, block_id, block)
    if kind == "tool_use" and answer_tool is not None and block.get("name") == answer_tool:
        return _Answer(out, block_id, block)
    if kind in _CALLS:
        return _Call(out, block, tools)
    if is_result(kind):
        return _Result(out, block, tools)
    return _Other(out, block)


class _Text(Block):
    """Text, with what it cites."""

    plain = "text_delta"

    def __init__(self, out: EventEmitter, block_id: str, block: Wire) -> None:
        self._out = out
        self._id = block_id
        self._citations: list[Wire] = []
        for citation in as_objects(block.get("citations")):
            self._cite(citation)
        out.text(block_id, as_text(block.get("text")))

    def say(self, text: str) -> None:
        self._out.text(self._id, text)

    def delta(self, kind: str, delta: Wire) -> None:
        if kind == "text_delta":
            self.say(as_text(delta.get("text")))
        elif kind == "citations_delta" and (citation := as_object(delta.get("citation"))):
            self._cite(citation)

    def stop(self) -> bool:
        self._out.text_completed(self._id, None, kept({"citations": self._citations} if self._citations else {}))
        return True

    def drop(self) -> Event | None:
        block = self._out.builder.text(self._id)
        begun = bool(block.pieces)
        self._out.builder.settle(block, "", {})
        return TextCompleted(self._id, "") if begun else None

    def _cite(self, citation: Wire) -> None:
        self._citations.append(citation)
        self._out.source(source_of(citation, self._id))


class _Thinking(Block):
    """Reasoning, readable or not, with what proves that it is the model's."""

    plain = "thinking_delta"

    def __init__(self, out: EventEmitter, block_id: str, block: Wire) -> None:
        self._out = out
        self._id = block_id
        self._block = block
        self._hidden = block.get("type") == "redacted_thinking"
        self._signature = as_text(block.get("signature"))
        out.reasoning(block_id, as_text(block.get("thinking")))

    def say(self, text: str) -> None:
        self._out.reasoning(self._id, text)

    def delta(self, kind: str, delta: Wire) -> None:
        if kind == "thinking_delta":
            self.say(as_text(delta.get("thinking")))
        elif kind == "signature_delta":
            self._signature = as_text(delta.get("signature"))

    def stop(self) -> bool:
        signed = {"signature": self._signature} if self._signature else {}
        self._out.reasoning_completed(self._id, None, kept(self._block if self._hidden else signed))
        return True

    def drop(self) -> Event | None:
        block = self._out.builder.reasoning(self._id)
        begun = bool(block.pieces)
        self._out.builder.settle(block, "", {})
        return ReasoningCompleted(self._id, "") if begun else None


class _Call(Block):
    """A call of a tool, the application's or one that the provider runs."""

    def __init__(self, out: EventEmitter, block: Wire, tools: dict[str, str]) -> None:
        self._out = out
        self._pieces: list[str] = []
        self._input = as_object(block.get("input"))
        given, name = as_word(block.get("id")), as_word(block.get("name")) or _NAMELESS
        theirs = block.get("type") != "tool_use"
        self._id = out.new_call_id(given)
        # A result of the provider names its call by the id it has on the wire, so of such a call all is kept.
        left = ("input",) if theirs else ("type", "id", "name", "input")
        self._kept = {key: value for key, value in block.items() if key not in left and value is not None}
        if given and given != self._id:
            self._kept["id"] = given
        tools[given] = name
        out.call_started(self._id, name, provider_executed=theirs)

    def delta(self, kind: str, delta: Wire) -> None:
        if kind == "input_json_delta" and (piece := as_text(delta.get("partial_json"))):
            self._pieces.append(piece)
            self._out.call_delta(self._id, piece)

    def stop(self) -> bool:
        if not self._pieces:
            raw = None if self._input else ""
            self._out.call_completed(self._id, raw, arguments=repair_json(self._input), extra=kept(self._kept))
            return True
        raw = repair("".join(self._pieces))
        arguments = parse_object(raw)
        if isinstance(arguments, str):
            return False
        self._out.call_completed(self._id, raw, arguments=arguments, extra=kept(self._kept))
        return True

    def settle(self, *, cut: bool) -> None:
        if not self.stop():
            self._out.call_completed(self._id, cut=cut, extra=kept(self._kept))

    def drop(self) -> Event | None:
        self._out.call_completed(self._id, repair("".join(self._pieces)), arguments={}, error=_DROPPED)
        builder = self._out.builder
        builder.blocks.remove(builder.call(self._id))
        return None


class _Answer(Block):
    """The answer as the input of a tool: its JSON is the text."""

    def __init__(self, out: EventEmitter, block_id: str, block: Wire) -> None:
        self._out = out
        self._id = block_id
        self._input = as_object(block.get("input"))
        self._streamed = False

    def delta(self, kind: str, delta: Wire) -> None:
        if kind == "input_json_delta" and (piece := as_text(delta.get("partial_json"))):
            self._streamed = True
            self._out.text(self._id, piece)

    def stop(self) -> bool:
        if not self._streamed:
            self._out.text(self._id, to_json(repair_json(self._input)).decode())
        self._out.text_completed(self._id)
        return True

    def drop(self) -> Event | None:
        block = self._out.builder.text(self._id)
        begun = bool(block.pieces)
        self._out.builder.settle(block, "", {})
        return TextCompleted(self._id, "") if begun else None


class _Result(Block):
    """What a tool gave back that the provider ran; it comes whole."""

    def __init__(self, out: EventEmitter, block: Wire, tools: dict[str, str]) -> None:
        call_id = as_word(block.get("tool_use_id"))
        name = tools.get(call_id) or tool_of(as_word(block.get("type")))
        out.result(call_id, name, content_of(block), is_error=is_failed(block), extra=kept(block))


class _Other(Block):
    """A block that is not modelled, such as a compaction; it is kept whole."""

    def __init__(self, out: EventEmitter, block: Wire) -> None:
        self._out = out
        self._block = dict(block)
        self._input: list[str] = []

    def delta(self, kind: str, delta: Wire) -> None:
        if kind == "input_json_delta":
            self._input.append(as_text(delta.get("partial_json")))
            return
        for name, value in delta.items():
            if name != "type" and value is not None:
                before = self._block.get(name)
                joined = isinstance(before, str) and isinstance(value, str)
                self._block[name] = f"{before}{value}" if joined else value

    def stop(self) -> bool:
        if self._input and not isinstance(given := parse_object("".join(self._input)), str):
            self._block["input"] = given
        kind = as_word(self._block.get("type")) or "unknown"
        self._out.item(ProviderPart(kind=kind, provider_data=kept(self._block)))
        return True


def source_of(citation: Wire, block_id: str) -> SourcePart:
    """Give the source that a citation names.

    Its positions in the document are kept as they are, since `start` and `end` of a source mean the answer.
    """
    url, source, index = as_word(citation.get("url")), as_word(citation.get("source")), citation.get("document_index")
    if not url and source.startswith(("http://", "https://")):
        url = source
    document = as_word(citation.get("file_id")) or (source if source != url else "")
    if not document and isinstance(index, int):
        document = str(index)
    return SourcePart(
        url=url or None,
        title=as_text(citation.get("title")) or as_text(citation.get("document_title")) or None,
        document_id=document or None,
        quote=repair(as_text(citation.get("cited_text"))) or None,
        block_id=block_id,
        provider_data=kept({key: value for key, value in citation.items() if key not in _CITED}),
    )
