"""Whether Google's own package takes a body: its typed request models, which refuse fields they do not know."""

from typing import Any, cast

from google.genai import types
from pydantic import BaseModel

_FIELDS: dict[str, type[BaseModel]] = {
    "systemInstruction": types.Content,
    "contents": types.Content,
    "tools": types.Tool,
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
    "safetySettings": types.SafetySetting,
}


def accepted(body: dict[str, Any]) -> dict[str, Any]:
    """Give what the package's models make of a body.

    Raises:
        ValidationError: of pydantic, a field is unknown or has another shape.
        KeyError: the body has another field.
    """
    return {name: _read(_FIELDS[name], value) for name, value in body.items()}


def _read(model: type[BaseModel], value: Any) -> Any:
    if isinstance(value, list):
        return [_read(model, item) for item in cast("list[Any]", value)]
    return model.model_validate(value).model_dump(exclude_none=True)
