"""What a server of the Chat Completions API answers, as events.

Rule 1: all habits of all servers at once; nothing here asks who is speaking.
Rule 2: an answer is over at `[DONE]` or at the end of the body, not at its finish reason: an error may follow that.
Rule 3: after the finish reason only usage, signatures, citations and errors count; text that comes then is a repetition.
Rule 4: where the answer comes by a tool, text waits until it is known what it is: beside the answer it is reasoning.
Rule 5: reasoning is marked as this protocol's own, since an unsigned thought does not show whose it is.
Rule 6: the plain chunk, one field of text, takes the short way through `frame`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, cast

from allm_rx.abc.message_decoder import MessageDecoder
from allm_rx.adapters.openai.chat_completions.calls import Calls
from allm_rx.adapters.openai.chat_completions.messages import DIALECT
from allm_rx.adapters.openai.chat_completions.reasoning_details import ReasoningDetails
from allm_rx.adapters.openai.chat_completions.speech import Speech
from allm_rx.adapters.openai.chat_completions.think_tags import ThinkTags
from allm_rx.adapters.openai.errors import openai_failure
from allm_rx.adapters.openai.media import image_of
from allm_rx.adapters.openai.usage import usage_of
from allm_rx.data.failures import Failure
from allm_rx.data.parts import SourcePart
from allm_rx.wire.answers import answered
from allm_rx.wire.failures import complaint
from allm_rx.wire.shapes import as_integer, as_object, as_objects, first_of, word_or_none
from allm_rx.wire.text import repair_json

if TYPE_CHECKING:
    from pydantic import JsonValue

    from allm_rx.abc.emitter import Facts
    from allm_rx.adapters.openai.chat_completions.options import ThinkTags as ThinkTagsOption
    from allm_rx.data.messages import Message
    from allm_rx.data.responses import FinishReason
    from allm_rx.wire.failures import ErrorAnswer

_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "refusal": "content_filter",
    "error": "error",
    "insufficient_system_resource": "error",
}

_REFUSAL = "refusal"
_CONTENT = ("choices", 0, "delta", "content")

_RARE = frozenset({"annotations", "audio", "function_call", "images", "refusal", "tool_calls"})
"""Fields of a delta beside text and reasoning."""
_BESIDE_TEXT = _RARE | {"reasoning", "reasoning_content", "reasoning_details", "reasoning_text"}


class ChatDecoder(MessageDecoder):
    """One answer; see `Decoder` for the guarantees."""

    def __init__(
        self, *, think_tags: ThinkTagsOption | None = None, answer_tool: str | None = None, **facts: Unpack[Facts]
    ) -> None:
        """Begin an answer; see `EventEmitter` for the facts.

        Args:
            think_tags: whether tags in the text mark reasoning, see `Quirks.think_tags`.
            answer_tool: the tool whose arguments are the answer, see `wire.answers`.
            facts: what is known of the answer.
        """
        super().__init__(**facts)
        self._tags = ThinkTags(think_tags) if think_tags else None
        self._calls = Calls(self, answer_tool)
        self._waits = answer_tool is not None
        self._waiting: list[str] = []
        self._details = ReasoningDetails()
        self._speech = Speech()
        self._finish: str | None = None
        self._done = False
        self._failed: dict[str, Any] | None = None
        self._refused = False
        self._raw_usage: dict[str, Any] | None = None
        self._sources: set[tuple[Any, ...]] = set()
        self._listed: tuple[Any, Any] = (None, None)
        self._images: set[str] = set()

    # The seam of `MessageDecoder`.

    def frame(self, data: dict[str, Any], event: str) -> None:  # noqa: C901 - there is one per token: a call costs more than a line
        """Read one chunk."""
        if not self._started:
            self.seen(word_or_none(data.get("id")), word_or_none(data.get("model")))
        plain = ""
        choices = data.get("choices")
        if choices:
            choice = choices[0]
            if choice.get("index"):
                choice = first_of(choices)
            delta = choice.get("delta")
            if delta:
                content = delta.get("content")
                if type(content) is str and not self.finishing and (len(delta) == 1 or _BESIDE_TEXT.isdisjoint(delta)):
                    if content:
                        self._text(content)
                        plain = content if choice is choices[0] else ""
                else:
                    self._delta(delta)
            elif delta is None:
                self._delta(choice.get("message") or {})
            if choice.get("finish_reason") or "usage" in choice or "error" in choice:
                self._close(choice)
                plain = ""
        if usage := data.get("usage"):
            self._raw_usage = usage
            plain = ""
        if "citations" in data or "search_results" in data:
            self._list_sources(data)
        if "x_groq" in data:
            self._raw_usage = as_object(data["x_groq"]).get("usage") or self._raw_usage
            plain = ""
        if data.get("error") or event == "error" or self._failed or not (choices or "choices" in data):
            self._complain(data, event)
        elif plain:
            self.repeatable(_CONTENT, plain, self.run if self._tags is None and not self._waits else self._text)

    def marker(self, data: bytes) -> bool:
        """Read `[DONE]`; a blank record only shows that the server lives."""
        data = data.strip()
        if data.startswith(b"[DONE]"):
            self._done = True
            self.end()
            return True
        return not data

    def body(self, data: dict[str, Any]) -> None:
        """Read an answer that came whole; having come whole, it has its natural end."""
        if "choices" not in data and not data.get("error"):
            told = self.failure_in(data)
            self.error(told if complaint(data).message else self._malformed(f"{self.provider} answered without `choices`"))
            return
        self.frame(data, "")
        self._done = True
        self.end()

    def end(self) -> None:
        """Complete an answer whose finish reason or end marker was seen."""
        if self.ended:
            return
        if not self._done and self._finish is None:
            self.interrupted("a finish reason or `[DONE]`")
            return
        self._settle()
        reason: FinishReason = "other" if self._finish is None else _FINISH_REASONS.get(self._finish.lower(), "other")
        if self._finish is None and (self._calls.answered or self.builder.build().tool_calls):
            reason = "tool_calls"
        if self._calls.answered:
            reason = answered(reason, self.builder.build())
        if reason == "error":
            self.error(self._gave_up(self._finish or ""))
        else:
            self.complete("content_filter" if self._refused and reason == "stop" else reason, self._finish)

    def failure(self, answer: ErrorAnswer) -> Failure:
        """Map an error of any compatible service."""
        return openai_failure(answer)

    def close_run(self, extra: dict[str, JsonValue] | None = None) -> None:
        """Say that the current run of text is over; text that waits comes first, and reasoning is marked as ours."""
        if self._waiting:
            self._settle_waiting()
        if extra is None and self._open is not None and self._open.reasoning:
            extra = {DIALECT: {"reasoning": True}}
        super().close_run(extra)

    def complete(self, finish_reason: FinishReason, raw: str | None, message: Message | None = None) -> None:
        """Say that the answer is whole, with what it consumed."""
        self._tell_usage()
        super().complete(finish_reason, raw, message)

    def error(self, failure: Failure) -> None:
        """Say that the answer failed, with what it consumed until then."""
        if not self.ended:
            self._flush_text()
            self._tell_usage()
        super().error(failure)

    # What a chunk holds.

    def _text(self, content: str) -> None:
        if self._waits:
            self._waiting.append(content)
        else:
            self._tell(content)

    def _tell(self, content: str) -> None:
        if self._tags is None:
            self.run(content)
            return
        for reasoning, piece in self._tags.feed(content):
            self.run(piece, reasoning=reasoning)

    def _settle_waiting(self) -> None:
        waiting, self._waiting = "".join(self._waiting), []
        if self._calls.answered:
            self.run(waiting, reasoning=True)
        else:
            self._tell(waiting)

    def _delta(self, delta: dict[str, Any]) -> None:
        """Read a delta of any shape, or the message of a whole answer."""
        field = delta.get
        details = field("reasoning_details")
        readable = self._details.feed(details) if details else ""
        if self.finishing:
            self._annotate(field("annotations"))
            return
        thought = field("reasoning_content") or field("reasoning") or field("reasoning_text") or readable
        if thought and isinstance(thought, str):
            self.run(thought, reasoning=True)
        content = field("content")
        if content:
            self._content(content)
        if not _RARE.isdisjoint(delta):
            self._rare(delta)

    def _rare(self, delta: dict[str, Any]) -> None:
        if refusal := delta.get("refusal"):
            self._refuse(refusal)
        self._annotate(delta.get("annotations"))
        if calls := delta.get("tool_calls"):
            self._calls.feed(calls)
        elif legacy := delta.get("function_call"):
            self._calls.feed([{"index": 0, "function": legacy}])
        for image in as_objects(delta.get("images")):
            self._image(image)
        if audio := delta.get("audio"):
            self._speech.feed(as_object(audio))

    def _content(self, content: Any) -> None:
        """Read content that is text or, as Mistral's when it thinks, a list."""
        if isinstance(content, str):
            self._text(content)
            return
        for part in as_objects(content):
            text = part.get("text")
            if part.get("type") == "thinking":
                thinking = part.get("thinking")
                inner = [thinking] if isinstance(thinking, str) else [item.get("text") for item in as_objects(thinking)]
                for thought in inner:
                    if thought and isinstance(thought, str):
                        self.run(thought, reasoning=True)
            elif part.get("type") == "image_url":
                self._image(part)
            elif text and isinstance(text, str):
                self._text(text)

    def _refuse(self, text: str) -> None:
        if not self._refused:
            self._refused = True
            self.close_run()
        self.text(_REFUSAL, text)

    def _image(self, part: dict[str, Any]) -> None:
        given = part.get("image_url")
        url = word_or_none(given if isinstance(given, str) else as_object(given).get("url"))
        if url is not None and url not in self._images:
            self._images.add(url)
            if (image := image_of(url)) is not None:
                self.media(f"image-{len(self._images) - 1}", image)

    def _annotate(self, annotations: Any) -> None:
        block = self._open_id if self._open is not None and not self._open.reasoning else None
        for annotation in as_objects(annotations):
            kind = annotation.get("type")
            told = as_object(annotation.get(kind)) if isinstance(kind, str) and kind in annotation else annotation
            self._source(
                url=word_or_none(told.get("url")),
                title=word_or_none(told.get("title")) or word_or_none(told.get("filename")),
                document_id=word_or_none(told.get("file_id")),
                start=as_integer(told.get("start_index")),
                end=as_integer(told.get("end_index")),
                block_id=block,
            )

    def _list_sources(self, data: dict[str, Any]) -> None:
        """Read the lists beside the choices; Perplexity repeats them in every chunk."""
        listed = (data.get("search_results"), data.get("citations"))
        if listed == self._listed:
            return
        self._listed = listed
        cited = {source[0] for source in self._sources}
        for result in as_objects(listed[0]):
            url = word_or_none(result.get("url"))
            if url not in cited:
                self._source(url=url, title=word_or_none(result.get("title")))
        for item in cast("list[Any]", listed[1]) if isinstance(listed[1], list) else ():
            url = word_or_none(item)
            if url is not None and url not in cited:
                self._source(url=url)

    def _source(
        self,
        *,
        url: str | None,
        title: str | None = None,
        document_id: str | None = None,
        start: int | None = None,
        end: int | None = None,
        block_id: str | None = None,
    ) -> None:
        key = (url, document_id, start, end)
        if (url or document_id) and key not in self._sources:
            self._sources.add(key)
            part = SourcePart(url=url, title=title, document_id=document_id, start=start, end=end, block_id=block_id)
            self.source(part)

    # How it ends.

    def _close(self, choice: dict[str, Any]) -> None:
        """Read what stands beside the delta of a last chunk."""
        if usage := choice.get("usage"):
            self._raw_usage = usage
        reason = word_or_none(choice.get("finish_reason"))
        if reason is not None and self._finish is None:
            self._finish = reason
            self.finishing = True
            self.no_more_repeats()
            self._flush_text()
            self.close_run()
            self._calls.complete(cut=_FINISH_REASONS.get(reason.lower()) == "length")
        if choice.get("error"):
            self._failed = choice

    def _complain(self, data: dict[str, Any], event: str) -> None:
        """Read an error inside a stream, in the shapes it has there."""
        flat = data.get("object") == "error" or data.get("type") == "error" or event == "error"
        if data.get("error") or flat or self._failed:
            self.error(self.failure_in(data if data.get("error") or flat else self._failed))

    def _gave_up(self, reason: str) -> Failure:
        why = self.safe(reason)
        return Failure(
            kind="AdapterError",
            reason="overloaded" if reason == "insufficient_system_resource" else "server_error",
            message=f"{self.provider} ended the answer with {why!r} and no explanation. Try again.",
            code=why,
        )

    def _settle(self) -> None:
        """Complete what is still open: nothing more comes."""
        self._flush_text()
        self.close_run()
        if self._refused:
            self.text_completed(_REFUSAL, extra={DIALECT: {"refusal": True}})
        if self._finish is None:
            self._calls.complete(cut=False)
        if (sound := self._speech.part()) is not None:
            self.media("audio-0", sound)
        elif self._speech.transcript:
            self.run(self._speech.transcript)
        if entries := self._details.entries():
            self.builder.provider_data = {DIALECT: {"reasoning_details": cast("JsonValue", repair_json(entries))}}

    def _flush_text(self) -> None:
        if self._waiting:
            self._settle_waiting()
        if self._tags is not None:
            for reasoning, piece in self._tags.flush():
                self.run(piece, reasoning=reasoning)

    def _tell_usage(self) -> None:
        usage, self._raw_usage = self._raw_usage, None
        if isinstance(usage, dict):
            self.report_usage(usage_of(repair_json(usage)))
