"""How a tool's value is written for the model: deterministic, and an error where it cannot be."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any, cast

from pydantic import RootModel
from pydantic_core import to_json, to_jsonable_python

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
    dumped = to_jsonable_python(value, fallback=_refuse)
    return to_json(_ordered(dumped, value), inf_nan_mode="strings").decode()


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


def _ordered(dumped: Any, value: Any) -> Any:
    """Give what was dumped of a value, with a fixed order where that was a set, and texts of whole characters.

    Other mappings and models keep their order, which a program chose.
    """
    if isinstance(value, RootModel):
        value = cast("RootModel[Any]", value).root
    if isinstance(dumped, str):
        return whole_characters(dumped)
    if isinstance(dumped, dict):
        members = _members(cast("dict[str, Any]", dumped), value)
        return {key: _ordered(item, members.get(key)) for key, item in cast("dict[str, Any]", dumped).items()}
    if isinstance(dumped, list):
        items = cast("list[Any]", dumped)
        if isinstance(value, (set, frozenset)):
            return sorted((_ordered(item, None) for item in items), key=to_json)
        given = cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()
        return [_ordered(item, member) for item, member in zip_longest(items, given[: len(items)])]
    return dumped


def _members(dumped: dict[str, Any], value: Any) -> dict[str, Any]:
    """Give what the entries of a dumped mapping were before."""
    if isinstance(value, dict):
        members = cast("dict[Any, Any]", value)
        return dict(zip(dumped, members.values(), strict=True)) if len(members) == len(dumped) else {}
    kind = cast("type[Any]", type(value))
    fields: Any = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", ())
    return {name: getattr(value, name) for name in fields if name in dumped}


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} has no JSON: return text, JSON values, a pydantic model or media parts")
