"""What of Google's JSON is kept with a message, and comes back with it.

Rule: what is kept can be written again: halves of characters are repaired, and nothing nests deeper than a writer goes.
"""

from __future__ import annotations

from typing import Any, cast

from allm_rx.wire.text import repair

DIALECT = "gemini"
"""Our key in `provider_data`."""

SIGNATURE = "thoughtSignature"
"""The field beside a part's payload that has to come back in the same place."""

_DEEPEST = 128
"""Levels of JSON that are kept; a parser of ours reads more, a writer may not."""


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
