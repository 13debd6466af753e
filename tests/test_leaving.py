"""Leaving a paid request, in every way there is, over real sockets; and what bad input gets.

Each test ends with nothing left in the process, and the server is the witness that the connection was closed.
"""

import asyncio
import gc
import os
import random  # noqa: TID251 - seeded: the same thousand ways each time
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.abc import DisposableBase
from reactivex.scheduler import EventLoopScheduler
from reactivex.subject import Subject

from allm_rx import operators as lx
from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.data.events import Event
from allm_rx.data.policies import Timeouts
from allm_rx.errors import SubscriberError
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.runtime.engine import Engine
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.assertions import assert_no_leaks
from allm_rx.testing.faults import (
    Cut,
    DelayBody,
    DelayHead,
    ErrorFrame,
    Fault,
    Flood,
    Garbage,
    HtmlPage,
    HugeRecord,
    KeepAlive,
    NoTerminal,
    Redirect,
    ResetBeforeHead,
    Stall,
    refused,
)
from allm_rx.testing.provider_server import ProviderServer
from tests.loopback import PATIENCE, Authority, Seen, an_engine, everything, program, until

ENDLESS = Answer("Hi", faults=[Flood()])
SILENT = Answer("Hi", faults=[DelayHead()])


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    with assert_no_leaks(patience=PATIENCE):
        yield


def events_from(server: ProviderServer, **options: Any) -> rx.Observable[Event]:
    return stream_generate(an_engine(server), "Hi", **options)


# On an event loop.


async def dispose(stream: rx.Observable[Event]) -> None:
    begun = asyncio.Event()
    subscription = stream.subscribe(lambda _: begun.set())
    await begun.wait()
    subscription.dispose()


async def dispose_twice(stream: rx.Observable[Event]) -> None:
    begun = asyncio.Event()
    subscription = stream.subscribe(lambda _: begun.set())
    await begun.wait()
    subscription.dispose()
    subscription.dispose()


async def take_three(stream: rx.Observable[Event]) -> None:
    assert len(await stream.pipe(ops.take(3), ops.to_list())) == 3


async def take_until_a_button(stream: rx.Observable[Event]) -> None:
    button: Subject[None] = Subject()

    def press(event: Event) -> None:
        if event.type == "text_delta":
            button.on_next(None)

    await stream.pipe(ops.take_until(button), ops.do_action(press), ops.to_list())


async def switch_to_another(stream: rx.Observable[Event]) -> None:
    prompts: Subject[rx.Observable[Event]] = Subject()
    begun, ended = asyncio.Event(), asyncio.Event()
    prompts.pipe(ops.switch_latest()).subscribe(lambda _: begun.set(), on_completed=ended.set)
    prompts.on_next(stream)
    await begun.wait()
    prompts.on_next(rx.empty())
    prompts.on_completed()
    await ended.wait()


async def cancel_an_await(stream: rx.Observable[Event]) -> None:
    begun = asyncio.Event()

    async def wait() -> Event:
        return await stream.pipe(ops.do_action(lambda _: begun.set()))

    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def let_an_await_time_out(stream: rx.Observable[Event]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.pipe(ops.last()), 0.05)


async def leave_an_iterator_inside_with(stream: rx.Observable[Event]) -> object:
    async with lx.to_aiter(stream) as events:
        async for event in events:
            if event.type == "text_delta":
                break
    return events  # kept, so that it is not its being dropped that closes it


async def leave_a_bare_iterator(stream: rx.Observable[Event]) -> None:
    async for event in lx.to_aiter(stream):
        if event.type == "text_delta":
            break


async def close_an_iterator(stream: rx.Observable[Event]) -> object:
    events = lx.to_aiter(stream)
    await anext(events)
    await events.aclose()
    return events


async def cancel_an_iteration(stream: rx.Observable[Event]) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in lx.to_aiter(stream):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def raise_in_on_next(stream: rx.Observable[Event]) -> None:
    failed: list[Exception] = []

    def on_next(event: Event) -> None:
        raise LookupError(event.type)

    stream.subscribe(on_next, failed.append)
    await until(lambda: failed)
    assert isinstance(failed[0], SubscriberError)
    assert isinstance(failed[0].cause, LookupError)


