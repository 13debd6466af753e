import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.wire.text import SurrogateJoiner, repair

JOINED: list[tuple[list[str], list[str]]] = [
    (["Hello", " world"], ["Hello", " world", ""]),
    (["é", "😀", "", "\n"], ["é", "😀", "", "\n", ""]),
    (["Hi \ud83d", "\ude00!"], ["Hi ", "😀!", ""]),
    (["\ud83d", "", "\ude00"], ["", "", "😀", ""]),
    (["\ud83d", "x"], ["", "\ufffdx", ""]),
    (["\ud83d", "é"], ["", "\ufffdé", ""]),
    (["a\ud83d"], ["a", "\ufffd"]),
    (["\ude00a"], ["\ufffda", ""]),
    (["\ud83d", "\ud83d", "\ude00"], ["", "\ufffd", "😀", ""]),
    (["\ud83d\ude00\ud83d"], ["😀", "\ufffd"]),
    (["\ude00\ud83d"], ["\ufffd", "\ufffd"]),
    (["\ud800", "\udfff"], ["", "\U000103ff", ""]),
    (["\udbff", "\udc00"], ["", "\U0010fc00", ""]),
]


@pytest.mark.parametrize(("deltas", "expected"), JOINED)
def test_halves_are_joined_across_deltas(deltas: list[str], expected: list[str]) -> None:
    """A first half waits for its second; whatever stays alone becomes U+FFFD in its place."""
    joiner = SurrogateJoiner()

    assert [*(joiner.feed(delta) for delta in deltas), joiner.flush()] == expected


@pytest.mark.parametrize("text", ["", "plain", "Grüße", "你好", "😀"])
def test_ordinary_text_passes_untouched(text: str) -> None:
    """Text that is valid is not copied."""
    assert SurrogateJoiner().feed(text) is text
    assert repair(text) is text


def test_a_flushed_joiner_starts_again() -> None:
    """What was given is not given twice."""
    joiner = SurrogateJoiner()
    joiner.feed("\ud83d")

    assert (joiner.flush(), joiner.flush(), joiner.feed("\ude00")) == ("\ufffd", "", "\ufffd")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\ud83d\ude00b", "a😀b"), ("\ud83da", "\ufffda"), ("\ude00\ud83d", "\ufffd\ufffd"), ("\ud83d\ud83d\ude00", "\ufffd😀")],
)
def test_a_whole_text_is_repaired(text: str, expected: str) -> None:
    """Pairs are joined, halves replaced."""
    assert repair(text) == expected


@given(st.text(), st.sets(st.integers(0, 400)))
def test_valid_text_survives_any_cut_between_halves(text: str, cuts: set[int]) -> None:
    """Text cut by UTF-16 units and sent as JSON escapes comes out as it was."""
    units = text.encode("utf-16-le")
    edges = sorted({0, len(units), *(2 * at for at in cuts if 2 * at < len(units))})
    deltas = [units[start:end].decode("utf-16-le", "surrogatepass") for start, end in pairwise(edges)]
    joiner = SurrogateJoiner()

    assert "".join(joiner.feed(json.loads(json.dumps(delta))) for delta in deltas) + joiner.flush() == text


@given(st.lists(st.text(st.one_of(st.characters(), st.characters(categories=["Cs"])))))
def test_any_deltas_become_valid_text(deltas: list[str]) -> None:
    """Whatever comes in, every delta that goes out can be encoded, and together they are the whole text repaired."""
    joiner = SurrogateJoiner()
    repaired = [*(joiner.feed(delta) for delta in deltas), joiner.flush()]

    assert [delta.encode().decode() for delta in repaired] == repaired
    assert "".join(repaired) == repair("".join(deltas))
