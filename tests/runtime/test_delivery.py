"""The edge of a stream: leaving it, and what subscribers raise."""

import asyncio
import contextvars
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler import EventLoopScheduler
from reactivex.subject import Subject

from allm_rx import errors
from allm_rx.adapters.fake import Fake, delay
from allm_rx.data.events import Event
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.operators import text
from allm_rx.operators.lean import Lean
from allm_rx.runtime.delivery import Delivery, deliver
from allm_rx.runtime.engine import Engine

FOREVER = delay(3600)


class Disposals:
    """A Fake that tells when it was left."""

    def __init__(self, *script: Any) -> None:
        self.left = threading.Event()
        outer = self

        class Told(Fake):
            def left(self) -> None:
                super().left()
                outer.left.set()

        self.fake = Told(script=script)
        self.engine = Engine(adapter=self.fake, model="m")

    def stream(self) -> rx.Observable[Event]:
        return stream_generate(self.engine, "hi")


def in_a_loop(disposals: Disposals, leave: Callable[[rx.Observable[Event]], Any]) -> int:
    """Subscribe in a coroutine in a way that leaves early, and give how often the source was left."""

    async def main() -> None:
        done = leave(disposals.stream())
        if asyncio.iscoroutine(done) or isinstance(done, asyncio.Future):
            await done
        assert await asyncio.to_thread(disposals.left.wait, 10)

    asyncio.run(main())
    return disposals.fake.disposals


def test_dispose_before_the_first_event_sends_nothing() -> None:
    """A subscription that is disposed at once has no event."""
    seen: list[Event] = []

    async def main() -> None:
        engine = Engine(adapter=Fake(script=["a"]), model="m")
        stream_generate(engine, "hi").subscribe(seen.append).dispose()
        await generate(engine, "the loop turns until this is answered")

    asyncio.run(main())
    assert seen == []


def test_dispose_in_mid_stream_leaves_the_source() -> None:
    """Disposing between two tokens ends the source, and no event follows."""
    disposals = Disposals("a", FOREVER, "b")
    seen: list[str] = []

    def leave(stream: rx.Observable[Event]) -> None:
        subscription = SerialDisposable()

        def on_next(piece: str) -> None:
            seen.append(piece)
            subscription.dispose()

        subscription.disposable = stream.pipe(text()).subscribe(on_next)

    assert in_a_loop(disposals, leave) == 1
    assert seen == ["a"]


def test_dispose_twice_and_after_the_end_does_nothing() -> None:
    """Disposing is idempotent, also when there is nothing left to leave."""
    disposals = Disposals("a")

    async def main() -> None:
        done = asyncio.Event()
        subscription = disposals.stream().subscribe(on_completed=done.set)
        await done.wait()
        subscription.dispose()
        subscription.dispose()

    asyncio.run(main())
    assert disposals.fake.disposals == 0


def take_three(stream: rx.Observable[Event]) -> rx.Observable[Any]:
    return stream.pipe(ops.take(3))


def until_a_timer(stream: rx.Observable[Event]) -> rx.Observable[Any]:
    return stream.pipe(ops.take_until(rx.timer(0.0)))


def switch_away(stream: rx.Observable[Event]) -> rx.Observable[Any]:
    nothing: rx.Observable[Event] = rx.empty()
    return rx.of(stream, nothing).pipe(ops.switch_latest())


def fail_to_map(stream: rx.Observable[Event]) -> rx.Observable[Any]:
    def mapper(event: Event) -> Event:
        raise LookupError(event.type)

    return stream.pipe(ops.map(mapper))


@pytest.mark.parametrize("way", [take_three, until_a_timer, switch_away, fail_to_map])
def test_leaving_early_is_disposal(way: Callable[[rx.Observable[Event]], rx.Observable[Any]]) -> None:
    """Whatever operator leaves early, the source is left."""
    assert in_a_loop(Disposals("a", "b", "c", FOREVER), lambda stream: asyncio.ensure_future(first(way(stream)))) == 1


async def first(stream: rx.Observable[Any]) -> None:
    """Wait for the end of a stream, however it ends."""
    try:
        await stream
    except Exception:  # noqa: BLE001 - how it ends is not the claim
        return


def test_a_cancelled_await_is_disposal() -> None:
    """A task that waits for an answer and is cancelled closes the request before it sees the cancellation."""
    disposals = Disposals("a", FOREVER)

    async def wait() -> int:
        try:
            await disposals.stream()
        except asyncio.CancelledError:
            return disposals.fake.disposals
        return -1

    async def main() -> int:
        task = asyncio.create_task(wait())
        await generate(Engine(adapter=Fake(script=["a"]), model="m"), "the loop turns until this is answered")
        task.cancel()
        return await task

    assert asyncio.run(main()) == 1