async def raise_in_a_mapper(stream: rx.Observable[Event]) -> None:
    def fail(event: Event) -> Event:
        raise LookupError(event.type)

    with pytest.raises(LookupError):
        await stream.pipe(ops.map(fail))


async def fail_beside_it(stream: rx.Observable[Event]) -> None:
    begun: Subject[int] = Subject()

    def tell(_: Event) -> None:
        begun.on_error(LookupError("beside"))

    with pytest.raises(LookupError):
        await rx.merge(stream.pipe(ops.do_action(tell)), begun)


@pytest.mark.parametrize(
    "leave",
    [
        dispose,
        dispose_twice,
        take_three,
        take_until_a_button,
        switch_to_another,
        cancel_an_await,
        let_an_await_time_out,
        leave_an_iterator_inside_with,
        leave_a_bare_iterator,
        close_an_iterator,
        cancel_an_iteration,
        raise_in_on_next,
        raise_in_a_mapper,
        fail_beside_it,
    ],
)
def test_leaving_on_a_loop_closes_the_connection(leave: Callable[[rx.Observable[Event]], Awaitable[object]]) -> None:
    """Whichever way a coroutine leaves an endless answer, the server sees it while the loop still runs."""
    with ProviderServer(ENDLESS) as server:

        async def main() -> object:
            kept = await leave(events_from(server))
            await asyncio.to_thread(server.wait_closed)
            return kept

        asyncio.run(main())

        assert [closed.request for closed in server.closed_by_client] == [0]


@pytest.mark.parametrize("answer", [SILENT, Answer("Hi", faults=[DelayBody()]), Answer("Hi", faults=[KeepAlive(every=0.001)])])
def test_leaving_before_the_first_byte_closes_the_connection(answer: Answer) -> None:
    """A provider that thinks, or only says that it still does, is left at once."""
    with ProviderServer(answer) as server:

        async def main() -> list[Event]:
            seen: list[Event] = []
            subscription = events_from(server).subscribe(seen.append)
            await asyncio.to_thread(server.wait_requests)
            subscription.dispose()
            await asyncio.to_thread(server.wait_closed)
            return seen

        assert asyncio.run(main()) == []


def test_leaving_after_the_end_keeps_the_connection() -> None:
    """There is nothing left to close: the next request uses it."""
    with ProviderServer(Answer("Hi")) as server:

        async def main() -> None:
            for _ in range(2):
                ended = asyncio.Event()
                subscription = events_from(server).subscribe(on_completed=ended.set)
                await ended.wait()
                subscription.dispose()

        asyncio.run(main())

        assert [request.connection for request in server.requests] == [0, 0]


def test_a_coroutine_that_returns_early_leaves_what_it_began() -> None:
    """`asyncio.run` ends with streams open: their connections are closed, and their subscribers are told."""
    seen = Seen()
    with ProviderServer(ENDLESS) as server:

        async def main() -> None:
            events_from(server).subscribe(seen.on_next, seen.on_error, seen.on_completed)
            await until(lambda: "text_delta" in seen.types)

        asyncio.run(main())
        server.wait_closed()

    assert seen.types[-1] == "error"
    assert seen.items[-1].failure.reason == "cancelled"


def test_what_begins_while_a_loop_ends_is_left_too(caplog: pytest.LogCaptureFixture) -> None:
    """The next prompt is asked when the answer before it is cut off; no request and no task outlives the loop."""
    seen = Seen()
    with ProviderServer(ENDLESS) as server:

        async def main() -> None:
            answers = rx.of("One", "Two", "Three").pipe(lx.generate(an_engine(server)))
            answers.subscribe(seen.on_next, seen.on_error, seen.on_completed)
            await until(lambda: "text_delta" in seen.types)

        asyncio.run(main())
        gc.collect()

    assert [event.failure.reason for event in seen.items if event.type == "error"] == ["cancelled"] * 3
    assert caplog.messages == []


def test_ctrl_c_in_a_coroutine_leaves_what_it_began() -> None:
    """`asyncio.run` turns the signal into a cancellation, which closes the request."""
    with ProviderServer(ENDLESS) as server:

        async def main() -> None:
            await events_from(server).pipe(ops.do_action(interrupt_once()))

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        server.wait_closed()


