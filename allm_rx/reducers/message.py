"""A message while it grows: blocks in order of first sight, each in pieces that are joined once.

Rule 1: appending a delta is one list append, so a message of 100,000 deltas costs 100,000 appends.
Rule 2: what a block completed with is authoritative for that block only.
Rule 3: `build` may be called at any time; a block that did not complete gives what there is of it.
"""

from dataclasses import dataclass, field

from pydantic import JsonValue

from allm_rx.data.messages import Message
from allm_rx.data.parts import Part, ReasoningPart, TextPart, ToolCall

CUT_OFF = "The call was cut off before its arguments were complete."
"""`ToolCall.error` of a call that did not complete."""

Extra = dict[str, JsonValue]


@dataclass(slots=True)
class TextBlock:
    """One block of text or reasoning; `pieces` grows at its end, and is replaced when the block settles."""

    reasoning: bool
    pieces: list[str] = field(default_factory=list[str])
    provider_data: Extra = field(default_factory=dict[str, JsonValue])

    def part(self, count: int | None = None) -> Part | None:
        """Give the part that the first `count` pieces make; None while there is nothing."""
        text = "".join(self.pieces[:count])
        if not text and not self.provider_data:
            return None
        kind = ReasoningPart if self.reasoning else TextPart
        return kind(text=text, provider_data=self.provider_data)

    def view(self) -> "TextBlock":
        """Give a block that shares the pieces, but does not settle with this one."""
        return TextBlock(self.reasoning, self.pieces, self.provider_data)


@dataclass(slots=True)
class CallBlock:
    """One tool call."""

    id: str
    name: str
    provider_executed: bool = False
    pieces: list[str] = field(default_factory=list[str])
    completed: ToolCall | None = None

    def part(self, count: int | None = None) -> Part | None:
        """Give the call; one that did not complete carries an error and is not run."""
        if self.completed is not None:
            return self.completed
        return ToolCall(
            id=self.id,
            name=self.name,
            raw_arguments="".join(self.pieces[:count]),
            error=CUT_OFF,
            provider_executed=self.provider_executed,
        )

    def view(self) -> "CallBlock":
        """Give a block that shares the pieces, but does not complete with this one."""
        return CallBlock(self.id, self.name, self.provider_executed, self.pieces, self.completed)


@dataclass(slots=True)
class WholeBlock:
    """A part that came at once: a source, a picture, a result, an item of the provider."""

    whole: Part
    pieces: tuple[()] = ()

    def part(self, count: int | None = None) -> Part | None:
        """Give the part."""
        del count
        return self.whole

    def view(self) -> "WholeBlock":
        """Give a block that keeps the part when this one gets another."""
        return WholeBlock(self.whole)


Block = TextBlock | CallBlock | WholeBlock


class MessageBuilder:
    """The parts of one message, in the order they began."""

    __slots__ = ("_calls", "_reasoning", "_text", "_whole", "blocks", "provider_data")

    def __init__(self) -> None:
        """Begin an empty assistant message."""
        self.blocks: list[Block] = []
        self.provider_data: Extra = {}
        """For the message as a whole."""
        self._text: dict[str, TextBlock] = {}
        self._reasoning: dict[str, TextBlock] = {}
        self._calls: dict[str, CallBlock] = {}
        self._whole: dict[tuple[str, str], WholeBlock] = {}

    def text(self, block_id: str) -> TextBlock:
        """Give the text block of that id, a new one at first sight."""
        block = self._text.get(block_id)
        if block is None:
            block = self._text[block_id] = TextBlock(reasoning=False)
            self.blocks.append(block)
        return block

    def reasoning(self, block_id: str) -> TextBlock:
        """Give the reasoning block of that id, a new one at first sight."""
        block = self._reasoning.get(block_id)
        if block is None:
            block = self._reasoning[block_id] = TextBlock(reasoning=True)
            self.blocks.append(block)
        return block

    def call(self, call_id: str, name: str = "", *, provider_executed: bool = False) -> CallBlock:
        """Give the call of that id, a new one at first sight; a name that was not known yet is filled in."""
        block = self._calls.get(call_id)
        if block is None:
            block = self._calls[call_id] = CallBlock(call_id, name, provider_executed)
            self.blocks.append(block)
        elif name and not block.name:
            block.name = name
            block.provider_executed = provider_executed
        return block

    def settle(self, block: TextBlock, text: str, provider_data: Extra) -> None:
        """Complete a block of text or reasoning."""
        block.pieces = [text] if text else []
        block.provider_data = provider_data

    def add(self, part: Part, block_id: str | None = None) -> None:
        """Add a part that came whole; of one kind and id the last counts, in the place of the first."""
        key = None if block_id is None else (part.type, block_id)
        block = None if key is None else self._whole.get(key)
        if block is not None:
            block.whole = part
            return
        block = WholeBlock(part)
        self.blocks.append(block)
        if key is not None:
            self._whole[key] = block

    def view(self) -> "MessageView":
        """Give the message as it stands, to be put together later; it costs a step per block."""
        return MessageView([(block.view(), len(block.pieces)) for block in self.blocks], dict(self.provider_data))

    def build(self) -> Message:
        """Give the message as it stands."""
        return self.view().build()


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as it stood at one moment; what is built from it stays the same while the message grows."""

    blocks: list[tuple[Block, int]]
    """Each block, and how many of its pieces there were."""
    provider_data: Extra

    def build(self) -> Message:
        """Give the message."""
        parts = tuple(part for block, count in self.blocks if (part := block.part(count)) is not None)
        return Message(role="assistant", content=parts, provider_data=self.provider_data)
