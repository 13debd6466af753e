"""The readable reasoning of an answer."""

from reactivex import operators as ops
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import ReasoningCompleted, ReasoningDelta
from allm_rx.testing.marbles import OVERLOADED, events, expect, observe

THOUGHTS = {"1": ReasoningDelta("r", "Hm"), "2": ReasoningDelta("r", "."), "3": ReasoningCompleted("r", "Hm.")}
PIECES = {"1": "Hm", "2": "."}


def test_it_gives_each_piece_when_it_comes() -> None:
    """Neither the text nor the completed block, which repeats the pieces."""
    assert observe(events("s-1-2-3-a-(d,|)", THOUGHTS).pipe(lx.reasoning())) == expect("--1-2-----|", PIECES)


def test_an_error_event_comes_as_on_error_after_the_pieces_before_it() -> None:
    """A failed answer never looks like one that was not thought about."""
    seen = observe(events("s-1-(e,|)", THOUGHTS).pipe(lx.reasoning()))

    assert seen == expect("--1-#", PIECES, error=OVERLOADED.exception())


def test_leaving_early_disposes_the_source() -> None:
    """`take` ends the source's subscription at once."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, THOUGHTS["1"]))

    scheduler.start(lambda: source.pipe(lx.reasoning(), ops.take(1)))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210)]


def test_each_subscription_reads_anew() -> None:
    """The operator keeps nothing between subscriptions."""
    stream = events("s-1-(d,|)", THOUGHTS).pipe(lx.reasoning())

    assert observe(stream) == observe(stream) == expect("--1-|", PIECES)
