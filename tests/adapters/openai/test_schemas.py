"""Schemas for strict mode."""

from typing import Any

from allm_rx.adapters.openai.schemas import strict_schema

POINT: Any = {"type": "object", "properties": {"x": {"type": "integer", "default": 0}, "y": {"default": None}}}


def test_object_is_closed_and_requires_everything() -> None:
    """A default of null goes, any other stays."""
    assert strict_schema(POINT) == {
        "type": "object",
        "properties": {"x": {"type": "integer", "default": 0}, "y": {}},
        "additionalProperties": False,
        "required": ["x", "y"],
    }


def test_given_schema_is_not_changed() -> None:
    """The function is pure."""
    before: Any = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}
    given: Any = {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}

    strict_schema(given)

    assert given == before


def test_objects_are_closed_wherever_they_are() -> None:
    """In lists, alternatives and definitions."""
    either: Any = [{"type": "null"}, {"type": "object", "properties": {}}]
    schema: Any = {"type": "array", "items": {"anyOf": either}, "$defs": {"P": POINT}}

    strict = strict_schema(schema)

    items: Any = strict["items"]
    definitions: Any = strict["$defs"]
    assert items["anyOf"][1]["additionalProperties"] is False
    assert definitions["P"]["required"] == ["x", "y"]


def test_reference_with_neighbours_is_written_out() -> None:
    """Strict mode refuses words beside a reference; a bare one stays."""
    schema: Any = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/P", "description": "d"}, "b": {"$ref": "#/$defs/P"}},
        "$defs": {"P": POINT},
    }

    properties: Any = strict_schema(schema)["properties"]

    assert properties["a"] == {**strict_schema(POINT), "description": "d"}
    assert properties["b"] == {"$ref": "#/$defs/P"}


def test_alternative_of_one_is_written_out() -> None:
    """`allOf` with one entry is that entry."""
    properties: Any = strict_schema({"properties": {"a": {"allOf": [{"type": "string"}], "title": "A"}}})["properties"]

    assert properties["a"] == {"type": "string", "title": "A"}


def test_reference_to_nowhere_and_open_map_stay() -> None:
    """What has no strict form is left to the provider to refuse."""
    schema: Any = {
        "properties": {
            "a": {"$ref": "#/nowhere", "title": "A"},
            "m": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    }

    properties: Any = strict_schema(schema)["properties"]

    assert properties["a"] == {"$ref": "#/nowhere", "title": "A"}
    assert properties["m"]["additionalProperties"] == {"type": "integer"}


def test_reference_to_itself_ends() -> None:
    """A schema that contains itself is written out only so deep."""
    schema: Any = {"$defs": {"N": {"properties": {"next": {"$ref": "#/$defs/N", "title": "n"}}}}, "$ref": "#/$defs/N"}

    assert strict_schema(schema)["required"] == ["next"]
