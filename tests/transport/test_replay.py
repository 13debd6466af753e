"""What a replay gives from recorded exchanges, and when."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler import VirtualTimeScheduler
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx.abc.flow import LoopScheduler
from allm_rx.data.failures import Failure
from allm_rx.errors import AdapterError, StreamError, SubscriberError, UsageError
from allm_rx.transport.replay import Exchange, Piece, Replay
from allm_rx.wire.http import ResponseHead, WireRequest

on_next, on_completed, on_error = ReactiveTest.on_next, ReactiveTest.on_completed, ReactiveTest.on_error

ASK = WireRequest("POST", "https://provider.example/v1/chat", {"x-n": "1"}, b"{}")
HEAD = ResponseHead(200, {"content-type": "text/event-stream"})
PIECES = (Piece(20, b"data: 1\n\n"), Piece(20, b"data: 2\n\n"), Piece(35, b"data: 3\n\n"))
WHOLE = Exchange(request=ASK, head=HEAD, head_at=10, pieces=PIECES, ended_at=40)
LEFT = Exchange(request=ASK, head=HEAD, head_at=10, pieces=PIECES[:1], ending="left", ended_at=30)


def played(*exchanges: Exchange, timing: bool = False, disposed: float = 1000) -> list[Any]:
    replay = Replay(exchanges, timing=timing)
    return TestScheduler().start(lambda: replay.open(ASK), disposed=disposed).messages


def test_a_replay_with_timing_keeps_the_times() -> None:
    """Everything comes as long after the subscription as it came after the request."""
    assert played(WHOLE, timing=True) == [
        on_next(210, HEAD),
        on_next(220, b"data: 1\n\n"),
        on_next(220, b"data: 2\n\n"),
        on_next(235, b"data: 3\n\n"),
        on_completed(240),
    ]


def test_a_replay_without_timing_takes_no_time() -> None:
    """In virtual time all of it comes at the moment of the subscription."""
    times: list[float] = []
    scheduler = VirtualTimeScheduler()
    Replay([WHOLE]).open(ASK).subscribe(lambda _: times.append(scheduler.clock), scheduler=scheduler)
    assert times == []  # but not inside `subscribe`

    scheduler.start()

    assert times == [0.0] * 4


def test_a_replay_breaks_as_the_recording_broke() -> None:
    """A recorded failure comes as the error it was."""
    error = AdapterError("network_error", "Nothing answers: is it running?", details={"cause": "refused"})
    broken = Exchange(request=ASK, head=None, ending="failed", ended_at=5, failure=Failure.of(error))

    (message,) = played(broken, timing=True)

    assert message.time == 205
    assert repr(message.value.exception) == repr(error)


def test_a_replay_of_what_was_left_breaks_there() -> None:
    """A recording without an end does not look like an answer that ended."""
    *given, last = played(LEFT, timing=True)

    assert given == [on_next(210, HEAD), on_next(220, b"data: 1\n\n")]
    assert (last.time, last.value.exception.reason) == (230, "stream_interrupted")
    assert isinstance(last.value.exception, StreamError)


def test_disposing_ends_a_replay() -> None:
    """Nothing follows a disposal, between pieces or within a burst of them."""
    assert played(WHOLE, timing=True, disposed=215) == [on_next(210, HEAD)]

    taken: list[Any] = TestScheduler().start(lambda: Replay([WHOLE]).open(ASK).pipe(ops.take(2))).messages
    assert taken == [on_next(200, HEAD), on_next(200, b"data: 1\n\n"), on_completed(200)]


def test_successive_requests_get_successive_exchanges() -> None:
    """Each subscription takes the next exchange, and its request is kept."""
    other = WireRequest("POST", "https://provider.example/other")
    replay = Replay([WHOLE, LEFT])
    scheduler = VirtualTimeScheduler()
    seen: list[list[Any]] = [[], []]

    replay.open(ASK).subscribe(seen[0].append, scheduler=scheduler)
    replay.open(other).subscribe(seen[1].append, lambda error: seen[1].append(error.args[0]), scheduler=scheduler)
    scheduler.start()

    assert replay.requests == (ASK, other)
    assert [len(items) for items in seen] == [4, 3]


def test_opening_alone_is_no_request() -> None:
    """What nobody subscribes to takes no exchange."""
    replay = Replay([WHOLE])

    replay.open(ASK)

    assert replay.requests == ()


def test_a_request_too_many_says_so() -> None:
    """When the exchanges are used up, the error tells how many there were."""
    (message,) = played()

    assert message.value.exception.reason == "no_scripted_response"
    assert "has 0 exchanges, and this is request 1" in message.value.exception.message


def test_what_a_subscriber_raises_comes_back_as_its_error() -> None:
    """An exception from `on_next` ends the replay and is reported once."""
    errors: list[Exception] = []
    calls: list[Any] = []
    scheduler = VirtualTimeScheduler()

    def fail(item: object) -> None:
        calls.append(item)
        raise KeyError("mine")

    Replay([WHOLE]).open(ASK).subscribe(fail, errors.append, scheduler=scheduler)
    scheduler.start()

    assert calls == [HEAD]
    assert [type(error) for error in errors] == [SubscriberError]
    assert isinstance(errors[0].__cause__, KeyError)


def test_without_a_place_to_run_there_is_an_error() -> None:
    """A replay subscribed outside a loop, without a scheduler, says what it needs."""
    errors: list[Exception] = []

    Replay([WHOLE]).open(ASK).subscribe(on_error=errors.append)

    (error,) = errors
    assert isinstance(error, UsageError)
    assert (error.reason, "an event loop or in virtual time" in error.message) == ("no_event_loop", True)


class Gate:
    """A demand that the test opens and shuts."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    def ready(self) -> bool:
        return self.opened.is_set()

    async def wait(self) -> None:
        await self.opened.wait()


