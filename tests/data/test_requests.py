"""Requests: the short ways to write an option mean the same as the long ones."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pydantic
import pytest

from allm_rx.data.messages import user
from allm_rx.data.requests import JsonSchema, PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ValidationError

Item = TypeVar("Item")


class City(pydantic.BaseModel):
    """A town."""

    name: str


class Page(pydantic.BaseModel, Generic[Item]):
    """Some of many."""

    items: list[Item]


class Job(pydantic.BaseModel):
    """Something no JSON Schema tells."""

    run: Callable[[], int]


LONG = pydantic.create_model("L" * 80)


def request(**options: Any) -> Request:
    """A request with some options."""
    return Request(messages=(user("hi"),), **options)


def test_nothing_is_given_by_default() -> None:
    """None means that the engine or the provider decides, so a request decides nothing by itself."""
    fields = dict(request())

    assert {name for name, value in fields.items() if value not in (None, {}, ())} == {"messages"}


def test_a_class_becomes_its_schema_at_once() -> None:
    """A request is data; the class is not kept."""
    expected = {
        "title": "City",
        "description": "A town.",
        "type": "object",
        "properties": {"name": {"title": "Name", "type": "string"}},
        "required": ["name"],
    }

    assert request(response_format=City).response_format == JsonSchema(name="City", json_schema=expected)


def test_a_generic_class_gets_a_name_that_providers_accept() -> None:
    """Brackets are no letters of a schema's name, and it has at most 64."""
    for model, name in ((Page[City], "Page_City_"), (Page[Page[Page[City]]], "Page_Page_Page_City___"), (LONG, "L" * 64)):
        asked = request(response_format=model).response_format

        assert isinstance(asked, JsonSchema)
        assert asked.name == name


def test_a_class_without_a_schema_is_a_validation_error() -> None:
    """What JSON cannot tell, no model can answer."""
    with pytest.raises(ValidationError, match=r"response_format: Job has no JSON Schema: .*; use fields that JSON can hold"):
        request(response_format=Job)


def test_a_schema_may_be_written_by_hand() -> None:
    """Any JSON Schema does."""
    schema = {"type": "object"}

    asked = request(response_format=json_schema(schema, name="x", strict=False)).response_format

    assert asked == JsonSchema(name="x", json_schema=schema, strict=False)


@pytest.mark.parametrize("word", ["json_object", "text"])
def test_a_word_asks_for_json_or_text(word: str) -> None:
    """No schema is needed to ask for JSON."""
    assert request(response_format=word).response_format == word


@pytest.mark.parametrize("wrong", ["json", 5, int, {"type": "object"}])
def test_another_answer_format_is_refused(wrong: object) -> None:
    """A format nobody knows is told at its field."""
    with pytest.raises(ValidationError) as caught:
        request(response_format=wrong)

    assert {issue.path[0] for issue in caught.value.errors} == {"response_format"}


def test_a_word_of_effort_is_short_for_reasoning() -> None:
    """The commonest option is one word."""
    assert request(reasoning="high").reasoning == Reasoning(effort="high")


@pytest.mark.parametrize(("given", "cache"), [(True, PromptCache()), (False, None), (None, None)])
def test_a_prompt_cache_is_switched_on_and_off(given: object, cache: PromptCache | None) -> None:
    """A flag is enough where no key is needed."""
    assert request(prompt_cache=given).prompt_cache == cache


def test_one_stop_text_needs_no_list() -> None:
    """A string is one text, not its letters."""
    assert request(stop="END").stop == ("END",)
    assert request(stop=["a", "b"]).stop == ("a", "b")


def test_function_tools_are_those_the_application_runs() -> None:
    """Tools of the provider are not ours to run."""
    ours = Tool(name="f")

    assert request(tools=[provider_tool("gemini", {"googleSearch": {}}), ours]).function_tools == (ours,)


def test_tools_are_told_apart_in_json() -> None:
    """A loaded request has the same kinds of tools."""
    tools = (Tool(name="f"), provider_tool("gemini", {"googleSearch": {}}))

    assert Request.model_validate_json(request(tools=tools).model_dump_json()).tools == tools
