"""What becomes of items that nobody is ready for."""

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.subject import Subject

from allm_rx import Engine, stream_generate
from allm_rx import operators as lx
from allm_rx.abc.flow import LoopScheduler, demand_of
from allm_rx.adapters import Fake
from allm_rx.errors import StreamError, SubscriberError
from allm_rx.operators.on_overflow import Overflow
from tests import virtual_loop
from tests.demand import Tap
from tests.virtual_loop import running, turn


def told(policy: Overflow, *acts: int | str, capacity: int = 1) -> list[Any]:
    """What a subscriber sees of items, and of a tap that is opened and closed in between; `|` and `#` end the source."""
    seen: list[Any] = []

    async def main() -> list[Any]:
        source, tap = Subject[int](), Tap()
        stream = source.pipe(lx.on_overflow(policy, capacity=capacity))
        stream.subscribe(seen.append, seen.append, lambda: seen.append("|"), scheduler=LoopScheduler(running(), tap))
        for act in acts:
            match act:
                case "open":
                    tap.open()
                case "close":
                    tap.close()
                case "|":
                    source.on_completed()
                case "#":
                    source.on_error(ValueError("bug"))
                case _:
                    source.on_next(int(act))
            await turn()
            await turn()
        assert len(asyncio.all_tasks()) == 1 + len(tap.waiting)
        return list(seen)

    return virtual_loop.run(main())


def test_while_the_subscriber_is_ready_everything_passes() -> None:
    """Whatever the policy."""
    for policy in ("latest", "drop", "error"):
        assert told(policy, 1, 2, 3, "|") == [1, 2, 3, "|"]


def test_latest_keeps_the_newest() -> None:
    """It comes when the subscriber is ready again."""
    assert told("latest", 1, "close", 2, 3, 4, "open", 5) == [1, 4, 5]


def test_latest_keeps_as_many_as_may_wait() -> None:
    """In order."""
    assert told("latest", "close", 1, 2, 3, 4, "open", capacity=2) == [3, 4]


def test_drop_keeps_the_oldest() -> None:
    """What comes while it is full is dropped."""
    assert told("drop", "close", 1, 2, 3, 4, "open", 5, capacity=2) == [1, 2, 5]


def test_error_ends_the_stream() -> None:
    """With what to do, in place of the first that is too much."""
    [first, error] = told("error", 1, "close", 2, 3, 4, "open")

    assert first == 1
    assert isinstance(error, StreamError)
    assert error.message == (
        "The subscriber fell behind, with 1 items waiting, and `on_overflow('error')` ended the stream: take items faster, or "
        "drop some with 'latest'."
    )


@pytest.mark.parametrize("end", ["|", "#"])
def test_the_end_comes_behind_what_waits(end: str) -> None:
    """So the last state is never lost."""
    seen = told("latest", "close", 1, 2, end)
    assert seen == []

    seen = told("latest", "close", 1, 2, end, "open")
    assert seen[0] == 2
    assert len(seen) == 2


def test_the_source_is_never_asked_to_wait() -> None:
    """It sees no demand."""

    async def main() -> list[Any]:
        schedulers: list[Any] = []

        def subscribe(observer: ObserverBase[int], scheduler: SchedulerBase | None = None) -> Disposable:
            schedulers.append(scheduler)
            return Disposable()

        source = Observable(subscribe)
        source.pipe(lx.on_overflow("latest")).subscribe(scheduler=LoopScheduler(running(), Tap()))
        return [(scheduler.loop is running(), demand_of(scheduler)) for scheduler in schedulers]

    assert virtual_loop.run(main()) == [(True, None)]


def test_without_demand_nothing_is_dropped() -> None:
    """Nobody says that it is not ready."""
    assert lx.run(rx.range(100).pipe(lx.on_overflow("latest"), ops.count())) == 100


def test_right_behind_a_call_the_provider_is_not_slowed_down() -> None:
    """A reader that stops after one event finds what was buffered for it, and the newest; most of the thousand are gone."""
    engine = Engine(adapter=Fake(script=["x"] * 1000), model="fake-1")

    async def main() -> list[str]:
        whole = asyncio.Event()
        stream = stream_generate(
            engine, "Go on.", on_event=lambda event: whole.set() if event.type == "message_completed" else None
        )
        async with lx.to_aiter(stream.pipe(lx.on_overflow("latest", capacity=2)), capacity=4) as events:
            first = await anext(events)
            await whole.wait()
            return [first.type, *[event.type async for event in events]]

    seen = asyncio.run(main())
    assert (seen[0], seen[-1], len(seen) < 50) == ("message_started", "message_completed", True)


def test_leaving_takes_the_wait_back() -> None:
    """No task is left, and nothing comes."""

    async def main() -> tuple[int, int, list[int]]:
        seen: list[int] = []
        source, tap = Subject[int](), Tap(is_open=False)
        subscription = source.pipe(lx.on_overflow("latest")).subscribe(seen.append, scheduler=LoopScheduler(running(), tap))
        source.on_next(1)
        await turn()
        during = len(asyncio.all_tasks())
        subscription.dispose()
        await turn()
        after = len(asyncio.all_tasks())
        tap.open()
        await turn()
        return during, after, seen

    assert virtual_loop.run(main()) == (2, 1, [])


def test_items_of_another_thread_wait_as_well() -> None:
    """The wait is the loop's, whoever emits."""

    async def main() -> list[int]:
        seen: list[int] = []
        source, tap = Subject[int](), Tap(is_open=False)
        source.pipe(lx.on_overflow("latest")).subscribe(seen.append, scheduler=LoopScheduler(running(), tap))
        await asyncio.to_thread(lambda: [source.on_next(item) for item in range(3)])
        await turn()
        tap.open()
        await turn()
        await turn()
        return seen

    assert virtual_loop.run(main()) == [2]


def test_a_subscriber_that_raises_while_it_catches_up_is_told() -> None:
    """Nobody is above who would hear it."""
    errors: list[Exception] = []

    def on_next(item: int) -> None:
        raise ValueError(item)

    async def main() -> None:
        source, tap = Subject[int](), Tap(is_open=False)
        stream = source.pipe(lx.on_overflow("latest"))
        stream.subscribe(on_next, errors.append, scheduler=LoopScheduler(running(), tap))
        source.on_next(1)
        await turn()
        tap.open()
        await turn()
        await turn()

    virtual_loop.run(main())
    [error] = errors
    assert isinstance(error, SubscriberError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("oldest",), "'oldest' is no policy: use one of 'latest', 'drop', 'error'"), (("drop", 0), "at least 1 item waits")],
)
def test_what_makes_no_sense_is_told_at_once(arguments: tuple[Any, ...], message: str) -> None:
    """Not in the middle of an answer."""
    policy, *capacity = arguments

    with pytest.raises(ValueError, match=message):
        lx.on_overflow(policy, **({"capacity": capacity[0]} if capacity else {}))
