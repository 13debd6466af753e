"""Records that are read without being parsed mean what they would mean if they were."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from allm_rx.wire.template import TextTemplate

PATH = ("choices", 0, "delta", "content")


def record(text: str, *, identity: str = "a1") -> bytes:
    """Give a record as most servers write it."""
    return json.dumps({"id": identity, "choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()


def learned(data: bytes, text: str) -> TextTemplate:
    template = TextTemplate()
    template.learn(data, "", PATH, text, print)
    return template


def match(template: TextTemplate, data: bytes, event: str = "") -> str | None:
    if template.prefix and data.startswith(template.prefix) and data.endswith(template.suffix):
        return template.text_of(data, event)
    return None


def test_a_record_that_differs_only_in_its_text_is_recognised() -> None:
    """The text comes out without parsing."""
    assert match(learned(record("one"), "one"), record("two")) == "two"


def test_a_record_that_differs_elsewhere_is_not() -> None:
    """Another id, and the record has to be parsed."""
    assert match(learned(record("one"), "one"), record("two", identity="b2")) is None


def test_a_record_of_another_event_is_not() -> None:
    """The same bytes under another event name may mean something else."""
    assert match(learned(record("one"), "one"), record("two"), "error") is None


@pytest.mark.parametrize("text", ['say "hi"', "a\\b", "line\nend", "tab\t", "", "\x00", "zero\u200bwidth"])
def test_texts_that_json_writes_otherwise_are_parsed(text: str) -> None:
    """Quotes, backslashes, control characters and nothing at all are left to the parser."""
    assert match(learned(record("one"), "one"), record(text)) is None


def test_a_text_that_stands_in_two_places_teaches_nothing_wrong() -> None:
    """Where the id equals the text, the probe finds that the wrong place was taken."""
    template = learned(record("a1"), "a1")

    assert match(template, record("two", identity="two")) in (None, "two")
    assert match(template, record("a1", identity="two")) is None


def test_an_escaped_text_beside_the_same_text_elsewhere_teaches_nothing() -> None:
    """The probe is parsed, so a place that only looks like the text is not taken for it."""
    data = b'{"note":"hi","choices":[{"delta":{"content":"\\u0068i"}}]}'

    assert learned(data, "hi").prefix == b""


def test_a_server_that_numbers_its_records_is_given_up() -> None:
    """After four templates that never fitted no more are learned."""
    template = TextTemplate()
    for number in range(4):
        assert template.wanted
        template.learn(record("one", identity=f"n{number}"), "", PATH, "one", print)

    assert not template.wanted


def test_a_fitting_record_renews_the_wish_to_learn() -> None:
    """A server that changes its records now and then is followed."""
    template = learned(record("one"), "one")
    for _ in range(10):
        assert match(template, record("x")) == "x"
        template.learn(record("one"), "", PATH, "one", print)

    assert template.wanted


def test_forgetting_is_final() -> None:
    """After the answer's end nothing is taken for a repetition."""
    template = learned(record("one"), "one")

    template.forget()

    assert match(template, record("two")) is None
    assert not template.wanted


@given(st.text(min_size=1), st.text())
def test_whatever_is_recognised_parses_to_the_same(first: str, second: str) -> None:
    """For any two texts: None, or exactly what the parser would have found."""
    template = learned(record(first), first)
    data = record(second)

    text = match(template, data)

    if text is not None:
        assert from_json(data)["choices"][0]["delta"]["content"] == text
        assert {**from_json(data), "choices": None} == {**from_json(record(first)), "choices": None}


@given(st.binary(max_size=30))
def test_any_bytes_in_between_are_safe(middle: bytes) -> None:
    """Whatever stands between the two ends: None, or what the parser would have found."""
    template = learned(record("one"), "one")
    data = template.prefix + middle + template.suffix

    text = match(template, data)

    if text is not None:
        assert from_json(data)["choices"][0]["delta"]["content"] == text


def test_half_a_character_teaches_nothing() -> None:
    """A text with a lone surrogate is no plain text, and asking about it is no error."""
    assert learned(b'{"choices":[{"delta":{"content":"a \\ud83c"}}]}', "a \ud83c").prefix == b""
