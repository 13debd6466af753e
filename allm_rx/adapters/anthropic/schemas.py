"""JSON Schemas in the subset that Anthropic holds a model to.

Rule 1: pure; the schema that was given is not changed.
Rule 2: what can be narrowed is narrowed (objects are closed), so every answer still fits the schema that was given.
Rule 3: bounds that the subset has no word for (`minimum`, `maxLength`, ...) move into the description, where the model reads
them; whoever parses the answer checks them.
Rule 4: what would change its meaning (open maps, recursion, tuples, `not`) is an issue with its path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import to_json

from allm_rx.errors import Issue
from allm_rx.wire.json_schema import UNSAYABLE, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from allm_rx.wire.capabilities import Path
    from allm_rx.wire.json_schema import Schema

_KEPT = frozenset({"type", "enum", "const", "description", "title", "required", "default"})
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_NOTES = frozenset({"$schema", "$id", "$comment", "examples", "deprecated", "readOnly", "writeOnly", "discriminator"})
"""Notes for people and programs; they say nothing about which values fit."""

_DEFINITIONS = ("$defs", "definitions")
_CHOICES = ("anyOf", "oneOf", "allOf")
_TYPED = ("type", "enum", "const", "properties", *_CHOICES)
_UNSAYABLE = UNSAYABLE | {"contains", "prefixItems", "propertyNames", "unevaluatedItems"}
"""Keywords without which other values fit, and which a description cannot stand for."""

_TOO_CLEVER = re.compile(r"\(\?[=!<]|\\[bB1-9]")
"""In a pattern: looking around, and back."""


def closed_schema(schema: Mapping[str, Any]) -> Schema:
    """Give a schema in the subset."""
    return _Closing(schema).node(dict(schema), ())


def schema_issues(schema: Mapping[str, Any]) -> list[Issue]:
    """Give what the subset cannot say of a schema, with paths into it."""
    closing = _Closing(schema)
    closing.node(dict(schema), ())
    return closing.issues


class _Closing:
    """One way through a schema."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.issues: list[Issue] = []
        self._root = dict(root)

    def node(self, schema: Any, path: Path) -> Schema:
        if not isinstance(schema, dict):
            self._refuse(path, "no_type", f"the schema {schema!r} allows anything: say which type the value has")
            return {}
        fields = cast("Schema", schema)
        definitions = {
            key: {name: self.node(item, (*path, key, name)) for name, item in _named(fields, key)}
            for key in _DEFINITIONS
            if key in fields
        }
        if isinstance(reference := fields.get("$ref"), str):
            self._check_reference(reference, (*path, "$ref"))
            return {**definitions, "$ref": reference}
        if not any(key in fields for key in _TYPED):
            self._refuse(path, "no_type", "a value of any type cannot be described to Anthropic: say which type it has")
        return {**definitions, **self._described(fields, path)}

    def _described(self, fields: Schema, path: Path) -> Schema:
        closed = {key: value for key, value in fields.items() if key in _KEPT}
        told: Schema = {}
        for key, value in fields.items():
            if key in _CHOICES and isinstance(value, list):
                self._choose(key, cast("list[Any]", value), closed, path)
            elif key == "items":
                closed[key] = self.node(value, (*path, key))
            elif _is_sayable(key, value):
                closed[key] = value
            elif key in _UNSAYABLE:
                self._refuse((*path, key), "unsupported_keyword", f"Anthropic takes no {key!r}: describe the value otherwise")
            elif key not in (*_KEPT, *_NOTES, *_DEFINITIONS, "properties", "additionalProperties"):
                told[key] = value
        if any(isinstance(value, (dict, list)) for value in _listed(fields)):
            self._refuse(
                path, "complex_value", "only texts, numbers, booleans and null can be listed: describe objects by `anyOf`"
            )
        if _is_object(fields):
            self._close(fields, closed, path)
        if told:
            rules = ", ".join(f"{key}: {to_json(value, fallback=repr).decode()}" for key, value in told.items())
            closed["description"] = f"{closed['description']} ({rules})" if closed.get("description") else rules
        return closed

    def _choose(self, key: str, value: list[Any], closed: Schema, path: Path) -> None:
        nodes = [self.node(item, (*path, key, index)) for index, item in enumerate(value)]
        if key == "allOf" and len(nodes) == 1:
            closed.update({name: item for name, item in nodes[0].items() if name not in closed})
        else:  # that exactly one of several models fits, as `oneOf` wants it, is so without being said
            closed["anyOf" if key == "oneOf" else key] = nodes

    def _close(self, fields: Schema, closed: Schema, path: Path) -> None:
        more = fields.get("additionalProperties")
        empty = not fields.get("properties")
        if empty and more is not False and (more is not None or "properties" not in fields):
            what = "an object with keys of any name cannot be described to Anthropic: name its properties, or list pairs"
            self._refuse(path, "open_object", what)
        closed.setdefault("type", "object")
        named = _named(fields, "properties")
        closed["properties"] = {name: self.node(item, (*path, "properties", name)) for name, item in named}
        closed["additionalProperties"] = False

    def _check_reference(self, reference: str, path: Path) -> None:
        if not reference.startswith("#"):
            self._refuse(path, "external_reference", f"{reference!r} leads out of the schema: put what it names into `$defs`")
        elif self._is_recursive(reference):
            self._refuse(path, "recursive", f"{reference!r} holds itself, which Anthropic does not take: spell its levels out")

    def _is_recursive(self, reference: str) -> bool:
        seen: set[str] = set()
        waiting = [reference]
        while waiting:
            for found in _references(target_of(waiting.pop(), self._root)):
                if found == reference:
                    return True
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
        return False

    def _refuse(self, path: Path, code: str, what: str) -> None:
        self.issues.append(Issue(path, code, what))


def _is_sayable(key: str, value: Any) -> bool:
    match key:
        case "format":
            return isinstance(value, str) and value in _FORMATS
        case "minItems":
            return isinstance(value, int) and value in (0, 1)
        case "pattern":
            return isinstance(value, str) and not _TOO_CLEVER.search(value)
        case _:
            return False


def _is_object(fields: Schema) -> bool:
    kind = fields.get("type")
    return "properties" in fields or kind == "object" or (isinstance(kind, list) and "object" in cast("list[Any]", kind))


def _named(fields: Schema, key: str) -> list[tuple[str, Any]]:
    value = fields.get(key)
    return list(cast("Schema", value).items()) if isinstance(value, dict) else []


def _listed(fields: Schema) -> list[Any]:
    value = fields.get("enum")
    return [*(cast("list[Any]", value) if isinstance(value, list) else []), fields.get("const")]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in cast("Schema", node).items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
