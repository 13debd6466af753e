"""The values of a JSON text that are whole already."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.wire.json_members import JsonMembers, Member

Wanted = Literal["members", "elements"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)

TEXT = r"""{"a": 1, "b\"]": "q\\", "c" :[1, {"x": [2, "]"]}, "t,"], "d":{"e": [3]}, "f": true , "g": null}"""


def found(wanted: Wanted, *pieces: str) -> list[Member]:
    """What closes in a text that comes in these pieces."""
    members = JsonMembers(wanted)
    return [member for piece in pieces for member in members.feed(piece)]


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_the_members_of_an_object(cut: int) -> None:
    """Each with its key and its own text, wherever the text is cut."""
    assert found("members", TEXT[:cut], TEXT[cut:]) == [
        Member("a", "1"),
        Member('b"]', r'"q\\"'),
        Member("c", '[1, {"x": [2, "]"]}, "t,"]'),
        Member("d", '{"e": [3]}'),
        Member("f", "true"),
        Member("g", "null"),
    ]


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_the_elements_of_an_array_in_an_object(cut: int) -> None:
    """Only of arrays that are its own members, counted within each."""
    assert found("elements", TEXT[:cut], TEXT[cut:]) == [
        Member(0, "1", "c"),
        Member(1, '{"x": [2, "]"]}', "c"),
        Member(2, '"t,"', "c"),
    ]


def test_the_elements_of_an_array() -> None:
    """Arrays inside of it are elements like any other."""
    assert found("elements", '[1, [2, 3], {"a": [4]}, "b"]') == [
        Member(0, "1"),
        Member(1, "[2, 3]"),
        Member(2, '{"a": [4]}'),
        Member(3, '"b"'),
    ]


def test_a_value_comes_with_its_last_character() -> None:
    """A string, an object and an array close by themselves; a number when something else follows."""
    members = JsonMembers("members")

    assert [len(members.feed(piece)) for piece in ('{"a":', '"x"', ',"b":{}', ',"c":12', "3", ",")] == [0, 1, 1, 0, 0, 1]


NO_VALUES = ['"x"', "12", "null", "", "Sure!", "}", "]", '"', "[", ",", ":", '{"a"', '{"a":}', "{1: 2}", "[,]"]


@pytest.mark.parametrize("text", NO_VALUES)
@pytest.mark.parametrize("wanted", ["members", "elements"])
def test_what_holds_no_values_gives_none(text: str, wanted: Wanted) -> None:
    """Neither a scalar nor what is no JSON."""
    assert found(wanted, text) == []


@given(st.dictionaries(st.text(), JSON), st.integers(1, 7), st.sampled_from([None, 1]))
def test_members_are_those_of_the_parser(value: dict[str, Any], size: int, indent: int | None) -> None:
    """However the object is written and cut."""
    text = json.dumps(value, indent=indent, ensure_ascii=size % 2 == 0)

    members = found("members", *(text[start : start + size] for start in range(0, len(text), size)))

    assert {str(member.name): json.loads(member.text) for member in members} == value


@given(st.lists(JSON), st.integers(1, 7), st.sampled_from([None, 1]))
def test_elements_are_those_of_the_parser(value: list[Any], size: int, indent: int | None) -> None:
    """However the array is written and cut."""
    text = json.dumps(value, indent=indent)

    elements = found("elements", *(text[start : start + size] for start in range(0, len(text), size)))

    assert [json.loads(element.text) for element in elements] == value
    assert [element.name for element in elements] == list(range(len(value)))


@given(st.text('{}[]",:\\ a1') | st.text(), st.sampled_from(["members", "elements"]))
def test_no_text_is_too_much(text: str, wanted: Wanted) -> None:
    """Whatever is no JSON gives something or nothing, and raises nothing."""
    assert isinstance(found(wanted, text), list)


def test_only_what_was_asked_for_is_kept() -> None:
    """The list of a million elements in an object is never held as a whole."""
    members = JsonMembers("elements")

    members.feed('{"a": [')
    for _ in range(1000):
        members.feed('"x", ')

    assert members._kept is None  # pyright: ignore[reportPrivateUsage] # nothing else tells
