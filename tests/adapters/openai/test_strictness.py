"""What strict mode refuses, with the path into the schema that was given."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from allm_rx.adapters.openai.schemas import strict_schema
from allm_rx.adapters.openai.strictness import strict_issues


class Oar(BaseModel):
    kind: Literal["oar"]
    length: int | None = None


class Sail(BaseModel):
    kind: Literal["sail"]


class Boat(BaseModel):
    """A boat with one drive, and boats on board."""

    drive: Annotated[Oar | Sail, Field(discriminator="kind")]
    tags: list[str] = []
    tenders: list["Boat"] = []


def test_models_as_people_write_them_are_fine() -> None:
    """Choices, options, lists and recursion have a strict form."""
    assert strict_issues(Boat.model_json_schema()) == []


def test_choice_between_models_is_any_of() -> None:
    """Strict mode knows no other word for it."""
    definitions: Any = strict_schema(Boat.model_json_schema())["$defs"]

    drive = definitions["Boat"]["properties"]["drive"]
    assert [choice["$ref"] for choice in drive["anyOf"]] == ["#/$defs/Oar", "#/$defs/Sail"]
    assert not {"oneOf", "discriminator"} & set(drive)


@pytest.mark.parametrize(
    ("node", "path", "code"),
    [
        ({"type": "object", "additionalProperties": {"type": "integer"}}, (), "open_object"),
        ({"type": "object", "properties": {}, "additionalProperties": True}, (), "open_object"),
        ({"type": "object"}, (), "open_object"),
        ({"title": "Anything"}, (), "no_type"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, ("prefixItems",), "unsupported_keyword"),
        ({"type": "string", "not": {"const": "x"}}, ("not",), "unsupported_keyword"),
        ({"allOf": [{"type": "string"}, {"type": "string"}]}, ("allOf",), "unsupported_keyword"),
        ({"type": "array", "items": {}}, ("items",), "no_type"),
        ({"type": "array", "items": True}, ("items",), "no_type"),
        ({"oneOf": [{"type": "string"}, {}]}, ("oneOf", 1), "no_type"),
    ],
)
def test_what_has_no_strict_form_is_found(node: Any, path: Any, code: str) -> None:
    """Wherever it stands, in a property or in a definition."""
    schema = {"type": "object", "properties": {"a": node}, "$defs": {"B": node}}

    found = [(issue.path, issue.code) for issue in strict_issues(schema)]

    assert found == [(("properties", "a", *path), code), (("$defs", "B", *path), code)]


@pytest.mark.parametrize("schema", [{"type": "array", "items": {"type": "string"}}, {"anyOf": [{"type": "string"}]}])
def test_root_has_to_be_an_object(schema: Any) -> None:
    """A list or a choice needs a field around it."""
    (issue,) = strict_issues(schema)

    assert (issue.path, issue.code) == ((), "not_an_object")
