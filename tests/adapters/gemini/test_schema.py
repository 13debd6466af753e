"""JSON Schemas on their way to Gemini."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field

from allm_rx.adapters.gemini.generate_content.schema import gemini_schema, has_arguments, unread


class Port(BaseModel):
    name: str


class Trip(BaseModel):
    start: Port = Field(description="Where it begins.")
    end: Port
    kind: str = Field(pattern="sail|row")


LOOP: dict[str, Any] = {
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node", "description": "The next."}}}},
    "$ref": "#/$defs/Node",
}

LOST: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
    ({"properties": {"a": {"not": {}}}}, ("properties", "a", "not")),
    ({"$defs": {"A": {"if": {}}}}, ("$defs", "A", "if")),
    ({"anyOf": [{}, {"patternProperties": {}}]}, ("anyOf", 1, "patternProperties")),
    ({"items": {"$ref": "https://lake.example/schema"}}, ("items", "$ref")),
    ({"items": {"$ref": "#/$defs/Missing"}}, ("items", "$ref")),
    ({"allOf": [{"type": "string"}, {"type": "object"}]}, ("allOf",)),
]


def test_schema_in_known_words_is_sent_as_it_is() -> None:
    """References, unions, lists of types and closed objects are understood."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"A": {"type": ["string", "null"], "pattern": "x+"}},
    }

    assert gemini_schema(schema) == schema


def test_reference_with_neighbours_is_written_out() -> None:
    """A reference must stand alone, so one with a description becomes what it refers to."""
    start = gemini_schema(Trip.model_json_schema())["properties"]["start"]

    assert start == {
        "properties": {"name": {"title": "Name", "type": "string"}},
        "required": ["name"],
        "title": "Port",
        "type": "object",
        "description": "Where it begins.",
    }


def test_reference_to_itself_stays_a_reference() -> None:
    """A schema that goes on for ever is written once."""
    node = gemini_schema(LOOP)["$defs"]["Node"]

    assert node["properties"]["next"]["properties"]["next"] == {"$ref": "#/$defs/Node"}


def test_references_that_multiply_are_bounded() -> None:
    """A schema whose references double at every level is still written, in time."""
    defs: dict[str, Any] = {
        f"N{at}": {"properties": {side: {"$ref": f"#/$defs/N{at + 1}", "title": side} for side in "lr"}} for at in range(40)
    }

    written = gemini_schema({"$defs": {**defs, "N40": {"type": "string"}}, "$ref": "#/$defs/N0"})

    assert len(json.dumps(written)) < 1_000_000


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"const": "a"}, {"enum": ["a"]}),
        ({"oneOf": [{"const": 1}, {"type": "string"}]}, {"anyOf": [{"enum": [1]}, {"type": "string"}]}),
        ({"allOf": [{"type": "string"}], "title": "T"}, {"type": "string", "title": "T"}),
        ({"$schema": "x", "$id": "y", "type": "string"}, {"type": "string"}),
        ({"items": {"const": 1}}, {"items": {"enum": [1]}}),
        ({"prefixItems": [{"const": 1}]}, {"prefixItems": [{"enum": [1]}]}),
        ({"additionalProperties": {"const": 1}}, {"additionalProperties": {"enum": [1]}}),
    ],
)
def test_other_words_are_put_into_known_ones(given: dict[str, Any], written: dict[str, Any]) -> None:
    """What can be said in words that are read, is."""
    assert gemini_schema(given) == written


def test_schema_that_is_its_own_part_is_written() -> None:
    """Parts that contain themselves are put together a few times, then left."""
    assert "allOf" in json.dumps(gemini_schema({"allOf": [{"$ref": "#"}], "type": "object"}))


def test_chain_of_references_is_bounded() -> None:
    """A schema that refers to the next, and so on, is not followed to any depth."""
    defs: dict[str, Any] = {
        f"N{at}": {"type": "object", "properties": {"n": {"$ref": f"#/$defs/N{at + 1}", "title": "n"}}} for at in range(400)
    }

    written = gemini_schema({"$defs": {**defs, "N400": {"type": "string"}}, "$ref": "#/$defs/N0"})

    assert '{"$ref": "#/$defs/N33"}' in json.dumps(written["$defs"]["N0"])


def test_parts_are_put_together() -> None:
    """An `allOf` becomes one object, references in it included."""
    schema: dict[str, Any] = {
        "$defs": {"A": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}},
        "allOf": [{"$ref": "#/$defs/A"}, {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}],
    }

    written = gemini_schema(schema)

    assert (list(written["properties"]), written["required"]) == (["b", "a"], ["a", "b"])


def test_given_schema_is_not_changed() -> None:
    """The caller's schema stays what it is."""
    schema = Trip.model_json_schema()

    gemini_schema(schema)

    assert schema == Trip.model_json_schema()


@pytest.mark.parametrize(("schema", "path"), LOST)
def test_what_would_be_lost_is_found(schema: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Words that shape a value and are not read are told with their path."""
    assert [where for where, _ in unread(schema)] == [path]


@pytest.mark.parametrize("schema", [{"properties": {"not": {"type": "string"}}}, Trip.model_json_schema(), LOOP])
def test_what_is_read_is_not_complained_about(schema: dict[str, Any]) -> None:
    """A property may be called like a keyword, and limits on values are checked by who asked."""
    assert list(unread(schema)) == []


@pytest.mark.parametrize(
    ("schema", "takes"),
    [
        ({"type": "object", "properties": {}}, False),
        ({"type": "object", "properties": {}, "required": [], "additionalProperties": False, "title": "T"}, False),
        ({"type": "object", "additionalProperties": {"type": "string"}}, True),
        ({"type": "object", "properties": {"a": {}}}, True),
        ({"$ref": "#/$defs/A", "$defs": {}}, True),
    ],
)
def test_empty_parameters_are_known(schema: dict[str, Any], takes: bool) -> None:
    """A tool without arguments is told from one with any."""
    assert has_arguments(schema) is takes
