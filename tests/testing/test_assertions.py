"""What a test says about streams."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import pytest

from allm_rx.data.events import TextDelta
from allm_rx.testing.assertions import assert_grammar, assert_no_leaks
from allm_rx.testing.marbles import events, items
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from allm_rx.transport.io_loop import io_loop

listed = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not list descriptors")

# The grammar.


def test_a_well_formed_stream_is_accepted() -> None:
    """Nothing happens."""
    assert_grammar(items(events("s-a-(d,|)")))


def test_a_malformed_stream_is_told_with_all_its_events() -> None:
    """What is wrong, where, and what came until then."""
    with pytest.raises(AssertionError) as raised:
        assert_grammar([*items(events("s-a-d|")), TextDelta("b", "x")])

    assert str(raised.value) == (
        "Event 4, text_delta, breaks the grammar: nothing of an answer follows its message_completed or error. Mend the source "
        "of these events. They were: message_started text_delta message_completed text_delta"
    )


@pytest.mark.parametrize(("diagram", "shown"), [("s-a|", "message_started text_delta"), ("|", "none")])
def test_a_stream_without_its_end_is_malformed(diagram: str, shown: str) -> None:
    """Unless it was left early."""
    with pytest.raises(AssertionError, match=f"They were: {shown}$"):
        assert_grammar(items(events(diagram)))

    assert_grammar(items(events(diagram)), whole=False)


# What is left behind.


@contextlib.contextmanager
def leak(clean: Callable[[], object]) -> Generator[pytest.ExceptionInfo[AssertionError]]:
    """A block that leaves something behind, and is cleaned up after it was told."""
    with pytest.raises(AssertionError) as raised, assert_no_leaks(patience=0.05):
        yield raised
    clean()


def test_a_block_that_leaves_nothing_is_accepted() -> None:
    """A thread that ended, a loop that was closed, a socket that was closed."""
    with assert_no_leaks():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        asyncio.run(nothing())
        socket.socket().close()


async def nothing() -> None:
    """A coroutine that ends at once."""


def test_what_was_there_before_is_no_leak() -> None:
    """Only what the block added counts."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()

    with socket.socket(), assert_no_leaks(patience=0.05):
        assert thread.is_alive()

    ended.set()
    thread.join()


def test_what_goes_a_moment_later_is_no_leak() -> None:
    """A connection is closed after `dispose` returned, on its own loop."""
    with assert_no_leaks():
        ended = threading.Event()
        threading.Thread(target=ended.wait).start()
        io_loop().call_soon_threadsafe(lambda: io_loop().call_later(0.02, ended.set))


def test_a_thread_is_told_by_its_name() -> None:
    """It still runs when the block is over."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait, name="forgotten")

    with leak(ended.set) as raised:
        thread.start()

    assert str(raised.value) == "Left behind: thread 'forgotten'."


def test_a_task_of_the_io_loop_is_told_by_its_name() -> None:
    """A stream that nobody disposed lives there."""
    tasks: list[asyncio.Task[Any]] = []

    async def start() -> None:
        tasks.append(asyncio.create_task(asyncio.Event().wait(), name="a stream"))

    with leak(lambda: io_loop().call_soon_threadsafe(tasks[0].cancel)) as raised:
        asyncio.run_coroutine_threadsafe(start(), io_loop()).result()

    assert str(raised.value) == "Left behind: task 'a stream'."


def test_an_async_generator_of_the_io_loop_is_told_by_its_name() -> None:
    """One that was begun and not closed."""

    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def begin() -> AsyncIterator[int]:
        generator = numbers()
        await anext(generator)
        return generator

    held: list[Any] = []
    with leak(held.clear) as raised:
        held.append(asyncio.run_coroutine_threadsafe(begin(), io_loop()).result())

    assert "async generator" in str(raised.value)
    assert "numbers" in str(raised.value)


@listed
def test_a_socket_is_told_by_its_address() -> None:
    """Where it is bound, so that it can be found."""
    opened: list[socket.socket] = []

    with leak(lambda: opened[0].close()) as raised:
        opened.append(socket.create_server(("127.0.0.1", 0)))

    assert "('127.0.0.1', " in str(raised.value)


@listed
def test_looking_at_a_pipe_opens_nothing() -> None:
    """What is looked at again and again is no socket, and the look itself leaves no descriptor."""
    ends: list[int] = []
    before = len(os.listdir("/proc/self/fd"))

    with leak(lambda: [os.close(end) for end in ends]) as told:
        ends.extend(os.pipe())

    assert "pipe:" in str(told.value)
    assert len(os.listdir("/proc/self/fd")) == before


@listed
def test_a_loop_that_was_not_closed_is_a_leak() -> None:
    """It holds a selector and two sockets."""
    loops: list[asyncio.AbstractEventLoop] = []

    with leak(lambda: loops[0].close()) as raised:
        loops.append(asyncio.new_event_loop())

    assert "eventpoll" in str(raised.value)


def test_a_connection_that_waits_to_be_used_again_is_no_leak() -> None:
    """Neither our end of it, nor the server's in the same process, nor the session that keeps it."""
    transport = AiohttpTransport()

    async def ask(url: str) -> bytes:
        session = await transport.session()
        async with session.get(url) as answer:
            return await answer.read()

    with ProviderServer() as server, assert_no_leaks():
        asyncio.run_coroutine_threadsafe(ask(server.url), io_loop()).result()


def test_a_block_that_raises_is_not_looked_at() -> None:
    """Its own error is the one to see."""
    ended = threading.Event()

    def fail() -> None:
        with assert_no_leaks(patience=0.05):
            threading.Thread(target=ended.wait).start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ended.set()


def test_inside_a_running_loop_it_says_where_it_belongs() -> None:
    """There it would block what it waits for."""

    async def main() -> None:
        with assert_no_leaks():
            raise AssertionError("not reached")

    with pytest.raises(RuntimeError, match=r"put it around `asyncio\.run`"):
        asyncio.run(main())


def test_a_blocked_io_thread_is_told() -> None:
    """Nothing can be known of it then, and that is worth a failure."""
    ended = threading.Event()

    with leak(ended.set) as raised:
        io_loop().call_soon_threadsafe(ended.wait)

    assert str(raised.value) == "The I/O thread did not answer for 1.05 s: something blocks it."
