"""Several attempts at one answer: what each gave before its output, and what all of them cost.

Rule 1: before output an attempt leaves no trace if it comes to nothing, but for its usage.
Rule 2: the usage that is reported is that of all attempts together, so that the fold, which keeps the newest report, is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import reactivex as rx
from reactivex import Observable

from allm_rx.data.events import CONTENT_EVENTS, Error, Event, MessageCompleted, MessageStarted, RawChunk
from allm_rx.data.failures import Failure
from allm_rx.data.usage import Usage
from allm_rx.errors import AllmError

if TYPE_CHECKING:
    from reactivex.abc import SchedulerBase

Alternative = Observable[Event] | Callable[[], Observable[Event]]
"""A stream, or a function that makes it when its time has come."""

OUTPUT = CONTENT_EVENTS | {MessageCompleted}
"""What shows that an attempt succeeds; an empty answer is an answer."""


class Bill:
    """What attempts that came to nothing have used."""

    __slots__ = ("spent",)

    def __init__(self) -> None:
        """Begin with nothing used."""
        self.spent: Usage | None = None

    def add(self, usage: Usage | None) -> None:
        """Add what an attempt used; None when that is not known."""
        if usage is not None:
            self.spent = usage if self.spent is None else self.spent + usage


class Attempt:
    """One attempt: its events until it has output, and its usage."""

    __slots__ = ("_bill", "_held", "failure", "usage")

    def __init__(self, bill: Bill) -> None:
        """Begin with no event seen; `bill` holds what others have used."""
        self._bill = bill
        self._held: list[Event] = []
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        """Why it came to nothing."""

    def hold(self, event: Event) -> bool:
        """Hold an event back; tell whether output begins with it."""
        self._held.append(event)
        if isinstance(event, RawChunk):
            self._note(event)
        elif isinstance(event, Error):
            self.failure = self.failure or event.failure
        return self.failure is None and type(event) in OUTPUT

    def billed(self, event: Event) -> Event:
        """Give an event that is not held back, with the usage of all."""
        if type(event) is RawChunk and self._note(event):
            return self._report()
        return event

    def release(self) -> list[Event]:
        """Give what was held back; what is known of the usage comes behind the start."""
        held, self._held = self._held, []
        if self._bill.spent is None:
            return held
        events = [event for event in held if not (isinstance(event, RawChunk) and event.kind == "usage")]
        events.insert(1 if events and type(events[0]) is MessageStarted else 0, self._report())
        return events

    def _note(self, event: RawChunk) -> bool:
        if event.kind != "usage" or not isinstance(event.data, Usage):
            return False
        self.usage = event.data if self.usage is None else self.usage.merge(event.data)
        return True

    def _report(self) -> RawChunk:
        spent, usage = self._bill.spent, self.usage
        return RawChunk("usage", usage if spent is None else spent if usage is None else spent + usage)


def falls_through(failure: Failure) -> bool:
    """Tell whether another provider or model may succeed: all but a refusal of the content, and faults of the request.

    A key that is missing or wrong is one of the reasons, as is a request that this model cannot take.
    """
    if failure.kind == "ValidationError":
        return failure.reason == "unsupported_capability"
    return failure.kind in ("AdapterError", "EngineError", "StreamError") and failure.reason not in (
        "content_filter",
        "cancelled",
    )


def stream_of(alternative: Alternative) -> Observable[Event]:
    """Give the stream; a function that refuses to make it gives one that fails in band.

    Where streams are made one after the other nobody is there to catch what pre-flight raises.
    """
    if not callable(alternative):
        return alternative
    made: Callable[[], Observable[Event]] = alternative

    def make(scheduler: SchedulerBase) -> Observable[Event]:
        del scheduler
        try:
            return made()
        except AllmError as error:
            return rx.of(Error(Failure.of(error)))

    return rx.defer(make)
