"""What an answer consumed, in this protocol's words and in ours.

Rule 1: every chunk repeats the counts; the last one that is not null holds, field by field.
Rule 2: thoughts are counted beside the candidates, and prompts of the provider's tools beside the prompt; cached tokens are
inside the prompt.
"""

from __future__ import annotations

from typing import Any, cast

from allm_rx.adapters.gemini.provider_data import kept
from allm_rx.data.usage import Usage
from allm_rx.wire.shapes import as_integer

_PROMPT = ("promptTokenCount", "toolUsePromptTokenCount")
_OUTPUT = ("candidatesTokenCount", "thoughtsTokenCount")
_MODELLED = frozenset({"promptTokenCount", "cachedContentTokenCount", "totalTokenCount", *_OUTPUT})


class UsageCounts:
    """The counts of one answer."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        """Begin with nothing reported."""
        self._counts: dict[str, Any] = {}

    def feed(self, metadata: Any) -> None:
        """Take the `usageMetadata` of a chunk."""
        if not isinstance(metadata, dict):
            return
        counts = cast("dict[str, Any]", metadata)
        if None in counts.values():
            counts = {name: value for name, value in counts.items() if value is not None}
        self._counts.update(counts)

    def usage(self) -> Usage | None:
        """Give what is known; None when nothing was reported."""
        counts = self._counts
        if not counts:
            return None
        return Usage(
            input_tokens=self._sum(_PROMPT),
            output_tokens=self._sum(_OUTPUT),
            cached_input_tokens=as_integer(counts.get("cachedContentTokenCount")),
            reasoning_tokens=as_integer(counts.get("thoughtsTokenCount")),
            total_tokens=as_integer(counts.get("totalTokenCount")),
            extra=self._extra(),
        )

    def _extra(self) -> dict[str, Any]:
        try:
            return kept({name: value for name, value in self._counts.items() if name not in _MODELLED})
        except ValueError:
            return {}  # it nests too deeply to be written down, which is no reason to lose the answer

    def _sum(self, names: tuple[str, ...]) -> int | None:
        known = [count for name in names if (count := as_integer(self._counts.get(name))) is not None]
        return sum(known) if known else None