def interrupt_once() -> Callable[[Event], None]:
    """Press Ctrl-C at the first text, as a terminal would: the signal is for the main thread."""
    pressed = False

    def press(event: Event) -> None:
        nonlocal pressed
        if event.type == "text_delta" and not pressed:
            pressed = True
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    return press


# On threads.


def test_leaving_from_the_thread_that_subscribed() -> None:
    """A script's main thread leaves what runs on the I/O thread; `dispose` returns without waiting for it."""
    seen = Seen()
    with ProviderServer(ENDLESS) as server:
        subscription = events_from(server).subscribe(seen.on_next, seen.on_error, seen.on_completed)
        seen.wait_text()
        subscription.dispose()
        server.wait_closed()

    assert (seen.completed, seen.error) == (False, None)


def test_leaving_from_a_thread_that_has_nothing_to_do_with_it() -> None:
    """Whoever holds the subscription may dispose it, while its own thread reads."""
    seen = Seen()
    with ProviderServer(ENDLESS) as server:
        subscription = events_from(server).subscribe(seen.on_next)
        seen.wait_text()
        stopper = threading.Thread(target=subscription.dispose)
        stopper.start()
        stopper.join()
        server.wait_closed()


def test_leaving_a_stream_of_a_loop_from_another_thread() -> None:
    """A worker thread may leave what a running loop reads."""
    with ProviderServer(ENDLESS) as server:

        async def main() -> None:
            begun = asyncio.Event()
            subscription = events_from(server).subscribe(lambda _: begun.set())
            await begun.wait()
            await asyncio.to_thread(subscription.dispose)
            await asyncio.to_thread(server.wait_closed)

        asyncio.run(main())


def test_leaving_on_the_thread_of_a_scheduler() -> None:
    """A subscriber on a thread of its own disposes there, with events waiting, and sees nothing more."""
    scheduler, seen = EventLoopScheduler(exit_if_empty=True), Seen()
    with ProviderServer(ENDLESS) as server:
        events_from(server).pipe(ops.take(5)).subscribe(seen.on_next, seen.on_error, seen.on_completed, scheduler=scheduler)
        seen.wait_end()
        server.wait_closed()

    assert (len(seen.items), seen.completed) == (5, True)


def test_a_scheduler_that_is_disposed_first_keeps_nobody_waiting() -> None:
    """A toolkit that shuts its thread down before its subscriptions does not hold the connection."""
    scheduler, seen = EventLoopScheduler(exit_if_empty=True), Seen()
    with ProviderServer(ENDLESS) as server:
        subscription = events_from(server).subscribe(seen.on_next, scheduler=scheduler)
        seen.wait_text()
        scheduler.dispose()
        subscription.dispose()
        server.wait_closed()


WAITS: dict[str, Callable[[Engine], Any]] = {
    "generate": lambda engine: generate(engine, "Hi").run(),
    "stream_generate": lambda engine: stream_generate(engine, "Hi").run(),
    "a pipe": lambda engine: lx.run(stream_generate(engine, "Hi").pipe(ops.last())),
}


@pytest.mark.parametrize("name", WAITS)
def test_ctrl_c_in_run_closes_the_connection(name: str) -> None:
    """A script that is interrupted while it waits does not go on paying."""
    main = threading.main_thread().ident or 0
    with ProviderServer(ENDLESS) as server:

        def press() -> None:
            server.wait_until(lambda server: server.bytes_sent > 1_000_000, PATIENCE)
            signal.pthread_kill(main, signal.SIGINT)

        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            WAITS[name](an_engine(server))
        thread.join()
        server.wait_closed()


def test_a_run_that_takes_too_long_closes_the_connection() -> None:
    """`run(timeout=)` gives up and leaves."""
    with ProviderServer(ENDLESS) as server:
        with pytest.raises(TimeoutError):
            generate(an_engine(server), "Hi").run(timeout=0.05)
        server.wait_closed()


def test_run_inside_a_foreign_loop_answers_and_leaves_nothing() -> None:
    """It blocks that loop, says so once, and the answer is whole."""
    with ProviderServer(Answer("Hi")) as server:

        async def main() -> str:
            with pytest.warns(RuntimeWarning, match="await"):
                return generate(an_engine(server), "Hi").run().output_text

        assert asyncio.run(main()) == "Hi"


