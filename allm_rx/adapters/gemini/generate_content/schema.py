"""JSON Schemas as Gemini reads them: its fields for JSON Schema, not those for its subset of OpenAPI.

`parametersJsonSchema` and `responseJsonSchema` take references, unions, lists of types and closed objects as they are, so a
schema is sent nearly as it was given. What they read otherwise is written in words they know.

Rule 1: pure; the schema that was given is not changed.
Rule 2: written otherwise: `const` (an `enum` of one), `oneOf` (`anyOf`), `allOf` (its parts, put together), and a reference
with neighbours (what it refers to, and the neighbours).
Rule 3: a keyword that is not known is not read. One that only narrows a value (`pattern`, `multipleOf`) is sent all the same;
one that shapes it (`not`, `if`, `patternProperties`) would be lost, so a strict schema with one is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.wire.json_schema import UNSAYABLE, target_of
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from allm_rx.wire.capabilities import Path
    from allm_rx.wire.json_schema import Schema

_NAMED = ("properties", "$defs", "definitions")
"""Keywords with schemas by name."""
_NESTED = ("items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties")
"""Keywords with a schema, or a list of them."""
_UNREAD = UNSAYABLE | {"contains", "propertyNames", "unevaluatedItems"}
_ABOUT = frozenset({"$schema", "$id", "$comment"})
"""Keywords about the schema itself, of no use to a model."""
_MOST = 10_000
"""Schemas that are written; references that lead to each other could go on for ever."""
_DEEPEST = 32
"""Schemas that are written into each other's places."""


def gemini_schema(schema: Mapping[str, JsonValue]) -> Schema:
    """Give a schema in the words that Gemini reads."""
    return _Writer(schema).write(dict(schema))


def has_arguments(schema: Mapping[str, JsonValue]) -> bool:
    """Tell whether a tool's parameters take anything; old models refuse an object without properties."""
    plain = {"type", "properties", "required", "title", "description", "additionalProperties", *_ABOUT}
    return bool(schema.get("properties") or schema.keys() - plain or schema.get("additionalProperties"))


def unread(schema: Mapping[str, JsonValue]) -> Iterator[tuple[Path, str]]:
    """Give what of a schema would be lost: the path, and the keyword or reference there."""
    yield from _unread(dict(schema), dict(schema), ())


def _unread(node: Any, root: Schema, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, list):
        for index, item in enumerate(node):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            yield from _unread(item, root, (*path, index))
        return
    fields = as_object(node)
    for key, value in fields.items():
        where = (*path, key)
        if key in _UNREAD:
            yield where, key
        elif key == "$ref" and target_of(value, root) is None:
            yield where, f"$ref {value!r}"
        elif key == "allOf" and _together(fields, root) is None:
            yield where, key
        elif key in _NAMED:
            for name, item in as_object(value).items():
                yield from _unread(item, root, (*where, name))
        elif key in _NESTED:
            yield from _unread(value, root, where)


class _Writer:
    """One schema, while it is written."""

    def __init__(self, root: Mapping[str, JsonValue]) -> None:
        self._root: Schema = dict(root)
        self._left = _MOST
        self._inside: list[str] = []  # references and parts that are being written out

    def write(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.write(item) for item in node]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(node, dict):
            return node
        self._left -= 1
        fields = as_object(node)
        reference = fields.get("$ref")
        if isinstance(reference, str) and any(not key.startswith("$") for key in fields):
            return self._written_out(reference, fields)
        together = _together(fields, self._root) if "allOf" in fields and self._goes_on() else None
        if together is not None:
            self._inside.append("allOf")
            written = self.write(together)
            self._inside.pop()
            return written
        written: Schema = {}
        for key, value in fields.items():
            if key in _NAMED:
                written[key] = {name: self.write(item) for name, item in as_object(value).items()}
            elif key == "const":
                written.setdefault("enum", [value])
            elif key in _NESTED:
                written["anyOf" if key == "oneOf" else key] = self.write(value)
            elif key not in _ABOUT:
                written[key] = value
        return written

    def _goes_on(self) -> bool:
        return self._left > 0 and len(self._inside) < _DEEPEST

    def _written_out(self, reference: str, fields: Schema) -> Schema:
        """Write out a reference whose neighbours would be refused; one to where it stands itself stays, without them."""
        target = target_of(reference, self._root)
        if target is None or reference in self._inside or not self._goes_on():
            return {"$ref": reference}
        self._inside.append(reference)
        written = self.write({**target, **{key: value for key, value in fields.items() if key != "$ref"}})
        self._inside.pop()
        return written


def _together(fields: Schema, root: Schema) -> Schema | None:
    """Put the parts of an `allOf` into one schema; None when they contradict, or cannot be told apart from a cycle."""
    parts = fields["allOf"]
    result: Schema = {key: value for key, value in fields.items() if key != "allOf"}
    for part in parts if isinstance(parts, list) else ():  # pyright: ignore[reportUnknownVariableType]
        inner = as_object(part)
        if set(inner) == {"$ref"}:
            inner = target_of(inner["$ref"], root) or inner
        for key, value in inner.items():
            before = result.get(key)
            if key not in result or before == value:
                result[key] = value
            elif key == "properties":
                result[key] = {**as_object(value), **as_object(before)}
            elif key == "required" and isinstance(before, list) and isinstance(value, list):
                result[key] = [*before, *(name for name in value if name not in before)]  # pyright: ignore[reportUnknownVariableType]
            elif key not in ("title", "description", "default"):
                return None
    return result
