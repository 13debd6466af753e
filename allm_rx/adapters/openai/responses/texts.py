"""Items that are made of texts, while they arrive: messages and reasoning; see `Item`.

Rule 1: a text is a block of its own, known by its index in the item; no two are joined, so their borders stay.
Rule 2: some servers count the parts of the stream otherwise than those of the whole item; then they are matched in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.adapters.openai.responses.item import Item
from allm_rx.adapters.openai.responses.wire import Wire, kept, without
from allm_rx.data.parts import ProviderPart, SourcePart
from allm_rx.wire.shapes import as_integer, as_object, as_objects, as_text, as_word
from allm_rx.wire.text import repair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.abc.emitter import EventEmitter

_SAYABLE = frozenset({"output_text", "refusal", "text"})
_CITED = frozenset({"url", "title", "filename", "file_id", "start_index", "end_index", "index"})
"""What a source says in fields of its own."""


class _Block:
    """One text."""

    def __init__(self, out: EventEmitter, block_id: str, *, reasoning: bool) -> None:
        self.id = block_id
        self.refusal = False
        self._out = out
        self._reasoning = reasoning
        self._annotations: list[Wire] = []
        # Taken now, so that its place in the message is where it began.
        self._state = out.builder.reasoning(block_id) if reasoning else out.builder.text(block_id)

    def grow(self, delta: str) -> None:
        (self._out.reasoning if self._reasoning else self._out.text)(self.id, delta)

    def fill(self, whole: str) -> None:
        """Take the whole text, and tell what of it did not come by deltas."""
        if whole:
            whole, said = repair(whole), "".join(self._state.pieces)
            if len(whole) > len(said) and whole.startswith(said):
                self.grow(whole[len(said) :])

    def cite(self, annotation: Wire) -> None:
        """Take an annotation, once: those that were told on the way come again with the whole text."""
        if annotation and annotation not in self._annotations:
            self._annotations.append(annotation)
            self._out.source(_source_of(annotation, self.id))

    def complete(self, whole: str, extra: Wire) -> None:
        """Say that the text is over; without a whole one it is what the deltas said."""
        self.fill(whole)
        settle = self._out.reasoning_completed if self._reasoning else self._out.text_completed
        settle(self.id, repair(whole) if whole else None, extra)


class _Texts(Item):
    """An item with texts in it."""

    def __init__(self, out: EventEmitter, item: Wire, blocks: str) -> None:
        super().__init__(out, item)
        self._blocks_id = blocks
        self._made = 0

    def _new(self) -> _Block:
        block = _Block(self._out, f"{self._blocks_id}.{self._made}", reasoning=self.kind == "reasoning")
        self._made += 1
        return block

    def _at(self, blocks: dict[int, _Block], index: Any) -> _Block:
        place = as_integer(index)
        if place is None:
            place = max(blocks, default=0)
        block = blocks.get(place)
        if block is None:
            block = blocks[place] = self._new()
        return block

    def _matched(self, blocks: dict[int, _Block], parts: list[Wire]) -> Iterator[tuple[_Block, Wire]]:
        """Give the blocks with their parts of the whole item, and those that it does not have with none; see rule 2."""
        places = sorted(blocks)
        if all(place < len(parts) for place in places):
            places = list(range(len(parts)))
        while len(places) < len(parts):
            places.append(places[-1] + 1)
        for position, place in enumerate(places):
            yield self._at(blocks, place), parts[position] if position < len(parts) else {}


class Message(_Texts):
    """What the model says: text, with what it cites, and refusals."""

    def __init__(self, out: EventEmitter, number: int, item: Wire) -> None:
        """Begin a message; `number` is its position in the answer."""
        super().__init__(out, item, f"text-{number}")
        self._blocks: dict[int, _Block] = {}

    def block_id(self, index: Any) -> str:
        """Give the id of the block at an index."""
        return self._at(self._blocks, index).id

    def take(self, event: str, data: Wire) -> None:
        """Take an event; see `Item`."""
        block = self._at(self._blocks, data.get("content_index"))
        if event.startswith("refusal."):
            self.refused = block.refusal = True
        match event:
            case "output_text.delta" | "refusal.delta":
                block.grow(as_text(data.get("delta")))
            case "output_text.done" | "refusal.done":
                block.fill(as_text(data.get("text")) or as_text(data.get("refusal")))
            case "output_text.annotation.added":
                block.cite(as_object(data.get("annotation")))
            case "content_part.done":
                self._fill(block, as_object(data.get("part")))
            case _:
                pass

    def end(self, item: Wire | None, *, cut: bool) -> None:
        """Settle the texts; see `Item`."""
        del cut
        self.done = True
        message = without(item or {}, "content")
        parts = _content_of(item or {})
        if message and not parts and not self._blocks:  # what thinking led to has to follow it in the next turn
            self._new().complete("", kept({"message": message}))
        for block, part in self._matched(self._blocks, parts):
            self._settle(block, part, message)

    def _settle(self, block: _Block, part: Wire, message: Wire) -> None:
        kind = as_word(part.get("type"))
        if part and kind not in _SAYABLE:
            self._out.item(ProviderPart(kind=kind or "unknown", provider_data=kept({"message": message, **part})))
            return
        self._fill(block, part)
        extra: Wire = {"message": message, **without(part, "type", "text", "refusal")} if message else {}
        if block.refusal:
            extra["refusal"] = True
        block.complete(_text_in(part), kept(extra))

    def _fill(self, block: _Block, part: Wire) -> None:
        if part.get("type") not in _SAYABLE:
            return
        if part["type"] == "refusal":
            self.refused = block.refusal = True
        block.fill(_text_in(part))
        for annotation in as_objects(part.get("annotations")):
            block.cite(annotation)


class Reasoning(_Texts):
    """What the model thinks: a summary in parts, the thoughts themselves, or nothing that can be read."""

    def __init__(self, out: EventEmitter, number: int, item: Wire) -> None:
        """Begin to think; `number` is the position in the answer."""
        super().__init__(out, item, f"reasoning-{number}")
        self._summary: dict[int, _Block] = {}
        self._content: dict[int, _Block] = {}
        self._first: _Block | None = super()._new()  # whenever it ends, it stands before what it leads to

    def take(self, event: str, data: Wire) -> None:
        """Take an event; see `Item`."""
        if event.startswith("reasoning_summary"):
            block = self._at(self._summary, data.get("summary_index"))
        else:
            block = self._at(self._content, data.get("content_index"))
        step = event.rpartition(".")[2]
        if step == "delta":
            block.grow(as_text(data.get("delta")))
        elif step == "done":
            block.fill(as_text(data.get("text")) or _text_in(as_object(data.get("part"))))

    def end(self, item: Wire | None, *, cut: bool) -> None:
        """Settle the texts; see `Item`."""
        del cut
        self.done = True
        whole = item or {}
        texts = [
            *self._matched(self._summary, list(as_objects(whole.get("summary")))),
            *self._matched(self._content, list(as_objects(whole.get("content")))),
        ]
        *others, last = texts or [(self._new(), {})]
        for block, part in others:
            block.complete(_text_in(part), kept({"item_id": whole.get("id")}) if whole else {})
        block, part = last
        block.complete(_text_in(part), kept(whole))

    def _new(self) -> _Block:
        block, self._first = self._first, None
        return block or super()._new()


def _content_of(item: Wire) -> list[Wire]:
    content = item.get("content")
    return [{"type": "output_text", "text": content}] if isinstance(content, str) and content else list(as_objects(content))


def _text_in(part: Wire) -> str:
    return as_text(part.get("refusal" if part.get("type") == "refusal" else "text"))


def _source_of(annotation: Wire, block_id: str) -> SourcePart:
    """Give the source that an annotation names; of a file's only the place in the answer is known, not how far it reaches."""
    start = as_integer(annotation.get("start_index"))
    return SourcePart(
        url=as_word(annotation.get("url")) or None,
        title=as_word(annotation.get("title")) or as_word(annotation.get("filename")) or None,
        document_id=as_word(annotation.get("file_id")) or None,
        start=as_integer(annotation.get("index")) if start is None else start,
        end=as_integer(annotation.get("end_index")),
        block_id=block_id,
        provider_data=kept(without(annotation, *_CITED)),
    )
