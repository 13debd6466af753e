"""Everything that can go wrong with an answer, to be combined with any answer.

Rule 1: a fault rewrites the plan of what is about to be sent and knows no socket.
Rule 2: faults are applied in the order given, each to what the one before left.
Rule 3: "record" is one event of the stream, counted from 0; "byte" is one byte of the body, without HTTP's own framing.
"""

from __future__ import annotations

import itertools
import math
import socket
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

FrameKind = Literal["content", "finish", "usage", "end"]


@dataclass(slots=True)
class Frame:
    """One record of an answer, as bytes."""

    data: bytes
    kind: FrameKind = "content"
    """What it does for the stream: `finish` tells why the model stopped, `end` is the protocol's own last word."""
    pause: float = 0.0
    """Seconds to wait before it; infinite means that nothing more comes."""


class Spelling(Protocol):
    """How the protocol at hand writes what faults need, for the request at hand."""

    def text_record(self, text: str, /) -> bytes:
        """Write a record that carries some more text."""
        ...

    def error_record(self, message: str, /) -> bytes:
        """Write the record that reports an error inside a stream."""
        ...

    def error_body(self, status: int, message: str, /) -> bytes:
        """Write the body that reports an error."""
        ...

    def whole(self) -> bytes | None:
        """Write the answer as one JSON body; None when it has no other form than its bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is about to be sent."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    frames: Iterable[Frame]
    spelling: Spelling
    frames_per_write: int = 1
    pause_before_head: float = 0.0
    pause_before_body: float = 0.0
    reset: bool = False
    """Whether the connection is reset in place of an answer."""
    cut: Cut | None = None
    drip: Drip | None = None
    gzip: bool = False

    def with_body(self, body: bytes, *, content_type: str, status: int | None = None) -> Plan:
        """Give the plan with another body, in one piece."""
        plan = self.with_headers({"content-type": content_type})
        return replace(plan, status=self.status if status is None else status, frames=(Frame(body, "end"),))

    def with_headers(self, headers: Mapping[str, str]) -> Plan:
        """Give the plan with more headers, or with others in place of those it had."""
        return replace(self, headers={**self.headers, **{name.lower(): value for name, value in headers.items()}})


class Fault(Protocol):
    """Something that goes wrong."""

    def apply(self, plan: Plan, /) -> Plan:
        """Give the plan with this fault in it."""
        ...


@dataclass(frozen=True, slots=True)
class DelayHead:
    """The status line comes late."""

    seconds: float = math.inf

    def apply(self, plan: Plan, /) -> Plan:
        """Wait before the head; see `Fault`."""
        return replace(plan, pause_before_head=plan.pause_before_head + self.seconds)


@dataclass(frozen=True, slots=True)
class DelayBody:
    """The head comes at once, the first byte of the body late."""

    seconds: float = math.inf

    def apply(self, plan: Plan, /) -> Plan:
        """Wait after the head; see `Fault`."""
        return replace(plan, pause_before_body=plan.pause_before_body + self.seconds)


@dataclass(frozen=True, slots=True)
class ResetBeforeHead:
    """The connection is reset in place of an answer."""

    def apply(self, plan: Plan, /) -> Plan:
        """Reset; see `Fault`."""
        return replace(plan, reset=True)


@dataclass(frozen=True, slots=True)
class Cut:
    """The body stops after some bytes; one that is shorter ends as usual."""

    after: int
    """Bytes that are still sent."""
    how: Literal["end", "close", "reset"] = "close"
    """`end`: the body ends as HTTP wants it, only early. `close`: the connection closes without that. `reset`: it is reset.

    A reset also takes away what the client's system has not got yet; the first 32 KiB always arrive.
    """

    def apply(self, plan: Plan, /) -> Plan:
        """Cut; see `Fault`."""
        return replace(plan, cut=self)


@dataclass(frozen=True, slots=True)
class Drip:
    """The body comes in small pieces, each an HTTP chunk of its own; `Drip()` sends single bytes as fast as they go."""

    size: int = 1
    every: float = 0.0
    """Seconds before each piece."""

    def apply(self, plan: Plan, /) -> Plan:
        """Slice the body; see `Fault`."""
        return replace(plan, drip=self)


@dataclass(frozen=True, slots=True)
class Gzip:
    """The body is compressed, each record flushed on its own."""

    def apply(self, plan: Plan, /) -> Plan:
        """Compress; see `Fault`."""
        return replace(plan.with_headers({"content-encoding": "gzip"}), gzip=True)


@dataclass(frozen=True, slots=True)
class ContentType:
    """The head names another type than the body has."""

    value: str = "text/plain"

    def apply(self, plan: Plan, /) -> Plan:
        """Rename; see `Fault`."""
        return plan.with_headers({"content-type": self.value})


@dataclass(frozen=True, slots=True)
class Redirect:
    """The answer is elsewhere."""

    to: str
    status: int = 307

    def apply(self, plan: Plan, /) -> Plan:
        """Send elsewhere; see `Fault`."""
        return replace(plan.with_headers({"location": self.to}), status=self.status, frames=())


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A proxy's page comes in place of the provider's answer."""

    status: int = 502
    html: str = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

    def apply(self, plan: Plan, /) -> Plan:
        """Replace the answer; see `Fault`."""
        return plan.with_body(self.html.encode(), content_type="text/html", status=self.status)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The body is the provider's JSON of an error, although the status says success."""

    message: str = "The server had an error while processing your request."
    status: int = 200

    def apply(self, plan: Plan, /) -> Plan:
        """Replace the answer; see `Fault`."""
        body = plan.spelling.error_body(500, self.message)
        return plan.with_body(body, content_type="application/json", status=self.status)


