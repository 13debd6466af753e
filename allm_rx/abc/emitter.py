"""What a decoder says about an answer, turned into events in the right order.

Rule 1: one start, before everything; one terminal, after everything; usage before the terminal.
Rule 2: ids are unique within the message; missing, repeated or empty ones are repaired.
Rule 3: text is valid Unicode: a character whose halves arrive in two deltas is joined, a lone half becomes U+FFFD.
Rule 4: everything said is kept in a `MessageBuilder` too, so that the terminal carries the whole message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack

from allm_rx.data.events import (
    Error,
    Event,
    MediaCompleted,
    MessageCompleted,
    MessageStarted,
    ProviderItem,
    RawChunk,
    ReasoningCompleted,
    ReasoningDelta,
    SourceAdded,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
    ToolResultReceived,
)
from allm_rx.data.failures import Failure
from allm_rx.reducers.message import CUT_OFF, CallBlock, MessageBuilder, TextBlock
from allm_rx.reducers.response import completed_call, received_result
from allm_rx.wire.partial_json import parse_object
from allm_rx.wire.redaction import printable, redact
from allm_rx.wire.text import SurrogateJoiner, repair

if TYPE_CHECKING:
    from pydantic import JsonValue

    from allm_rx.data.messages import Message
    from allm_rx.data.parts import AudioPart, ImagePart, ProviderPart, ResultContent, SourcePart
    from allm_rx.data.responses import FinishReason
    from allm_rx.data.usage import Usage


class Facts(TypedDict, total=False):
    """What is known of an answer before it begins."""

    provider: Required[str]
    """Name for events and errors."""
    request_id: str | None
    """Ours."""
    provider_request_id: str | None
    """Theirs, from the answer's headers."""
    include_raw_chunks: bool
    """Whether each frame is also given as a `raw_chunk`."""
    secrets: tuple[str, ...]
    """Values that must not appear in an error, such as the key that was sent."""


