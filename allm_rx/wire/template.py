"""Records that differ from an earlier one only in one text, told apart without parsing them.

Most of a streamed answer is the same record over and over with another few letters in it. Once one was parsed, the bytes
before and behind its text are known; a later record that begins and ends with the same bytes, and has between them a plain
JSON string, parses to the same frame with that string in it.

Rule 1: exact. A template is learned only after a probe was parsed with another text in its place; whatever has a quote, a
backslash or a control character in between is parsed.
Rule 2: a server that pads or numbers its records costs a few attempts to learn, then none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ATTEMPTS: Final = 4
"""Templates that are learned in a row without one of them ever fitting."""
_PROBE: Final = "probe \u2713"
_LONGEST: Final = 2000
"""Bytes of a record that is worth learning from."""


class TextTemplate:
    """The bytes around the text of a record that repeats."""

    __slots__ = ("_begin", "_end", "_event", "_left", "prefix", "say", "suffix")

    def __init__(self) -> None:
        """Begin with nothing learned."""
        self.prefix = b""
        """Empty while nothing is learned, or learning was given up."""
        self.suffix = b""
        self.say: Callable[[str], None] = _nothing
        """What a record that fits means, given its text."""
        self._event = ""
        self._begin = 0
        self._end = 0
        self._left = _ATTEMPTS

    @property
    def wanted(self) -> bool:
        """Whether it is worth learning from another record."""
        return self._left > 0

    def forget(self) -> None:
        """Take nothing for a repetition any more."""
        self.prefix = b""
        self.say = _nothing  # it belongs to whoever owns us: a finished answer should be no cycle
        self._left = 0

    def text_of(self, data: bytes, event: str) -> str | None:
        """Give the text of a record that begins with `prefix` and ends with `suffix`; None when it has to be parsed."""
        try:
            text = data[self._begin : self._end].decode()
        except UnicodeDecodeError:
            return None
        # Empty: the two ends overlap, or there is nothing to say.
        if not text or '"' in text or "\\" in text or not text.isprintable() or event != self._event:
            return None
        self._left = _ATTEMPTS
        return text

    def learn(self, data: bytes, event: str, path: Sequence[str | int], text: str, say: Callable[[str], None]) -> None:
        """Learn from a record that was parsed.

        Args:
            data: the record.
            event: its SSE field.
            path: where in the frame its text is.
            text: the text.
            say: what to call with the text of a record that fits.
        """
        self._left -= 1
        self.prefix = b""
        if len(data) > _LONGEST or not text.isprintable() or '"' in text or "\\" in text:
            return  # half a character is not printable either, and could not be encoded
        if len(data) > _LONGEST or not text.isprintable() or '"' in text or "\\" in text:
            return
        needle = b'"%b"' % text.encode()
        at = data.find(needle)
        if at < 0:
            return
        prefix, suffix = data[: at + 1], data[at + len(needle) - 1 :]
        try:
            found: Any = from_json(prefix + _PROBE.encode() + suffix)
            for key in path:
                found = found[key]
        except (ValueError, LookupError, TypeError):
            return
        if found == _PROBE:
            self.prefix, self.suffix, self.say, self._event = prefix, suffix, say, event
            self._begin, self._end = len(prefix), -len(suffix)


def _nothing(text: str) -> None:
    del text
