"""Where a subscription lives: the table of `allm_rx.runtime.schedulers`."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.abc import SchedulerBase
from reactivex.scheduler import (
    CurrentThreadScheduler,
    EventLoopScheduler,
    ImmediateScheduler,
    NewThreadScheduler,
    ThreadPoolScheduler,
    TimeoutScheduler,
    TrampolineScheduler,
)
from reactivex.scheduler.eventloop import AsyncIOScheduler, AsyncIOThreadSafeScheduler
from reactivex.testing import TestScheduler

from allm_rx import errors
from allm_rx.adapters.fake import Fake
from allm_rx.data.events import Event, MessageCompleted
from allm_rx.execution.calls import stream_generate
from allm_rx.operators import run
from allm_rx.runtime.engine import Engine
from allm_rx.transport.io_loop import io_loop

PLACELESS: list[Callable[[], SchedulerBase]] = [
    NewThreadScheduler,
    TimeoutScheduler,
    lambda: ThreadPoolScheduler(1),
    CurrentThreadScheduler,
    TrampolineScheduler,
    ImmediateScheduler,
]


def an_engine() -> Engine:
    return Engine(adapter=Fake(script=["a", "b", "c"]), model="m")


def behind_an_operator(stream: rx.Observable[Event]) -> rx.Observable[Event]:
    """Give the same stream as RxPY's own class, which knows nothing of ours."""

    def same(event: Event) -> Event:
        return event

    return stream.pipe(ops.map(same))


def rx_run(stream: rx.Observable[Event]) -> object:
    """Block the way RxPY itself does."""
    return stream.run()


def threads_of(scheduler: SchedulerBase | None) -> set[str]:
    """Subscribe from this thread and give the names of the threads that events, the terminal included, came on."""
    seen: set[str] = set()
    done = threading.Event()

    def note(*_: object) -> None:
        seen.add(threading.current_thread().name)

    def end() -> None:
        note()
        done.set()

    stream_generate(an_engine(), "hi").subscribe(note, print, end, scheduler=scheduler)
    assert done.wait(5)
    return seen


def test_without_a_loop_events_arrive_on_the_io_thread() -> None:
    """A script that subscribes gets its events from the one I/O thread."""
    assert threads_of(None) == {"allm_rx-io"}


@pytest.mark.parametrize("make", PLACELESS)
def test_a_scheduler_that_names_no_place_means_the_io_thread(make: Callable[[], SchedulerBase]) -> None:
    """New threads, pools, timeouts, trampolines and immediate ones say how, not where."""
    scheduler = make()

    seen = threads_of(scheduler)

    assert seen == {"allm_rx-io"}
    if isinstance(scheduler, ThreadPoolScheduler):
        scheduler.executor.shutdown()


def test_a_running_loop_owns_what_is_subscribed_on_it() -> None:
    """In a coroutine events arrive on that loop's thread, without a hop."""

    async def main() -> set[str]:
        seen: set[str] = set()
        done = asyncio.Event()
        stream_generate(an_engine(), "hi").subscribe(lambda _: seen.add(threading.current_thread().name), print, done.set)
        await done.wait()
        return seen

    assert asyncio.run(main()) == {"MainThread"}


def test_no_event_comes_inside_subscribe() -> None:
    """Subscribing returns before the first event, so a subscriber can keep its subscription."""

    async def main() -> list[str]:
        order: list[str] = []
        done = asyncio.Event()
        stream_generate(an_engine(), "hi").subscribe(lambda event: order.append(event.type), print, done.set)
        order.append("subscribed")
        await done.wait()
        return order

    assert asyncio.run(main())[0] == "subscribed"


@pytest.mark.parametrize("make", [AsyncIOScheduler, AsyncIOThreadSafeScheduler])
def test_a_loops_scheduler_brings_events_onto_that_loop_from_any_thread(
    make: Callable[[asyncio.AbstractEventLoop], SchedulerBase],
) -> None:
    """A worker thread may subscribe for a loop; the events arrive on the loop's thread."""

    async def main() -> set[str]:
        loop = asyncio.get_running_loop()
        seen: set[str] = set()
        done = asyncio.Event()

        def subscribe() -> None:
            stream_generate(an_engine(), "hi").subscribe(
                lambda _: seen.add(threading.current_thread().name), print, done.set, scheduler=make(loop)
            )

        threading.Thread(target=subscribe).start()
        await done.wait()
        return seen

    assert asyncio.run(main()) == {"MainThread"}


