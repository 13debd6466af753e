"""Text in pieces, sentences out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx import operators as lx
from allm_rx.data.events import TextCompleted, TextDelta, ToolCallStarted
from allm_rx.operators.sentence_splitter import SentenceSplitter
from allm_rx.testing.marbles import OVERLOADED, events, expect, observe

ALPHABET = st.text("ab. !?…\n3D\"'”)。*") | st.text()


def spoken(text: str, size: int = 1) -> list[str]:
    """The sentences of a text that comes in pieces of that size."""
    splitter, sentences = SentenceSplitter(), list[str]()
    for start in range(0, len(text), size):
        sentences += splitter.feed(text[start : start + size])
    return sentences + splitter.flush()


def said(diagram: str, **texts: str) -> list[Any]:
    """What comes of a stream whose letters stand for those texts."""
    lookup = {letter: TextDelta("b", text) for letter, text in texts.items()}
    return observe(events(diagram, lookup).pipe(lx.sentences()))


@pytest.mark.parametrize(
    "sentences",
    [
        ["One.", "Two!", "Three?", "Four"],
        ["Dr. Smith met Mrs. Jones.", "They talked."],
        ["Pi is 3.14.", "It is not 3.", "See v1.2.3 at www.example.com.", "Done."],
        ["He came at 5 p.m.", "She left."],
        ["The U.S. Army and J. R. R. Tolkien.", "So do I.", "Yes."],
        ["Use nuts, e.g. Almonds, i.e. food.", "See No. 5 and Fig. 3.", "Is it no.", "Fine."],
        ["Well... maybe.", "Wait...", "What?!", "No way… really…", "Right."],
        ['"Really?" he asked.', '"No!"', "She left (fast.)", "He stayed."],
        ["# Title", "First.", "1. Stir it.", "2. Bake it.", "- a point", "- another"],
        ["**Done.**", "Next *one!*", "Last"],
        ["你好。", "今天天气很好！", "真的吗？", "「はい。」", "3.5倍です。"],  # noqa: RUF001 - these are the marks
        ["هل هذا صحيح؟", "نعم.", "यह अच्छा है।", "हाँ।"],
        ["Das gilt z.B. Montags, d.h. Nr. 5 bzw. Fall B. Oder nicht."],
    ],
    ids=lambda sentences: sentences[0],
)
def test_sentences_end_where_a_reader_would_stop(sentences: list[str]) -> None:
    """However the text is cut into pieces."""
    wide = sentences[0][-1] == "。"
    text = "".join(sentences) if wide else "\n".join(sentences) if sentences[0][0] == "#" else " ".join(sentences)

    assert [spoken(text, size) for size in (1, 2, 3, 5, 1000)] == [sentences] * 5


def test_a_sentence_comes_with_the_token_behind_it() -> None:
    """Its mark alone may be that of an abbreviation."""
    assert said("s-a-b-c-(d,|)", a="It works", b=".", c=" So") == expect("------A-(B,|)", {"A": "It works.", "B": "So"})


def test_a_line_comes_with_its_end() -> None:
    """Headings have no mark, and nothing needs to follow."""
    assert said("s-a-b-(d,|)", a="# Bread\n", b="Stir") == expect("--A---(B,|)", {"A": "# Bread", "B": "Stir"})


def test_the_rest_comes_before_an_error() -> None:
    """What was written is spoken, then the failure is told."""
    assert said("s-a-(e,|)", a="It wor") == expect("----(A,#)", {"A": "It wor"}, error=OVERLOADED.exception())


@pytest.mark.parametrize("end", [TextCompleted("b", "Look"), ToolCallStarted("c", "look_up")], ids=["block", "call"])
def test_the_end_of_a_text_ends_its_sentence(end: Any) -> None:
    """A speaker need not wait for a tool."""
    seen = observe(events("s-x-y---(d,|)", {"x": TextDelta("b", "Look"), "y": end}).pipe(lx.sentences()))

    assert seen == expect("----A---|", {"A": "Look"})


def test_a_stream_that_is_cut_gives_its_rest() -> None:
    """Completion without a terminal ends the sentence."""
    assert said("s-a-|", a="So far") == expect("----(A,|)", {"A": "So far"})


@pytest.mark.parametrize("void", ["r", "s"])
def test_what_is_void_is_not_spoken(void: str) -> None:
    """A restart, or the next answer behind `switch_generate`, drops the half sentence."""
    assert said(f"s-a-{void}-b-(d,|)", a="Wrong", b="Right") == expect("--------(B,|)", {"B": "Right"})


def test_each_subscription_speaks_anew() -> None:
    """No rest of one subscription begins another."""
    stream = events("s-x", {"x": TextDelta("b", "So")}).pipe(lx.sentences())

    assert observe(stream) == observe(stream) == []


@given(ALPHABET, st.integers(1, 4))
def test_nothing_is_lost_however_it_is_cut(text: str, size: int) -> None:
    """Together the sentences are the text but for its space, and the pieces do not matter."""
    whole = spoken(text, 1000)

    assert spoken(text, size) == whole
    assert "".join("".join(whole).split()) == "".join(text.split())
    assert all(whole)


def test_a_text_without_marks_is_not_read_again() -> None:
    """Ten times the text costs ten times the work: the pieces are joined once."""
    splitter = SentenceSplitter()

    for _ in range(1000):
        splitter.feed("word ")

    assert len(splitter._pieces) > 1000  # pyright: ignore[reportPrivateUsage] # nothing else tells
