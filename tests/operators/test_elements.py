"""The elements of a list, each as it is complete."""

from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from allm_rx import operators as lx
from allm_rx.data.events import MessageCompleted, TextDelta
from allm_rx.data.messages import assistant
from allm_rx.errors import AdapterError, StreamError
from allm_rx.testing.marbles import OVERLOADED, events, expect, items, observe


class Step(BaseModel):
    do: str


STIR, BAKE = Step(do="stir"), Step(do="bake")
STEPS = {"A": STIR, "B": BAKE}


def written(*pieces: str, finish_reason: Any = "stop") -> dict[str, Any]:
    """A lookup whose digits are those pieces of text, and whose `d` completes them."""
    deltas = {str(index): TextDelta("b", piece) for index, piece in enumerate(pieces)}
    return {**deltas, "d": MessageCompleted(assistant("".join(pieces)), finish_reason)}


def listed(diagram: str, *pieces: str, **finish: Any) -> list[Any]:
    """What comes of a text in these pieces."""
    return observe(events(diagram, written(*pieces, **finish)).pipe(lx.elements(Step)))


def test_an_element_comes_when_it_closes() -> None:
    """Of the list in the object that the answer is."""
    seen = listed("s-0-1-2-(d,|)", '{"title": "Bread", "steps": [{"do": "st', 'ir"}, {"do":', ' "bake"}]}')

    assert seen == expect("----A-B-|", STEPS)


def test_the_answer_may_be_the_list() -> None:
    """Then every element of it comes."""
    stream = events("s-0-(d,|)", written('[{"do": "stir"}, {"do": "bake"}]'))

    assert items(stream.pipe(lx.elements(Step))) == [STIR, BAKE]


def test_a_list_can_be_named() -> None:
    """Where the object has several."""
    stream = events("s-0-(d,|)", written('{"tools": [1, 2], "steps": [{"do": "stir"}], "more": [{"do": "bake"}]}'))

    assert items(stream.pipe(lx.elements(Step, field="steps"))) == [STIR]


def test_an_element_may_be_of_any_type() -> None:
    """Numbers as well as objects."""
    assert items(events("s-0-(d,|)", written('{"n": [1, 2, 3]}')).pipe(lx.elements(int))) == [1, 2, 3]


def test_an_empty_list_has_no_elements() -> None:
    """And is an answer that fits."""
    assert listed("s-0-(d,|)", '{"steps": []}') == expect("----|")


def test_an_element_that_does_not_fit_ends_the_stream() -> None:
    """At once, after those before it, naming its position."""
    first, last = listed("s-0----", '[{"do": "stir"}, {"don": 5}')

    assert first == expect("--A", STEPS)[0]
    assert last.time == 202
    assert last.value.exception.message == (
        'Element 1 of the answer\'s list does not fit Step: do: Field required. It is {"don": 5}.'
    )


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("Sure! Here", None, "The answer is not JSON: expected value at line 1 column 1. It begins 'Sure! Here'."),
        ("{}", None, "The answer holds no list of Step. It begins '{}'."),
        ('{"step": []}', "steps", "The answer holds no list 'steps' of Step."),
        ("[]", "steps", "The answer holds no list 'steps' of Step. It begins '[]'."),
        ("5", None, "The answer holds no list of Step. It begins '5'."),
    ],
)
def test_an_answer_without_the_list_is_an_error(text: str, field: str | None, message: str) -> None:
    """It tells apart what is empty and what is wrong."""
    [last] = observe(events("s-0-(d,|)", written(text)).pipe(lx.elements(Step, field=field)))

    assert isinstance(last.value.exception, AdapterError)  # type: ignore[attr-defined]
    assert last.value.exception.message.startswith(message)  # type: ignore[attr-defined]


def test_a_validator_that_raises_something_else_ends_the_stream() -> None:
    """What it raises is the stream's error."""

    class Odd(BaseModel):
        do: str

        @field_validator("do")
        @classmethod
        def look(cls, do: str) -> str:
            raise RuntimeError(do)

    seen = observe(events("s-0", written('[{"do": "stir"}')).pipe(lx.elements(Odd)))

    assert seen == expect("--#", error=RuntimeError("stir"))


def test_a_list_that_was_cut_off_says_what_to_do() -> None:
    """The elements before the cut are given."""
    first, last = listed("s-0-(d,|)", '[{"do": "stir"}, {"do"', finish_reason="length")

    assert first == expect("--A", STEPS)[0]
    assert "It was cut off: raise `max_tokens`." in last.value.exception.message


def test_an_answer_that_is_not_whole_ends_with_an_error() -> None:
    """Its elements so far are not all."""
    [_, last] = listed("s-0-|", '[{"do": "stir"}, ')

    assert isinstance(last.value.exception, StreamError)


def test_an_error_event_comes_as_on_error() -> None:
    """After the elements before it."""
    assert listed("s-0-(e,|)", '[{"do": "stir"}') == expect("--A-#", STEPS, error=OVERLOADED.exception())


def test_each_subscription_reads_anew() -> None:
    """Positions and text are its own."""
    stream = events("s-0-(d,|)", written('[{"do": "stir"}]')).pipe(lx.elements(Step))

    assert observe(stream) == observe(stream) == expect("--A-|", STEPS)
