"""An event loop whose time passes only while nothing else is to do."""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class JumpingSelector(selectors.SelectSelector):
    """Gives what is ready, and moves the clock in place of waiting for a time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.now = max(self.now + timeout, math.nextafter(self.now, math.inf))
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A real loop in virtual time, which begins at 0."""

    def __init__(self) -> None:
        self.selector = JumpingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's own
        """Wait for the threads without a limit: from 3.12 on `asyncio.run` sets one, which virtual time would reach at once."""
        await super().shutdown_default_executor()

    @property
    def timers(self) -> list[asyncio.TimerHandle]:
        """The timers that are still to come."""
        return [handle for handle in self._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def running() -> VirtualLoop:
    """The loop that runs this coroutine."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


async def pass_time(seconds: float) -> None:
    """Let virtual time pass."""
    passed = running().create_future()
    running().call_later(seconds, passed.set_result, None)
    await passed


async def turn() -> None:
    """Let everything else that is ready have its turn."""
    await pass_time(0)
