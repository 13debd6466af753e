"""What a server of the Responses API answers, as events.

Rule 1: events are told apart by their `type`; the `event:` line counts only where that is missing.
Rule 2: the natural end is an event that carries the final response; without it the answer was cut, whatever came before.
Rule 3: an `error` waits for the `response.failed` that may follow it, because that one knows the usage; both are one error.
Rule 4: the plain event, some more text, takes the short way through `frame`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, cast

from allm_rx.abc.message_decoder import MessageDecoder
from allm_rx.adapters.openai.errors import openai_failure
from allm_rx.adapters.openai.responses.output import Output
from allm_rx.adapters.openai.responses.texts import Message
from allm_rx.adapters.openai.responses.wire import Wire, without
from allm_rx.adapters.openai.usage import usage_of
from allm_rx.wire.failures import complaint
from allm_rx.wire.shapes import as_integer, as_object, as_word
from allm_rx.wire.text import repair_json

if TYPE_CHECKING:
    from allm_rx.abc.emitter import Facts
    from allm_rx.data.failures import Failure
    from allm_rx.data.responses import FinishReason
    from allm_rx.wire.failures import ErrorAnswer

_PREFIX = "response."
_TEXT = "response.output_text.delta"

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_BEGINNINGS = frozenset({"response.created", "response.queued", "response.in_progress"})

_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
"""Why an answer is incomplete, in their words and in ours."""


class ResponsesDecoder(MessageDecoder):
    """One answer; see `Decoder` for the guarantees."""

    def __init__(self, *, client: frozenset[str] = frozenset(), **facts: Unpack[Facts]) -> None:
        """Begin an answer.

        Args:
            client: what the application runs itself of the tools that the API knows, see `hosted.client_side`. A call of
                such a tool that was not offered is kept as an item of the provider's.
            facts: see `EventEmitter`.
        """
        super().__init__(**facts)
        self._output = Output(self, client)
        self._places: dict[tuple[Any, Any], str] = {}
        self._failed: Failure | None = None

    # The seam of `MessageDecoder`.

    def frame(self, data: dict[str, Any], event: str) -> None:
        """Read one event of the stream."""
        kind = data.get("type") or event
        if kind != _TEXT:
            self._read(as_word(kind), data)
            return
        block = self._places.get((data.get("output_index"), data.get("content_index")))
        delta = data.get("delta")
        if block is None:
            self._find_text(data)
        elif type(delta) is str:
            self.text(block, delta)

    def marker(self, data: bytes) -> bool:
        """Read `[DONE]`, which gateways add after the end; an empty record only shows that the server lives."""
        data = data.strip()
        if data.startswith(b"[DONE]"):
            self.end()
            return True
        return not data

    def body(self, data: dict[str, Any]) -> None:
        """Read a response that came whole."""
        if "output" in data or data.get("object") == "response":
            self._conclude(data, as_word(data.get("status")) or "completed")
            return
        told = self.failure_in(data)
        self.error(told if complaint(data).message else self._malformed(f"{self.provider} answered without `output`"))

    def end(self) -> None:
        """Say that the body ended too early, unless an error explains it; the natural end completes the answer when it comes."""
        if self._failed is not None:
            self.error(self._failed)
        else:
            self.interrupted("`response.completed`")

    def failure(self, answer: ErrorAnswer) -> Failure:
        """Map an error of OpenAI, or of any service that speaks its protocols."""
        return openai_failure(answer)

    # Events.

    def _read(self, kind: str, data: Wire) -> None:
        """Read any event but a delta of text."""
        if kind == "response.output_item.added":
            self._places.clear()
            self._output.open(data.get("output_index"), as_object(data.get("item")))
        elif kind == "response.output_item.done":
            self._places.clear()
            self._output.end(data.get("output_index"), as_object(data.get("item")))
        elif kind in _ENDS:
            self._conclude(as_object(data.get("response")), kind.removeprefix(_PREFIX))
        elif kind in _BEGINNINGS:
            self._note(as_object(data.get("response")))
        elif not kind.startswith(_PREFIX):
            self._complain(data, kind)
        elif (item := self._output.find(event := kind.removeprefix(_PREFIX), data)) is not None:
            item.take(event, data)

    def _find_text(self, data: Wire) -> None:
        """Read a delta of text whose block was not looked up yet."""
        item = self._output.find("output_text.delta", data)
        if item is None:
            return
        item.take("output_text.delta", data)
        index, content = data.get("output_index"), as_integer(data.get("content_index"))
        if content is not None and isinstance(item, Message) and self._output.is_alone(item, index):
            self._places[index, content] = item.block_id(content)

    def _complain(self, data: Wire, kind: str) -> None:
        """Read an error: nested, as OpenAI sends it, or flat, as its package describes it."""
        nested = data.get("error")
        if kind == "error" and self._failed is None:
            told = nested or without(data, "type", "sequence_number")
            self._failed = self.failure_in({"error": told})
            self.finishing = True
        elif nested:  # no event of this API: a gateway speaks
            self.error(self.failure_in(data))

    def _note(self, response: Wire) -> None:
        self.seen(as_word(response.get("id")) or None, as_word(response.get("model")) or None)
        if isinstance(usage := response.get("usage"), dict) and usage:
            self.report_usage(usage_of(repair_json(cast("Wire", usage))))

    # How it ends.

    def _conclude(self, response: Wire, status: str) -> None:
        self._note(response)
        why = as_word(as_object(response.get("incomplete_details")).get("reason")) if status == "incomplete" else ""
        reason = _INCOMPLETE.get(why, "other")
        failed = status == "failed" or self._failed is not None or bool(response.get("error"))
        self._output.settle(response.get("output"), cut=failed or reason == "length")
        if failed:
            self.error(self._failed or self.failure_in({"error": response.get("error") or {}}))
        elif status == "completed":
            self.complete("content_filter" if self._output.refused else "stop", status)
        else:
            self.complete(reason, f"{status}:{why}" if why else status)
