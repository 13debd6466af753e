"""Values of an answer as what they should be, whatever a server has put in their place.

Rule: what is of another kind reads as absent; no server's slip is worth an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.wire.text import repair

if TYPE_CHECKING:
    from collections.abc import Iterator


def as_word(value: Any) -> str | None:
    """Give a text; None for an empty one."""
    return repair(value) or None if isinstance(value, str) else None


def as_position(value: Any) -> int | None:
    """Give a place in a text."""
    return value if isinstance(value, int) else None


def as_object(value: Any) -> dict[str, Any]:
    """Give an object; an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_objects(value: Any) -> Iterator[dict[str, Any]]:
    """Give the objects of a list."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            if isinstance(item, dict):
                yield cast("dict[str, Any]", item)


def first_of(choices: list[Any]) -> dict[str, Any]:
    """Give choice 0 of several; an empty one when only others are there."""
    nothing: dict[str, Any] = {}
    return next((choice for choice in as_objects(choices) if not choice.get("index")), nothing)
