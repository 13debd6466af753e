"""Where an answer appears: a terminal, a pipe or a file.

Rule 1: what a provider says never controls a terminal; control characters and escape sequences are taken out.
Rule 2: each piece is written as it comes, past Python's buffers, so a pipe streams too, and a reader that does not read holds
no lock that the end of the process has to wait for.
Rule 3: a terminal is never left dim: every dim piece ends with the reset.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""C0 without tab and newline, DEL, and C1."""
_UNESCAPED = re.compile(r"[\x7f-\x9f]")
"""The controls that JSON allows inside a text as they are."""
_STRING_INTRODUCERS = frozenset("PX]^_")
"""Behind ESC they begin a string that lasts to its terminator (ECMA-48, 5.6)."""
_C1_STRING_INTRODUCERS = frozenset("\x90\x98\x9d\x9e\x9f")
_PATIENCE = 0.5
"""Seconds that an interruption waits for a piece under way."""
_DIM, _RESET = "\x1b[2m", "\x1b[0m"


class _State(Enum):
    TEXT = "text"
    ESCAPE = "after ESC"
    INTERMEDIATE = "after ESC and an intermediate character"
    CSI = "in a control sequence"
    STRING = "in a control string"


class ControlFilter:
    """Takes control characters and escape sequences out of a text that comes in pieces; newline and tab stay.

    A control string without terminator ends with its line, so that a broken sequence cannot swallow an answer.
    """

    def __init__(self) -> None:
        """Begin outside of any sequence."""
        self._state = _State.TEXT

    def feed(self, piece: str) -> str:
        """Give what of the piece is text; a sequence may go on in the next piece."""
        if self._state is _State.TEXT and _CONTROL.search(piece) is None:
            return piece
        return "".join([char for char in piece if self._keeps(char)])

    def _keeps(self, char: str) -> bool:
        match self._state:
            case _State.TEXT:
                return self._in_text(char)
            case _State.ESCAPE:
                return self._after_escape(char)
            case _State.INTERMEDIATE:
                return self._until_final(char, inside=(" ", "/"), final=("0", "~"))
            case _State.CSI:
                return self._until_final(char, inside=(" ", "?"), final=("@", "~"))
            case _State.STRING:
                return self._in_string(char)

    def _in_text(self, char: str) -> bool:
        self._state = _State.TEXT
        if char == "\x1b":
            self._state = _State.ESCAPE
        elif char == "\x9b":
            self._state = _State.CSI
        elif char in _C1_STRING_INTRODUCERS:
            self._state = _State.STRING
        return _CONTROL.match(char) is None

    def _after_escape(self, char: str) -> bool:
        if char == "[":
            self._state = _State.CSI
        elif char in _STRING_INTRODUCERS:
            self._state = _State.STRING
        else:
            return self._until_final(char, inside=(" ", "/"), final=("0", "~"), then=_State.INTERMEDIATE)
        return False

    def _until_final(self, char: str, *, inside: tuple[str, str], final: tuple[str, str], then: _State | None = None) -> bool:
        if inside[0] <= char <= inside[1]:
            self._state = then or self._state
        elif final[0] <= char <= final[1]:
            self._state = _State.TEXT
        else:  # no sequence after all
            return self._in_text(char)
        return False

    def _in_string(self, char: str) -> bool:
        if char == "\n":
            return self._in_text(char)
        if char in "\x07\x9c":
            self._state = _State.TEXT
        elif char == "\x1b":
            self._state = _State.ESCAPE  # the terminator is ESC and a backslash, like any short sequence
        return False


def cleaned(text: str) -> str:
    """Give a whole text without control characters and escape sequences."""
    return ControlFilter().feed(text)


class Page:
    """An answer on its way to a reader."""

    def __init__(self, out: TextIO) -> None:
        """Write to `out`; what its encoding cannot hold becomes `?`."""
        self._out = out
        self._file = _file_of(out)
        self._encoding = out.encoding or "utf-8"
        self._tty = out.isatty()
        self._dims = self._tty and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        self._filter = ControlFilter()
        self._reasoning = False
        self._line_begun = False
        self._writing = threading.Lock()

    def text(self, piece: str) -> None:
        """Show some more text."""
        self._turn(reasoning=False)
        self._write(self._filter.feed(piece) if self._tty else piece)

    def reasoning(self, piece: str) -> None:
        """Show some more reasoning, dim, on a terminal that can; nowhere else."""
        if self._dims:
            self._turn(reasoning=True)
            self.dim(self._filter.feed(piece))

    def dim(self, text: str) -> None:
        """Show words of our own, dim where that is possible."""
        self._write(f"{_DIM}{text}{_RESET}" if self._dims and text else text, seen=text)

    def json(self, line: str) -> None:
        """Show a line of JSON; on a terminal, controls that JSON allows in a text are escaped."""
        safe = _UNESCAPED.sub(lambda control: f"\\u{ord(control[0]):04x}", line) if self._tty else line
        self._write(f"{safe}\n")

    def end(self) -> None:
        """End the line."""
        if self._line_begun:
            self._write("\n")

    def interrupted(self) -> None:
        """End the line after Ctrl-C, which a terminal shows on it; not when the reader does not take what is being written."""
        if self._writing.acquire(timeout=_PATIENCE):
            self._writing.release()
            if self._line_begun or self._tty:
                self._write("\n")

    def _turn(self, *, reasoning: bool) -> None:
        if reasoning is not self._reasoning:
            self._reasoning = reasoning
            self._filter = ControlFilter()
            if self._line_begun:
                self._write("\n\n")

    def _write(self, text: str, *, seen: str | None = None) -> None:
        if not text:
            return
        with self._writing:
            self._line_begun = not (text if seen is None else seen).endswith("\n")
            data = text.encode(self._encoding, "replace")
            if self._file is None:
                self._out.write(data.decode(self._encoding))
                self._out.flush()
                return
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]


def _file_of(out: TextIO) -> int | None:
    """Give the descriptor to write to; None where only the stream itself knows how, as on a console of Windows."""
    try:
        return None if sys.platform == "win32" else out.fileno()
    except OSError:  # a stream without a file, as in tests
        return None
