"""Text in pieces, sentences out. Pure.

Rule 1: a sentence ends at its mark when what follows begins another: after a space, and not with a small letter, which is
what tells "approx. five", "3.14" and "Well... maybe" from an end.
Rule 2: titles, initials and numbers of a list do not end one ("Dr. Smith", "J. R. R. Tolkien", "1. Stir").
Rule 3: a line is at least one sentence, as headings and items of lists have no mark; marks of Chinese and Japanese need no
space behind them.
Rule 4: a wrong guess joins rather than splits: a pause in the wrong place is heard, a missing one is not.
"""

from __future__ import annotations

import re

_MARKS = ".!?…؟।։።"  # noqa: RUF001 - these are the marks
_WIDE = "。！？｡"  # noqa: RUF001 - likewise
_CLOSERS = "\"'”’»)\\]}*_`」』）】》〉"  # noqa: RUF001 - likewise
_MAYBE = re.compile(f"[{_MARKS}{_WIDE}\\n]")
_SPACE = " \t\r\u00a0\u3000"
_END = re.compile(
    f"(?P<mark>[{_MARKS}]+)(?P<closed>[{_CLOSERS}]*)[{_SPACE}]+(?P<next>[^{_SPACE}\\n])"
    f"|[{_WIDE}]+[{_CLOSERS}]*(?P<wide>[^\\n{_WIDE}{_CLOSERS}])"
    "|\\n"
)
_TAIL = _MARKS + _WIDE + _CLOSERS.replace("\\", "") + _SPACE
"""What a text may end with while it is open whether a sentence ends there."""
_OPENERS = "\"'“‘«([{*_`"  # noqa: RUF001 - likewise
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")

_TITLE = re.compile(
    "adm|brig|capt|cdr|cf|cmdr|col|cpl|dr|drs|fr|gen|gov|hon|hr|jr|lt|maj|messrs|mlle|mme|mr|mrs|ms|mt|mx|pres|prof|rep|rev"
    "|sen|sgt|sr|st|ste|vs|bzw|ca|evtl|inkl"
)
"""Words whose dot ends nothing, though a capital follows."""
_COUNTED = re.compile("art|bd|ch|eq|figs?|nos?|nr|op|pp?|par|sec|vols?")
"""Words whose dot ends nothing before a number."""
_CLAUSE = re.compile(r"d\.h|e\.g|i\.e|o\.ä|u\.a|z\.b")
"""What stands in the middle of a sentence by its meaning."""


class SentenceSplitter:
    """The sentences of one text."""

    __slots__ = ("_open", "_pieces", "_scanned")

    def __init__(self) -> None:
        """Begin with no text."""
        self._begin("")

    def _begin(self, rest: str, scanned: int = 0) -> None:
        self._pieces = [rest]
        self._scanned = scanned
        self._open = _MAYBE.search(rest, scanned) is not None
        """Whether a mark waits for what follows it."""

    def feed(self, piece: str) -> list[str]:
        """Take more of the text; give the sentences that end with it, without the space around them."""
        self._pieces.append(piece)
        if not self._open and _MAYBE.search(piece) is None:
            return []
        text = "".join(self._pieces)
        begin, at, sentences = 0, self._scanned, list[str]()
        while (found := _END.search(text, at)) is not None:
            if found["mark"] is not None:
                at, over = found.start("next"), found.end("closed")
                ends = _ends(text[begin : found.start()], found["mark"], found["closed"], found["next"])
            else:
                at = over = found.start("wide") if found["wide"] is not None else found.end()
                ends = True
            if ends:
                sentences.append(text[begin:over].strip())
                begin = at
        rest = text[begin:]
        self._begin(rest, max(len(rest.rstrip(_TAIL)), at - begin))
        return [sentence for sentence in sentences if sentence]

    def flush(self) -> list[str]:
        """Give the rest, which nothing follows, if there is any."""
        rest = "".join(self._pieces).strip()
        self._begin("")
        return [rest] if rest else []


def _ends(head: str, mark: str, closed: str, following: str) -> bool:
    """Tell whether a sentence ends at a mark with a space behind it."""
    if following.islower():
        return False
    if mark != "." or closed:
        return True
    words = head.split()
    word = words[-1].lstrip(_OPENERS) if words else ""
    lowered = word.lower()
    if len(words) == 1 and (word.isdigit() or len(word) == 1):
        return False
    if _TITLE.fullmatch(lowered) or _CLAUSE.fullmatch(lowered):
        return False
    if following.isdigit() and _COUNTED.fullmatch(lowered):
        return False
    if _DOTTED.fullmatch(word):
        return not word.isupper()
    return not (len(word) == 1 and word.isupper() and word != "I")
