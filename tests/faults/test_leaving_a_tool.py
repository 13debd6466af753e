"""A run that is left just as its tool begins."""

import asyncio
import gc
from typing import Any

from reactivex.disposable import SerialDisposable

from allm_rx import Engine, ToolCall, stream, tool
from allm_rx.adapters import Fake


def test_a_coroutine_that_never_began_is_closed(recwarn: Any) -> None:
    """A chat left between the making of a tool's coroutine and its first step leaves nothing that was never awaited."""

    @tool
    async def slow(place: str) -> str:
        """Tell the weather."""
        return place

    async def leave() -> None:
        loop, subscription = asyncio.get_running_loop(), SerialDisposable()

        def on_next(event: Any) -> None:
            if event.type == "tool_execution_started":
                loop.call_soon(subscription.dispose)  # its turn comes just before that of the task

        call = ToolCall(id="c", name="slow", arguments={"place": "Oslo"})
        subscription.disposable = stream(Engine(adapter=Fake([call]), model="m", tools=(slow,)), "Hi").subscribe(on_next)
        for _ in range(20):
            await asyncio.sleep(0)  # noqa: TID251 - no time passes, only turns

    asyncio.run(leave())
    gc.collect()

    assert [str(warning.message) for warning in recwarn] == []
