"""A chat whose event loop ends before it."""

import asyncio

from allm_rx import Engine, errors, events, stream, tool
from allm_rx.adapters import Fake
from allm_rx.data.parts import ToolCall


def test_a_loop_that_ends_in_a_tool_begins_no_further_turn() -> None:
    """Ending the loop cancels the tool; the chat fails with `cancelled` and sends nothing more."""
    begun: list[str] = []
    failed: list[Exception] = []

    @tool
    async def wait() -> str:
        """Wait for ever."""
        begun.append("tool")
        return await asyncio.get_running_loop().create_future()

    fake = Fake(script=[ToolCall(id="1", name="wait")])
    engine = Engine(adapter=fake, model="m", tools=[wait])

    async def main() -> None:
        started = asyncio.Event()

        def on_next(event: events.Event) -> None:
            if event.type == "tool_execution_started":
                asyncio.get_running_loop().call_soon(started.set)

        stream(engine, "hi").subscribe(on_next, failed.append)
        await started.wait()

    asyncio.run(main())

    (error,) = failed
    assert isinstance(error, errors.StreamError)
    assert error.reason == "cancelled"
    assert len(fake.requests) == 1
