"""A chat of many turns: each costs what the one before it did, and the stack stays flat."""

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from reactivex.scheduler import EventLoopScheduler

from allm_rx.adapters.fake import Fake
from allm_rx.data.events import Event
from allm_rx.data.requests import Request
from allm_rx.data.results import ChatResult
from allm_rx.execution.calls import chat, stream
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool
from tests.orchestration import call, observed, result

TURNS = 1000


@tool
async def look() -> int:
    """Answer at once, on the loop."""
    return 1


def depth() -> int:
    """How many frames are below."""
    frame = inspect.currentframe()
    count = 0
    while frame is not None:
        frame, count = frame.f_back, count + 1
    return count


class Depths:
    """How deep the stack was at each step's end."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, event: Event) -> None:
        if event.type == "step_completed":
            self.seen.append(depth())


def engine(turns: int = TURNS) -> Engine:
    """A model that calls a tool in every turn but the last."""

    def respond(request: Request) -> list[Any]:
        return ["done"] if len(request.messages) > 2 * turns - 2 else [call("look")]

    return Engine(adapter=Fake(respond=respond), model="m", tools=[look])


def blocking(depths: Depths) -> ChatResult:
    """With `.run()`."""
    return chat(engine(), "hi", max_turns=TURNS, on_event=depths).run(timeout=60)


def awaited(depths: Depths) -> ChatResult:
    """With `await`."""

    async def main() -> ChatResult:
        return await chat(engine(), "hi", max_turns=TURNS, on_event=depths)

    return asyncio.run(main())


def scheduled(depths: Depths) -> ChatResult:
    """On a scheduler's thread, measured where events arrive."""
    scheduler, done = EventLoopScheduler(), threading.Event()
    last: list[Any] = []

    def on_next(event: Event) -> None:
        depths(event)
        last[:] = [event]

    stream(engine(), "hi", max_turns=TURNS).subscribe(on_next, on_completed=done.set, scheduler=scheduler)
    assert done.wait(60)
    scheduler.dispose()
    return last[0].result


def virtual(depths: Depths) -> ChatResult:
    """In virtual time, where a coroutine is a tool error."""
    return result(chat(engine(), "hi", max_turns=TURNS, on_event=depths))


@pytest.mark.parametrize("way", [blocking, awaited, scheduled, virtual])
def test_the_stack_stays_flat(way: Callable[[Depths], ChatResult]) -> None:
    """The thousandth turn is no deeper than the second."""
    depths = Depths()

    done = way(depths)

    assert (done.halted_reason, len(done.steps)) == ("completed", TURNS)
    assert max(depths.seen[1:]) == min(depths.seen[1:])


def calls_for(turns: int) -> int:
    """How many functions a chat calls."""
    count = 0

    def profile(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        if event == "call":
            count += 1

    source = chat(engine(turns), "hi", max_turns=turns)
    sys.setprofile(profile)
    try:
        observed(source)
    finally:
        sys.setprofile(None)
    return count


def test_each_turn_costs_the_same() -> None:
    """Four times the turns are four times the work."""
    calls_for(2)

    few, many = calls_for(50), calls_for(200)

    assert many < 4.2 * few


def test_a_result_shows_the_conversation_once() -> None:
    """`asyncio.run` writes its result out, and so does whoever logs one."""
    few, many = (len(repr(result(chat(engine(turns), "hi", max_turns=turns)))) for turns in (10, 40))

    assert many < 4.2 * few
