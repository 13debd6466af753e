"""What the answers of one stream have used so far."""

from __future__ import annotations

from allm_rx.data.events import Error, Event, MessageCompleted, MessageRestarted, MessageStarted, RawChunk
from allm_rx.data.usage import Usage


class Tally:
    """The usage of all answers of a stream: reports about one answer are merged, answers are added up."""

    __slots__ = ("_current", "_restarted", "_settled")

    def __init__(self) -> None:
        """Begin with nothing used."""
        self._settled = Usage()
        self._current: Usage | None = None
        self._restarted = False

    def apply(self, event: Event) -> bool:
        """Take an event into account; tell whether the total has changed."""
        kind = type(event)
        if kind is RawChunk:
            if event.kind != "usage" or not isinstance(event.data, Usage):  # type: ignore[union-attr]
                return False
            before, self._current = self._current, (self._current or Usage()).merge(event.data)  # type: ignore[union-attr]
            return self._current != before
        if kind is MessageCompleted or kind is Error:
            self._settle()
        elif kind is MessageRestarted:
            self._restarted = True
        elif kind is MessageStarted:
            if self._restarted:  # the same answer begins again, and its next report stands for all of it
                self._restarted = False
            else:
                self._settle()
        return False

    @property
    def total(self) -> Usage:
        """What was used so far."""
        return self._settled if self._current is None else self._settled + self._current

    def _settle(self) -> None:
        self._settled = self.total
        self._current = None
        self._restarted = False
