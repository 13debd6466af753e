"""What a test says the provider answers, in no protocol's words.

Rule 1: an answer is data and can be given any number of times.
Rule 2: it says what the model produced; how that is written is the protocol's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allm_rx.data.parts import ToolCall
    from allm_rx.data.usage import Usage
    from allm_rx.testing.faults import Fault

_ARGUMENTS = 12
"""Characters of one piece of a tool call's arguments."""

_WORDS = re.compile(r"\s*\S+(?:\s+$)?|\s+")
_RECORDS = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)|(?<=\r\r)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says and does."""

    text: str = ""
    reasoning: str = ""
    """What it thinks first."""
    tool_calls: Sequence[ToolCall] = ()
    """What it wants run; `raw_arguments` are sent as they are, so that they may be cut or broken."""
    usage: Usage | None = None
    """What is reported; None reports what was counted, an empty `Usage()` nothing."""
    finish_reason: str | None = None
    """One of ours, written in the protocol's words, or any other word as it is; None is `tool_calls` or `stop`."""
    chunks: Sequence[str] | int | None = None
    """The pieces of the text themselves, in place of `text`; or characters per piece; None gives words."""
    pace: float = 0.0
    """Seconds between two pieces."""
    frames_per_write: int = 1
    """Records that travel together."""
    faults: Sequence[Fault] = ()

    @property
    def reason(self) -> str:
        """Why the model stopped."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")

    @property
    def whole_text(self) -> str:
        """The text, however it was given."""
        return "".join(self.text_pieces())

    def text_pieces(self) -> Sequence[str]:
        """Give the text in pieces, none of them empty."""
        if isinstance(self.chunks, int):
            return [self.text[start : start + self.chunks] for start in range(0, len(self.text), self.chunks)]
        return _WORDS.findall(self.text) if self.chunks is None else self.chunks

    def reasoning_pieces(self) -> Sequence[str]:
        """Give the reasoning in pieces."""
        return _WORDS.findall(self.reasoning)

    def tokens(self) -> int:
        """Count the pieces, which stand for tokens."""
        calls = sum(len(argument_pieces(call)) for call in self.tool_calls)
        return len(self.text_pieces()) + len(self.reasoning_pieces()) + calls


@dataclass(frozen=True, slots=True)
class Recording:
    """Bytes that are sent as they are."""

    body: bytes = field(repr=False)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names and values that replace or join the protocol's own."""
    pace: float = 0.0
    """Seconds between two records."""
    frames_per_write: int = 1
    """Records that travel together."""
    faults: Sequence[Fault] = ()

    def records(self) -> list[bytes]:
        """Give the bytes, cut where records end."""
        return [record for record in _RECORDS.split(self.body) if record]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A refusal."""

    status: int
    body: Mapping[str, Any] | bytes | str | None = None
    """JSON, or bytes or text as they are; None is what the provider says with this status."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names and values that replace or join the protocol's own, such as `Retry-After`."""
    faults: Sequence[Fault] = ()


AnyAnswer = Answer | Recording | ErrorAnswer

Respond = Callable[[dict[str, Any], int], AnyAnswer]
"""Given a request's body and its number, says what is answered. Called on the server's thread, so it must be quick."""


def argument_pieces(call: ToolCall) -> list[str]:
    """Give a call's arguments as JSON text in pieces."""
    text = arguments_text(call)
    return [text[start : start + _ARGUMENTS] for start in range(0, len(text), _ARGUMENTS)]


def arguments_text(call: ToolCall) -> str:
    """Give a call's arguments as JSON text."""
    if call.raw_arguments is not None:
        return call.raw_arguments
    return json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":"))


def to_json(value: object) -> bytes:
    r"""Give JSON as providers write it: without spaces, in UTF-8; halves of characters as `\ud83d`, which UTF-8 cannot hold."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
