"""JSON of a provider, read without trust in its shape.

Rule 1: what is not of the kind that is wanted is as good as absent.
Rule 2: what is kept can be written again: halves of characters are repaired, and nothing nests deeper than a writer goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.wire.text import repair

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECT = "gemini"
"""Our key in `provider_data`."""

SIGNATURE = "thoughtSignature"
"""The field beside a part's payload that has to come back in the same place."""

_DEEPEST = 128
"""Levels of JSON that are kept; a parser of ours reads more, a writer may not."""


def word(value: Any) -> str | None:
    """Give a text that is not empty."""
    return repair(value) or None if isinstance(value, str) else None


def number(value: Any) -> int | None:
    """Give a count; true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def mapping(value: Any) -> dict[str, Any]:
    """Give an object, an empty one when it is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Give the objects of a list."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, dict):
                yield cast("dict[str, Any]", item)


def kept(value: Any, depth: int = 0) -> Any:
    """Give a value as it can be stored and sent back.

    Raises:
        ValueError: it nests too deeply.
    """
    if isinstance(value, str):
        return repair(value)
    if not isinstance(value, (dict, list)):
        return value
    if depth == _DEEPEST:
        raise ValueError(f"it nests deeper than {_DEEPEST} levels")
    if isinstance(value, list):
        return [kept(item, depth + 1) for item in cast("list[Any]", value)]
    fields = cast("dict[str, Any]", value)
    return {repair(key): kept(item, depth + 1) for key, item in fields.items()}
