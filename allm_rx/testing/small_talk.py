"""The script of a server that was given none: pleasant answers to whatever is asked, without a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allm_rx.data.parts import ToolCall
from allm_rx.testing.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.testing.protocols import Asked, OfferedTool

_SHOWN = 80
"""Characters of a question that the answer repeats."""

_PLACES = re.compile(r"\b(?:in|at|for)\s+([A-Z][\w'-]*(?:(?:,?\s+and\s+|,?\s+)[A-Z][\w'-]*)*)")
_BETWEEN = re.compile(r",?\s+and\s+")


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """Answers about what was asked; asks an offered tool about the weather, and puts into words what tools gave back."""

    pace: float = 0.0
    """Seconds between two words."""

    def answer(self, asked: Asked, index: int) -> Answer:
        """Give the answer to the request of that number."""
        if asked.results:
            return self._says(f"Here is what I was told: {' '.join(asked.results)} {_AFTER_TOOLS}")
        if asked.tools and "weather" in asked.text.lower():
            tool = next((tool for tool in asked.tools if "weather" in tool.name.lower()), asked.tools[0])
            calls = [
                ToolCall(id=f"call_{index}_{position}", name=tool.name, arguments=_arguments(tool, place))
                for position, place in enumerate(_places(asked.text))
            ]
            return Answer(tool_calls=calls, pace=self.pace)
        question = " ".join(asked.text.split())
        shown = question if len(question) <= _SHOWN else f"{question[:_SHOWN].rstrip()}..."
        return self._says(f'You said: "{shown}" {_TALK}' if shown else _TALK)

    def _says(self, text: str) -> Answer:
        return Answer(text, pace=self.pace)


_TALK = (
    "What a good thing to bring up. I am only a small server on your own machine, so I cannot know much about it, but I can "
    "answer the way a model would: a word at a time, with pauses, and with a count of tokens at the end. Nothing left this "
    "computer, and nothing was paid."
)
_AFTER_TOOLS = (
    "That came from a tool which your program offered and ran; all I did was ask for it, wait, and put the result into a "
    "sentence. Ask about another place, or about anything else, and we go on from here."
)


def _places(text: str) -> list[str]:
    found = _PLACES.search(text)
    return _BETWEEN.split(found[1]) if found else ["Oslo"]


def _arguments(tool: OfferedTool, place: str) -> dict[str, Any]:
    """Fill in what the tool's schema requires, the place wherever text is wanted."""
    properties: Mapping[str, Any] = tool.parameters.get("properties") or {}
    required = tool.parameters.get("required") or list(properties)[:1]
    return {name: _value(properties.get(name) or {}, place) for name in required}


def _value(schema: Mapping[str, Any], place: str) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    samples: dict[Any, Any] = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}, "null": None}
    kind = schema.get("type")
    return samples.get(kind, place) if isinstance(kind, str) else place
