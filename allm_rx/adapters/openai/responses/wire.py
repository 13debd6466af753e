"""What both directions of the Responses API share.

Rule: what is kept of an item for the next turn is its own words, under `provider_data["openai.responses"]`:

| part | what is kept |
|---|---|
| text | the part's fields beside its text, `refusal`, and as `message` the fields of the item around it |
| reasoning | the item; where it is several parts, on the last of them, and `item_id` on the others |
| call of the application's tools | the item without what the call itself holds: its id, name and arguments |
| anything else | the item; of a picture without its data |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic_core import to_json

from allm_rx.wire.shapes import as_object
from allm_rx.wire.text import repair_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from allm_rx.data.parts import Part

DIALECT: Final[Literal["openai.responses"]] = "openai.responses"
"""Our key in `provider_data`."""

Wire = dict[str, Any]
"""JSON of the API."""


def own(part: Part) -> dict[str, JsonValue]:
    """Give what this protocol keeps with a part; foreign keys are not looked at."""
    return as_object(part.provider_data.get(DIALECT))


def kept(data: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Give `provider_data` that keeps something for the next turn; nothing keeps nothing."""
    return {DIALECT: repair_json(dict(data))} if data else {}


def without(item: Mapping[str, Any], *names: str) -> Wire:
    """Give an item without some of its fields."""
    return {name: value for name, value in item.items() if name not in names}


def as_json(value: Any) -> str:
    """Give JSON as text, be it sent as such or as the data themselves."""
    if isinstance(value, str):
        return value
    return "" if value is None else to_json(repair_json(value)).decode()
