"""Tool calls put together from the deltas of a stream, as all the servers send them.

Rule 1: an index is a key, not a position; an empty id or name is an absent one.
Rule 2: a call is never taken for complete because its arguments parse; it ends with the answer.
Rule 3: a call of the answer tool is the text of the answer; the first counts, because an answer is one.
Rule 4: what has no name yet is held back, and what never gets one is dropped: nobody could run it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from weakref import proxy

from pydantic_core import to_json

from allm_rx.adapters.openai.chat_completions.messages import DIALECT
from allm_rx.wire.partial_json import parse_object
from allm_rx.wire.shapes import word_or_none
from allm_rx.wire.text import repair_json

if TYPE_CHECKING:
    from pydantic import JsonValue

    from allm_rx.abc.emitter import EventEmitter

_ANSWER = "answer"
"""Id of the block of text that the answer tool is called with."""


@dataclass(slots=True)
class _Call:
    given: str | None
    """The provider's id, where it has one."""
    name: str
    id: str | None = None
    """Ours, once the call has begun."""
    pieces: list[str] = field(default_factory=list[str])
    size: int = 0
    extra: dict[str, JsonValue] = field(default_factory=dict[str, "JsonValue"])

    def take(self, arguments: str) -> None:
        self.pieces.append(arguments)
        self.size += len(arguments)

    def repeated_by(self, given: str | None, name: str | None, arguments: str) -> bool:
        """Whether a delta only says again what is known: some servers end with the whole call once more."""
        same = given is not None and given == self.given and name == self.name
        return same and 0 < len(arguments) == self.size and arguments == "".join(self.pieces) and self.whole()

    def followed_by(self, given: str | None, name: str | None, arguments: str) -> bool:
        """Whether a delta under the index of this call begins another one."""
        if not name or not self.name:
            return False
        if name != self.name or (given and self.given and given != self.given):
            return True
        return arguments.lstrip().startswith("{") and self.whole()

    def whole(self) -> bool:
        """Whether nothing but white space can follow the arguments."""
        if not self.pieces or not self.pieces[-1].rstrip().endswith("}"):
            return False
        return isinstance(parse_object("".join(self.pieces)), dict)


class Calls:
    """The calls of one answer."""

    def __init__(self, emitter: EventEmitter, answer_tool: str | None = None) -> None:
        """Begin without any.

        Args:
            emitter: told what begins, grows and ends.
            answer_tool: the tool whose arguments are the answer, see `wire.answers`.
        """
        self._emitter: EventEmitter = proxy(emitter)  # it owns us: a finished answer should be no cycle
        self._answer_tool = answer_tool
        self._answer: _Call | None = None
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    @property
    def answered(self) -> bool:
        """Whether the answer tool was called."""
        return self._answer is not None

    def feed(self, deltas: list[Any]) -> None:
        """Take the `tool_calls` of one chunk, or of a whole message."""
        for delta in deltas:
            if isinstance(delta, dict):
                self._delta(cast("dict[str, Any]", delta))

    def complete(self, *, cut: bool) -> None:
        """Say that no more comes; `cut` when the answer ended at its limit of tokens."""
        for call in self._calls:
            if call is self._answer:
                self._emitter.text(_ANSWER, "" if call.size else "{}")
                self._emitter.text_completed(_ANSWER)
                continue
            if call.id is None:
                continue
            kept = dict(call.extra)
            if call.given is not None and call.given != call.id:
                kept["id"] = call.given
            extra: dict[str, JsonValue] = {DIALECT: kept} if kept else {}
            if kept.get("type") == "custom":
                self._emitter.call_completed(call.id, arguments={"input": "".join(call.pieces)}, extra=extra)
            else:
                self._emitter.call_completed(call.id, extra=extra, cut=cut)

    def _delta(self, delta: dict[str, Any]) -> None:
        custom = delta.get("custom")
        body = cast("dict[str, Any]", custom if isinstance(custom, dict) else delta.get("function") or {})
        given, name = word_or_none(delta.get("id")), word_or_none(body.get("name"))
        arguments = _text(body.get("input" if body is custom else "arguments"))
        call = self._find(delta.get("index"), given, name, arguments)
        if call is None:
            return
        call.name = call.name or name or ""
        if given is not None and call.given is None:
            call.given = given
            self._by_id.setdefault(given, call)
        if body is custom:
            call.extra["type"] = "custom"
        if content := delta.get("extra_content"):
            call.extra["extra_content"] = repair_json(content)
        self._grow(call, arguments)

    def _grow(self, call: _Call, arguments: str) -> None:
        if arguments:
            call.take(arguments)
        if call is self._answer:
            self._emitter.text(_ANSWER, arguments)
        elif call.id is not None:
            self._emitter.call_delta(call.id, arguments)
        elif call.name and call.name == self._answer_tool:
            self._begin_answer(call)
        elif call.name:
            call.id = self._emitter.new_call_id(call.given)
            self._emitter.call_started(call.id, call.name)
            for piece in call.pieces:
                self._emitter.call_delta(call.id, piece)

    def _begin_answer(self, call: _Call) -> None:
        if self._answer is not None:
            return
        self._answer = call
        self._emitter.close_run()
        for piece in call.pieces:
            self._emitter.text(_ANSWER, piece)

    def _find(self, index: Any, given: str | None, name: str | None, arguments: str) -> _Call | None:
        """Give the call that a delta belongs to, a new one, or None for a delta that says nothing new."""
        position = index if isinstance(index, int) else None
        known = None
        if position is not None:
            known = self._by_index.get(position)
        elif given is None:
            known = self._calls[-1] if self._calls and not (name and self._calls[-1].name) else None
            if known is None and not name:
                return None
        twin = known if given is None else known or self._by_id.get(given)
        if twin is not None and twin.repeated_by(given, name, arguments):
            return None
        if position is None and given is not None:
            known = twin
        if known is None or known.followed_by(given, name, arguments):
            known = self._new(given, name)
            if position is not None:
                self._by_index[position] = known
        return known

    def _new(self, given: str | None, name: str | None) -> _Call:
        call = _Call(given, name or "")
        self._calls.append(call)
        if given is not None:
            self._by_id[given] = call
        return call


def _text(value: Any) -> str:
    """Give arguments as JSON text; some servers send the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else to_json(repair_json(value)).decode()
