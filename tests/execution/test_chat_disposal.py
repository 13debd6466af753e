"""Leaving a chat closes everything at once, wherever it is left, and leaves nothing behind."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler import EventLoopScheduler, VirtualTimeScheduler

from allm_rx.abc.tools import ToolContext
from allm_rx.adapters import OpenAIChat
from allm_rx.adapters.fake import Fake, delay, error
from allm_rx.data.events import Event
from allm_rx.data.policies import RetryPolicy
from allm_rx.execution.calls import chat, stream
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool
from allm_rx.testing.answers import Answer
from allm_rx.testing.assertions import assert_no_leaks
from allm_rx.testing.faults import Flood
from allm_rx.testing.provider_server import ProviderServer
from tests import virtual_loop
from tests.orchestration import after, call, engine, fake_of, giving

FOREVER = delay(3600)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No thread, task or socket outlives a test."""
    with assert_no_leaks():
        yield


def left(source: Observable[Event], when: Callable[[Event], bool]) -> list[str]:
    """Dispose, in virtual time, while the first such event is handled; give the types of all that came."""
    scheduler = VirtualTimeScheduler()
    subscription = SerialDisposable()
    seen: list[str] = []

    def on_next(event: Event) -> None:
        seen.append(event.type)
        if when(event):
            subscription.dispose()

    subscription.disposable = source.subscribe(on_next, scheduler=scheduler)
    scheduler.start()
    return seen


def of(kind: str, count: int = 1) -> Callable[[Event], bool]:
    """Whether an event is the n-th of its type."""
    seen: list[Event] = []

    def test(event: Event) -> bool:
        if event.type == kind:
            seen.append(event)
        return len(seen) == count

    return test


# Where it is left.


def test_before_the_first_event_the_request_is_closed() -> None:
    """Nobody has to wait for the first byte."""
    here = engine([FOREVER])
    scheduler = VirtualTimeScheduler()
    subscription = stream(here, "hi").subscribe(scheduler=scheduler)

    scheduler.advance_to(5)
    subscription.dispose()
    scheduler.start()

    assert (len(fake_of(here).requests), fake_of(here).disposals) == (1, 1)


def test_between_two_tokens_the_request_is_closed() -> None:
    """And no event follows."""
    here = engine(["a", "b"])

    assert left(stream(here, "hi"), of("text_delta"))[-1] == "text_delta"
    assert fake_of(here).disposals == 1


def test_in_a_later_step_the_request_is_closed() -> None:
    """That of the second turn, the first being over."""
    here = engine([call("wait")], ["a", "b"], tools=[waiting()])

    left(stream(here, "hi"), of("text_delta"))

    assert (len(fake_of(here).requests), fake_of(here).disposals) == (2, 1)


def waiting() -> Any:
    """A tool that takes a second."""

    @tool
    def wait() -> Observable[int]:
        return after(1.0, 1)

    return wait


def test_between_two_steps_nothing_more_is_sent() -> None:
    """The next turn does not begin."""
    here = engine([call("wait")], ["a"], tools=[waiting()])

    assert left(stream(here, "hi"), of("step_completed"))[-1] == "step_completed"
    assert (len(fake_of(here).requests), fake_of(here).disposals) == (1, 0)


def test_after_the_end_nothing_happens() -> None:
    """The request was complete."""
    here = engine(["a"])

    left(stream(here, "hi"), of("chat_completed"))

    assert fake_of(here).disposals == 0


def test_at_its_start_a_tool_is_not_run() -> None:
    """Whoever leaves on `tool_execution_started` is in time."""
    ran: list[int] = []

    @tool
    def act() -> Observable[int]:
        ran.append(1)
        return rx.never()

    left(stream(engine([call("act")], tools=[act]), "hi"), of("tool_execution_started"))

    assert ran == []


def test_at_its_end_a_tool_has_no_result() -> None:
    """No event follows, of it or of the policy."""
    asked: list[int] = []

    @tool
    def act() -> Observable[int]:
        return rx.throw(ValueError("no"))

    source = stream(engine([call("act")], tools=[act]), "hi", on_tool_error=lambda call, error: asked.append(1))

    assert left(source, of("tool_execution_completed"))[-1] == "tool_execution_completed"
    assert asked == []


def test_inside_a_tool_its_observable_is_disposed() -> None:
    """And calls that wait for their turn do not begin."""
    log: list[str] = []

    @tool
    def act(who: str) -> Observable[int]:
        def subscribe(observer: ObserverBase[int], scheduler: SchedulerBase | None = None) -> DisposableBase:
            log.append(f"{who} on")
            observer.on_next(1)
            return Disposable(lambda: log.append(f"{who} off"))

        return Observable(subscribe)

    turn = [call("act", who, who=who) for who in "abc"]

    left(stream(engine(turn, tools=[act]), "hi", max_concurrency=2), of("tool_execution_progress", 2))

    assert log == ["a on", "b on", "a off", "b off"]


