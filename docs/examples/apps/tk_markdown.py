"""Light Markdown, written into a log as it comes.

Rule 1: what a model says is text: `**bold**`, `code` and blocks of code are all that is read in it.
Rule 2: a sign takes effect at once; one whose other half does not come on its line is put back, as it was none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tk_log import Log

TOKENS = re.compile(r"```|\*\*|[`*\n]|[^`*\n]+")
STYLES = {"**": "bold", "`": "code"}
SIGNS = {style: sign for sign, style in STYLES.items()}


class Markdown:
    """Writes light Markdown, however it is cut."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rest = ""
        self._open: dict[str, str] = {}
        """Where each style in force began."""
        self._in_code = False
        self._skipping = False
        """Whether the rest of the line belongs to a fence."""
        self._at_start = True

    def feed(self, more: str) -> None:
        """Write some more."""
        whole = self._rest + more
        ready = whole.rstrip("`*")  # the rest of a sign may be on its way
        self._rest = whole[len(ready) :]
        self._write(ready)

    def finish(self) -> None:
        """Write what was held back: nothing more comes."""
        self._write(self._rest)
        self._rest = ""
        self._put_back()
        if self._in_code:
            self._fence()

    def _write(self, text: str) -> None:
        for found in TOKENS.finditer(text):
            token = found[0]
            if self._skipping:
                self._skipping = token != "\n"
            elif token == "```" and self._at_start:
                self._fence()
            elif self._in_code:
                self._log.write(token, "block")
            else:
                self._inline(token, followed=text[found.end() : found.end() + 1])
            self._at_start = token == "\n"

    def _fence(self) -> None:
        self._log.add_strip("Bottom" if self._in_code else "Top")
        self._in_code = not self._in_code
        self._skipping = True

    def _inline(self, token: str, followed: str) -> None:
        if token == "\n":
            self._put_back()
            self._log.write("\n", *(["gap"] if self._at_start else []))
            return
        style = STYLES.get(token)
        if style is None or (style == "bold" and "code" in self._open):
            self._log.write(token, *self._open)
        elif style in self._open:
            del self._open[style]
        elif followed.strip() and not (style == "bold" and self._log.text.get("here-1c").isalnum()):
            self._open[style] = self._log.text.index("here")
        else:  # as in `2 ** 3` and `2**3`
            self._log.write(token, *self._open)

    def _put_back(self) -> None:
        for style, begin in reversed(self._open.items()):
            self._log.text.tag_remove(style, begin, "here")
            self._log.text.insert(begin, SIGNS[style], ())
        self._open.clear()
