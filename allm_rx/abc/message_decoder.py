"""What all decoders of chat protocols share: the guarantees of `Decoder`, held in one place.

A vendor's decoder reads its frames and says what it saw (`text`, `call_started`, `report_usage`, `complete`, ...); the
`EventEmitter` below it turns that into events.

Rule: sans I/O and total; a frame that surprises is skipped, one that is not JSON is an `error` event.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Unpack, cast

from pydantic_core import from_json

from allm_rx.abc.emitter import EventEmitter, Facts
from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.wire.failures import ErrorAnswer
from allm_rx.wire.partial_json import loads
from allm_rx.wire.redaction import printable, redact
from allm_rx.wire.template import TextTemplate
from allm_rx.wire.text import repair_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from allm_rx.data.events import Event
    from allm_rx.wire.http import ResponseHead
    from allm_rx.wire.sse import SseRecord

_SHORT = 16
"""Bytes of a record that may be an end marker."""

# A frame of another shape than documented is the provider's failure, not a crash of the caller's program.
_UNEXPECTED = (AllmError, AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


class MessageDecoder(EventEmitter, ABC):
    """One answer, from frames to events."""

    def __init__(self, **facts: Unpack[Facts]) -> None:
        """Begin an answer; see `EventEmitter` for the facts."""
        super().__init__(**facts)
        self._whole_text = True  # JSON that was parsed at once has no halves of characters
        self._template = TextTemplate()
        self._repeats: tuple[Sequence[str | int], str, Callable[[str], None]] | None = None

    # What a vendor's decoder provides.

    @abstractmethod
    def frame(self, data: dict[str, Any], event: str) -> None:
        """Read one JSON frame of a stream; `event` is the SSE field, empty when absent."""

    @abstractmethod
    def body(self, data: dict[str, Any]) -> None:
        """Read an answer that came as one JSON body; call `complete` or `error`."""

    @abstractmethod
    def end(self) -> None:
        """Say what the end of the body means; without a natural end call `interrupted`."""

    @abstractmethod
    def failure(self, answer: ErrorAnswer) -> Failure:
        """Map an error of the provider to a failure."""

    def marker(self, data: bytes) -> bool:
        """Read a record that is no JSON by design, such as `[DONE]`; True when it was one."""
        del data
        return False

    def failure_in(self, data: Any) -> Failure:
        """Give the failure that JSON inside an answer stands for."""
        return self.failure(self._error_answer(data, None, b""))

    # The `Decoder` seam.

    def feed(self, record: SseRecord) -> list[Event]:
        """Give what one record of a stream means."""
        return self.feed_all((record,))

    def feed_all(self, records: Iterable[SseRecord]) -> list[Event]:
        """Give what the records of one read mean, up to the terminal."""
        if self.ended:
            return []
        template = self._template
        for record in records:
            data = record.data
            prefix = template.prefix
            if prefix and data.startswith(prefix) and data.endswith(template.suffix):
                text = template.text_of(data, record.event)
                if text is not None:
                    template.say(text)
                    continue
            if data:  # an empty record only shows that the server lives
                self._record(data, record)
            if self.ended:
                template.forget()  # what it calls refers back to us: without this, each answer is a cycle
                break
        return self.take()

    def repeatable(self, path: Sequence[str | int], text: str, say: Callable[[str], None]) -> None:
        """Say that the frame being read means `say(text)` and nothing else, and its text is at `path`.

        Records that differ from it only there are then not parsed, until `no_more_repeats`.
        """
        if self._template.wanted and not self._raw:
            self._repeats = (path, text, say)

    def no_more_repeats(self) -> None:
        """Say that from here on the same frame may mean something else."""
        self._template.forget()

    def whole(self, body: bytes) -> list[Event]:
        """Give what an answer means that came as one JSON body."""
        self._whole_text = False
        try:
            data: Any = loads(body)
        except ValueError:
            self._not_json(body)
            return self.take()
        if isinstance(data, list) and data:  # Gemini's stream without `alt=sse` is an array of chunks
            for item in cast("list[Any]", data):
                if isinstance(item, dict) and not self.ended:
                    self._frame(cast("dict[str, Any]", item), "")
            if not self.ended:
                self._reading(self.end)
        elif isinstance(data, dict):
            self._reading(self.body, cast("dict[str, Any]", data))
        else:
            self._not_json(body)
        return self.take()

    def refuse(self, head: ResponseHead, body: bytes) -> list[Event]:
        """Give the `error` event of an answer whose status is not a success."""
        try:
            data: Any = loads(body)
        except ValueError:
            data = None
        self.error(self.failure(self._error_answer(data, head, body)))
        return self.take()

    def finish(self) -> list[Event]:
        """Give what is left at the end of the body."""
        if not self.ended:
            self._reading(self.end)
        self._template.forget()
        return self.take()

    def settle(self) -> list[Event]:
        """Give the answer as whole, because it is `finishing` and its end marker does not come."""
        return self.finish()

    def fail(self, failure: Failure) -> list[Event]:
        """Give what is left when the exchange broke: usage that is known, then the `error`."""
        # Its words may be a server's, such as the host that a redirect leads to.
        message = redact(failure.message, self._secrets)
        self.error(failure if message == failure.message else failure.model_copy(update={"message": message}))
        return self.take()

    def shown(self, data: bytes) -> str:
        """Give bytes of the provider as text that is safe to show."""
        return printable(redact(data[:2000].decode("utf-8", "replace"), self._secrets))

    def _record(self, data: bytes, record: SseRecord) -> None:
        if len(data) < _SHORT and self._is_marker(data):
            return  # asked first, because a failure to parse costs more than the question
        try:
            frame: Any = from_json(data)
        except ValueError:
            frame = self._repaired_frame(data, record)
        if type(frame) is dict:
            self._frame(cast("dict[str, Any]", frame), record.event)
            if self._repeats is not None:
                self._template.learn(data, record.event, *self._repeats)
                self._repeats = None
        elif type(frame) is list:  # Gemini wraps some errors in a list of one
            for item in cast("list[Any]", frame):
                if isinstance(item, dict) and not self.ended:
                    self._frame(cast("dict[str, Any]", item), record.event)

    def _is_marker(self, data: bytes) -> bool:
        try:
            return self.marker(data)
        except _UNEXPECTED as error:
            self._unexpected(error)
            return True

    def _repaired_frame(self, data: bytes, record: SseRecord) -> Any:
        """Give the frame of a record with lone surrogates; say what one that is no JSON means."""
        try:
            frame = loads(data)
        except ValueError:
            self._reading(self._no_frame, record)
            return None
        self._whole_text = False
        return frame

    def _frame(self, data: dict[str, Any], event: str) -> None:
        try:
            if self._raw:
                whole = repair_json(data)
                kind = str(whole.get("type") or event or "chunk")
                self.raw("chunk" if kind == "usage" else kind, whole)  # that kind is ours
            self.frame(data, event)
        except _UNEXPECTED as error:
            self._unexpected(error)

    def _reading(self, read: Callable[..., None], *given: Any) -> None:
        try:
            read(*given)
        except _UNEXPECTED as error:
            self._unexpected(error)

    def _unexpected(self, error: Exception) -> None:
        self.error(self._malformed(f"An answer of {self.provider} has an unexpected shape ({self.safe(repr(error))})"))

    def _no_frame(self, record: SseRecord) -> None:
        if self.marker(record.data):
            return
        if record.event == "error":  # an error in plain text
            self.error(self.failure(self._error_answer(None, None, record.data)))
        elif record.cut:
            self.end()
        else:
            self._not_json(record.data)

    def _not_json(self, data: bytes) -> None:
        self.error(self._malformed(f"{self.provider} sent something that is not JSON: {self.shown(data)!r}"))

    def _error_answer(self, data: Any, head: ResponseHead | None, body: bytes) -> ErrorAnswer:
        status = head.status if head is not None else None
        return ErrorAnswer(self.provider, status, data, self.shown(body), head, self.safe)

    def _malformed(self, what: str) -> Failure:
        message = f"{what}. Check `base_url`, or report it with `include_raw_chunks=True`."
        return Failure(kind="AdapterError", reason="malformed_response", message=message)
