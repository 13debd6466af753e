"""The measuring half of the processes in a contest: commands come in as lines of JSON, and measurements go out.

Rule 1: a process holds one client, and imports nothing but it and the standard library, so that what it measures is its own.
Rule 2: the CPU time is that of the whole process, its threads included.
Rule 3: a client is made once for a URL and then used again, with its pool of connections.
"""

import asyncio
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Literal
from urllib.request import urlopen

Mark = Callable[[], None]
How = Literal["close", "cancel", "thread"]
PATIENCE = 4.0
"""Seconds without a further stream after which no other is expected to open."""


class Contestant:
    """One client and the answer at one URL."""

    def pieces(self) -> AsyncGenerator[str, None]:
        """Give the pieces of text as they come; closing the generator leaves the stream as the client's documentation says."""
        raise NotImplementedError

    async def fold(self) -> int:
        """Give the characters of the answer, put together by the client itself."""
        raise NotImplementedError

    async def chat(self) -> int:
        """Let the model call the tool as often as it likes, and give how often that was."""
        raise NotImplementedError

    async def read(self, mark: Mark) -> int:
        """Read to the end, call `mark` at the first piece of text, and count the pieces."""
        count = 0
        async for _ in self.pieces():
            if not count:
                mark()
            count += 1
        return count

    async def linger(self, mark: Mark) -> int:
        """Read to the end, slowly: `mark` blocks, and is called for each piece."""
        count = 0
        async for _ in self.pieces():
            count += 1
            mark()
        return count

    async def leave(self, how: How) -> tuple[float, float]:
        """Leave behind the first piece of text, and give when, and when the client was done with it."""
        if how == "cancel":
            return await self._cancel()
        pieces = self.pieces()
        await anext(pieces)
        left = time.monotonic()
        await pieces.aclose()
        return left, time.monotonic()

    async def _cancel(self) -> tuple[float, float]:
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in self.pieces():
                begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        left = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        return left, time.monotonic()


def serve(make: Callable[[str], Contestant]) -> None:
    """Obey the commands on standard input until it ends."""
    asyncio.run(_obey(make))


async def _obey(make: Callable[[str], Contestant]) -> None:
    made: dict[str, Contestant] = {}
    # Waiting on a thread keeps the loop going, as a program's does: what a client cleans up later is cleaned up.
    while line := await asyncio.to_thread(sys.stdin.readline):
        command: dict[str, Any] = json.loads(line)
        url = command.pop("url")
        try:
            client = made.get(url) or made.setdefault(url, make(url))
            answer = await _COMMANDS[command.pop("do")](client, **command)
        except Exception:  # noqa: BLE001 - who gave the command has to hear of it
            answer = {"failed": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


async def _read(client: Contestant, streams: int, least: float) -> dict[str, float]:
    return await _spent(lambda: client.read(_nothing), streams, least)


async def _fold(client: Contestant, streams: int, least: float) -> dict[str, float]:
    return await _spent(client.fold, streams, least)


async def _chat(client: Contestant, streams: int, least: float) -> dict[str, float]:
    return await _spent(client.chat, streams, least)


async def _spent(work: Callable[[], Coroutine[Any, Any, int]], streams: int, least: float) -> dict[str, float]:
    """Do something so many times at once, and repeat that until it took enough CPU to be measured."""
    gc.collect()
    seen = times = 0
    wall, cpu = time.perf_counter(), time.process_time()
    while True:
        seen += await work() if streams == 1 else sum(await asyncio.gather(*(work() for _ in range(streams))))
        times += 1
        if (spent := time.process_time() - cpu) >= least:
            return {"seen": seen, "times": times, "cpu": spent, "wall": time.perf_counter() - wall}


async def _first(client: Contestant, times: int) -> dict[str, list[float]]:
    taken: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        await client.read(lambda begun=begun: taken.append(time.perf_counter() - begun))
    return {"seconds": taken}


async def _hold(client: Contestant, streams: int, go: str) -> dict[str, float]:
    """Open many streams, and look at the memory that each holds when all of them gave text."""
    gc.collect()
    before = _resident()
    opened = 0
    everyone = asyncio.Event()

    def mark() -> None:
        nonlocal opened
        opened += 1
        if opened == streams:
            everyone.set()

    running = asyncio.gather(*(client.read(mark) for _ in range(streams)), return_exceptions=True)
    opening = asyncio.ensure_future(everyone.wait())
    known = -1
    while not opened or known < opened < streams:  # a client may have a limit of its own, which is part of the answer
        known = opened
        await asyncio.wait([running, opening], timeout=PATIENCE, return_when="FIRST_COMPLETED")
        if running.done():  # all failed
            break
    opening.cancel()
    at_once, held = opened, _resident()
    while not running.done():
        await asyncio.to_thread(_told, go)
        await asyncio.wait([running], timeout=0.5)
    completed = sum(count == 2 for count in await running)
    return {"opened": at_once, "completed": completed, "bytes": (held - before) / max(at_once, 1)}


async def _linger(client: Contestant, pause: float, every: int) -> dict[str, float]:
    """Read slowly, and look at how much the memory grows in the meantime."""
    gc.collect()
    before = peak = _resident()
    seen = 0

    def slow() -> None:
        nonlocal peak, seen
        seen += 1
        if not seen % every:
            time.sleep(pause)
            peak = max(peak, _resident())

    return {"seen": await client.linger(slow), "bytes": peak - before}


async def _leave(client: Contestant, how: How) -> dict[str, float]:
    left, done = await client.leave(how)
    return {"left": left, "took": done - left}


_COMMANDS: dict[str, Callable[..., Any]] = {
    "read": _read,
    "fold": _fold,
    "chat": _chat,
    "first": _first,
    "hold": _hold,
    "linger": _linger,
    "leave": _leave,
}


def _nothing() -> None:
    pass


def _told(url: str) -> None:
    with urlopen(url) as response:
        response.read()


def _resident() -> int:
    """Give the bytes of memory that the process takes now, or at most so far where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource  # noqa: PLC0415 - there is none on Windows, where there is no memory to look at

        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
