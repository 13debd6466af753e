"""Asking a second time when the first answer is slow to begin."""

from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex.abc import ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import operators as lx
from allm_rx import stream_generate
from allm_rx.data.events import Event, TextDelta
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import DelayHead, Flood
from allm_rx.testing.marbles import events, expect, items, observe
from allm_rx.testing.provider_server import ProviderServer
from tests import virtual_loop
from tests.loopback import Seen, an_engine
from tests.virtual_loop import pass_time, running

DONE_A = {"d": items(events("a-d"))[-1]}


def successive(*diagrams: str) -> Observable[Event]:
    """A source that behaves differently at each subscription."""
    answers = iter([events(diagram) for diagram in diagrams])
    return rx.defer(lambda _: next(answers))


def hedged(*diagrams: str, after: float = 5.0) -> list[Any]:
    """What a subscriber sees of successive answers."""
    return observe(successive(*diagrams).pipe(lx.hedge(after=after)))


def test_a_quick_answer_is_asked_for_once() -> None:
    """There is no second subscription to a source that has only one."""
    assert hedged("s-a---------b-(d,|)") == expect("--(s,a)-----b-(d,|)")


def test_an_answer_within_subscribe_needs_no_timer() -> None:
    """It has won before there was one."""

    def answer(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> Disposable:
        observer.on_next(TextDelta("b", "a"))
        return Disposable()

    async def main() -> int:
        Observable(answer).pipe(lx.hedge(after=5.0)).subscribe()
        return len(running().timers)

    assert virtual_loop.run(main()) == 0


def test_a_slow_answer_is_asked_for_again() -> None:
    """The second may be quicker than the first."""
    seen = hedged("s--------------a-(d,|)", "s-b-c-(d,|)")

    assert seen == expect("-------(s,b)") + expect("---------c-(d,|)", {"d": items(events("b-c-d"))[-1]})


def test_the_first_may_still_win() -> None:
    """It had a start."""
    assert hedged("s------a-(d,|)", "s---b-(d,|)") == expect("-------(s,a)")[:2] + expect("---------(d,|)", DONE_A)


def test_the_loser_is_left_before_the_winner_is_heard() -> None:
    """One request is open from the first content on."""
    scheduler = TestScheduler()
    slow = scheduler.create_cold_observable(ReactiveTest.on_next(90, TextDelta("b", "slow")))
    quick = scheduler.create_cold_observable(ReactiveTest.on_next(10, TextDelta("b", "quick")), ReactiveTest.on_completed(50))
    answers = iter([slow, quick])

    scheduler.start(lambda: rx.defer(lambda _: next(answers)).pipe(lx.hedge(after=5.0)))

    assert slow.subscriptions == [ReactiveTest.subscribe(200, 215)]
    assert quick.subscriptions == [ReactiveTest.subscribe(205, 255)]


def test_an_early_failure_is_the_end() -> None:
    """To send again what failed is the business of retries."""
    assert hedged("--(e,|)") == expect("--(e,|)")


def test_a_failure_loses_to_an_answer_under_way() -> None:
    """Whichever of the two fails."""
    assert hedged("-------(e,|)", "s-----a|") == expect("-----------(s,a)")[:2] + expect("------------|")
    assert hedged("s--------a|", "(e,|)") == expect("---------(s,a)")[:2] + expect("----------|")


def test_when_both_fail_the_first_tells() -> None:
    """Once the second has failed, too."""
    assert hedged("------(e,|)", "s----------(e,|)") == expect("----------------(e,|)")


def test_leaving_leaves_both() -> None:
    """And no timer."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_completed(90))

    scheduler.start(lambda: source.pipe(lx.hedge(after=5.0)), disposed=220)

    assert source.subscriptions == [ReactiveTest.subscribe(200, 220), ReactiveTest.subscribe(205, 220)]


def test_leaving_early_never_asks_again() -> None:
    """The timer goes with the subscription."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_completed(90))

    scheduler.start(lambda: source.pipe(lx.hedge(after=5.0)), disposed=204)

    assert source.subscriptions == [ReactiveTest.subscribe(200, 204)]


def test_the_timer_is_the_loops() -> None:
    """Without a scheduler its time counts."""

    async def main() -> list[float]:
        asked: list[float] = []
        loop = running()
        silent: Observable[Event] = rx.defer(lambda _: rx.never() if asked.append(loop.time()) is None else rx.empty())
        silent.pipe(lx.hedge(after=3.0)).subscribe()
        await pass_time(9)
        return asked

    assert virtual_loop.run(main()) == [0.0, 3.0]


def test_one_connection_is_open_after_the_winners_first_content() -> None:
    """Over real sockets: the first request is silent, the second answers without end."""

    def respond(body: dict[str, Any], index: int) -> Answer:
        return Answer("Hi", faults=[Flood()] if index else [DelayHead()])

    with ProviderServer(respond) as server:
        seen = Seen()
        stream = stream_generate(an_engine(server), "Hi").pipe(lx.hedge(after=0.3))
        subscription = stream.subscribe(seen.on_next, seen.on_error, seen.on_completed)
        seen.wait_text()
        server.wait_until(lambda server: server.connections.open == 1)

        [left] = server.wait_closed(1)
        subscription.dispose()
        assert [one.request for one in server.wait_closed(2)] == [left.request, 1]
        assert left.request == 0


def test_nobody_asks_again_before_the_beginning() -> None:
    """It is told at once."""
    with pytest.raises(ValueError, match="nobody can ask before the beginning"):
        lx.hedge(after=-1.0)
