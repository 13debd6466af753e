"""A JSON text that is still being written, and those of its values that are whole already.

Rule 1: a text is looked at once, so all of it costs one pass; only values that were asked for are kept.
Rule 2: what is wrong with a text is not told here; whoever reads it checks the whole at its end.
"""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple

_MARK = re.compile(r'["{}\[\],:]')
_IN_STRING = re.compile(r'["\\]')
_SCALAR = re.compile(r"\S")


class Member(NamedTuple):
    """A value that is whole."""

    name: str | int
    """Its key in the object, or its position in the array, from 0."""
    text: str
    """The value, as it was written."""
    within: str | None = None
    """The key of the array it is in, when that is a value of the object which the text is."""


class JsonMembers:
    """The values inside the outermost value of a text, each as it closes.

    >>> steps = JsonMembers("elements")
    >>> steps.feed('{"title": "Bread", "steps": [{"do": "st')
    []
    >>> steps.feed('ir"}, {"do": "b')
    [Member(name=0, text='{"do": "stir"}', within='steps')]
    """

    def __init__(self, wanted: Literal["members", "elements"]) -> None:
        """Begin with no text.

        Args:
            wanted: the members of the object that the text is; or the elements of the array that it is, or of the arrays
                that are members of the object that it is.
        """
        self._elements = wanted == "elements"
        self._piece = ""
        self._from = 0
        self._found: list[Member] = []
        self._stack: list[str] = []
        self._string = self._escaped = self._scalar = False
        self._keying = False
        """Whether a string of the outermost object would be a key."""
        self._key: str | None = None
        self._count = 0
        self._kept: list[str] | None = None
        """The pieces of the value or key that is open, when it is wanted."""

    def feed(self, piece: str) -> list[Member]:
        """Take more of the text; give the values that are whole with it."""
        self._piece, self._from, self._found = piece, 0, []
        at = 0
        while at < len(piece):
            at = self._within_string(at) if self._string else self._between_strings(at)
        if self._kept is not None:
            self._kept.append(piece[self._from :])
        return self._found

    def _within_string(self, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        mark = _IN_STRING.search(self._piece, at)
        if mark is None:
            return len(self._piece)
        if mark[0] == "\\":
            self._escaped = True
        else:
            self._string = False
            self._close(mark.end())
        return mark.end()

    def _between_strings(self, at: int) -> int:
        mark = _MARK.search(self._piece, at)
        end = len(self._piece) if mark is None else mark.start()
        if not self._scalar and (scalar := _SCALAR.search(self._piece, at, end)) is not None:
            self._open(scalar.start())
            self._scalar = True
        if mark is None:
            return end
        if self._scalar:
            self._scalar = False
            self._close(end)
        self._marked(mark[0], end)
        return end + 1

    def _marked(self, mark: str, at: int) -> None:
        match mark:
            case '"':
                self._open(at)
                self._string = True
            case "{" | "[":
                self._open(at)
                self._stack.append(mark)
                if len(self._stack) == 1:
                    self._keying = mark == "{"
                if mark == "[" and self._is_wanted():
                    self._count = 0
            case "}" | "]":
                if self._stack:
                    self._stack.pop()
                self._close(at + 1)
            case _:
                if len(self._stack) == 1:
                    self._keying = mark == "," and self._stack[0] == "{"

    def _open(self, at: int) -> None:
        if self._is_key() or self._is_wanted():
            self._kept, self._from = [], at

    def _close(self, at: int) -> None:
        key = self._is_key()
        if self._kept is None or not (key or self._is_wanted()):
            return
        self._kept.append(self._piece[self._from : at])
        text, self._kept = "".join(self._kept).strip(), None
        if key:
            self._key = _key(text)
        elif self._elements:
            self._found.append(Member(self._count, text, self._key if len(self._stack) == 2 else None))
            self._count += 1
        elif self._key is not None:
            self._found.append(Member(self._key, text))

    def _is_key(self) -> bool:
        return self._keying and len(self._stack) == 1

    def _is_wanted(self) -> bool:
        """Tell whether a value here, directly inside the innermost open container, is asked for."""
        stack = self._stack
        if not self._elements:
            return len(stack) == 1 and stack[0] == "{"
        return bool(stack) and stack[-1] == "[" and (len(stack) == 1 or (len(stack) == 2 and stack[0] == "{"))


def _key(text: str) -> str | None:
    try:
        key = json.loads(text)
    except ValueError:
        return None
    return key if isinstance(key, str) else None