def test_dispose_from_another_thread_returns_at_once_and_stops_the_source() -> None:
    """The main thread leaves a stream of the I/O thread; at most one event was already on its way."""
    disposals = Disposals(*("x" for _ in range(10_000)), FOREVER)
    begun = threading.Event()
    count = 0
    after = 0
    left = False

    def on_next(_: Event) -> None:
        nonlocal count, after
        count += 1
        after += left
        begun.set()

    subscription = disposals.stream().subscribe(on_next)
    assert begun.wait(5)
    subscription.dispose()
    left = True

    assert disposals.left.wait(5)
    assert after <= 1
    assert disposals.fake.disposals == 1


def test_no_event_follows_dispose_on_the_delivery_thread() -> None:
    """A GUI thread that disposes sees nothing more, although events are queued for it."""
    scheduler = EventLoopScheduler()
    disposals = Disposals(*("x" for _ in range(1000)), FOREVER)
    seen: list[Event] = []
    left = threading.Event()
    after: list[int] = []
    subscription = SerialDisposable()
    in_hand = threading.Event()

    def on_next(event: Event) -> None:
        in_hand.wait(5)
        seen.append(event)
        if len(seen) == 5:
            subscription.dispose()
            left.set()

    subscription.disposable = disposals.stream().subscribe(on_next, scheduler=scheduler)
    in_hand.set()
    assert left.wait(5)
    assert disposals.left.wait(5)
    settled = threading.Event()

    def look(*_: object) -> None:
        after.append(len(seen))
        settled.set()

    scheduler.schedule(look)
    assert settled.wait(5)

    assert after == [5]
    scheduler.dispose()


def test_a_subscribers_exception_closes_the_request_and_is_reported_once() -> None:
    """What `on_next` raises comes back as `SubscriberError`, with its cause, and nothing follows."""
    disposals = Disposals("a", "b", FOREVER)
    failed: list[Exception] = []
    calls = 0

    def on_next(_: Event) -> None:
        nonlocal calls
        calls += 1
        raise LookupError("mine")

    def leave(stream: rx.Observable[Event]) -> None:
        stream.subscribe(on_next, failed.append)

    assert in_a_loop(disposals, leave) == 1
    assert calls == 1
    (error,) = failed
    assert isinstance(error, errors.SubscriberError)
    assert isinstance(error.cause, LookupError)


def test_a_subscribers_exception_behind_operators_is_reported_the_same_way() -> None:
    """The exception travels up through a pipe and comes down it as `SubscriberError`."""
    disposals = Disposals("a", FOREVER)
    failed: list[Exception] = []

    def boom(_: str) -> None:
        raise LookupError("mine")

    def leave(stream: rx.Observable[Event]) -> None:
        stream.pipe(text(), ops.map(str.upper)).subscribe(boom, failed.append)

    assert in_a_loop(disposals, leave) == 1
    assert [type(error) for error in failed] == [errors.SubscriberError]


def test_an_error_nobody_listens_to_reaches_the_loops_exception_handler() -> None:
    """Without an `on_error` the exception is not lost: the loop's handler gets it."""
    disposals = Disposals("a", FOREVER)

    async def main() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        told = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hear(_: object, context: dict[str, Any]) -> None:
            heard.append(context)
            told.set()

        def boom(event: Event) -> None:
            raise LookupError(event.type)

        loop.set_exception_handler(hear)
        disposals.stream().subscribe(boom)
        await told.wait()
        return heard

    (context,) = asyncio.run(main())
    assert isinstance(context["exception"], errors.SubscriberError)
    assert disposals.fake.disposals == 1


def test_an_exception_of_on_event_goes_to_on_error_and_closes_the_request() -> None:
    """`on_event` is the caller's function: what it raises is on `on_error` as it is, never at the call."""
    disposals = Disposals("a", FOREVER)
    failed: list[Exception] = []

    def watch(event: Event) -> None:
        raise LookupError(event.type)

    def leave(_: rx.Observable[Event]) -> None:
        stream_generate(disposals.engine, "hi", on_event=watch).subscribe(print, failed.append)

    assert in_a_loop(disposals, leave) == 1
    assert [repr(error) for error in failed] == ["LookupError('message_started')"]