def test_a_run_inside_a_foreign_loop_that_takes_too_long_closes_the_connection() -> None:
    """The request runs on the I/O thread, so it can be left although the loop is blocked."""
    with ProviderServer(ENDLESS) as server:

        async def main() -> None:
            with pytest.warns(RuntimeWarning, match="await"), pytest.raises(TimeoutError):
                generate(an_engine(server), "Hi").run(timeout=0.05)

        asyncio.run(main())
        server.wait_closed()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_what_a_forked_child_leaves_is_its_own() -> None:
    """The child's disposal and exit are seen on its own connection; the parent's stream is left when the parent leaves."""
    with ProviderServer(Answer("Hi there", faults=[Stall(after=2)])) as server:
        done = program(
            """
            import os, sys, threading, warnings
            from allm_rx import Engine, stream_generate
            from allm_rx import operators as lx
            from allm_rx.adapters import OpenAIChat

            engine = Engine(adapter=OpenAIChat(base_url=sys.argv[1], api_key="k"), model="m")

            def begun():
                seen = threading.Event()
                subscription = stream_generate(engine, "Hi").pipe(lx.text()).subscribe(lambda _: seen.set())
                seen.wait(30)
                return subscription

            ours = begun()
            warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: a fork beside threads may deadlock
            child = os.fork()
            if child == 0:
                begun().dispose()
                sys.exit()
            os.waitpid(child, 0)
            ours.dispose()
            """,
            server.base_url("openai-chat"),
            strict=False,
        )
        closed = server.wait_closed(2)

    assert [disconnect.request for disconnect in closed] == [1, 0]
    assert (done.stderr, done.returncode) == ("", 0)


# Very often.


