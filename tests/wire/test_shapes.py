"""JSON that is not what it should be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.wire.shapes import as_integer, as_object, as_objects, as_text, as_word, first_of, word_or_none

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_what_is_of_another_kind_is_as_good_as_absent(value: Any) -> None:
    """Whatever a server sends, each reader gives its own kind."""
    assert as_object(value) == (value if isinstance(value, dict) else {})
    assert list(as_objects(value)) == list(as_objects(value if isinstance(value, list) else []))
    assert as_text(value) == (value if isinstance(value, str) else "")
    assert word_or_none(value) == (as_word(value) or None)


def test_objects_are_picked_from_a_list() -> None:
    """What else a list holds is passed over."""
    assert list(as_objects([{"a": 1}, 2, None, [{"b": 3}], {}])) == [{"a": 1}, {}]


@pytest.mark.parametrize(("value", "number"), [(0, 0), (7, 7), (True, None), (7.0, None), ("7", None)])
def test_truth_is_no_integer(value: Any, number: int | None) -> None:
    """Only whole numbers count; true is none, although Python thinks so."""
    assert as_integer(value) == number


def test_words_are_repaired_and_texts_are_not() -> None:
    """Half a character at the end of a text may go on in the next delta, one of an id does not."""
    assert (as_word("a\ud83d"), word_or_none("a\ud83d"), as_text("a\ud83d")) == ("a\ufffd", "a\ufffd", "a\ud83d")


def test_answer_of_several_is_the_one_at_index_0() -> None:
    """Where the first comes second it is found, and where it does not come there is none."""
    assert first_of([{"index": 1}, None, {"index": 0, "text": "a"}]) == {"index": 0, "text": "a"}
    assert first_of([{"index": 1}]) == first_of(None) == {}