def test_a_slow_subscriber_on_another_thread_pauses_the_source() -> None:
    """With a full hop the source stops playing; what waits is bounded."""
    scheduler = EventLoopScheduler()
    played: list[str] = []
    engine = Engine(adapter=Fake(script=["x"] * 5000), model="m")
    gate = threading.Event()
    first_seen = threading.Event()
    done = threading.Event()

    def on_next(_: Event) -> None:
        first_seen.set()
        gate.wait()

    stream = stream_generate(engine, "hi", on_event=lambda event: played.append(event.type))
    stream.subscribe(on_next, print, done.set, scheduler=scheduler)
    assert first_seen.wait(5)
    probe = threading.Event()
    generate(Engine(adapter=Fake(script=["probe"]), model="m"), "hi").subscribe(on_completed=probe.set)
    assert probe.wait(5)  # the I/O loop serves others while this subscriber blocks its own thread

    assert len(played) < 300
    gate.set()
    assert done.wait(10)
    assert played.count("text_delta") == 5000
    scheduler.dispose()


def test_contextvars_of_the_subscriber_are_seen_by_on_event() -> None:
    """A request id set around `subscribe` is visible in `on_event`, on whatever thread it runs."""
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="none")
    seen: set[str] = set()
    name.set("subscriber")

    engine = Engine(adapter=Fake(script=["a"]), model="m")
    stream_generate(engine, "hi", on_event=lambda _: seen.add(name.get())).run()

    assert seen == {"subscriber"}


def test_debugging_names_a_slow_callback(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `ALLM_RX_DEBUG=1` a callback that holds up the shared loop is named with its event."""
    monkeypatch.setenv("ALLM_RX_DEBUG", "1")
    never = threading.Event()

    def dawdle(event: Event) -> None:
        if event.type == "text_delta":
            never.wait(0.06)

    with caplog.at_level(logging.WARNING, logger="allm_rx.delivery"):
        stream_generate(Engine(adapter=Fake(script=["a"]), model="m"), "hi").pipe(ops.do_action(dawdle)).run()

    assert "'text_delta'" in caplog.text


def test_nothing_is_left_of_finished_streams() -> None:
    """Streams that ended leave no object of theirs behind."""
    engine = Engine(adapter=Fake(script=["a"]), model="m")

    async def main() -> None:
        for _ in range(20):
            await generate(engine, "hi")

    before = deliveries()
    asyncio.run(main())

    assert deliveries() - before == set()


def deliveries() -> set[int]:
    """Give the identities of all subscriptions that are alive."""
    gc.collect()
    alive: list[object] = [kept for kept in gc.get_objects() if type(kept) is Delivery]
    return {id(kept) for kept in alive}


def test_a_stream_behind_a_subject_survives_its_owners() -> None:
    """`take_until` of a Subject is the stop button: firing it closes the request."""
    disposals = Disposals("a", FOREVER)
    stop: Subject[None] = Subject()

    def press(event: Event) -> None:
        if event.type == "text_delta":
            stop.on_next(None)

    def leave(stream: rx.Observable[Event]) -> None:
        stream.pipe(ops.take_until(stop)).subscribe(press)

    assert in_a_loop(disposals, leave) == 1


@pytest.mark.parametrize("hop", [False, True])
def test_a_source_that_cannot_be_subscribed_is_told(hop: bool) -> None:
    """On the loop nobody else would hear of what its `subscribe` raises."""
    told: list[Exception] = []
    done = threading.Event()
    scheduler = EventLoopScheduler()

    def refuse(observer: Any, given: Any = None) -> Any:
        raise ValueError("no source")

    def tell(error: Exception) -> None:
        told.append(error)
        done.set()

    deliver(Lean[Event](refuse)).subscribe(print, tell, scheduler=scheduler if hop else None)

    assert done.wait(10)
    assert [str(error) for error in told] == ["no source"]
    scheduler.dispose()


@pytest.mark.parametrize("within_subscribe", [False, True])
def test_the_end_of_a_stream_lets_go_of_its_source(within_subscribe: bool) -> None:
    """As leaving does; and what a source says after its end is not heard."""
    heard: list[str] = []
    left: list[str] = []

    def source(observer: Any, given: Any = None) -> Disposable:
        def end() -> None:
            observer.on_next("a")
            observer.on_completed()
            observer.on_next("b")

        end() if within_subscribe else given.loop.call_soon(end)
        return Disposable(lambda: left.append("left"))

    async def main() -> None:
        ended = asyncio.Event()
        deliver(Lean[str](source)).subscribe(heard.append, print, lambda: (heard.append("end"), ended.set())[0])
        await ended.wait()

    asyncio.run(main())

    assert (heard, left) == (["a", "end"], ["left"])
