"""What `streamGenerateContent` answers, as events.

Rule 1: every chunk is a whole answer in itself, and anything may be missing in it; unknown parts are kept, not refused.
Rule 2: text goes on from chunk to chunk, but a part with a signature stays a part of its own, be it empty.
Rule 3: nothing marks the end; an answer is over when its body is, and whole when a finish reason was seen until then.
Rule 4: the plain chunk, one part of text, takes the short way through `frame`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Unpack

from pydantic_core import to_json

from allm_rx.abc.message_decoder import MessageDecoder
from allm_rx.adapters.gemini.errors import GAVE_UP, gave_up, google_failure
from allm_rx.adapters.gemini.generate_content.partial_arguments import PartialArguments
from allm_rx.adapters.gemini.generate_content.sources import Block, Sources
from allm_rx.adapters.gemini.generate_content.usage import UsageCounts
from allm_rx.adapters.gemini.provider_data import DIALECT, SIGNATURE, kept
from allm_rx.data.parts import AudioPart, ImagePart, ProviderPart, TextPart
from allm_rx.reducers.message import CUT_OFF
from allm_rx.wire.failures import complaint
from allm_rx.wire.shapes import as_object, first_of, word_or_none
from allm_rx.wire.text import repair

if TYPE_CHECKING:
    from pydantic import JsonValue

    from allm_rx.abc.emitter import Facts
    from allm_rx.data.failures import Failure
    from allm_rx.data.messages import Message
    from allm_rx.data.responses import FinishReason
    from allm_rx.reducers.message import TextBlock
    from allm_rx.wire.failures import ErrorAnswer

_FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "FUNCTION_CALL": "stop",  # no word of Google's; servers of others say it with calls
    "MAX_TOKENS": "length",
    "BLOCKLIST": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "RECITATION": "content_filter",
    "SAFETY": "content_filter",
    "SPII": "content_filter",
}
"""All others are `other`, but for those in `GAVE_UP`."""

_UNSPECIFIED = "FINISH_REASON_UNSPECIFIED"
"""A default that a gateway may write into every chunk: it ends nothing."""

_NO_REASON = frozenset({"BLOCKED_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED"})

_CHUNK = frozenset({"candidates", "modelVersion", "promptFeedback", "responseId", "usageMetadata"})
"""Fields of a chunk; JSON without any of them is something else."""

_PLAIN = ("candidates", 0, "content", "parts", 0, "text")
"""Where the text of a plain chunk is."""


_KINDS = (
    "functionCall",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "inlineData",
    "fileData",
    "text",
)
"""Fields of a part that say what it is; of others the first does."""
_BESIDE = frozenset({"thought", SIGNATURE, "partMetadata", "videoMetadata", "mediaResolution"})
"""Fields that only say more about it."""

_MODELS: dict[str, type[ImagePart | AudioPart]] = {"image": ImagePart, "audio": AudioPart}

_CODE = "codeExecution"
"""What the provider's own interpreter is called, in requests and so in our messages."""


