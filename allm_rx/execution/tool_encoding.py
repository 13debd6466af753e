"""How a tool's value is written for the model: deterministic, and an error where it cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel
from pydantic_core import to_json

from allm_rx.data.parts import AudioPart, FilePart, ImagePart, TextPart

if TYPE_CHECKING:
    from allm_rx.data.parts import ResultContent
    from allm_rx.errors import ToolError

_PARTS = (TextPart, ImagePart, FilePart, AudioPart)


def encoded(value: Any) -> str | tuple[ResultContent, ...]:
    """Write a tool's value for the model.

    A text is unchanged; media parts stay parts; pydantic models and JSON values become compact JSON; equal values give
    equal bytes.

    Raises:
        TypeError: the value is none of these; return one that is, or pass `tool_result_encoder=`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, _PARTS):
        return (value,)
    if isinstance(value, Sequence) and value and all(isinstance(item, _PARTS) for item in cast("Sequence[object]", value)):
        return tuple(cast("Sequence[ResultContent]", value))
    return to_json(_sorted(value), inf_nan_mode="constants", fallback=_refuse).decode()


def error_text(error: ToolError) -> str:
    """Write a failed call for the model, as structured JSON."""
    return to_json({"error": {"reason": error.reason, "message": error.message}}).decode()


def _sorted(value: Any) -> Any:
    """Give sets a fixed order; dicts keep theirs, which a program chose."""
    match value:
        case dict():
            return {key: _sorted(item) for key, item in cast("dict[Any, Any]", value).items()}
        case set() | frozenset():
            return sorted((_sorted(item) for item in cast("set[Any]", value)), key=repr)
        case list() | tuple():
            return [_sorted(item) for item in cast("list[Any]", value)]
        case BaseModel():
            return value.model_dump(mode="json")
        case _:
            return value


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} has no JSON: return text, JSON values, a pydantic model or media parts")