def test_a_closed_loop_is_named_as_such() -> None:
    """A scheduler of a loop that is gone gets an error that says what to do, not «Event loop is closed»."""
    loop = asyncio.new_event_loop()
    loop.close()
    failed: list[Exception] = []

    stream_generate(an_engine(), "hi").subscribe(print, failed.append, scheduler=AsyncIOScheduler(loop))

    assert isinstance(failed[0], errors.UsageError)
    assert failed[0].reason == "no_event_loop"


def test_an_event_loop_scheduler_gets_its_events_on_its_own_thread() -> None:
    """Events, the terminal included, hop to the thread of an `EventLoopScheduler`."""
    scheduler = EventLoopScheduler()
    home: list[str] = []
    known = threading.Event()

    def look(*_: object) -> None:
        home.append(threading.current_thread().name)
        known.set()

    scheduler.schedule(look)
    assert known.wait(5)

    seen = threads_of(scheduler)

    assert seen == set(home)
    scheduler.dispose()


def test_virtual_time_plays_inside_start() -> None:
    """Under a `TestScheduler` everything happens at virtual times, on this thread."""
    scheduler = TestScheduler()

    result = scheduler.start(lambda: stream_generate(an_engine(), "hi").pipe(ops.map(lambda event: event.type)))

    assert [message.time for message in result.messages] == [200.0] * len(result.messages)
    assert len(result.messages) == 7


def test_a_scheduler_nobody_can_wake_is_refused_by_name() -> None:
    """An unknown scheduler is an error at once; posting to it from our thread might lose every event."""

    class Strange(EventLoopScheduler.__mro__[1]):  # type: ignore[misc] # the common base of all schedulers with timers
        def schedule(self, *_: object, **__: object) -> None: ...
        def schedule_relative(self, *_: object, **__: object) -> None: ...
        def schedule_absolute(self, *_: object, **__: object) -> None: ...

    failed: list[Exception] = []

    stream_generate(an_engine(), "hi").subscribe(print, failed.append, scheduler=Strange())

    assert isinstance(failed[0], errors.UsageError)
    assert "Strange" in str(failed[0])


def test_run_blocks_a_foreign_loop_and_warns_once() -> None:
    """`run()` inside a coroutine works, and one warning names `await`."""

    async def main() -> str:
        with pytest.warns(RuntimeWarning, match="await") as warned:
            event = stream_generate(an_engine(), "hi").run()
        assert [warning.filename for warning in warned] == [__file__]  # it points at whoever called `run`
        return event.type

    assert asyncio.run(main()) == "message_completed"


def test_run_after_pipe_is_recognised_too() -> None:
    """RxPY's own `run()`, which a plain `pipe` gives, warns alike."""

    async def main() -> None:
        with pytest.warns(RuntimeWarning, match="await") as warned:
            rx_run(behind_an_operator(stream_generate(an_engine(), "hi")))
        assert [warning.filename for warning in warned] == [__file__]

    asyncio.run(main())


@pytest.mark.parametrize("wait", [run, rx_run])
def test_run_on_the_io_thread_is_refused(wait: Callable[[rx.Observable[Event]], object]) -> None:
    """A blocking wait on the I/O thread would wait for itself: it is an error that says so."""

    async def on_io_thread() -> object:
        return wait(behind_an_operator(stream_generate(an_engine(), "hi")))

    with pytest.raises(errors.UsageError, match="wait for itself"):
        asyncio.run_coroutine_threadsafe(on_io_thread(), io_loop()).result(5)


@pytest.mark.parametrize("wait", [run, rx_run])
def test_a_stream_that_is_subscribed_later_is_not_taken_for_a_run(wait: Callable[[rx.Observable[object]], object]) -> None:
    """The second stream begins on the I/O thread, where nobody waits for it."""
    answers = [stream_generate(an_engine(), prompt) for prompt in ("one", "two")]

    assert wait(rx.from_iterable(answers).pipe(ops.merge(max_concurrent=1), ops.map(type))) is MessageCompleted


def test_two_runs_of_asyncio_share_one_engine() -> None:
    """An engine outlives the loops it was used on."""
    engine = an_engine()

    async def ask() -> str:
        return (await stream_generate(engine, "hi")).type

    assert [asyncio.run(ask()), asyncio.run(ask())] == ["message_completed"] * 2


def test_many_threads_share_one_engine() -> None:
    """Blocking calls from many threads run side by side on the one I/O thread."""
    engine = an_engine()

    with ThreadPoolExecutor(8) as pool:

        def ask(_: int) -> str:
            return stream_generate(engine, "hi").run().type

        types = list(pool.map(ask, range(64)))

    assert types == ["message_completed"] * 64
