r"""Text that can be encoded: what JSON escapes may tear apart is joined or replaced.

JSON can spell half a character (`\ud83d`), and a provider that cuts its text by UTF-16 units sends the halves of an emoji
in two deltas. Python then has a `str` that nothing can print, store or send.

Rule 1: two halves that follow each other are the character they spell; a half that stays alone is U+FFFD.
Rule 2: text without halves passes as the same object, for the price of one check.
"""

from typing import Any, cast

_FIRST_HALVES = ("\ud800", "\udbff")


class SurrogateJoiner:
    r"""Makes the deltas of one text valid Unicode, across their borders; an instance serves one text.

    >>> joiner = SurrogateJoiner()
    >>> joiner.feed("Hi \ud83d") + joiner.feed("\ude00!") + joiner.flush()
    'Hi 😀!'
    """

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Give what is certain of the text so far; a first half at its end waits for the next delta, so this may be empty."""
        if not self._half:
            if text.isascii():
                return text
            try:
                text.encode()  # half the price of any other way to find a half
            except UnicodeEncodeError:
                pass
            else:
                return text
        elif not text:
            return ""
        text = self._half + text
        self._half = ""
        lowest, highest = _FIRST_HALVES
        if lowest <= text[-1] <= highest:
            self._half = text[-1]
            text = text[:-1]
        return repair(text)

    def flush(self) -> str:
        """Give what waits at the end of the text: U+FFFD for a half, else nothing."""
        half = self._half
        self._half = ""
        return repair(half)


def repair(text: str) -> str:
    r"""Make a whole text valid Unicode.

    >>> repair("\ud83d\ude00 and \ud83d")
    '😀 and �'
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # UTF-16 is where halves come from, and its decoder knows what belongs together.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def repair_json(value: Any) -> Any:
    r"""Make every text in JSON data valid Unicode; data without halves come back as an equal copy.

    >>> repair_json({"a": ["\ud83d"]})
    {'a': ['�']}
    """
    if isinstance(value, str):
        return repair(value)
    if isinstance(value, list):
        return [repair_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {repair(name): repair_json(item) for name, item in cast("dict[str, Any]", value).items()}
    return value
