"""Whether Anthropic's own package takes a body: its typed request models, read to the last block."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from anthropic.types.message_create_params import MessageCreateParamsStreaming
from pydantic import BaseModel, TypeAdapter

_BODY: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsStreaming)


def accepted(body: dict[str, Any]) -> dict[str, Any]:
    """Give what the package's models make of a body; what they have no field for is missing in it.

    Raises:
        ValidationError: of pydantic, the body is none.
    """
    return _read(_BODY.validate_python(body))


def _read(value: Any) -> Any:
    """Read everything in a value; the models check lists only while they are read."""
    if isinstance(value, BaseModel):  # a block of an answer, which the package takes back as it is
        return _read(value.model_dump(exclude_unset=True))
    if isinstance(value, Mapping):
        return {key: _read(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple, Iterator)):
        return [_read(item) for item in cast("Iterator[Any]", value)]
    return value
