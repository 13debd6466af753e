"""JSON Schemas in the narrow form that OpenAI's strict mode takes.

Rule 1: pure; the schema that was given is not changed.
Rule 2: what strict mode has no form for (an open map) stays as it is, and the provider says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

_DEEPEST = 64
"""References are written out only this deep, so that a schema that refers to itself cannot go on for ever."""


def strict_schema(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Give a schema whose objects are closed and require all their properties.

    Optional properties become required, as strict mode wants it: the model then writes their default or null itself.
    """
    root = dict(schema)
    return cast("dict[str, JsonValue]", _node(root, root, 0))


def _node(node: Any, root: dict[str, Any], depth: int) -> Any:
    if isinstance(node, list):
        return [_node(item, root, depth) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    fields = _written_out(fields, root, depth)
    strict: dict[str, Any] = {}
    for key, value in fields.items():
        if key in ("properties", "$defs", "definitions") and isinstance(value, dict):
            named = cast("dict[str, Any]", value)
            strict[key] = {name: _node(item, root, depth + 1) for name, item in named.items()}
        elif key in ("items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties", "not"):
            # Strict mode refuses `oneOf`; that exactly one of several models fits is so without being said.
            strict["anyOf" if key == "oneOf" else key] = _node(value, root, depth + 1)
        elif key != "discriminator" and not (key == "default" and value is None):
            strict[key] = value
    if strict.get("type") == "object" or "properties" in strict:
        strict.setdefault("additionalProperties", False)
        strict["required"] = list(cast("dict[str, Any]", strict.get("properties") or {}))
    return strict


def _written_out(fields: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    """Replace a reference with neighbours, and an `allOf` of one, by what they stand for: strict mode refuses both."""
    alternatives = fields.get("allOf")
    if isinstance(alternatives, list) and len(cast("list[Any]", alternatives)) == 1:
        only = cast("list[Any]", alternatives)[0]
        if isinstance(only, dict):
            fields = {**cast("dict[str, Any]", only), **{key: value for key, value in fields.items() if key != "allOf"}}
    reference = fields.get("$ref")
    if isinstance(reference, str) and len(fields) > 1 and depth < _DEEPEST:
        target = _target(reference, root)
        if target is not None:
            return {**target, **{key: value for key, value in fields.items() if key != "$ref"}}
    return fields


def _target(reference: str, root: dict[str, Any]) -> dict[str, Any] | None:
    node: Any = root
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(node, dict) or step not in node:
            return None
        node = cast("dict[str, Any]", node)[step]
    return cast("dict[str, Any]", node) if isinstance(node, dict) else None
