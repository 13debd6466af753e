"""The fields of an object, each as it is complete."""

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field
from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.events import MessageCompleted, TextDelta
from allm_rx.data.messages import assistant
from allm_rx.errors import AdapterError, StreamError
from allm_rx.testing.marbles import OVERLOADED, STARTED, events, expect, items, observe


class Trip(BaseModel):
    to: str
    on: date = Field(alias="date")
    days: int = Field(default=7, gt=0)


def written(*pieces: str) -> dict[str, Any]:
    """A lookup whose digits are those pieces of text, and whose `d` completes them."""
    deltas = {str(index): TextDelta("b", piece) for index, piece in enumerate(pieces)}
    return {**deltas, "d": MessageCompleted(assistant("".join(pieces)), "stop")}


def told(diagram: str, *pieces: str) -> list[Any]:
    """What comes of a text in these pieces."""
    return observe(events(diagram, written(*pieces)).pipe(lx.fields(Trip)))


def test_a_field_comes_when_its_value_is_complete() -> None:
    """Under the name that the class has for it, and of its type."""
    seen = told("s-0-1-2-(d,|)", '{"to": "Kyo', 'to", "date": "2025-04-', '01", "days": 3}')

    fields = {"a": ("to", "Kyoto"), "b": ("on", date(2025, 4, 1)), "c": ("days", 3)}
    assert seen[:3] == expect("----a-(b,c)", fields)
    assert seen[3:] == expect("--------|")


def test_name_and_value_can_be_taken_apart() -> None:
    """As a pair, or by their names."""
    [(name, value)] = items(events("s-0", written('{"to": "Kyoto",')).pipe(lx.fields(Trip)))
    [field] = items(events("s-0", written('{"to": "Kyoto",')).pipe(lx.fields(Trip)))

    assert (name, value) == (field.name, field.value) == ("to", "Kyoto")


def test_a_class_that_was_not_built_yet_is_built() -> None:
    """As one with `defer_build`."""

    class Late(BaseModel, defer_build=True):
        to: str

    assert items(events("s-0", written('{"to": "Kyoto",')).pipe(lx.fields(Late))) == [("to", "Kyoto")]


def test_what_the_class_does_not_know_is_left_out() -> None:
    """As the class itself does."""
    assert told("s-0", '{"by": "train", "to": "Kyoto",') == expect("--a", {"a": ("to", "Kyoto")})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"to": "Kyoto", "days": 0, ',
            "The field 'days' of the answer does not fit Trip: Input should be greater than 0. It is 0.",
        ),
        ('{"date": "soon", ', "The field 'on' of the answer does not fit Trip: Input should be a valid date"),
    ],
)
def test_a_value_that_does_not_fit_ends_the_stream(text: str, message: str) -> None:
    """At once, after the fields before it, naming field, value and what is wrong."""
    last = told("s-0----", text)[-1]

    assert last.time == 202
    assert isinstance(last.value.exception, AdapterError)
    assert last.value.exception.message.startswith(message)
    assert last.value.exception.provider == STARTED.provider


def test_what_is_missing_is_told_at_the_end() -> None:
    """Then the whole is judged, by the class."""
    last = told("s-0-(d,|)", '{"to": "Kyoto"}')[-1]

    assert last.time == 204
    assert "does not fit Trip: date: Field required" in last.value.exception.message


def test_an_answer_that_is_not_whole_ends_with_an_error() -> None:
    """Its fields so far are not all."""
    [_, last] = told("s-0-|", '{"to": "Kyoto", "da')

    assert isinstance(last.value.exception, StreamError)


def test_an_error_event_comes_as_on_error() -> None:
    """After the fields before it."""
    seen = told("s-0-(e,|)", '{"to": "Kyoto",')

    assert seen == expect("--a-#", {"a": ("to", "Kyoto")}, error=OVERLOADED.exception())


def test_an_answer_that_begins_again_is_read_again() -> None:
    """Its fields come again, too."""
    names = events("s-0-r-s-0", written('{"to": "Kyoto",')).pipe(lx.fields(Trip), ops.map(lambda field: field.name))

    assert observe(names) == expect("--t-----t", {"t": "to"})


def test_each_subscription_reads_anew() -> None:
    """No text of one subscription is in another."""
    stream = events("s-0", written('{"to": "Kyoto",')).pipe(lx.fields(Trip))

    assert observe(stream) == observe(stream) != []
