"""What an observer of calls is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.data.failures import Failure
    from allm_rx.data.usage import Usage

SpanName = Literal["generate", "stream", "step", "chat", "tool"]
Outcome = Literal["completed", "error", "disposed"]


@dataclass(frozen=True, slots=True)
class SpanEnd:
    """How a span ended, told at its termination, never earlier."""

    outcome: Outcome
    duration: float
    """Seconds from subscription to termination."""
    first_content: float | None = None
    """Seconds from subscription to the first content event."""
    content_events: int = 0
    usage: Usage | None = None
    failure: Failure | None = None


class Span(Protocol):
    """One running call, step, chat or tool."""

    def event(self, name: Literal["retry", "first_content"], facts: Mapping[str, Any], /) -> None:
        """Take note of something within the span."""
        ...

    def end(self, end: SpanEnd, /) -> None:
        """Take note of the span's termination; called exactly once."""
        ...


class Observer(Protocol):
    """Receives spans. It must be quick and must not raise; what it raises is logged and dropped."""

    def start(self, name: SpanName, facts: Mapping[str, Any], /) -> Span:
        """Begin a span; `facts` holds `request_id`, `provider` and `model`, never content or keys."""
        ...
