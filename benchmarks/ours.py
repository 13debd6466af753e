"""How the floors and this library read the same answers: `python -m benchmarks.ours NAME`; see `benchmarks.worker`.

A floor is the least that a client can do: raw aiohttp, a split at line ends, and `from_json`. It checks no status, knows no
other shape of a record, and loses a character that is cut in two.
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import aiohttp
from pydantic_core import from_json, to_json
from reactivex import Observable
from reactivex.scheduler import EventLoopScheduler

from allm_rx import Engine, chat, generate, stream_generate, tool
from allm_rx import operators as lx
from allm_rx.adapters import Anthropic, OpenAIChat
from allm_rx.data.events import Event, TextDelta
from benchmarks.answers import TOOL
from benchmarks.worker import Contestant, How, Mark, serve

KEY = "sk-bench"
TURNS = 10_000
"""More than any answer here has."""


async def add_one(number: int) -> int:
    """Add one."""
    return number + 1


class Floor(Contestant):
    """Chat completions, by hand."""

    entry = "chat/completions"

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v1/{self.entry}"
        self._session: aiohttp.ClientSession | None = None
        self._headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        message = {"role": "user", "content": "hi"}
        self._body: dict[str, Any] = {"model": "m", "messages": [message], "stream": True, "max_tokens": 9}

    def ask(self, body: dict[str, Any]) -> Any:
        """Send a request."""
        if self._session is None:  # a session belongs to a running loop
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session.post(self._url, data=to_json(body), headers=self._headers)

    async def read(self, mark: Mark) -> int:
        """Read to the end, and pick out the text."""
        pieces: list[str] = []
        tail = b""
        async with self.ask(self._body) as response:
            while chunk := await response.content.readany():
                lines = (tail + chunk).split(b"\n")
                tail = lines.pop()
                for line in lines:
                    if line.startswith(b"data: ") and line != b"data: [DONE]":
                        choices = from_json(line[6:])["choices"]
                        if choices and (text := choices[0]["delta"].get("content")):
                            if not pieces:
                                mark()
                            pieces.append(text)
        return len(pieces)

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The same as a generator, for what is not a matter of nanoseconds."""
        async with self.ask(self._body) as response:
            async for record in _records(response):
                if record["choices"] and (text := record["choices"][0]["delta"].get("content")):
                    yield text

    async def fold(self) -> int:
        """Join the pieces."""
        return len("".join([piece async for piece in self.pieces()]))

    async def chat(self) -> int:
        """Call the tool by hand."""
        messages: list[Any] = list(self._body["messages"])
        parameters = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
        tools = [{"type": "function", "function": {"name": TOOL, "description": "Add one.", "parameters": parameters}}]
        while True:
            call: dict[str, Any] = {}
            async with self.ask({**self._body, "messages": messages, "tools": tools}) as response:
                async for record in _records(response):
                    if record["choices"] and (parts := record["choices"][0]["delta"].get("tool_calls")):
                        if call:
                            call["function"]["arguments"] += parts[0]["function"]["arguments"]
                        else:
                            call = parts[0]
            if not call:
                return len(messages) // 2
            result = await add_one(**from_json(call["function"]["arguments"]))
            messages.append({"role": "assistant", "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": str(result)})


