"""What a test says about streams: they are well formed, and nothing of them is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from allm_rx.abc.flow import running_loop
from allm_rx.operators.validate_grammar import malformed
from allm_rx.reducers.grammar import Grammar
from allm_rx.transport.io_loop import io_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from allm_rx.data.events import Event

T = TypeVar("T")

_DESCRIPTORS = "/proc/self/fd"
"""Where a system lists the open descriptors of a process, if it does."""
_STREAMING = ("socket:", "pipe:", "anon_inode:[eventpoll]")
"""What a stream may hold open; files belong to others, such as the test runner."""
_BUSY = 1.0
"""Seconds that the I/O thread may take to answer on a machine that has other things to do."""
_KEEPERS = frozenset({"Connections._keep", "until_the_end"})
"""The generators that own a loop's session and its tasks; they live as long as the loop, by design."""


def assert_grammar(events: Iterable[Event], *, whole: bool = True) -> None:
    """Assert that events come in an order that the grammar allows; see `operators.validate_grammar`.

    Args:
        events: the events of one stream.
        whole: whether the stream was read to its end; one that was left early has no terminal.

    Raises:
        AssertionError: they do not; the message names event and rule.
    """
    grammar = Grammar()
    seen: list[str] = []
    for event in events:
        seen.append(event.type)
        if (violation := grammar.apply(event)) is not None:
            raise AssertionError(f"{malformed(violation, event.type, grammar.count)} They were: {' '.join(seen)}")
    if whole and (violation := grammar.finish()) is not None:
        raise AssertionError(f"{malformed(violation, None, grammar.count + 1)} They were: {' '.join(seen) or 'none'}")


@contextmanager
def assert_no_leaks(*, patience: float = 5.0) -> Generator[None]:
    """Assert that a block leaves no thread, task, socket or async generator behind.

    For a whole suite, as a fixture of `conftest.py`:

        @pytest.fixture(autouse=True)
        def no_leaks():
            with assert_no_leaks():
                yield

    What allm_rx keeps on purpose is no leak: its I/O thread, which is started here if it does not run yet, and the idle
    connections that wait to be used again. Connections are closed a moment after `dispose` returns, so what is left is
    looked for until it is gone. Sockets are seen where the system lists them (Linux).

    Args:
        patience: seconds until something that is still there counts as left behind.

    Raises:
        AssertionError: after the block, something is left; the message names it. A block that raises is not looked at.
        RuntimeError: it was entered inside a running event loop, which could not clean up while this waits.
    """
    if running_loop() is not None:
        raise RuntimeError("`assert_no_leaks` blocks while it looks: put it around `asyncio.run`, not inside a coroutine.")
    before = _held(patience)
    yield
    until, pause = time.monotonic() + patience, 0.001
    while left := _beyond(before, patience):
        if time.monotonic() > until:
            raise AssertionError(f"Left behind: {'; '.join(left)}.")
        gc.collect()
        time.sleep(pause)
        pause = min(0.05, pause * 2)


def _held(patience: float) -> dict[Any, str]:
    """Give what the process holds now: each thing, and what to call it."""
    threads = {thread: f"thread {thread.name!r}" for thread in threading.enumerate() if not _lasting(thread)}
    return {**threads, **_on_loop(_tasks_and_generators, patience), **_descriptors()}


def _beyond(before: dict[Any, str], patience: float) -> list[str]:
    new = {thing: name for thing, name in _held(patience).items() if thing not in before}
    if any(isinstance(thing, _Descriptor) for thing in new):
        pools = _pools()
        idle = _on_loop(lambda: _idle_addresses(pools), patience)
        for descriptor in [thing for thing in new if isinstance(thing, _Descriptor)]:
            ends = descriptor.ends()
            if idle.intersection(ends):
                del new[descriptor]
            else:
                new[descriptor] += f" {' - '.join(map(str, ends))}"
    return list(new.values())


def _lasting(thread: threading.Thread) -> bool:
    # A loop resolves names in an executor, whose threads live as long as the loop.
    return thread.name == "allm_rx-io" or thread.name.startswith("asyncio_")


def _on_loop(look: Callable[[], T], patience: float) -> T:
    """Call a function on the I/O loop, where nothing changes meanwhile."""

    async def looking() -> T:
        return look()

    limit = patience + _BUSY
    try:
        return asyncio.run_coroutine_threadsafe(looking(), io_loop()).result(limit)
    except TimeoutError:
        raise AssertionError(f"The I/O thread did not answer for {limit:g} s: something blocks it.") from None


def _tasks_and_generators() -> dict[Any, str]:
    tasks = {task: f"task {task.get_name()!r}" for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    generators = {
        generator: f"async generator {generator.__qualname__!r}"
        for generator in tuple(getattr(asyncio.get_running_loop(), "_asyncgens", ()))
        if generator.ag_frame is not None and generator.__qualname__ not in _KEEPERS
    }
    return {**tasks, **generators}


def _pools() -> list[Any]:
    """Give the pools of connections; looked for here, since the I/O loop has better things to do for that second."""
    aiohttp: Any = sys.modules.get("aiohttp")
    return [] if aiohttp is None else [thing for thing in gc.get_objects() if issubclass(type(thing), aiohttp.BaseConnector)]


def _idle_addresses(pools: list[Any]) -> set[Any]:
    """Give our ends of the connections that wait in a pool; aiohttp has no public way to ask."""
    waiting = [protocol for pool in pools for connections in pool._conns.values() for protocol, _ in connections]
    return {protocol.transport.get_extra_info("sockname") for protocol in waiting if protocol.transport is not None}


@dataclass(frozen=True, slots=True)
class _Descriptor:
    """An open descriptor; two of one number are the same only when they lead to the same thing."""

    number: int
    target: str

    def ends(self) -> tuple[Any, ...]:
        """Give the addresses of both ends of a socket, as far as they are known."""
        try:
            number = os.dup(self.number)
        except OSError:  # closed meanwhile
            return ()
        try:
            sock = socket.socket(fileno=number)
        except OSError:  # no socket, so that nobody took the number over
            os.close(number)
            return ()
        with sock:
            ours = sock.getsockname()
            try:
                return ours, sock.getpeername()
            except OSError:  # it listens, or the other end is gone
                return (ours,)


def _descriptors() -> dict[Any, str]:
    try:
        numbers = [int(name) for name in os.listdir(_DESCRIPTORS)]
    except OSError:
        return {}
    found: dict[Any, str] = {}
    for number in numbers:
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{number}")
        except OSError:  # closed meanwhile
            continue
        if target.startswith(_STREAMING):
            found[_Descriptor(number, target)] = target
    return found
