"""Streams of events as marble diagrams."""

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.notification import OnNext
from reactivex.scheduler import NewThreadScheduler
from reactivex.testing import Recorded, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import Error, MessageCompleted, MessageRestarted, MessageStarted, RawChunk, TextDelta
from allm_rx.data.messages import assistant
from allm_rx.data.responses import Response
from allm_rx.errors import UsageError
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.marbles import OVERLOADED, STARTED, USAGE, events, expect, items, observe


def test_letters_become_events_at_their_seconds() -> None:
    """Each character is a second, counted from the subscription at 200."""
    seen = observe(events("s-a-(d,|)"))

    assert [(one.time, type(one.value).__name__) for one in seen] == [
        (200, "OnNext"),
        (202, "OnNext"),
        (204, "OnNext"),
        (204, "OnCompleted"),
    ]
    assert items(events("s-a-(d,|)")) == [
        MessageStarted("msg-1", "marbles", "marbles-1"),
        TextDelta("text-0", "a"),
        MessageCompleted(assistant("a"), "stop", "stop"),
    ]


def test_the_other_letters_with_a_meaning() -> None:
    """Usage, an error, and a restart."""
    assert items(events("u-r-e|")) == [RawChunk("usage", USAGE), MessageRestarted(2, OVERLOADED), Error(OVERLOADED)]


def test_words_and_digits_are_text() -> None:
    """A word takes as many seconds as it has characters."""
    seen = observe(events("Hello-42|"))

    assert [one.time for one in seen] == [200, 206, 208]
    assert items(events("Hello-42|")) == [TextDelta("text-0", "Hello"), TextDelta("text-0", "42")]


def test_the_terminal_says_all_that_came_before_it() -> None:
    """Each message its own text, and nothing of what a restart made void."""
    done = [event.message.text for event in items(events("s-a-b-d-s-c-r-f-d|")) if isinstance(event, MessageCompleted)]

    assert done == ["ab", "f"]


def test_restarts_are_counted_within_a_message() -> None:
    """From 2, and anew after a terminal."""
    attempts = [event.attempt for event in items(events("a-r-a-r-a-d-a-r-d|")) if isinstance(event, MessageRestarted)]

    assert attempts == [2, 3, 2]


def test_the_defaults_obey_the_grammar() -> None:
    """A diagram of them is a stream that an adapter could give."""
    assert_grammar(items(events("s-a-u-r-s-b-(d,|)")))
    assert_grammar(items(events("s-a-(e,|)")))


def test_a_lookup_gives_other_meanings() -> None:
    """To new elements, to letters that have one, and to digits."""
    lookup: dict[str, Any] = {"s": 1, "word": 2, "7": 3}

    assert items(events("s-word-7|", lookup)) == [1, 2, 3]


def test_an_error_can_be_given() -> None:
    """`#` stands for it."""
    error = ValueError("x")

    assert observe(events("-#", error=error)) == expect("-#", error=error)
    assert observe(events("-#", error=error)) != expect("-#", error=ValueError("y"))


def test_what_is_expected_is_what_is_observed() -> None:
    """For streams that end, and for one that does not."""
    for diagram in ("s-a-(d,|)", "s-a-#", "--|", "s-a", "(s,a,d,|)"):
        assert observe(events(diagram)) == expect(diagram)


@pytest.mark.parametrize("timespan", [0.1, 0.25, 1 / 3, 10.0])
def test_a_character_can_be_shorter_or_longer(timespan: float) -> None:
    """Both sides count alike."""
    assert observe(events("s-a-b-(d,|)", timespan=timespan)) == expect("s-a-b-(d,|)", timespan=timespan)


def test_spaces_take_no_time() -> None:
    """They align diagrams."""
    assert observe(events("s - a |")) == expect("s-a|")


def test_the_expectation_can_begin_elsewhere() -> None:
    """For a subscription of one's own at another second."""
    assert expect("a|", subscribed=7)[0].time == 7


def test_a_stream_can_be_left_early() -> None:
    """What comes later is not seen."""
    assert observe(events("s-a-b-c|"), disposed=203) == expect("s-a")


def test_a_stream_can_be_made_in_virtual_time() -> None:
    """A function is called before the subscription."""
    made: list[int] = []

    def make() -> rx.Observable[Any]:
        made.append(1)
        return events("a|")

    assert observe(make) == expect("a|")
    assert made == [1]


def test_each_subscription_begins_anew() -> None:
    """The stream is cold."""
    stream = events("s-a-(d,|)")

    assert observe(stream) == observe(stream)


def test_a_diagram_goes_with_stock_operators_and_ours() -> None:
    """The scheduler is handed up the chain."""
    stream = events("s-a-(d,|)").pipe(ops.delay(3.0), lx.collect_response())

    [recorded, _] = observe(stream)

    assert recorded.time == 207
    [response] = items(stream)
    assert isinstance(response, Response)
    assert response.output_text == "a"


@pytest.mark.parametrize(
    ("diagram", "message"),
    [
        ("s-(e|)", r"The group '(e|)' in 's-(e|)' lacks a comma: write '(e,|)'."),
        ("(a,b#)", r"The group '(a,b#)' in '(a,b#)' lacks a comma: write '(a,b,#)'."),
        ("(|a)", r"The group '(|a)' in '(|a)' lacks a comma: write '(|,a)'."),
        ("(a", "A parenthesis in '(a' has no partner, or is inside another."),
        ("a)", "A parenthesis in 'a)' has no partner, or is inside another."),
        ("(a,(b))", "A parenthesis in '(a,(b))' has no partner, or is inside another."),
        ("a,b", "Comma is only allowed in group of elements."),
        ("|a", "Elements cannot be declared after a # or | symbol."),
    ],
)
def test_a_diagram_that_would_be_misread_is_refused(diagram: str, message: str) -> None:
    """Before anything is subscribed, in events and in expectations."""
    for draw in (events, expect):
        with pytest.raises(ValueError) as raised:  # noqa: PT011 - its whole message is compared
            draw(diagram)

        assert str(raised.value) == message


@pytest.mark.parametrize("scheduler", [None, NewThreadScheduler()], ids=["none", "threads"])
def test_without_virtual_time_it_says_what_to_use(scheduler: Any) -> None:
    """A diagram never waits for real seconds."""
    errors: list[Exception] = []

    events("a|").subscribe(on_error=errors.append, scheduler=scheduler)

    [error] = errors
    assert isinstance(error, UsageError)
    assert "use `observe`, or subscribe with a `TestScheduler`" in error.message


def test_a_scheduler_of_ones_own_serves_as_well() -> None:
    """`observe` is only the short way."""
    scheduler, seen = TestScheduler(), list[Any]()

    events("s-a|").subscribe(seen.append, scheduler=scheduler)
    scheduler.advance_to(1.0)
    early = list(seen)
    scheduler.advance_to(9.0)

    assert (early, seen) == ([STARTED], [STARTED, TextDelta("text-0", "a")])


def test_recordings_are_those_of_rxpy() -> None:
    """They compare with what its own test kit makes."""
    assert observe(events("a|"))[0] == Recorded(200, OnNext(TextDelta("text-0", "a")))


def test_it_needs_no_running_loop_and_bears_one() -> None:
    """Virtual time is not the loop's."""

    async def main() -> bool:
        return observe(events("s-a|").pipe(lx.timeouts(total=50.0))) == expect("s-a|")

    assert asyncio.run(main())
