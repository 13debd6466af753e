"""What the Messages API answers, as events.

Rule 1: frames are told apart by their `type`; the `event:` line counts only where that is missing.
Rule 2: `message_stop` is the only natural end; a body that ends without it was cut, also when its stop reason came.
Rule 3: a second `message_start` under another id begins the message again: what is still open then does not count.
Rule 4: usage is told at the start, for a call that is left early, and once more at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from allm_rx.abc.message_decoder import MessageDecoder
from allm_rx.adapters.anthropic.errors import anthropic_failure
from allm_rx.adapters.anthropic.messages.blocks import open_block
from allm_rx.adapters.anthropic.messages.wire import FINISH_REASONS, Wire, kept, newer_usage, usage_of
from allm_rx.wire.answers import answered
from allm_rx.wire.shapes import as_object, as_objects, as_text, as_word

if TYPE_CHECKING:
    from allm_rx.abc.emitter import Facts
    from allm_rx.adapters.anthropic.messages.blocks import Block
    from allm_rx.data.events import Event
    from allm_rx.data.failures import Failure
    from allm_rx.wire.failures import ErrorAnswer

# A block whose start got lost on the way is told by its deltas.
_IMPLIED: dict[str, Wire] = {
    "text_delta": {"type": "text"},
    "citations_delta": {"type": "text"},
    "thinking_delta": {"type": "thinking"},
    "signature_delta": {"type": "thinking"},
}

_ENDING = ("stop_sequence", "stop_details", "container", "context_management")
"""What an answer says beside its stop reason; it is kept with the message."""


class MessagesDecoder(MessageDecoder):
    """One answer; see `Decoder` for the guarantees."""

    def __init__(self, *, answer_tool: str | None = None, **facts: Unpack[Facts]) -> None:
        """Begin an answer; see `EventEmitter` for the facts.

        Args:
            answer_tool: the tool whose input is the answer, see `wire.answers`.
            facts: what is known of the answer.
        """
        super().__init__(**facts)
        self._answer_tool = answer_tool
        self._blocks: dict[int, Block] = {}
        self._opened = 0
        self._last = 0
        self._tools: dict[str, str] = {}
        self._id: str | None = None
        self._raw_usage: Wire = {}
        self._stop: str | None = None
        self._ending: Wire = {}

    # The seam of `MessageDecoder`.

    def frame(self, data: dict[str, Any], event: str) -> None:
        """Read one event of the stream."""
        match data.get("type") or event:
            case "content_block_delta":
                self._delta(data)
            case "content_block_start":
                self._begin(self._index(data), as_object(data.get("content_block")))
            case "content_block_stop":
                self._end_block(self._index(data))
            case "message_start":
                self._message(as_object(data.get("message")))
            case "message_delta":
                self._message_delta(data)
            case "message_stop":
                self._complete()
            case "error":
                self.error(self.failure_in(data))
            case _ if event == "error" or data.get("error"):
                self.error(self.failure_in(data))
            case _:
                pass  # a ping, or what is yet to come

    def body(self, data: dict[str, Any]) -> None:
        """Read a message that came whole."""
        if data.get("type") == "error" or data.get("error"):
            self.error(self.failure_in(data))
            return
        if "content" not in data:
            self.error(self._malformed(f"{self.provider} answered without `content`"))
            return
        self._message(data)
        for index, block in enumerate(as_objects(data["content"])):
            self._begin(index, block)
            self._end_block(index)
        self._message_delta({"delta": data})
        self._complete()

    def end(self) -> None:
        """Say that the body ended too early; the natural end completes the answer when it comes."""
        self.interrupted("`message_stop`")

    def settle(self) -> list[Event]:
        """Give the answer as complete although its end marker does not come, once its stop reason is known."""
        if self.ended:
            return []
        if not self.finishing:
            return self.finish()
        self._complete()
        return self.take()

    def failure(self, answer: ErrorAnswer) -> Failure:
        """Map an error of the API, or of a gateway before it."""
        return anthropic_failure(answer)

    # Blocks.

    def _index(self, data: Wire) -> int:
        index = data.get("index")
        if isinstance(index, int):
            self._last = index
        return self._last

    def _begin(self, index: int, block: Wire) -> None:
        if (open_one := self._blocks.pop(index, None)) is not None:  # its stop got lost, or it waits to be settled
            open_one.settle(cut=False)
        self._template.prefix = b""  # what was learned is of another block
        self._blocks[index] = open_block(self, f"block-{self._opened}", block, self._tools, self._answer_tool)
        self._opened += 1

    def _delta(self, data: Wire) -> None:
        index, delta = self._index(data), as_object(data.get("delta"))
        kind = as_text(delta.get("type"))
        block = self._blocks.get(index)
        if block is None:
            if kind not in _IMPLIED:
                return
            self._begin(index, _IMPLIED[kind])
            block = self._blocks[index]
        block.delta(kind, delta)
        if kind == block.plain and self._whole_text:
            name = kind.removesuffix("_delta")
            self.repeatable(("delta", name), as_text(delta.get(name)), block.say)

    def _end_block(self, index: int) -> None:
        self._template.prefix = b""
        block = self._blocks.get(index)
        if block is not None and block.stop():
            del self._blocks[index]

    # The message.

    def _message(self, message: Wire) -> None:
        message_id = as_word(message.get("id")) or None
        if message_id is not None and self._id not in (None, message_id):
            self._give_up()
        self._id = message_id or self._id
        self.seen(message_id, as_word(message.get("model")) or None)
        self._note(message)
        self._report(message.get("usage"), now=True)

    def _give_up(self) -> None:
        for block in self._blocks.values():
            if (told := block.drop()) is not None:
                self._out.append(told)
        self._blocks = {}
        self._template.prefix = b""
        self._raw_usage, self._stop, self._ending = {}, None, {}

    def _message_delta(self, data: Wire) -> None:
        delta = as_object(data.get("delta"))
        self._note(delta)
        self._note(data)
        self._report(data.get("usage"))
        if reason := as_word(delta.get("stop_reason")):
            self._stop = reason
            self._settle_blocks()
            self.finishing = True

    def _note(self, told: Wire) -> None:
        self._ending |= {name: told[name] for name in _ENDING if told.get(name) is not None}

    def _settle_blocks(self) -> None:
        self._template.prefix = b""
        blocks, self._blocks = self._blocks, {}
        for block in blocks.values():
            block.settle(cut=FINISH_REASONS.get(self._stop or "") == "length")

    def _complete(self) -> None:
        self._settle_blocks()
        self.builder.provider_data = kept(self._ending)
        reason = FINISH_REASONS.get(self._stop or "", "other")
        if self._stop is None and self.builder.build().tool_calls:
            reason = "tool_calls"
        if self._answer_tool is not None:
            reason = answered(reason, self.builder.build())
        self.complete(reason, self._stop)

    def _report(self, usage: Any, *, now: bool = False) -> None:
        if isinstance(usage, dict) and usage:
            self._raw_usage = newer_usage(self._raw_usage, usage)
            self.report_usage(usage_of(self._raw_usage), now=now)