class MessagesFloor(Floor):
    """Anthropic's Messages, by hand."""

    entry = "messages"

    async def read(self, mark: Mark) -> int:
        """Read to the end, and pick out the text."""
        pieces: list[str] = []
        tail = b""
        async with self.ask(self._body) as response:
            while chunk := await response.content.readany():
                lines = (tail + chunk).split(b"\n")
                tail = lines.pop()
                for line in lines:
                    if line.startswith(b"data: "):
                        record = from_json(line[6:])
                        if record["type"] == "content_block_delta" and (text := record["delta"].get("text")):
                            if not pieces:
                                mark()
                            pieces.append(text)
        return len(pieces)

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The same as a generator."""
        async with self.ask(self._body) as response:
            async for record in _records(response):
                if record["type"] == "content_block_delta" and (text := record["delta"].get("text")):
                    yield text

    async def chat(self) -> int:
        """Call the tool by hand."""
        messages: list[Any] = list(self._body["messages"])
        parameters = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
        tools = [{"name": TOOL, "description": "Add one.", "input_schema": parameters}]
        while True:
            call: dict[str, Any] = {}
            arguments = ""
            async with self.ask({**self._body, "messages": messages, "tools": tools}) as response:
                async for record in _records(response):
                    if record["type"] == "content_block_start" and record["content_block"]["type"] == "tool_use":
                        call = record["content_block"]
                    elif record["type"] == "content_block_delta":
                        arguments += record["delta"].get("partial_json", "")
            if not call:
                return len(messages) // 2
            call["input"] = from_json(arguments)
            result = {"type": "tool_result", "tool_use_id": call["id"], "content": str(await add_one(**call["input"]))}
            messages.append({"role": "assistant", "content": [call]})
            messages.append({"role": "user", "content": [result]})


async def _records(response: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any], None]:
    tail = b""
    while chunk := await response.content.readany():
        lines = (tail + chunk).split(b"\n")
        tail = lines.pop()
        for line in lines:
            if line.startswith(b"data: ") and line != b"data: [DONE]":
                yield from_json(line[6:])


class Streamed(Contestant):
    """`stream_generate`, with a subscriber on the running loop."""

    def __init__(self, url: str, adapter: Callable[[str], Any]) -> None:
        self._engine = Engine(adapter=adapter(url), model="m")
        self._with_tool = self._engine.with_tools(tool(add_one))

    def source(self) -> Observable[Event]:
        """Give the stream that is read."""
        return stream_generate(self._engine, "hi")

    async def read(self, mark: Mark) -> int:
        """Subscribe, and count the pieces of text."""
        count = 0
        done = asyncio.get_running_loop().create_future()

        def on_next(event: Event) -> None:
            nonlocal count
            if type(event) is TextDelta:
                if not count:
                    mark()
                count += 1

        self.source().subscribe(on_next, done.set_exception, lambda: done.set_result(None))
        await done
        return count

    async def linger(self, mark: Mark) -> int:
        """Subscribe on a thread that `mark` holds up."""
        count = 0
        done = asyncio.get_running_loop().create_future()
        slow = EventLoopScheduler()

        def on_next(event: Event) -> None:
            nonlocal count
            if type(event) is TextDelta:
                count += 1
                mark()

        def end(error: Exception | None = None) -> None:
            done.get_loop().call_soon_threadsafe(done.set_result, error)

        self.source().subscribe(on_next, end, end, scheduler=slow)
        error = await done
        slow.dispose()
        if error is not None:
            raise error
        return count

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Read with `async for`."""
        async with lx.to_aiter(self.source().pipe(lx.text())) as pieces:
            async for text in pieces:
                yield text

    async def leave(self, how: How) -> tuple[float, float]:
        """Dispose the subscription, on the loop or on another thread than the stream's."""
        if how == "cancel":
            return await super().leave(how)
        if how == "thread":
            return await asyncio.to_thread(self._leave_on_thread)
        begun = asyncio.Event()
        subscription = self.source().pipe(lx.text()).subscribe(lambda _: begun.set())
        await begun.wait()
        left = time.monotonic()
        subscription.dispose()
        return left, time.monotonic()

    def _leave_on_thread(self) -> tuple[float, float]:
        begun = threading.Event()
        subscription = self.source().pipe(lx.text()).subscribe(lambda _: begun.set())
        begun.wait()
        left = time.monotonic()
        subscription.dispose()
        return left, time.monotonic()

    async def fold(self) -> int:
        """Await `generate`."""
        response = await generate(self._engine, "hi")
        return len(response.raise_for_error().output_text)

    async def chat(self) -> int:
        """Await `chat`."""
        result = await chat(self._with_tool, "hi", max_turns=TURNS)
        if result.error is not None:
            raise RuntimeError(result.error.message)
        return sum(message.role == "tool" for message in result.thread.messages)


def _chat(url: str) -> OpenAIChat:
    return OpenAIChat(base_url=f"{url}/v1", api_key=KEY)


def _messages(url: str) -> Anthropic:
    return Anthropic(base_url=url, api_key=KEY)


OURS: dict[str, Callable[[str], Contestant]] = {
    "floor": Floor,
    "allm_rx": lambda url: Streamed(url, _chat),
    "floor, Messages": MessagesFloor,
    "allm_rx, Messages": lambda url: Streamed(url, _messages),
}


if __name__ == "__main__":
    serve(OURS[sys.argv[1]])