class EventEmitter:
    """One answer, from what a decoder saw to events."""

    def __init__(self, **facts: Unpack[Facts]) -> None:
        """Begin an answer."""
        self.provider = facts["provider"]
        self.request_id = facts.get("request_id")
        self._secrets = facts.get("secrets", ())
        self.provider_request_id = self.safe(facts.get("provider_request_id") or "") or None
        self.builder = MessageBuilder()
        self.ended = False
        self.finishing = False
        self.usage: Usage | None = None
        self._usage_told = False
        self._raw = facts.get("include_raw_chunks", False)
        self._held: list[Event] = []
        self._out: list[Event] = []
        self._started = False
        self._message_id: str | None = None
        self._model: str | None = None
        self._open: TextBlock | None = None
        self._open_id = ""
        self._runs = 0
        self._whole_text = False
        """Whether texts are known to hold no halves of characters."""
        self._joiner: SurrogateJoiner | None = None
        self._call_joiners: dict[str, SurrogateJoiner] = {}
        self._call_ids: set[str] = set()

    def safe(self, text: str) -> str:
        """Give a text of the provider without secrets or control characters."""
        return printable(redact(text, self._secrets), 2000)

    def seen(self, message_id: str | None, model: str | None) -> None:
        """Say the ids of the answer; the first that are not empty count."""
        if self._started:
            return
        self._message_id = message_id or self._message_id
        self._model = model or self._model
        if self._message_id and self._model:
            self._start()

    def text(self, block_id: str, delta: str) -> None:
        """Say that a text block grew."""
        if not self._whole_text or type(delta) is not str:
            delta = self._repaired(delta)
        if delta:
            self._start()
            self.builder.text(block_id).pieces.append(delta)
            self._out.append(TextDelta(block_id, delta))

    def text_completed(self, block_id: str, text: str | None = None, extra: dict[str, JsonValue] | None = None) -> None:
        """Say that a text block is whole; `text` is authoritative, None means what was given so far."""
        self._flush_joiner(block_id, reasoning=False)
        block = self.builder.text(block_id)
        if text is None:
            text = "".join(block.pieces)
        if text or extra:
            self._start()
            self.builder.settle(block, text, extra or {})
            self._out.append(TextCompleted(block_id, text, extra or {}))

    def reasoning(self, block_id: str, delta: str) -> None:
        """Say that a block of reasoning grew."""
        if not self._whole_text or type(delta) is not str:
            delta = self._repaired(delta)
        if delta:
            self._start()
            self.builder.reasoning(block_id).pieces.append(delta)
            self._out.append(ReasoningDelta(block_id, delta))

    def reasoning_completed(self, block_id: str, text: str | None = None, extra: dict[str, JsonValue] | None = None) -> None:
        """Say that a block of reasoning is whole, perhaps with a signature."""
        self._flush_joiner(block_id, reasoning=True)
        block = self.builder.reasoning(block_id)
        if text is None:
            text = "".join(block.pieces)
        if text or extra:
            self._start()
            self.builder.settle(block, text, extra or {})
            self._out.append(ReasoningCompleted(block_id, text, extra or {}))

    def run(self, delta: str, *, reasoning: bool = False) -> None:
        """Say that text grew, in a protocol without blocks: a run of one kind is a block."""
        block = self._open
        if block is None or block.reasoning is not reasoning:
            self.close_run()
            self._open_id = f"{'reasoning' if reasoning else 'text'}-{self._runs}"
            self._runs += 1
            block = self.builder.reasoning(self._open_id) if reasoning else self.builder.text(self._open_id)
            self._open = block
        if not self._whole_text or type(delta) is not str:
            delta = self._repaired(delta)
        if delta:
            if not self._started:
                self._start()
            block.pieces.append(delta)
            self._out.append(ReasoningDelta(self._open_id, delta) if reasoning else TextDelta(self._open_id, delta))

    def close_run(self, extra: dict[str, JsonValue] | None = None) -> None:
        """Say that the current run of text is over, because something else comes or it is signed."""
        if self._open is not None:
            reasoning, self._open = self._open.reasoning, None
            (self.reasoning_completed if reasoning else self.text_completed)(self._open_id, None, extra)

    def new_call_id(self, given: str | None) -> str:
        """Give an id for a call that is unique in the message; keep the provider's own in `provider_data`."""
        base = given or f"call_{len(self._call_ids)}"
        call_id, count = base, 1
        while call_id in self._call_ids:
            count += 1
            call_id = f"{base}-{count}"
        self._call_ids.add(call_id)
        return call_id

    def call_started(self, call_id: str, name: str, *, provider_executed: bool = False) -> None:
        """Say that a call began; its id is from `new_call_id`."""
        self.close_run()
        self._start()
        self.builder.call(call_id, name, provider_executed=provider_executed)
        self._out.append(ToolCallStarted(call_id, name, provider_executed))

    def call_delta(self, call_id: str, delta: str) -> None:
        """Say that the arguments of a call grew."""
        if self._call_joiners or not delta.isascii():
            delta = self._call_joiners.setdefault(call_id, SurrogateJoiner()).feed(delta)
        if delta:
            self.builder.call(call_id).pieces.append(delta)
            self._out.append(ToolCallDelta(call_id, delta))

    def call_completed(
        self,
        call_id: str,
        raw: str | None = None,
        *,
        arguments: dict[str, Any] | None = None,
        extra: dict[str, JsonValue] | None = None,
        error: str | None = None,
        cut: bool = False,
    ) -> None:
        """Say that a call is whole.

        Args:
            call_id: the call.
            raw: its arguments as text; None means the deltas so far.
            arguments: the arguments, where the protocol sends them as an object.
            extra: `provider_data` of the call.
            error: what is wrong with the arguments, where that is known already.
            cut: whether the answer broke off (length); arguments that do not parse are then cut, not wrong.
        """
        block = self.builder.call(call_id)
        if arguments is None:
            self._flush_call(call_id)
            raw = "".join(block.pieces) if raw is None else repair(raw)
            parsed = parse_object(raw)
            if isinstance(parsed, str):
                arguments, error = {}, error or (CUT_OFF if cut else parsed)
            else:
                arguments = parsed
        event = ToolCallCompleted(call_id, block.name, arguments, raw, error, block.provider_executed, extra or {})
        block.completed = completed_call(event)
        self._out.append(event)

    def result(
        self,
        call_id: str,
        name: str | None,
        content: tuple[ResultContent, ...] = (),
        *,
        is_error: bool = False,
        extra: dict[str, JsonValue] | None = None,
    ) -> None:
        """Say that a tool the provider ran gave a result."""
        self.close_run()
        self._start()
        event = ToolResultReceived(call_id, name, content, is_error, extra or {})
        self.builder.add(received_result(event), call_id)
        self._out.append(event)

    def source(self, part: SourcePart) -> None:
        """Say that the model cites something."""
        self._start()
        self.builder.add(part)
        self._out.append(SourceAdded(part))

    def media(self, block_id: str, part: ImagePart | AudioPart) -> None:
        """Say that the model produced a picture or sound."""
        self.close_run()
        self._start()
        self.builder.add(part, block_id)
        self._out.append(MediaCompleted(block_id, part))

    def item(self, part: ProviderPart) -> None:
        """Say that the provider sent an item that is not modelled."""
        self.close_run()
        self._start()
        self.builder.add(part)
        self._out.append(ProviderItem(part))

    def report_usage(self, usage: Usage, *, now: bool = False) -> None:
        """Say what is known of the usage; it is given before the terminal, or at once."""
        self.usage = usage if self.usage is None else self.usage.merge(usage)
        self._usage_told = False
        if now:
            self._start()
            self._usage_once()

    def raw(self, kind: str, data: dict[str, Any]) -> None:
        """Give a frame of the provider as it came; one before the start waits for it."""
        (self._out if self._started else self._held).append(RawChunk(kind, data))

    def complete(self, finish_reason: FinishReason, raw: str | None, message: Message | None = None) -> None:
        """Say that the answer is whole; `message` is it, where the protocol repeats it at the end."""
        if self.ended:
            return
        self.close_run()
        self._start()
        for block in self.builder.blocks:
            if isinstance(block, CallBlock) and block.completed is None:
                self.call_completed(block.id, cut=finish_reason == "length")
        message = message or self.builder.build()
        if finish_reason == "stop" and message.tool_calls:
            finish_reason = "tool_calls"
        self._usage_once()
        self._out.append(MessageCompleted(message, finish_reason, raw))
        self.ended = True

    def error(self, failure: Failure) -> None:
        """Say that the answer failed; ids of the request are filled in."""
        if self.ended:
            return
        if self._held or self.usage is not None:
            self._start()
        self._usage_once()
        known = {
            "provider": failure.provider or self.provider,
            "request_id": failure.request_id or self.request_id,
            "provider_request_id": failure.provider_request_id or self.provider_request_id,
        }
        self._out.append(Error(failure.model_copy(update=known)))
        self.ended = True

    def interrupted(self, missing: str) -> None:
        """Say that the body ended without its natural end; `missing` names what should have come."""
        self.error(
            Failure(
                kind="StreamError",
                reason="stream_interrupted",
                message=f"{self.provider} closed the stream before {missing}: the answer is incomplete. Send it again.",
            )
        )

    # How it becomes events.

    def take(self) -> list[Event]:
        """Give the events said since the last time."""
        out, self._out = self._out, []
        return out

    def _start(self) -> None:
        if not self._started:
            self._started = True
            ids = (self._message_id, self.provider, self._model, self.request_id, self.provider_request_id)
            self._out.append(MessageStarted(*ids))
            self._out += self._held
            self._held = []

    def _usage_once(self) -> None:
        if self.usage is not None and not self._usage_told:
            self._usage_told = True
            self._out.append(RawChunk("usage", self.usage))

    def _repaired(self, delta: str) -> str:
        if self._joiner is None:
            if delta.isascii():
                return delta
            try:
                delta.encode()
            except UnicodeEncodeError:
                self._joiner = SurrogateJoiner()
            else:
                return delta
        return self._joiner.feed(delta)

    def _flush_call(self, call_id: str) -> None:
        joiner = self._call_joiners.pop(call_id, None)
        if joiner is not None and (rest := joiner.flush()):
            self.builder.call(call_id).pieces.append(rest)
            self._out.append(ToolCallDelta(call_id, rest))

    def _flush_joiner(self, block_id: str, *, reasoning: bool) -> None:
        if self._joiner is not None and (rest := self._joiner.flush()):
            self._start()
            block = self.builder.reasoning(block_id) if reasoning else self.builder.text(block_id)
            block.pieces.append(rest)
            self._out.append(ReasoningDelta(block_id, rest) if reasoning else TextDelta(block_id, rest))
