"""Do 1,000 concurrent streams complete in one process, and what does an open one hold?

Budget: all complete, under 100 KiB per open stream, and a second wave opens no new connection.
"""

import asyncio
import gc
import resource
import sys

from allm_rx import stream_generate
from allm_rx.data.events import Event, TextDelta
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from benchmarks import clients
from benchmarks.harness import Row, Table

STREAMS = 1000
_TEXT = "word " * 20


def _resident() -> int:
    """Give the bytes this process holds in memory now."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


async def _wave(base: str) -> tuple[int, int]:
    """Run all streams at once; give how many completed and the memory while all were open."""
    engine = clients.engine_for(base)
    open_now = 0
    all_open = asyncio.Event()
    peak = 0

    async def one() -> str:
        text: list[str] = []
        done = asyncio.get_running_loop().create_future()

        def on_next(event: Event) -> None:
            nonlocal open_now
            if type(event) is TextDelta:
                if not text:
                    open_now += 1
                    if open_now == STREAMS:
                        all_open.set()
                text.append(event.delta)

        stream_generate(engine, "hi").subscribe(on_next, done.set_exception, lambda: done.set_result(None))
        await done
        return "".join(text)

    running = [asyncio.ensure_future(one()) for _ in range(STREAMS)]
    await all_open.wait()
    peak = _resident()
    texts = await asyncio.gather(*running)
    return sum(text == _TEXT for text in texts), peak


def tables() -> list[Table]:
    """Run the benchmark; the server is a thread of this process and writes the same for every client."""

    async def main(base: str, server: ProviderServer) -> list[Row]:
        await _wave(base)
        gc.collect()
        before, opened = _resident(), server.connections.opened
        completed, peak = await _wave(base)
        new = server.connections.opened - opened
        return [
            Row("completed, of 1,000", completed, ""),
            Row("memory per open stream, both ends", (peak - before) / STREAMS / 1024, "KiB"),
            Row("new connections in the second wave", new, ""),
        ]

    with ProviderServer(Answer(text=_TEXT, pace=0.25)) as server:
        found = asyncio.run(main(server.base_url("openai-chat"), server))
        return [Table("1,000 concurrent streams", found, budget="all complete, under 100 KiB each, no new connection")]


if __name__ == "__main__":
    for table in tables():
        print(table.show())
