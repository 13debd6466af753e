"""The text of an answer, piece by piece."""

import reactivex as rx
from reactivex import operators as ops
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import ReasoningDelta, TextCompleted
from allm_rx.errors import AdapterError
from allm_rx.testing.marbles import OVERLOADED, events, expect, observe

LETTERS = {letter: letter for letter in "abc"}


def test_it_gives_each_piece_when_it_comes() -> None:
    """Text deltas become strings at their own time; the rest is left out."""
    pieces = observe(events("s-a-b-u-c-(d,|)").pipe(lx.text()))

    assert pieces == expect("--a-b---c-|", LETTERS)


def test_only_deltas_of_text_are_text() -> None:
    """Reasoning is not part of the answer, and a completed block repeats what was given."""
    lookup = {"x": ReasoningDelta("r", "hm"), "y": TextCompleted("text-0", "a")}

    assert observe(events("s-x-a-y-(d,|)", lookup).pipe(lx.text())) == expect("----a---|", LETTERS)


def test_an_error_event_comes_as_on_error_after_the_text_before_it() -> None:
    """A failed answer never looks like a short one."""
    pieces = observe(events("s-a-b-(e,|)").pipe(lx.text()))

    assert pieces == expect("--a-b-#", LETTERS, error=OVERLOADED.exception())


def test_the_error_tells_all_that_the_event_told() -> None:
    """What the failure knows is on the exception."""
    errors: list[Exception] = []
    scheduler = TestScheduler()

    events("e|").pipe(lx.text()).subscribe(on_error=errors.append, scheduler=scheduler)
    scheduler.start()

    [error] = errors
    assert isinstance(error, AdapterError)
    assert (error.reason, error.status, error.provider) == ("overloaded", 529, "marbles")


def test_an_error_of_the_source_passes() -> None:
    """What is no failure of the provider arrives as it is."""
    assert observe(events("s-a-#", error=ValueError("bug")).pipe(lx.text())) == expect("--a-#", LETTERS, error=ValueError("bug"))


def test_leaving_early_disposes_the_source() -> None:
    """`take` ends the source's subscription at once."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, TextCompleted("b", "x")))

    scheduler.start(lambda: source.pipe(lx.text(), ops.take_until(rx.timer(50.0))))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 250)]


def test_each_subscription_reads_anew() -> None:
    """The operator keeps nothing between subscriptions."""
    stream = events("s-a-(d,|)").pipe(lx.text())

    assert observe(stream) == observe(stream) == expect("--a-|", LETTERS)