class Leaver:
    """Begins streams and leaves them, at places that chance gives."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.chance = random.Random(seed)

    def subscribe(self, **where: Any) -> tuple[DisposableBase, threading.Event]:
        """Subscribe; the event is set when it is time to leave."""
        ready = threading.Event()
        left = self.chance.randrange(6)
        if left == 0:
            ready.set()

        def on_next(_: Event) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                ready.set()

        return stream_generate(self.engine, "Hi").subscribe(on_next, print, ready.set, **where), ready

    def from_this_thread(self, count: int, **where: Any) -> None:
        """Leave on the thread that subscribed, which is not the one that reads."""
        for _ in range(count):
            subscription, ready = self.subscribe(**where)
            ready.wait(self.chance.random() / 500)
            subscription.dispose()

    async def on_a_loop(self, count: int) -> None:
        """Leave on the loop that reads, many at a time, by disposal and by cancellation."""
        await asyncio.gather(*(self.once() for _ in range(count)))

    async def once(self) -> None:
        turns = self.chance.randrange(200)
        if self.chance.random() < 0.5:
            subscription, ready = self.subscribe()
            await until_or(ready.is_set, turns)
            subscription.dispose()
        else:
            task = asyncio.ensure_future(awaited(stream_generate(self.engine, "Hi")))
            await until_or(lambda: False, turns)
            task.cancel()
            await asyncio.wait([task])


async def until_or(happened: Callable[[], bool], turns: int) -> None:
    """Return when something happened, or after some turns of the loop."""
    left = turns

    def over() -> bool:
        nonlocal left
        left -= 1
        return left < 0 or happened()

    await until(over)


async def awaited(stream: rx.Observable[Event]) -> Event:
    return await stream


def mixed(_: dict[str, Any], index: int) -> Answer:
    faults: list[list[Fault]] = [[Stall(after=3)], [DelayHead()], [], [Stall(after=5)], [DelayBody()]]
    return Answer("One two three four five six", faults=faults[index % len(faults)])


def test_a_thousand_streams_left_anywhere_leave_nothing() -> None:
    """Threads, loops and schedulers, before the first byte and after the last: no task, socket, thread or descriptor stays."""
    schedulers = [EventLoopScheduler(exit_if_empty=True) for _ in range(2)]
    with ProviderServer(mixed) as server:
        engine = an_engine(server)
        leavers = [Leaver(engine, seed) for seed in range(7)]
        threads = [
            threading.Thread(target=asyncio.run, args=(leavers[0].on_a_loop(150),)),
            threading.Thread(target=asyncio.run, args=(leavers[1].on_a_loop(150),)),
            threading.Thread(target=leavers[2].from_this_thread, args=(150,)),
            threading.Thread(target=leavers[3].from_this_thread, args=(150,)),
            threading.Thread(target=leavers[4].from_this_thread, args=(150,), kwargs={"scheduler": schedulers[0]}),
            threading.Thread(target=leavers[5].from_this_thread, args=(150,), kwargs={"scheduler": schedulers[1]}),
        ]
        for thread in threads:
            thread.start()
        asyncio.run(leavers[6].on_a_loop(100))
        for thread in threads:
            thread.join()
        server.wait_until(lambda server: server.answering == 0, PATIENCE)


# A subscriber that is slower than its provider.


def test_a_slow_subscriber_holds_the_provider_back_and_memory_flat() -> None:
    """At 5 ms per event on a thread of its own, an endless answer waits in the server and not in this process."""
    scheduler, pause = EventLoopScheduler(exit_if_empty=True), threading.Event()
    came, taken = 0, 0

    def count(_: Event) -> None:
        nonlocal came
        came += 1

    def on_next(_: Event) -> None:
        nonlocal taken
        taken += 1
        pause.wait(0.005)

    with ProviderServer(ENDLESS) as server:
        subscription = events_from(server, on_event=count).subscribe(on_next, scheduler=scheduler)
        server.wait_blocked(0.2, PATIENCE)
        waiting, sent = came - taken, server.bytes_sent
        server.wait_blocked(0.4, PATIENCE)
        waiting_later, sent_later = came - taken, server.bytes_sent
        subscription.dispose()
        server.wait_closed()

    assert max(waiting, waiting_later) < 1000  # the queue of 256 events, and what one piece of 16 KiB adds to it
    assert sent_later - sent < 1_000_000


# Bad input gets a failure that says what to do, and keeps what came.


def date_in(seconds: float) -> dict[str, str]:
    """Say when to come back, as a date, with the clock that it is said by."""
    now = 1_750_000_000.0
    return {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + seconds, usegmt=True)}


def limited(headers: dict[str, str], message: str = "Slow down.") -> Answer | ErrorAnswer:
    return ErrorAnswer(429, {"error": {"message": message, "type": "requests", "code": "rate_limit_exceeded"}}, headers)


PARTIAL = Answer(chunks=["Hel", "lo"])

REFUSALS: dict[str, tuple[Any, tuple[str, str, int | None, float | None]]] = {
    "400": (ErrorAnswer(400), ("AdapterError", "invalid_request", 400, None)),
    "401": (ErrorAnswer(401), ("AdapterError", "authentication_failed", 401, None)),
    "403": (ErrorAnswer(403), ("AdapterError", "permission_denied", 403, None)),
    "404": (ErrorAnswer(404), ("AdapterError", "not_found", 404, None)),
    "429": (limited({}), ("AdapterError", "rate_limited", 429, None)),
    "429 in seconds": (limited({"Retry-After": "7"}), ("AdapterError", "rate_limited", 429, 7.0)),
    "429 in milliseconds": (limited({"Retry-After-Ms": "1500"}), ("AdapterError", "rate_limited", 429, 1.5)),
    "429 by a date": (limited(date_in(90)), ("AdapterError", "rate_limited", 429, 90.0)),
    "429 in words": (limited({}, "Please try again in 1m30s."), ("AdapterError", "rate_limited", 429, 90.0)),
    "429 with nonsense": (limited({"Retry-After": "soon"}), ("AdapterError", "rate_limited", 429, None)),
    "500": (ErrorAnswer(500), ("AdapterError", "server_error", 500, None)),
    "529": (ErrorAnswer(529), ("AdapterError", "overloaded", 529, None)),
    "an HTML page": (Answer("Hi", faults=[HtmlPage(502)]), ("AdapterError", "server_error", 502, None)),
    "a redirect": (
        Answer("Hi", faults=[Redirect("https://elsewhere.example/v1")]),
        ("AdapterError", "not_found", 307, None),
    ),
    "a reset": (Answer("Hi", faults=[ResetBeforeHead()]), ("AdapterError", "network_error", None, None)),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal(name: str) -> None:
    """Kind, reason, status and wait are exactly these; nothing was said, so there is no text."""
    answer, expected = REFUSALS[name]
    with ProviderServer(answer) as server:
        response = generate(an_engine(server), "Hi", request_id="r").run()

    failure = response.error
    assert failure is not None
    assert (failure.kind, failure.reason, failure.status, failure.retry_after) == expected
    assert (failure.provider, failure.request_id) == ("openai", "r")
    assert (response.finish_reason, response.output_text) == ("error", "")


BREAKS: dict[str, tuple[list[Fault], Timeouts | None, tuple[str, str, str]]] = {
    "a frame that is no JSON": ([Garbage(at=3)], None, ("AdapterError", "malformed_response", "Hello")),
    "an error frame": ([ErrorFrame(after=3)], None, ("AdapterError", "server_error", "Hello")),
    "a missing end": ([NoTerminal()], None, ("StreamError", "stream_interrupted", "Hello")),
    "an early end": ([Cut(650, "end")], None, ("StreamError", "stream_interrupted", "Hel")),
    "a closed connection": ([Cut(650, "close")], None, ("StreamError", "stream_interrupted", "Hel")),
    "a reset connection": ([Cut(650, "reset")], None, ("StreamError", "stream_interrupted", "Hel")),
    "a record that is too large": ([HugeRecord(100_000, at=3)], None, ("StreamError", "record_too_large", "Hello")),
    "a stall": ([Stall(after=3)], Timeouts(stall=0.1), ("AdapterError", "timeout", "Hello")),
    "a silence": ([Stall(after=3)], Timeouts(idle=0.1), ("AdapterError", "timeout", "Hello")),
    "an endless answer": ([Stall(after=3)], Timeouts(total=0.1), ("AdapterError", "timeout", "Hello")),
}


@pytest.mark.parametrize("name", BREAKS)
def test_an_answer_that_breaks(name: str) -> None:
    """One `error` event of exactly this kind and reason, last; the text that came before it is kept."""
    faults, timeouts, expected = BREAKS[name]
    with ProviderServer(PARTIAL, faults=faults) as server:
        engine = an_engine(server, timeouts=timeouts, record_limit=50_000)
        events = everything(stream_generate(engine, "Hi"))
        response = generate(engine, "Hi").run()

    assert [event.type for event in events].count("error") == 1
    assert events[-1].type == "error"
    assert response.error is not None
    assert (response.error.kind, response.error.reason, response.output_text) == expected
    assert response.finish_reason == "error"


def test_a_stall_names_which_time_was_up() -> None:
    """Comments are life for `idle`, and no output for `stall`; the provider is left."""
    with ProviderServer(Answer("Hi", faults=[KeepAlive(every=0.001)])) as server:
        timeouts = Timeouts(idle=30, first=0.1)
        response = generate(an_engine(server, timeouts=timeouts), "Hi").run()
        server.wait_closed()

    assert response.error is not None
    assert response.error.details == {"timeout": "first", "seconds": 0.1}


def failed(engine: Engine) -> Any:
    """Ask, and give why that failed."""
    response = generate(engine, "Hi").run()
    assert (response.output_text, response.finish_reason) == ("", "error")
    return response.error


def test_a_server_that_does_not_run() -> None:
    """The address is named, and the question whether it runs."""
    with refused() as url:
        failure = failed(Engine(adapter=OpenAIChat(base_url=f"{url}/v1", api_key="k"), model="m", retry=False))

    assert (failure.kind, failure.reason, failure.status, failure.provider) == ("AdapterError", "network_error", None, "openai")
    assert failure.message.startswith(f"Nothing answers at {url} (Connection refused): is the server running?")


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host is named, without path and query."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    chat = OpenAIChat(base_url="http://api.exmaple.com/v1", api_key="k")
    failure = failed(Engine(adapter=chat, model="m", retry=False))

    assert (failure.kind, failure.reason, failure.status) == ("AdapterError", "network_error", None)
    assert failure.message.startswith("The host 'api.exmaple.com' is unknown")


def test_a_certificate_that_nobody_vouches_for() -> None:
    """The message says how to trust an authority of one's own; the key was not sent."""
    with ProviderServer(Answer("Hi"), ssl=Authority().server()) as server:
        failure = failed(an_engine(server))

        assert server.requests == ()
    assert (failure.kind, failure.reason, failure.status) == ("AdapterError", "network_error", None)
    assert "is not trusted" in failure.message
    assert "transport=AiohttpTransport(ssl=...)" in failure.message