async def collected(source: Observable[Any], scheduler: LoopScheduler | None) -> list[Any]:
    """Subscribe and give the items, once it has completed."""
    items: list[Any] = []
    done = asyncio.get_running_loop().create_future()
    source.subscribe(items.append, done.set_exception, lambda: done.set_result(None), scheduler=scheduler)
    assert items == []  # nothing comes inside `subscribe`
    await done
    return items


def in_loop(run: Callable[[asyncio.AbstractEventLoop], Any]) -> Any:
    async def main() -> Any:
        return await run(asyncio.get_running_loop())

    return asyncio.run(main())


@pytest.mark.parametrize("timing", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_a_loop_gets_the_same_items(*, timing: bool, given: bool) -> None:
    """On a real loop, found or given, a replay gives what it gives in virtual time."""
    quick = Exchange(request=ASK, head=HEAD, pieces=(Piece(0.001, b"a"), Piece(0.002, b"b")), ended_at=0.002)
    source = Replay([quick], timing=timing).open(ASK)

    assert in_loop(lambda loop: collected(source, LoopScheduler(loop) if given else None)) == [HEAD, b"a", b"b"]


def test_each_piece_is_a_turn_of_the_loop() -> None:
    """Others get their turn between two pieces, as on a network."""
    turns: list[Any] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def other() -> None:
            turns.append("other")
            if len(turns) < 20:
                loop.call_soon(other)

        loop.call_soon(other)
        source = Replay([WHOLE]).open(ASK).pipe(ops.do_action(lambda _: turns.append("piece")))
        await collected(source, LoopScheduler(loop))

    asyncio.run(run())

    assert turns[:8] == ["other", "piece"] * 4


def test_absent_demand_holds_a_replay_back() -> None:
    """Nothing comes while the subscriber cannot take it, and all of it when it can."""

    async def run() -> tuple[int, int]:
        gate = Gate()
        items: list[Any] = []
        done = asyncio.Event()
        scheduler = LoopScheduler(asyncio.get_running_loop(), gate)
        Replay([WHOLE]).open(ASK).subscribe(items.append, on_completed=done.set, scheduler=scheduler)
        for _ in range(20):
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a time
        held = len(items)
        gate.opened.set()
        await done.wait()
        return held, len(items)

    assert asyncio.run(run()) == (0, 4)


def test_a_replay_that_waits_for_demand_can_be_disposed() -> None:
    """No task outlives a subscription that was disposed while it waited."""

    async def run() -> tuple[list[Any], int]:
        items: list[Any] = []
        scheduler = LoopScheduler(asyncio.get_running_loop(), Gate())
        subscription = Replay([WHOLE]).open(ASK).subscribe(items.append, scheduler=scheduler)
        for _ in range(5):
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a time
        subscription.dispose()
        for _ in range(5):
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not a time
        return items, len(asyncio.all_tasks())

    assert asyncio.run(run()) == ([], 1)


def test_a_disposed_replay_keeps_nothing_alive() -> None:
    """The timer of a piece that was due much later goes with the subscription."""

    class Taker:
        def take(self, item: object) -> None:
            raise AssertionError(item)

    async def run() -> object:
        late = Exchange(request=ASK, head=HEAD, head_at=3600, ended_at=3600)
        taker = Taker()
        scheduler = LoopScheduler(asyncio.get_running_loop())
        Replay([late], timing=True).open(ASK).subscribe(taker.take, scheduler=scheduler).dispose()
        seen = weakref.ref(taker)
        del taker
        gc.collect()
        return seen()

    assert asyncio.run(run()) is None
