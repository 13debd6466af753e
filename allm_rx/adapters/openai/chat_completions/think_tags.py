"""Reasoning that a server leaves in the text, between `<think>` and `</think>`.

Rule 1: tags may be cut anywhere; what may become one waits for the next piece.
Rule 2: the first tag counts only where the answer begins: later ones are text, as in an answer about such tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN = "<think>"
_CLOSE = "</think>"

Piece = tuple[bool, str]
"""Whether it is reasoning, and the text."""


class ThinkTags:
    """Tells reasoning from text; an instance serves one answer."""

    def __init__(self, begin: Literal["tags", "inside"]) -> None:
        """Begin an answer.

        Args:
            begin: `inside` where the first tag is missing, because the server has put it into the prompt.
        """
        self._where: Literal["before", "inside", "after"] = "inside" if begin == "inside" else "before"
        self._held: str = ""

    def feed(self, text: str) -> Iterator[Piece]:
        """Give what is certain of the text so far."""
        text = self._held + text
        self._held = ""
        if self._where == "before":
            begun = text.lstrip()
            if begun.startswith(_OPEN):
                self._where = "inside"
                text = begun.removeprefix(_OPEN)
            elif _OPEN.startswith(begun):
                self._held = text
                return
            else:
                self._where = "after"
        if self._where == "inside":
            inside, tag, text = text.partition(_CLOSE)
            if tag:
                self._where = "after"
            else:
                waits = _waiting(inside)
                self._held = inside[len(inside) - waits :]
                inside = inside[: len(inside) - waits]
            if inside:
                yield True, inside
        if text:
            yield False, text

    def flush(self) -> Iterator[Piece]:
        """Give what waited, now that nothing follows."""
        held, self._held = self._held, ""
        if held:
            yield self._where == "inside", held


def _waiting(text: str) -> int:
    """Give how many characters at the end may be the begin of the closing tag."""
    return next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
