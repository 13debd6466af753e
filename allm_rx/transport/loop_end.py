"""Tasks that end with their loop, also when they began while it was ending.

`asyncio.run` cancels all tasks once, and then lets the loop turn until they are done and its generators are shut down. A stream
that nobody holds may go on meanwhile, with the next prompt or the next turn of a chat; its task would never be cancelled, and
asyncio would complain that a pending one was destroyed.

Rule 1: an async generator parked on the loop ends what is left when `shutdown_asyncgens` ends it, and waits for it.
Rule 2: from then on nothing begins on that loop.
Rule 3: entries of closed loops are purged; a weak dictionary would leak, since tasks refer to their loop.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from allm_rx.abc.flow import running_loop
from allm_rx.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

T = TypeVar("T")

_TURNS = 3
"""Turns of the loop in which what a task began itself, such as the writing of its request, hears of its end."""


class _Life:
    """What lives on a loop."""

    __slots__ = ("keeper", "over", "tasks")

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self.keeper: AsyncGenerator[None, None] | None = None
        self.over = False

    def watch(self) -> None:
        """Park the generator; it does not wait for anything until then, so that this takes no task."""
        if self.keeper is None:
            self.keeper = until_the_end(self)
            with suppress(StopIteration):
                anext(self.keeper).send(None)


_lives: dict[asyncio.AbstractEventLoop, _Life] = {}
_lock = threading.Lock()
_left_to_parent: list[dict[asyncio.AbstractEventLoop, _Life]] = []
"""In a forked child: what lives on the parent's loops, kept so that nothing finalizes it here."""


def spawn(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Begin a task on a loop; on the loop's own thread.

    Raises:
        StreamError: `cancelled`, the loop is ending; the work is not begun.
    """
    life = _life_of(loop)
    if life.over:
        work.close()
        raise StreamError("cancelled", "The event loop ended before this began: keep the loop until the stream is over.")
    if running_loop() is loop:
        life.watch()
    task = loop.create_task(work, name=name)
    life.tasks.add(task)
    task.add_done_callback(life.tasks.discard)
    return task


async def until_the_end(life: _Life) -> AsyncGenerator[None, None]:
    """Wait for the loop to shut its generators down, and cancel what is left on it."""
    try:
        yield
    finally:
        life.over = True
        left = tuple(life.tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for _ in range(_TURNS if left else 0):
            await asyncio.sleep(0)


def _life_of(loop: asyncio.AbstractEventLoop) -> _Life:
    life = _lives.get(loop)
    if life is None:
        with _lock:
            for closed in [known for known in _lives if known.is_closed()]:
                del _lives[closed]
            life = _lives.setdefault(loop, _Life())
    return life


def _begin_anew() -> None:
    global _lives, _lock
    _left_to_parent.append(_lives)
    _lives = {}
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