def test_a_pending_retry_is_not_made() -> None:
    """The wait ends with the chat."""
    here = engine([error("overloaded")], ["never"])
    scheduler = VirtualTimeScheduler()
    policy = RetryPolicy(base_delay=10, jitter=0)
    subscription = stream(here, "hi", retry=policy).subscribe(scheduler=scheduler)

    scheduler.advance_to(5)
    subscription.dispose()
    scheduler.start()

    assert len(fake_of(here).requests) == 1


# On a loop, and off it.


def test_inside_a_tool_its_task_is_cancelled() -> None:
    """When the awaiting task is."""
    cancelled: list[str] = []
    begun = asyncio.Event()

    @tool
    async def act() -> None:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append("act")
            raise

    async def waiting(here: Engine) -> None:
        await chat(here, "hi")

    async def main() -> None:
        task = asyncio.ensure_future(waiting(engine([call("act")], tools=[act])))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await virtual_loop.turn()

    virtual_loop.run(main())
    assert cancelled == ["act"]


def test_inside_a_thread_its_handler_is_told() -> None:
    """`cancelled` turns true, whichever thread disposes."""
    begun, told = threading.Event(), threading.Event()

    @tool
    def act(ctx: ToolContext) -> None:
        begun.set()
        while not ctx.cancelled:
            pass
        told.set()

    subscription = stream(engine([call("act")], tools=[act]), "hi").subscribe()
    assert begun.wait(30)
    subscription.dispose()

    assert told.wait(30)


class Told(Fake):
    """A Fake that tells when it was left."""

    def __init__(self, *script: Any) -> None:
        super().__init__(script=script)
        self.closed = threading.Event()

    def left(self) -> None:
        super().left()
        self.closed.set()


@pytest.mark.parametrize("scheduler", [None, EventLoopScheduler])
def test_from_another_thread_the_request_is_closed(scheduler: Any) -> None:
    """With the I/O loop's own delivery, and behind the hop to a scheduler."""
    fake = Told("a", FOREVER)
    seen = threading.Event()
    place = scheduler() if scheduler is not None else None

    subscription = stream(Engine(adapter=fake, model="m"), "hi").subscribe(
        lambda event: seen.set() if event.type == "text_delta" else None, scheduler=place
    )
    assert seen.wait(30)
    subscription.dispose()

    assert fake.closed.wait(30)
    if place is not None:
        place.dispose()


@pytest.mark.parametrize("count", [1, 2, 6, 7, 10, 11])
def test_an_operator_that_leaves_early_is_disposal(count: int) -> None:
    """`take` leaves nothing of any phase."""
    here = engine([call("wait")], ["a", FOREVER], tools=[waiting()])

    left(stream(here, "hi").pipe(ops.take(count)), lambda event: False)

    assert fake_of(here).disposals == (1 if count in (1, 2, 11) else 0)


def test_a_subscriber_that_raises_closes_the_chat() -> None:
    """And is told once."""
    fake = Told("a", FOREVER)
    errors: list[str] = []
    heard = threading.Event()

    def on_next(event: Event) -> None:
        raise KeyError("mine")

    def on_error(error: Exception) -> None:
        errors.append(type(error).__name__)
        heard.set()

    stream(Engine(adapter=fake, model="m"), "hi").subscribe(on_next, on_error)

    assert heard.wait(30)
    assert fake.closed.wait(30)
    assert errors == ["SubscriberError"]


def test_the_provider_sees_a_later_request_closed() -> None:
    """A real connection, in the middle of the second answer."""
    turns = [Answer(tool_calls=[call("look")]), Answer(faults=[Flood(" and so on")])]
    with ProviderServer(turns) as server:
        adapter = OpenAIChat(base_url=server.base_url("openai-chat"), api_key="none")
        seen = threading.Event()

        subscription = stream(Engine(adapter=adapter, model="m", tools=[giving(1)]), "hi").subscribe(
            lambda event: seen.set() if event.type == "text_delta" else None
        )
        assert seen.wait(30)
        subscription.dispose()

        assert [closed.request for closed in server.wait_closed()] == [1]


def test_a_thousand_chats_left_anywhere_leave_nothing() -> None:
    """No object of a chat outlives it."""

    def alive() -> int:
        gc.collect()
        return sum(str(type(thing).__module__).startswith("allm_rx.execution") for thing in gc.get_objects())

    def leave(number: int) -> None:
        here = engine([call("wait")], ["a", "b", FOREVER], tools=[waiting()])
        left(stream(here, "hi"), of("text_delta", 1 + number % 2) if number % 3 else of("tool_execution_started"))

    leave(0)
    before = alive()
    for number in range(1000):
        leave(number)

    assert alive() == before
