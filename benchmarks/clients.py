"""The ways to read one streamed answer: the floor, ours, and others', each giving how many pieces of text it saw."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from pydantic_core import from_json

from allm_rx import Engine, generate, stream_generate
from allm_rx.adapters import OpenAIChat
from allm_rx.data.events import Event, TextDelta

BODY = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
Client = Callable[[], Awaitable[int]]


def floor(session: aiohttp.ClientSession, base: str) -> Client:
    """Raw aiohttp, a line split, and `from_json`: the least that a client can do."""

    async def read() -> int:
        pieces: list[str] = []
        tail = b""
        async with session.post(f"{base}/chat/completions", json=BODY, headers={"authorization": "Bearer x"}) as response:
            while chunk := await response.content.readany():
                lines = (tail + chunk).split(b"\n")
                tail = lines.pop()
                for line in lines:
                    if line.startswith(b"data: ") and line != b"data: [DONE]":
                        choices = from_json(line[6:])["choices"]
                        if choices and (text := choices[0]["delta"].get("content")):
                            pieces.append(text)
        return len(pieces)

    return read


def engine_for(base: str) -> Engine:
    """Give an engine for the canned server."""
    return Engine(adapter=OpenAIChat(base_url=base, api_key="sk-bench"), model="m")


def streamed(engine: Engine) -> Client:
    """`stream_generate` with a subscriber on the loop."""

    async def read() -> int:
        count = 0
        done = asyncio.get_running_loop().create_future()

        def on_next(event: Event) -> None:
            nonlocal count
            if type(event) is TextDelta:
                count += 1

        stream_generate(engine, "hi").subscribe(on_next, done.set_exception, lambda: done.set_result(None))
        await done
        return count

    return read


def folded(engine: Engine, length: int) -> Client:
    """`generate`, awaited; `length` is the characters of one piece of text."""

    async def read() -> int:
        response = await generate(engine, "hi")
        return len(response.raise_for_error().output_text) // length

    return read


def openai_package(base: str) -> Client:
    """The `openai` package, asynchronous."""
    import openai  # noqa: PLC0415 - importing it costs more than the benchmark

    async def read() -> int:
        count = 0
        messages: Any = BODY["messages"]
        async with openai.AsyncOpenAI(base_url=base, api_key="sk-bench", max_retries=0) as client:
            stream = await client.chat.completions.create(
                model="m", messages=messages, stream=True, stream_options={"include_usage": True}
            )
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    count += 1
        return count

    return read
