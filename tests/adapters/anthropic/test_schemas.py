"""JSON Schemas in the subset that answers and arguments are held to."""

import copy
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from allm_rx.adapters.anthropic.schemas import closed_schema, schema_issues


class Port(BaseModel):
    name: str = Field(description="As on the chart", min_length=1, max_length=40)
    depth: Annotated[float, Field(gt=0)] | None = None


class Voyage(BaseModel):
    ports: list[Port] = Field(min_length=2)
    kind: Literal["cargo", "mail"]
    home: Port


def of(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": schema}, **more}


def inner(schema: dict[str, Any]) -> dict[str, Any]:
    return closed_schema(of(schema))["properties"]["x"]


def test_pydantic_model_is_closed() -> None:
    """Objects are closed wherever they stand, references stay, and what is optional stays so."""
    closed = closed_schema(Voyage.model_json_schema())

    assert schema_issues(Voyage.model_json_schema()) == []
    assert closed["additionalProperties"] is False
    assert closed["required"] == ["ports", "kind", "home"]
    assert closed["properties"]["home"] == {"$ref": "#/$defs/Port"}
    assert closed["$defs"]["Port"]["additionalProperties"] is False
    assert closed["$defs"]["Port"]["required"] == ["name"]


def test_bounds_are_told_in_words() -> None:
    """What cannot be held to is read by the model."""
    closed = closed_schema(Voyage.model_json_schema())

    assert closed["$defs"]["Port"]["properties"]["name"] == {
        "type": "string",
        "title": "Name",
        "description": "As on the chart (maxLength: 40, minLength: 1)",
    }
    assert closed["properties"]["ports"]["description"] == "minItems: 2"


def test_given_schema_is_not_changed() -> None:
    """Closing gives a new schema."""
    schema = Voyage.model_json_schema()
    before = copy.deepcopy(schema)

    closed_schema(schema)

    assert schema == before


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[A-Z]{3}$"},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1},
        {"type": ["string", "null"]},
        {"enum": ["a", 1, None]},
        {"const": "a"},
        {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    ],
)
def test_what_the_subset_has_stays(schema: dict[str, Any]) -> None:
    """Keywords that are held to are sent as they are."""
    assert inner(schema) == schema
    assert schema_issues(of(schema)) == []


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"type": "string", "format": "color"}, {"type": "string", "description": 'format: "color"'}),
        ({"type": "string", "pattern": "(?=a)b"}, {"type": "string", "description": 'pattern: "(?=a)b"'}),
        ({"type": "integer", "minimum": 0, "description": "n"}, {"type": "integer", "description": "n (minimum: 0)"}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"allOf": [{"type": "string"}], "title": "T"}, {"type": "string", "title": "T"}),
        ({"$ref": "#/$defs/A", "description": "dropped"}, {"$ref": "#/$defs/A"}),
        ({"type": "string", "examples": ["a"], "$comment": "c"}, {"type": "string"}),
        (
            {"properties": {}, "additionalProperties": False},
            {"type": "object", "properties": {}, "additionalProperties": False},
        ),
        (
            {"type": "object", "properties": {"y": {"type": "null"}}, "additionalProperties": True},
            {"type": "object", "properties": {"y": {"type": "null"}}, "additionalProperties": False},
        ),
    ],
)
def test_what_the_subset_has_not_is_said_otherwise(schema: dict[str, Any], closed: dict[str, Any]) -> None:
    """Spellings that mean the same, or narrow it, are changed without a word."""
    assert inner(schema) == closed
    assert schema_issues(of(schema, **{"$defs": {"A": {"type": "string"}}})) == []


@pytest.mark.parametrize(
    ("schema", "path", "code"),
    [
        ({"type": "object"}, (), "open_object"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, (), "open_object"),
        ({"type": "object", "properties": {}, "additionalProperties": True}, (), "open_object"),
        ({}, (), "no_type"),
        ({"type": "array", "items": True}, ("items",), "no_type"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, ("prefixItems",), "unsupported_keyword"),
        ({"type": "string", "not": {"const": "a"}}, ("not",), "unsupported_keyword"),
        ({"enum": [{"a": 1}]}, (), "complex_value"),
        ({"$ref": "https://quay.example/schema"}, ("$ref",), "external_reference"),
        ({"anyOf": [{"type": "null"}, {"type": "object"}]}, ("anyOf", 1), "open_object"),
    ],
)
def test_what_would_change_its_meaning_is_an_issue(schema: dict[str, Any], path: tuple[str | int, ...], code: str) -> None:
    """A schema that cannot be said is told with the way to it."""
    assert [(issue.path, issue.code) for issue in schema_issues(of(schema))] == [(("properties", "x", *path), code)]


class Crew(BaseModel):
    name: str
    below: list["Crew"] = []


def test_recursion_is_an_issue() -> None:
    """A schema that holds itself, directly or through others, is told where it does."""
    issues = schema_issues(Crew.model_json_schema())

    assert {issue.code for issue in issues} == {"recursive"}
    assert ("$defs", "Crew", "properties", "below", "items", "$ref") in {issue.path for issue in issues}
    assert [issue.code for issue in schema_issues(of({"$ref": "#"}))] == ["recursive"]


def test_recursion_through_others_is_an_issue() -> None:
    """Two schemas that hold each other are recursive, one that only leads to them is not itself."""
    leads: dict[str, Any] = {
        "A": {"$ref": "#/$defs/B"},
        "B": {"$ref": "#/$defs/A"},
        "C": {"type": "array", "items": {"$ref": "#/$defs/A"}},
    }

    issues = schema_issues(of({"$ref": "#/$defs/C"}, **{"$defs": leads}))

    assert ("properties", "x", "$ref") not in {issue.path for issue in issues}
    assert {issue.path for issue in issues} == {("$defs", "A", "$ref"), ("$defs", "B", "$ref"), ("$defs", "C", "items", "$ref")}


def test_reference_that_leads_nowhere_is_the_providers_to_refuse() -> None:
    """A name that is not defined is sent as it is."""
    assert schema_issues(of({"$ref": "#/$defs/no/where"})) == []


KEYWORDS = """
    type properties items anyOf oneOf allOf enum const $ref $defs required not format additionalProperties description
    minimum pattern minItems object string array # #/$defs/a a
"""
words = st.sampled_from(KEYWORDS.split())
schemas: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words, inside, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(words, schemas, max_size=5))
def test_any_schema_is_closed_or_told(schema: dict[str, Any]) -> None:
    """Whatever is given for a schema, closing it raises nothing."""
    schema_issues(schema)
    closed_schema(schema)
