"""How a tool's value is written for the model."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel, RootModel

from allm_rx.data.parts import AudioPart, FilePart, ImagePart, TextPart
from allm_rx.data.tool_values import encoded, error_of, error_text

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON: SearchStrategy[Any] = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
PICTURE = ImagePart(data=b"\x89PNG", media_type="image/png")


class Unit(Enum):
    CELSIUS = "C"


class Place(BaseModel):
    name: str
    tags: set[str] = set()


@dataclass
class Point:
    x: int


class Numbers(BaseModel):
    all: set[int]


class NumberSet(RootModel[set[int]]):
    pass


@dataclass
class NumberHolder:
    all: set[int]


@pytest.mark.parametrize("text", ["", "sunny", '{"a": 1}', "grüß\n"])
def test_text_is_unchanged(text: str) -> None:
    """It is not JSON, and need not be."""
    assert encoded(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (0.5, "0.5"),
        ([1, "a"], '[1,"a"]'),
        ((1, 2), "[1,2]"),
        ({"b": 1, "a": {"c": None}}, '{"b":1,"a":{"c":null}}'),
        ({1: "a"}, '{"1":"a"}'),
        ({3, 1, 2}, "[1,2,3]"),
        (Place(name="Oslo", tags={"b", "a"}), '{"name":"Oslo","tags":["a","b"]}'),
        ([Place(name="Oslo")], '[{"name":"Oslo","tags":[]}]'),
        (Point(1), '{"x":1}'),
        (Unit.CELSIUS, '"C"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=0), '"00000000-0000-0000-0000-000000000000"'),
        (float("nan"), '"NaN"'),
        ({"a": "x\ud800y"}, '{"a":"x\ufffdy"}'),
    ],
)
def test_values_become_compact_json(value: Any, text: str) -> None:
    """What JSON has, and what is usually written so."""
    assert encoded(value) == text


@given(JSON)
def test_whatever_json_holds_is_json(value: Any) -> None:
    """A provider that reads results as JSON can."""
    text = encoded([value])

    assert isinstance(text, str)
    assert isinstance(json.loads(text, parse_constant=refuse), list)


def refuse(name: str) -> None:
    """Python would read `NaN`; others do not."""
    raise ValueError(name)


WRAPPERS: list[Callable[[set[int]], Any]] = [
    lambda value: value,
    frozenset,
    lambda value: [1, value],
    lambda value: {"a": {2: value}},
    lambda value: Numbers(all=value),
    lambda value: [Numbers(all=value)],
    lambda value: NumberSet(value),
    lambda value: NumberHolder(value),
]


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_sets_are_written_in_a_fixed_order(wrap: Callable[[set[int]], Any]) -> None:
    """So that a prompt cache finds equal values, wherever in a value the set is."""
    one, other = {8, 0, 16}, {16, 8, 0}

    assert encoded(wrap(one)) == encoded(wrap(other))
    assert "[0,16,8]" in str(encoded(wrap(one)))


@pytest.mark.parametrize("part", [PICTURE, FilePart(file_id="f"), AudioPart(url="https://a"), TextPart(text="a")])
def test_a_part_stays_a_part(part: Any) -> None:
    """Where the provider takes them."""
    assert encoded(part) == (part,)


def test_parts_and_texts_may_be_mixed() -> None:
    """As in a message."""
    assert encoded(["A map:", PICTURE]) == (TextPart(text="A map:"), PICTURE)


def test_a_list_of_texts_is_json() -> None:
    """Without media there is nothing to keep apart."""
    assert encoded(["a", "b"]) == '["a","b"]'


def recursive() -> list[Any]:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


NOT_JSON: list[Callable[[], Any]] = [object, lambda: b"\xff", lambda: {1: object()}, lambda: print, recursive]


@pytest.mark.parametrize("make", NOT_JSON)
def test_anything_else_is_an_error(make: Callable[[], Any]) -> None:
    """No model is told an address in memory."""
    with pytest.raises(Exception, match=r".+"):
        encoded(make())


def test_the_error_says_what_to_return() -> None:
    """It reaches the author of the tool."""
    with pytest.raises(Exception, match=r"a object has no JSON: return text, JSON values, a pydantic model or media parts"):
        encoded(object())


# Errors.


def test_an_error_is_structured_json() -> None:
    """The model can tell what went wrong from what was said."""
    assert error_text("timeout", 'Too "slow".') == '{"error":{"reason":"timeout","message":"Too \\"slow\\"."}}'


def test_an_error_of_strange_text_can_be_written() -> None:
    """An exception may quote anything."""
    assert error_text("timeout", "\ud800") == '{"error":{"reason":"timeout","message":"\ufffd"}}'


@given(st.sampled_from(["timeout", "not_executed"]), st.text())
def test_an_error_can_be_read_back(reason: str, message: str) -> None:
    """As data, of a session that was loaded."""
    assert error_of(error_text(reason, message)) == (reason, message)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sunny",
        '{"error":"no"}',
        '{"error":{"reason":"mine"}}',
        '{"error":{"reason":["timeout"]}}',
        '{"error":{"reason":',
        '{"error":{"reason":"timeout"}',
    ],
)
def test_what_a_tool_says_itself_is_no_error_of_ours(text: str) -> None:
    """However like one it looks."""
    assert error_of(text) is None
