"""What a call leaves to the garbage collector: nothing, so that many short ones do not wake it."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from allm_rx.adapters import Anthropic, Gemini, OpenAIChat
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.runtime.engine import Engine
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer

ADAPTERS: dict[str, Callable[..., Any]] = {
    "anthropic": Anthropic,
    "gemini": Gemini,
    "openai-chat": OpenAIChat,
}


async def garbage_of(call: Callable[[], Any]) -> list[str]:
    """The classes of our objects that only the garbage collector can free after an awaited call."""
    await call()  # what is made once, such as the connection, is no garbage
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await call()
        gc.collect()
        return [name for item in gc.garbage if (name := type(item).__module__).startswith("allm_rx.") and "testing" not in name]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("make", [generate, stream_generate])
@pytest.mark.parametrize("vendor", ADAPTERS)
def test_a_finished_call_is_freed_without_the_garbage_collector(vendor: str, make: Any) -> None:
    """The parts of a stream refer to each other while it runs, and let go of each other when it ends."""
    with ProviderServer(Answer("Hi there")) as server:
        engine = Engine(adapter=ADAPTERS[vendor](base_url=server.base_url(vendor), api_key="sk-test"), model="m")

        assert asyncio.run(garbage_of(lambda: make(engine, "Hi"))) == []
