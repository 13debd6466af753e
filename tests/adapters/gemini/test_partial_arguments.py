"""Arguments that arrive by path, as a value and as text."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.gemini.generate_content.partial_arguments import PartialArguments


def piece(path: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {"jsonPath": path, "nullValue": "NULL_VALUE"}
    kind = "boolValue" if isinstance(value, bool) else "stringValue" if isinstance(value, str) else "numberValue"
    return {"jsonPath": path, kind: value}


def told(*pieces: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give the text that the pieces make, one at a time, and the value."""
    arguments = PartialArguments()
    text = "".join(arguments.feed([one]) for one in pieces)
    return text + arguments.finish(), arguments.value


def test_text_of_one_path_is_appended() -> None:
    """A text grows, an empty piece ends it without changing it."""
    pieces = [piece("$.to", "nö"), piece("$.to", 'rt"h'), piece("$.to", "")]

    assert told(*pieces) == ('{"to":"nört\\"h"}', {"to": 'nört"h'})


def test_text_may_go_on_after_another_path() -> None:
    """The value is right even where the text cannot tell it any more."""
    text, value = told(piece("$.a", "x"), piece("$.b", 1), piece("$.a", "y"))

    assert value == {"a": "xy", "b": 1}
    assert text == '{"a":"x","b":1'


def test_halves_of_a_character_are_joined() -> None:
    """A character that is cut by UTF-16 units is one character, a lone half is replaced."""
    assert told(piece("$.a", "\ud83c"), piece("$.a", "\udf0a\ud83c")) == ('{"a":"🌊\ufffd"}', {"a": "🌊\ufffd"})


@pytest.mark.parametrize("value", [0, 1.5, True, False, None, ""])
def test_value_of_any_kind_is_kept(value: Any) -> None:
    """Numbers, booleans, null and empty text are told apart."""
    text, given_back = told(piece("$.a", value))

    assert (json.loads(text), given_back) == ({"a": value}, {"a": value})


def test_objects_and_arrays_nest() -> None:
    """Paths lead through names and positions."""
    pieces = [
        piece("$.a.b[0].c", 1),
        piece("$.a.b[0].d[0]", 2),
        piece("$.a.b[0].d[1]", 3),
        piece("$.a.b[1].c", 4),
        piece("$.e", 5),
    ]

    text, value = told(*pieces)

    assert value == {"a": {"b": [{"c": 1, "d": [2, 3]}, {"c": 4}]}, "e": 5}
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("path", "name"),
    [("$['a.b']", "a.b"), ('$["a b"]', "a b"), ("$['it\\'s']", "it's"), ("$.ä", "ä"), ("a", "a")],
)
def test_names_may_be_quoted(path: str, name: str) -> None:
    """Names with dots, spaces and quotes stand in brackets."""
    assert told(piece(path, 1))[1] == {name: 1}


def test_gap_in_an_array_closes_up() -> None:
    """A position far away costs nothing and makes no holes."""
    assert told(piece("$.a[7]", 1), piece("$.a[999999999999]", 2)) == ('{"a":[1,2]}', {"a": [1, 2]})


def test_array_in_another_order_is_put_in_order() -> None:
    """Positions count, not the order of arrival; the text then stops telling."""
    text, value = told(piece("$.a[1]", 1), piece("$.a[0]", 0))

    assert value == {"a": [0, 1]}
    assert text == '{"a":[1'


def test_telling_that_stopped_does_not_begin_again() -> None:
    """After a step back the text is given up for good."""
    text, value = told(piece("$.a", 1), piece("$.b", 1), piece("$.a", 2), piece("$.c", "x"), piece("$.c", "y"))

    assert (text, value) == ('{"a":1,"b":1', {"a": 2, "b": 1, "c": "xy"})


def test_value_can_become_an_object() -> None:
    """What is inside a value replaces it."""
    assert told(piece("$.a", 1), piece("$.a.b", 2))[1] == {"a": {"b": 2}}


@pytest.mark.parametrize("given_piece", [{}, {"jsonPath": "$"}, {"jsonPath": "$.a"}, {"stringValue": "x"}, {"jsonPath": 3}])
def test_piece_without_path_or_value_is_ignored(given_piece: dict[str, Any]) -> None:
    """Nothing is guessed."""
    assert told(given_piece) == ("", {})


def test_whole_arguments_are_told_too() -> None:
    """Arguments that come at once are one text."""
    arguments = PartialArguments()

    text = arguments.put({"a": {"b": [1]}, "c": "é"}) + arguments.finish()

    assert (text, arguments.value) == ('{"a":{"b":[1]},"c":"é"}', {"a": {"b": [1]}, "c": "é"})


def test_path_without_end_is_refused() -> None:
    """A path longer than any argument's is an attack."""
    with pytest.raises(ValueError, match="64 steps"):
        told(piece("$" + "[0]" * 65, 1))


leaves = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6)
trees = st.dictionaries(
    st.text("abc.[]'\" ", min_size=1, max_size=3),
    st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=3,
)


def pieces_of(value: Any, path: str) -> list[dict[str, Any]]:
    """Give a value as the provider would send it: leaf by leaf, texts in pieces of two characters."""
    steps: dict[str, Any] = {}
    if isinstance(value, dict):
        steps = {json.dumps(name): item for name, item in cast("dict[str, Any]", value).items()}
    elif isinstance(value, list):
        steps = {str(at): item for at, item in enumerate(cast("list[Any]", value))}
    elif isinstance(value, str):
        return [piece(path, value[at : at + 2]) for at in range(0, len(value), 2)] or [piece(path, "")]
    else:
        return [piece(path, value)]
    return [one for step, item in steps.items() for one in pieces_of(item, f"{path}[{step}]")]


@given(trees)
def test_any_arguments_come_back(tree: dict[str, Any]) -> None:
    """Leaf by leaf, any arguments are the same value, and the same text."""
    text, value = told(*pieces_of(tree, "$"))

    assert value == tree
    assert json.loads(text or "{}") == tree
