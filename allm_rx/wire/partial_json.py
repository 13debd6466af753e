"""JSON as models and servers send it: whole, cut short, or with half a character in it.

Rule 1: one parser, `pydantic_core.from_json`; what it is too strict for gets a second chance, everything else is an error.
Rule 2: reading a text while it grows is linear: it is parsed again only after growing by an eighth.
Rule 3: arguments never raise; whoever asked for the call is told what was wrong with them.
"""

import json
import re
from typing import Any, cast

from pydantic_core import from_json

from allm_rx.wire.redaction import printable
from allm_rx.wire.text import repair

_LEAST_GROWTH = 32
_GROWTH = 8  # one part in

# Every escape, so that the second backslash of a pair is not taken for the start of one; halves without partner are the group.
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.")

_KINDS: dict[type, str] = {
    bool: "a boolean",
    float: "a number",
    int: "a number",
    list: "an array",
    str: "a string",
}


def loads(data: bytes | str) -> Any:
    r"""Parse one frame; a lone surrogate escape in it survives, since its other half may be in the next frame.

    >>> loads(b'{"text": "\\ud83d"}')
    {'text': '\ud83d'}

    Raises:
        ValueError: The frame is not JSON.
    """
    try:
        return from_json(data)
    except (ValueError, TypeError) as error:  # a `TypeError` is its word for a `str` with half a character
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise ValueError(str(error)) from None


def parse_object(text: str) -> dict[str, Any] | str:
    """Parse the complete arguments of a tool call, or say what is wrong with them.

    >>> parse_object('{"city": "Oslo"}')
    {'city': 'Oslo'}
    >>> parse_object(" ")
    {}
    >>> parse_object('["Oslo"]')
    'The arguments are an array, not a JSON object: ["Oslo"]. Send them as an object.'
    """
    if not text or text.isspace():
        return {}
    try:
        value = _parse(text)
    except ValueError as error:
        return f"The arguments are not JSON ({error}): {printable(text)}. Send them as one JSON object."
    if value is None:
        return {}
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    return f"The arguments are {_KINDS[type(value)]}, not a JSON object: {printable(text)}. Send them as an object."


class PartialJson:
    """One JSON text that is still being written, and what it says so far.

    >>> arguments = PartialJson()
    >>> arguments.feed('{"city": "Oslo", "days": [1, 2, 3], "note": "by tr')
    >>> arguments.value
    {'city': 'Oslo', 'days': [1, 2, 3], 'note': 'by tr'}
    """

    __slots__ = ("_parsed", "_pieces", "_size", "_value")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._parsed = 0  # the size at the last parse
        self._value: Any = None

    def feed(self, delta: str) -> None:
        """Take more of the text."""
        self._pieces.append(delta)
        self._size += len(delta)

    def finish(self) -> Any:
        """Give what the text says now that no more of it comes; when it was cut, what can be read of it."""
        self._parse()
        return self._value

    @property
    def value(self) -> Any:
        """The last good value; the same object until the text has grown by an eighth, and at least 32 characters.

        None before there is one. The last string or number may be incomplete, and what follows it is missing. Text that is
        not JSON changes nothing.
        """
        grown = self._size - self._parsed
        if grown >= _LEAST_GROWTH and grown * _GROWTH >= self._parsed:
            self._parse()
        return self._value

    @property
    def text(self) -> str:
        """The text so far."""
        text = "".join(self._pieces)
        self._pieces = [text]
        return text

    def _parse(self) -> None:
        if self._parsed == self._size:
            return
        self._parsed = self._size
        try:
            self._value = _parse(self.text, partial=True)
        except ValueError:
            return


def _parse(text: str, *, partial: bool = False) -> Any:
    allow_partial = "trailing-strings" if partial else False
    try:
        return from_json(text, allow_partial=allow_partial, allow_inf_nan=False)
    except (ValueError, TypeError) as error:
        whole = _ESCAPE.sub(_without_half, repair(text))
        if whole == text:
            raise ValueError(str(error)) from None
    return from_json(whole, allow_partial=allow_partial, allow_inf_nan=False)


def _without_half(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape[1] else escape[0]
