"""Text at an even pace, however it arrives."""

from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx.data.events import Event, TextDelta
from allm_rx.errors import SubscriberError
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.marbles import events, items, observe
from tests import virtual_loop
from tests.virtual_loop import pass_time, running


def told(source: Any, rate: float) -> list[tuple[float, str]]:
    """What comes of a stream or diagram, each with its second: pieces of text, else the type of the event or the end."""
    stream = events(source) if isinstance(source, str) else source
    seen = [(round(one.time - 200, 3), one.value) for one in observe(stream.pipe(lx.smooth(rate)))]
    return [(second, name_of(getattr(what, "value", what))) for second, what in seen]


def name_of(what: Any) -> str:
    return getattr(what, "delta", None) or getattr(what, "type", None) or str(what)


def at_once(text: str) -> rx.Observable[Any]:
    """A text that comes as one piece, in a stream that does not end."""
    return rx.concat(rx.of(TextDelta("b", text)), rx.never())


def test_a_long_piece_is_cut() -> None:
    """One character per second, the first at once."""
    assert told("s-abcd----", 1) == [(0, "message_started"), (2, "a"), (3, "b"), (4, "c"), (5, "d")]


def test_fast_is_several_characters_per_frame() -> None:
    """At a hundred per second, three or four come with each thirtieth."""
    assert told(at_once("0123456789"), 100) == [(0, "012"), (0.033, "345"), (0.067, "6789")]


def test_pieces_that_came_apart_come_apart() -> None:
    """A piece is of one delta, so of one block; what it lacks is not made up for by the next."""
    assert told("(ab,cdefg)", 90) == [(0, "ab"), (0.033, "cde"), (0.067, "fg")]


def test_a_slow_text_is_not_touched() -> None:
    """What comes slower than the pace comes as it did."""
    assert told("a--b--c", 1) == [(0, "a"), (3, "b"), (6, "c")]


def test_a_pause_is_not_made_up_for() -> None:
    """After it the pace is what it was."""
    assert told("a---------bcd---", 1) == [(0, "a"), (10, "b"), (11, "c"), (12, "d")]


def test_what_belongs_together_is_not_cut() -> None:
    """Accents, skin colours and joined pictures stay with their character."""
    text = "e\u0301\U0001f469\u200d\U0001f680\U0001f44d\U0001f3fdx"

    assert [piece for _, piece in told(at_once(text), 1)] == [
        "e\u0301",
        "\U0001f469\u200d\U0001f680",
        "\U0001f44d\U0001f3fd",
        "x",
    ]


def test_the_end_flushes_what_waits() -> None:
    """An answer is never late."""
    assert told("abcd-(d,|)", 0.5) == [(0, "a"), (2, "b"), (4, "c"), (5, "d"), (5, "message_completed"), (5, "OnCompleted()")]


@pytest.mark.parametrize("ending", ["|", "#", "(e,|)", "u"])
def test_whatever_is_no_text_flushes(ending: str) -> None:
    """Order is kept, and nothing is lost before an error."""
    assert told(f"abcd-{ending}", 0.1)[:2] == [(0, "a"), (5, "bcd")]


def test_a_restart_drops_what_waits() -> None:
    """It is void, so nobody needs to see it."""
    assert told("abcd-r-x--", 0.5) == [(0, "a"), (2, "b"), (4, "c"), (5, "message_restarted"), (7, "x")]


def test_nothing_is_changed_but_the_cuts() -> None:
    """The text, the order and the grammar are the source's."""
    seen = items(events("s-Hello-u-World-(d,|)").pipe(lx.smooth(2)))

    assert "".join(event.delta for event in seen if isinstance(event, TextDelta)) == "HelloWorld"
    assert_grammar(seen)


def test_leaving_drops_what_waits() -> None:
    """No piece and no timer is left."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(10, TextDelta("b", "abcdef")))

    seen = scheduler.start(lambda: source.pipe(lx.smooth(1)), disposed=213)

    assert [one.time for one in seen.messages] == [210, 211, 212]
    assert source.subscriptions == [ReactiveTest.subscribe(200, 213)]


def test_leaving_at_a_piece_gives_no_other() -> None:
    """`take` sees no more than it asked for."""
    assert items(at_once("abc").pipe(lx.smooth(1), ops.take(2))) == [TextDelta("b", "a"), TextDelta("b", "b")]


def test_each_subscription_has_its_own_pace() -> None:
    """What waits for one is not given to another."""
    stream = events("abc---").pipe(lx.smooth(1))

    assert observe(stream) == observe(stream)


def test_the_timer_is_the_loops() -> None:
    """Without a scheduler its time counts."""

    async def main() -> list[tuple[float, str]]:
        seen: list[tuple[float, str]] = []
        loop = running()
        at_once("abc").pipe(lx.smooth(1)).subscribe(lambda event: seen.append((loop.time(), name_of(event))))
        await pass_time(20)
        return seen

    assert virtual_loop.run(main()) == [(0.0, "a"), (1.0, "b"), (2.0, "c")]


def test_a_subscriber_that_raises_at_the_timer_is_told() -> None:
    """Nobody is above who would hear it; the source is left."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(1, TextDelta("b", "abc")))
    errors: list[Exception] = []

    def on_next(event: Event) -> None:
        if event == TextDelta("b", "b"):
            raise ValueError("bug")

    source.pipe(lx.smooth(1)).subscribe(on_next, errors.append, scheduler=scheduler)
    scheduler.start()

    [error] = errors
    assert isinstance(error, SubscriberError)
    assert source.subscriptions == [ReactiveTest.subscribe(0, 2)]


@pytest.mark.parametrize("rate", [0.0, -1.0])
def test_a_pace_is_more_than_nothing(rate: float) -> None:
    """Anything else is told at once."""
    with pytest.raises(ValueError, match="needs more than 0 characters per second"):
        lx.smooth(rate)
