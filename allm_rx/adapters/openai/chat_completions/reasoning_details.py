"""OpenRouter's `reasoning_details`: signed reasoning that has to be given back as it came.

Rule 1: deltas with the same index and type are one entry; its texts are joined, of anything else the newest counts.
Rule 2: nothing else is changed, so a signature survives.
"""

from __future__ import annotations

from typing import Any, cast

_JOINED = ("text", "summary", "data")


class ReasoningDetails:
    """The entries of one answer."""

    def __init__(self) -> None:
        """Begin without any."""
        self._entries: list[dict[str, Any]] = []
        self._pieces: list[dict[str, list[str]]] = []
        self._places: dict[tuple[Any, ...], int] = {}

    def feed(self, deltas: list[Any]) -> str:
        """Take the entries of one chunk and give the readable text in them."""
        texts: list[str] = []
        for delta in deltas:
            if isinstance(delta, dict):
                entry = cast("dict[str, Any]", delta)
                self._take(entry)
                texts += [text for key in ("text", "summary") if isinstance(text := entry.get(key), str)]
        return "".join(texts)

    def entries(self) -> list[dict[str, Any]]:
        """Give the entries, merged."""
        return [
            {**entry, **{key: "".join(texts) for key, texts in pieces.items()}}
            for entry, pieces in zip(self._entries, self._pieces, strict=True)
        ]

    def _take(self, delta: dict[str, Any]) -> None:
        index = delta.get("index")
        place = (index, str(delta.get("type"))) if isinstance(index, int) else (str(delta.get("type")), str(delta.get("id")))
        position = self._places.get(place)
        if position is None:
            position = self._places[place] = len(self._entries)
            self._entries.append({})
            self._pieces.append({})
        entry, pieces = self._entries[position], self._pieces[position]
        for key, value in delta.items():
            if key in _JOINED and isinstance(value, str):
                pieces.setdefault(key, []).append(value)
                entry.setdefault(key, "")  # keeps the order of the fields
            elif value is not None or key not in entry:
                entry[key] = value
