"""Arguments of a call that arrive by path: `$.cities[0].name` gets some more text.

Rule 1: text for one path is appended, any other value replaces what was there; gaps in arrays close up.
Rule 2: the same is told as JSON text while it arrives, as long as the paths come in the order of a text; from the first
one that goes back, nothing more is told, and the value at the end is the only truth.
Rule 3: linear; a path costs its own length, whatever was told before.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from allm_rx.adapters.gemini.provider_data import kept
from allm_rx.wire.shapes import as_objects, word_or_none
from allm_rx.wire.text import SurrogateJoiner, repair

_STEP = re.compile(r"""\.?([^.\[\]'"]+)|\[(\d{1,18})\]|\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]""")
_ESCAPE = re.compile(r"\\(.)")

_DEEPEST = 64
"""Steps of a path; a longer one is not an argument but an attack."""

Step = str | int
Path = tuple[Step, ...]


@dataclass(slots=True)
class _Text:
    """A text that may still grow."""

    pieces: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Node:
    """An object or an array that may still grow."""

    array: bool
    items: dict[Step, Any] = field(default_factory=dict[Step, Any])


@dataclass(slots=True)
class _Told:
    """A bracket that is open in the text, and what is in it so far."""

    path: Path
    array: bool
    steps: set[Step] = field(default_factory=set[Step])
    last: int = -1
    """The newest position in an array."""

    def enter(self, step: Step) -> bool:
        """Go on to a step; False when the text is past it, or it is none of this bracket's."""
        if isinstance(step, int) is not self.array or step in self.steps:
            return False
        if isinstance(step, int):
            if step < self.last:
                return False
            self.last = step
        self.steps.add(step)
        return True


class PartialArguments:
    """The arguments of one call.

    >>> arguments = PartialArguments()
    >>> arguments.feed([{"jsonPath": "$.city", "stringValue": "Os"}])
    '{"city":"Os'
    >>> arguments.feed([{"jsonPath": "$.city", "stringValue": "lo"}])
    'lo'
    >>> arguments.finish(), arguments.value
    ('"}', {'city': 'Oslo'})
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._root = _Node(array=False)
        self._open: list[_Told] = []
        self._telling = True
        self._text: tuple[Path, _Text] | None = None
        self._joiner = SurrogateJoiner()

    def feed(self, pieces: Any) -> str:
        """Take the `partialArgs` of one part and give the JSON text they add.

        Raises:
            ValueError: a path or a value nests too deeply.
        """
        return "".join(self._take(piece) for piece in as_objects(pieces))

    def put(self, arguments: dict[str, Any]) -> str:
        """Take arguments that came whole and give the JSON text they add."""
        return "".join(self._set((name,), value) for name, value in kept(arguments).items())

    def finish(self) -> str:
        """Give the JSON text that closes what is open."""
        text = self._end_text()
        if self._telling:
            text += "".join("]" if told.array else "}" for told in reversed(self._open))
        self._open = []
        return text

    @property
    def value(self) -> dict[str, Any]:
        """The arguments so far."""
        return {str(name): _built(item) for name, item in self._root.items.items()}

    def _take(self, piece: dict[str, Any]) -> str:
        path = _steps(word_or_none(piece.get("jsonPath")) or "")
        if not path:
            return ""
        if isinstance(text := piece.get("stringValue"), str):
            return self._grow(path, text)
        for key in ("numberValue", "boolValue"):
            if isinstance(piece.get(key), (int, float)):
                return self._set(path, piece[key])
        return self._set(path, None) if "nullValue" in piece else ""

    def _grow(self, path: Path, text: str) -> str:
        if self._text is not None and self._text[0] == path:
            piece = self._joiner.feed(text)
            self._text[1].pieces.append(piece)
            return _inside(piece) if self._telling else ""
        opened = self._end_text()
        node = self._parent(path)
        before = node.items.get(path[-1])
        leaf = before if isinstance(before, _Text) else _Text()
        node.items[path[-1]] = leaf
        opened += self._tell(path)
        piece = self._joiner.feed(text)
        leaf.pieces.append(piece)
        self._text = (path, leaf)
        return f'{opened}"{_inside(piece)}' if self._telling else opened

    def _set(self, path: Path, value: Any) -> str:
        opened = self._end_text()
        self._parent(path).items[path[-1]] = value
        opened += self._tell(path)
        return opened + to_json(value).decode() if self._telling else opened

    def _end_text(self) -> str:
        if self._text is None:
            return ""
        _, leaf = self._text
        self._text = None
        rest = self._joiner.flush()
        leaf.pieces.append(rest)
        return f'{_inside(rest)}"' if self._telling else ""

    def _parent(self, path: Path) -> _Node:
        node = self._root
        for step, following in itertools.pairwise(path):
            inner = node.items.get(step)
            if not isinstance(inner, _Node):
                inner = node.items[step] = _Node(array=isinstance(following, int))
            node = inner
        return node

    def _tell(self, path: Path) -> str:
        """Give the text from where it stands to where the value of a path begins."""
        if not self._telling:
            return ""
        text = ""
        shared = 0
        while shared < len(self._open) and shared < len(path) and self._open[shared].path == path[:shared]:
            shared += 1
        if shared == 0:  # nothing is told yet
            self._open.append(_Told((), array=False))
            text, shared = "{", 1
        for told in reversed(self._open[shared:]):
            text += "]" if told.array else "}"
        del self._open[shared:]
        for depth in range(shared - 1, len(path)):
            step = path[depth]
            if depth >= shared:
                self._open.append(_Told(path[:depth], array=isinstance(step, int)))
                text += "[" if isinstance(step, int) else "{"
            told = self._open[depth]
            if not told.enter(step):
                self._telling = False
                return ""
            text += "," if len(told.steps) > 1 else ""
            text += "" if isinstance(step, int) else f"{to_json(step).decode()}:"
        return text


def _steps(path: str) -> Path:
    steps: list[Step] = []
    for name, index, single, double in _STEP.findall(path.removeprefix("$")):
        steps.append(int(index) if index else name or _ESCAPE.sub(r"\1", single or double))
        if len(steps) > _DEEPEST:
            raise ValueError(f"a path of arguments has more than {_DEEPEST} steps")
    return tuple(steps)


def _inside(text: str) -> str:
    return to_json(text).decode()[1:-1]


def _built(item: Any) -> Any:
    if isinstance(item, _Text):
        return repair("".join(item.pieces))
    if not isinstance(item, _Node):
        return item
    if item.array:
        return [_built(value) for _, value in sorted(item.items.items(), key=_position)]
    return {str(step): _built(value) for step, value in item.items.items()}


def _position(entry: tuple[Step, Any]) -> int:
    return entry[0] if isinstance(entry[0], int) else 0
