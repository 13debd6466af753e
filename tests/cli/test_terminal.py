"""What reaches a reader, and what never does."""

import io
import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allm_rx.cli.terminal import ControlFilter, Page, cleaned
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from tests.cli.command import MODEL, environment, start

SEQUENCES = {
    "colour": "\x1b[1;31m",
    "private mode": "\x1b[?1049h",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://example.com\x1b\\",
    "device string": "\x1bP1$qm\x1b\\",
    "charset": "\x1b(B",
    "reset": "\x1bc",
    "one character for CSI": "\x9b31m",
    "one character for OSC": "\x9d0;owned\x9c",
    "return": "\r",
    "backspace": "\b\b",
    "bell": "\a",
    "delete": "\x7f",
}

hostile = st.text(st.sampled_from("ab \n\t\x1b[]P\\;m0\x07\x9b\x9c\x9d\r\x7f\x85é") | st.characters(codec="utf-8"))


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_a_sequence_is_taken_out_whole(sequence: str) -> None:
    """Of what controls a terminal nothing is left, and the text around it stays."""
    assert cleaned(f"be{sequence}fore\n\tafter") == "before\n\tafter"


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_a_sequence_is_taken_out_at_every_cut(sequence: str) -> None:
    """Where a delta ends makes no difference."""
    text = f"be{sequence}fore"

    for cut in range(len(text) + 1):
        pieces = ControlFilter()
        assert pieces.feed(text[:cut]) + pieces.feed(text[cut:]) == "before"


@given(hostile)
@example("\x1b[\x1b]\x9b\x1b")
def test_no_control_is_left(text: str) -> None:
    """Whatever comes, only newline and tab of all controls get through."""
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", cleaned(text)) is None


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t")))
def test_plain_text_is_left_alone(text: str) -> None:
    """A text without controls is not changed in any way."""
    assert cleaned(text) == text


@given(st.lists(hostile))
def test_pieces_make_no_difference(pieces: list[str]) -> None:
    """However a text is cut, the same of it gets through."""
    one_by_one = ControlFilter()

    assert "".join(one_by_one.feed(piece) for piece in pieces) == cleaned("".join(pieces))


def test_a_broken_string_ends_with_its_line() -> None:
    """A control string that is never closed cannot swallow the rest of the answer."""
    assert cleaned("one \x1b]0;never closed\ntwo") == "one \ntwo"


def test_off_a_terminal_the_text_is_whole() -> None:
    """A file gets exactly what the model wrote."""
    out = io.StringIO()
    page = Page(out)

    page.text("\x1b[31mred")

    assert out.getvalue() == "\x1b[31mred"


def test_a_line_is_ended_once() -> None:
    """No empty line follows an answer that brings its own newline."""
    out = io.StringIO()
    page = Page(out)

    page.text("done\n")
    page.end()

    assert out.getvalue() == "done\n"


def test_what_the_encoding_lacks_is_replaced() -> None:
    """A narrow encoding costs a character, not the answer."""
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding="ascii")

    Page(out).text("café")

    assert written.getvalue() == b"caf?"


def on_terminal(answer: Answer, *arguments: str, **variables: str) -> str:
    """Give what a terminal shows of an answer."""
    pty = pytest.importorskip("pty", reason="terminals of POSIX")
    master, slave = pty.openpty()
    with ProviderServer(answer) as server, os.fdopen(master, "rb", buffering=0) as screen:
        process = start("Go.", *MODEL, *arguments, env=environment(server) | variables, stdout=slave)
        os.close(slave)
        shown = b""
        while piece := _read(screen.fileno()):
            shown += piece
        process.communicate()
    return shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux tells that nobody has the terminal open any more
        return b""


def test_a_terminal_gets_no_controls_of_the_model() -> None:
    """A sequence that comes in two deltas is taken out of what a terminal shows."""
    assert on_terminal(Answer(chunks=["a\x1b]0;ow", "ned\x07b", "\x1b[3", "1mc"])) == "abc\n"


def test_a_terminal_gets_no_controls_by_json() -> None:
    """Controls that JSON allows inside a text are escaped on a terminal."""
    shown = on_terminal(Answer(chunks=["a\x9b31mb"]), "--json")

    assert "\x9b" not in shown
    assert r"a\u009b31mb" in shown


def test_reasoning_is_dim_on_a_terminal() -> None:
    """Reasoning comes first, dim piece by piece, and an empty line before the answer."""
    shown = on_terminal(Answer("Yes.", reasoning="Hm, so."))

    assert shown == "\x1b[2mHm,\x1b[0m\x1b[2m so.\x1b[0m\n\nYes.\n"


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}], ids=["dumb", "no color"])
def test_a_terminal_that_cannot_dim_shows_the_answer_alone(variables: dict[str, str]) -> None:
    """Where reasoning could not be told from the answer it is left out."""
    assert on_terminal(Answer("Yes.", reasoning="Hm, so."), **variables) == "Yes.\n"
