"""What OpenAI's strict mode has no form for in a JSON Schema, found before anything is sent.

Rule 1: only what is certain is an issue; what one model takes and another does not, the provider decides.
Rule 2: paths lead into the schema as it was given, not into what `strict_schema` makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.adapters.openai.schemas import strict_schema
from allm_rx.errors import Issue
from allm_rx.wire.json_schema import UNSAYABLE
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from allm_rx.wire.capabilities import Path

_REFUSED = UNSAYABLE | {"prefixItems"}
_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "oneOf", "allOf")
_TYPED = ("type", "$ref", "enum", "const", "properties", *_LISTED)


def strict_issues(schema: Mapping[str, JsonValue]) -> list[Issue]:
    """Give what strict mode refuses of a schema, with paths into it."""
    issues = list(_node(dict(schema), ()))
    if not issues and (kind := strict_schema(schema).get("type")) != "object":
        what = f"OpenAI's strict mode wants an object, not {kind or 'a choice'!r}: put the value into a field of one"
        issues.append(Issue((), "not_an_object", what))
    return issues


def _node(node: Any, path: Path) -> Iterator[Issue]:
    fields = as_object(node)
    if not any(key in fields for key in _TYPED):
        yield Issue(path, "no_type", "OpenAI's strict mode takes no value of any type: say which type it has")
    for key, value in fields.items():
        where = (*path, key)
        if key in _REFUSED:
            yield Issue(where, "unsupported_keyword", f"OpenAI's strict mode takes no {key!r}: describe the value otherwise")
        elif key in _NAMED and isinstance(value, dict):
            for name, item in cast("dict[str, Any]", value).items():
                yield from _node(item, (*where, name))
        elif key in _LISTED and isinstance(value, list):
            yield from _choices(key, cast("list[Any]", value), where)
        elif key == "items":
            yield from _node(value, where)
    if _is_open(fields):
        what = "OpenAI's strict mode takes no object with keys of any name: name its properties, or list pairs"
        yield Issue(path, "open_object", what)


def _choices(key: str, choices: list[Any], path: Path) -> Iterator[Issue]:
    if key == "allOf" and len(choices) > 1:
        yield Issue(path, "unsupported_keyword", "OpenAI's strict mode takes no 'allOf': write its parts out as one schema")
    for index, item in enumerate(choices):
        yield from _node(item, (*path, index))


def _is_open(fields: dict[str, Any]) -> bool:
    more = fields.get("additionalProperties")
    if more is None:
        return fields.get("type") == "object" and "properties" not in fields
    return more is not False