@dataclass(frozen=True, slots=True)
class WholeBody:
    """A stream was asked for, one JSON body comes."""

    def apply(self, plan: Plan, /) -> Plan:
        """Replace the stream; see `Fault`.

        Raises:
            ValueError: the answer is a recording or an error, which has no other form.
        """
        body = plan.spelling.whole()
        if body is None:
            raise ValueError("Only an `Answer` can be sent as one JSON body: give the recording the body you mean.")
        return plan.with_body(body, content_type="application/json")


@dataclass(frozen=True, slots=True)
class Garbage:
    """A record that is not JSON stands between the others."""

    at: int = 1
    """How many records come before it."""
    data: bytes = b"data: {not json\n\n"

    def apply(self, plan: Plan, /) -> Plan:
        """Insert the record; see `Fault`."""
        return replace(plan, frames=_inserted(plan.frames, self.at, Frame(self.data)))


@dataclass(frozen=True, slots=True)
class HugeRecord:
    """A record of many bytes stands between the others."""

    size: int
    """Characters of its text."""
    at: int = 1
    """How many records come before it."""

    def apply(self, plan: Plan, /) -> Plan:
        """Insert the record; see `Fault`."""
        return replace(plan, frames=_inserted(plan.frames, self.at, Frame(plan.spelling.text_record("x" * self.size))))


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """The stream begins, then reports an error and ends."""

    after: int = 1
    """How many records come before it."""
    message: str = "The server had an error while processing your request."

    def apply(self, plan: Plan, /) -> Plan:
        """Replace the rest; see `Fault`."""
        error = Frame(plan.spelling.error_record(self.message), "end")
        return replace(plan, frames=itertools.chain(itertools.islice(plan.frames, self.after), (error,)))


@dataclass(frozen=True, slots=True)
class Stall:
    """The stream begins, then nothing more comes; the connection stays open."""

    after: int = 1
    """How many records come before the silence."""

    def apply(self, plan: Plan, /) -> Plan:
        """Fall silent; see `Fault`."""
        silence = Frame(b"", pause=math.inf)
        return replace(plan, frames=itertools.chain(itertools.islice(plan.frames, self.after), (silence,)))


@dataclass(frozen=True, slots=True)
class Flood:
    """The answer never ends: text for as long as the client takes it, as fast as the client takes it."""

    text: str = " and so on"
    """What each of the endless records says."""

    def apply(self, plan: Plan, /) -> Plan:
        """Go on forever; see `Fault`."""
        more = Frame(plan.spelling.text_record(self.text))
        beginning = itertools.takewhile(lambda frame: frame.kind == "content", plan.frames)
        return replace(plan, frames=itertools.chain(beginning, itertools.repeat(more)))


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Comments come, as from a gateway that waits for a model."""

    every: float = 0.01
    """Seconds before each comment."""
    count: int | None = None
    """How many come before the answer does; None means that it never does."""
    comment: bytes = b": keep-alive\n\n"

    def apply(self, plan: Plan, /) -> Plan:
        """Hold the answer back; see `Fault`."""
        comment = Frame(self.comment, pause=self.every)
        if self.count is None:
            return replace(plan, frames=itertools.repeat(comment))
        return replace(plan, frames=itertools.chain(itertools.repeat(comment, self.count), plan.frames))


@dataclass(frozen=True, slots=True)
class NoTerminal:
    """The body ends as HTTP wants it, but the protocol's own end is missing."""

    marker_only: bool = False
    """Whether only the very last word is missing, and the finish reason is there."""

    def apply(self, plan: Plan, /) -> Plan:
        """Leave the end out; see `Fault`."""
        if self.marker_only:
            return replace(plan, frames=(frame for frame in plan.frames if frame.kind != "end"))
        return replace(plan, frames=(frame for frame in plan.frames if frame.kind == "content"))


@dataclass(frozen=True, slots=True)
class DuplicateTerminal:
    """Whatever ends the stream comes twice."""

    def apply(self, plan: Plan, /) -> Plan:
        """Repeat the end; see `Fault`."""
        return replace(plan, frames=_with_end_repeated(plan.frames))


@contextmanager
def refused() -> Generator[str]:
    """Give a URL where every connection is refused.

    The port is bound for as long as the context lasts, so that nobody else can begin to listen on it.
    """
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def _inserted(frames: Iterable[Frame], at: int, frame: Frame) -> Iterator[Frame]:
    before = iter(frames)
    return itertools.chain(itertools.islice(before, at), (frame,), before)


def _with_end_repeated(frames: Iterable[Frame]) -> Iterator[Frame]:
    ending: list[Frame] = []
    for frame in frames:
        if frame.kind in ("finish", "end"):
            ending.append(frame)
        yield frame
    yield from ending
