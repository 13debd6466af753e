"""JSON of a provider as what it should be, whatever a server has put in its place.

Rule: what is of another kind reads as absent; no server's slip is worth an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.wire.text import repair

if TYPE_CHECKING:
    from collections.abc import Iterator


def as_object(value: Any) -> dict[str, Any]:
    """Give an object; an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_objects(value: Any) -> Iterator[dict[str, Any]]:
    """Give the objects of a list; anything else has none."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, dict):
                yield cast("dict[str, Any]", item)


def first_of(choices: Any) -> dict[str, Any]:
    """Give answer 0 of several; an empty object when only others are there."""
    nothing: dict[str, Any] = {}
    return next((choice for choice in as_objects(choices) if not choice.get("index")), nothing)


def as_text(value: Any) -> str:
    """Give a text, or an empty one; half a character at its end may have its other half elsewhere."""
    return value if isinstance(value, str) else ""


def as_word(value: Any) -> str:
    """Give a text that stands for itself, such as an id, or an empty one; half a character in it is no part of the next."""
    return repair(value) if isinstance(value, str) else ""


def word_or_none(value: Any) -> str | None:
    """Give a text that stands for itself; None for an empty one too."""
    return repair(value) or None if isinstance(value, str) else None


def as_integer(value: Any) -> int | None:
    """Give a whole number, such as a position; true and false are none."""
    return value if type(value) is int else None
