"""How a tool's value is written for the model: deterministic, and an error where it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel
from pydantic_core import to_json

from allm_rx.data.model import parse_json, whole_characters
from allm_rx.data.parts import AudioPart, FilePart, ImagePart, TextPart
from allm_rx.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allm_rx.data.parts import ResultContent

_ERROR = '{"error":{"reason":'
_PARTS = (TextPart, ImagePart, FilePart, AudioPart)


def encoded(value: Any) -> str | tuple[ResultContent, ...]:
    """Write a tool's value for the model.

    A text is unchanged; media parts, alone or in a list with texts, stay parts; pydantic models and JSON values become
    compact JSON; equal values give equal bytes.

    Raises:
        TypeError: the value is none of these; return one that is, or pass `tool_result_encoder=`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, _PARTS):
        return (value,)
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        if all(isinstance(item, (str, *_PARTS)) for item in items) and any(isinstance(item, _PARTS) for item in items):
            return tuple(TextPart(text=item) if isinstance(item, str) else cast("ResultContent", item) for item in items)
    return to_json(_sorted(value), inf_nan_mode="strings", fallback=_refuse).decode()


def error_text(reason: str, message: str | None = None) -> str:
    """Write a failed call for the model, as structured JSON."""
    told = {"reason": reason} if message is None else {"reason": reason, "message": whole_characters(message)}
    return to_json({"error": told}).decode()


def error_of(text: str) -> tuple[str, str] | None:
    """Give reason and message of a failed call that `error_text` wrote; None for any other text."""
    if not text.startswith(_ERROR):
        return None
    try:
        told = parse_json(text)["error"]
        return (told["reason"], str(told.get("message", ""))) if told["reason"] in ToolError.reasons else None
    except (KeyError, TypeError, ValueError):  # a tool's own text that begins alike
        return None


def _sorted(value: Any) -> Any:
    """Give sets a fixed order, and texts only characters that can be sent; dicts keep their order, which a program chose."""
    match value:
        case str():
            return whole_characters(value)
        case dict():
            return {_sorted(key): _sorted(item) for key, item in cast("dict[Any, Any]", value).items()}
        case set() | frozenset():
            return sorted((_sorted(item) for item in cast("set[Any]", value)), key=repr)
        case list() | tuple():
            return [_sorted(item) for item in cast("list[Any]", value)]
        case BaseModel():
            return _sorted(value.model_dump(mode="json"))
        case _:
            return value


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} has no JSON: return text, JSON values, a pydantic model or media parts")