class GenerateContentDecoder(MessageDecoder):
    """One answer; see `Decoder` for the guarantees."""

    def __init__(self, **facts: Unpack[Facts]) -> None:
        """Begin an answer; see `EventEmitter` for the facts."""
        super().__init__(**facts)
        self._finish: str | None = None
        self._finish_message = ""
        self._blocked: str | None = None
        self._counts = UsageCounts()
        self._sources = Sources()
        self._cited: list[Any] = []
        self._texts: list[tuple[str, TextBlock]] = []
        self._call: _OpenCall | None = None
        self._executed: dict[str | None, str] = {}
        self._media = 0

    # The seam of `MessageDecoder`.

    def frame(self, data: dict[str, Any], event: str) -> None:  # noqa: C901 - there is one per token: a call costs more than a line
        """Read one chunk."""
        if not self._started:
            self._identify(data)
        plain = ""
        candidates = data.get("candidates")
        if candidates:
            candidate = candidates[0]
            if candidate.get("index"):
                candidate = first_of(candidates)
            content = candidate.get("content")
            parts = (content.get("parts") or ()) if content else ()
            for part in parts:
                text = part.get("text")
                if type(text) is str and len(part) == 1:
                    if text:
                        self.run(text)
                        plain = text
                else:
                    self._part(part)
            if len(candidate) > ("content" in candidate) + ("index" in candidate):
                self._beside(candidate)
                plain = ""
            if len(parts) != 1 or candidate is not candidates[0]:
                plain = ""
        usage = data.get("usageMetadata")
        if usage:
            self._counts.feed(usage)
        if "promptFeedback" in data:
            self._feedback(as_object(data["promptFeedback"]))
        if data.get("error") or event == "error":
            self.error(self.failure_in(data))
        elif plain and "candidatesTokenCount" not in (usage or ()):  # one that counts is never the same twice
            self.repeatable(_PLAIN, plain, self.run)

    def marker(self, data: bytes) -> bool:
        """Read the end marker that gateways add, though this protocol has none."""
        if not data.startswith(b"[DONE]"):
            return False
        self.end()
        return True

    def body(self, data: dict[str, Any]) -> None:
        """Read an answer that came whole: it looks like the only chunk of a stream."""
        if data.get("error") or data.keys() & _CHUNK:
            self._frame(data, "")
            self.end()
            return
        told = self.failure_in(data)
        self.error(told if complaint(data).message else self._malformed(f"{self.provider} answered without `candidates`"))

    def end(self) -> None:
        """Complete an answer whose finish reason was seen."""
        if self.ended:
            return
        reason = self._finish
        if reason is None and self._blocked is not None:
            self.complete("content_filter", f"prompt:{self._blocked}")
        elif reason is None:
            self.interrupted("a `finishReason`")
        elif reason.upper() in GAVE_UP:
            self.error(gave_up(self.provider, reason, self.safe(self._finish_message)))
        else:
            finish_reason = _FINISH_REASONS.get(reason.upper(), "other")
            self._close_call(cut=finish_reason != "stop")
            self.complete(finish_reason, reason)

    def failure(self, answer: ErrorAnswer) -> Failure:
        """Map an error of Google's kind."""
        return google_failure(answer)

    def complete(self, finish_reason: FinishReason, raw: str | None, message: Message | None = None) -> None:
        """Say that the answer is whole, with what it consumed."""
        self._tell_usage()
        super().complete(finish_reason, raw, message)

    def error(self, failure: Failure) -> None:
        """Say that the answer failed, with what it consumed until then."""
        if not self.ended:
            self._tell_usage()
        super().error(failure)

    def close_run(self, extra: dict[str, JsonValue] | None = None) -> None:
        """Say that a run is over; offsets of citations count through all runs of text."""
        if self._open is not None and not self._open.reasoning:
            self._texts.append((self._open_id, self._open))
        super().close_run(extra)

    # What a chunk holds.

    def _identify(self, data: dict[str, Any]) -> None:
        answer = word_or_none(data.get("responseId"))
        if self.provider_request_id is None:
            self.provider_request_id = self.safe(answer or "") or None  # there is no header; this is what support asks for
        self.seen(answer, word_or_none(data.get("modelVersion")))

    def _beside(self, candidate: dict[str, Any]) -> None:
        """Read what stands beside the content."""
        cited = [candidate.get(key) for key in ("groundingMetadata", "urlContextMetadata", "citationMetadata")]
        if any(cited) and cited != self._cited:
            self._cited = cited
            open_text = [] if self._open is None or self._open.reasoning else [(self._open_id, self._open)]
            blocks = [Block(block_id, "".join(block.pieces)) for block_id, block in (*self._texts, *open_text)]
            for source in self._sources.feed(candidate, blocks):
                self.source(source)
        reason = word_or_none(candidate.get("finishReason"))
        if reason is not None and (reason != _UNSPECIFIED or self._finish is None):
            self._finish = reason
            self._finish_message = word_or_none(candidate.get("finishMessage")) or ""
            self.finishing = reason != _UNSPECIFIED

    def _feedback(self, feedback: dict[str, Any]) -> None:
        reason = word_or_none(feedback.get("blockReason"))
        if reason is not None and reason not in _NO_REASON:
            self._blocked = reason
            self.finishing = True

    def _tell_usage(self) -> None:
        usage = self._counts.usage()
        if usage is not None:
            self.report_usage(usage)

    # What a part is.

    def _part(self, part: dict[str, Any]) -> None:
        """Read a part of any kind."""
        kind = next((key for key in _KINDS if key in part), None) or next((key for key in part if key not in _BESIDE), None)
        if kind == "text" or (kind is None and SIGNATURE in part):
            self._text(part)
        elif kind == "functionCall":
            self._function_call(part, as_object(part[kind]))
        elif kind in ("executableCode", "toolCall"):
            self._executed_call(part, kind, as_object(part[kind]))
        elif kind in ("codeExecutionResult", "toolResponse"):
            self._executed_result(part, kind, as_object(part[kind]))
        elif kind in ("inlineData", "fileData") and not part.get("thought"):
            self._medium(part, kind, as_object(part[kind]))
        elif kind is not None:
            self.item(ProviderPart(kind=repair(kind), provider_data={DIALECT: kept(part)}))

    def _text(self, part: dict[str, Any]) -> None:
        text = part.get("text")
        text = text if isinstance(text, str) else ""
        reasoning = bool(part.get("thought"))
        extra = _signed(part)
        if extra:
            self.close_run()
            self.run(text, reasoning=reasoning)
            self.close_run(extra)
        elif text:
            self.run(text, reasoning=reasoning)

    def _function_call(self, part: dict[str, Any], call: dict[str, Any]) -> None:
        name = word_or_none(call.get("name"))
        if name is not None:
            self._close_call()
            given = word_or_none(call.get("id"))
            call_id = self.new_call_id(given)
            self.call_started(call_id, name)
            self._call = _OpenCall(call_id, given)
        opened = self._call
        if opened is None:
            return  # it goes on with a call that never began, or closes one for the second time
        opened.signature = word_or_none(part.get(SIGNATURE)) or opened.signature
        self.call_delta(opened.id, opened.arguments.put(as_object(call.get("args"))))
        self.call_delta(opened.id, opened.arguments.feed(call.get("partialArgs")))
        if not call.get("willContinue"):
            self._close_call()

    def _close_call(self, *, cut: bool = False) -> None:
        opened, self._call = self._call, None
        if opened is None:
            return
        if cut:
            told = "".join(self.builder.call(opened.id).pieces)
            self.call_completed(opened.id, told, arguments={}, extra=opened.extra(), error=CUT_OFF)
            return
        self.call_delta(opened.id, opened.arguments.finish())
        self.call_completed(opened.id, arguments=opened.arguments.value, extra=opened.extra())

    def _executed_call(self, part: dict[str, Any], kind: str, call: dict[str, Any]) -> None:
        """Read a call that the provider runs itself; the part is kept whole, because it has to come back whole."""
        given = word_or_none(call.get("id"))
        call_id = self._executed[given] = self.new_call_id(given)
        self._executed[None] = call_id
        if kind == "executableCode":
            name, arguments = _CODE, {key: kept(value) for key, value in call.items() if key != "id"}
        else:
            name, arguments = word_or_none(call.get("toolType")) or kind, kept(as_object(call.get("args")))
        self.call_started(call_id, name, provider_executed=True)
        self.call_delta(call_id, to_json(arguments).decode() if arguments else "")
        self.call_completed(call_id, arguments=arguments, extra={DIALECT: kept(part)})

    def _executed_result(self, part: dict[str, Any], kind: str, result: dict[str, Any]) -> None:
        given = word_or_none(result.get("id"))
        call_id = self._executed.get(given) or self._executed.get(None) or self.new_call_id(given)
        if kind == "codeExecutionResult":
            name, output = _CODE, word_or_none(result.get("output"))
            failed = result.get("outcome") not in (None, "OUTCOME_OK", "OUTCOME_UNSPECIFIED")
        else:
            response = kept(as_object(result.get("response")))
            name, output = word_or_none(result.get("toolType")) or kind, to_json(response).decode() if response else None
            failed = False
        content = (TextPart(text=output),) if output else ()
        self.result(call_id, name, content, is_error=failed, extra={DIALECT: kept(part)})

    def _medium(self, part: dict[str, Any], kind: str, medium: dict[str, Any]) -> None:
        media_type, url = word_or_none(medium.get("mimeType")), word_or_none(medium.get("fileUri"))
        family = (media_type or "").partition("/")[0]
        model = _MODELS.get(family)
        if model is None or (kind == "fileData" and url is None):
            self.item(ProviderPart(kind=kind, provider_data={DIALECT: kept(part)}))
            return
        data = _bytes(medium.get("data")) if kind == "inlineData" else None
        source = {"url": url} if data is None else {"data": data}
        self.media(f"{family}-{self._media}", model(**source, media_type=media_type, provider_data=_signed(part)))
        self._media += 1


class _OpenCall:
    """A call that is not complete yet."""

    __slots__ = ("arguments", "given", "id", "signature")

    def __init__(self, call_id: str, given: str | None) -> None:
        self.id = call_id
        self.given = given
        self.signature: str | None = None
        self.arguments = PartialArguments()

    def extra(self) -> dict[str, JsonValue]:
        """Give what has to come back with the call: its id, when the provider gave one, and its signature."""
        back: dict[str, JsonValue] = {} if self.given is None else {"id": self.given}
        if self.signature is not None:
            back[SIGNATURE] = self.signature
        return {DIALECT: back} if back else {}


def _signed(part: dict[str, Any]) -> dict[str, JsonValue]:
    signature = word_or_none(part.get(SIGNATURE))
    return {} if signature is None else {DIALECT: {SIGNATURE: signature}}


def _bytes(text: Any) -> bytes:
    """Read base64 in either alphabet, with or without its padding."""
    plain = text.replace("-", "+").replace("_", "/") if isinstance(text, str) else ""
    return base64.b64decode(plain + "=" * (-len(plain) % 4))
