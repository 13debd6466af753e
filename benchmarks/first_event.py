"""How much later than over raw aiohttp does the first piece of text arrive?

Budget: 1 ms over the floor, warm, on loopback.
"""

import asyncio
import time

import aiohttp
from pydantic_core import from_json

from allm_rx import stream_generate
from allm_rx.data.events import Event, TextDelta
from benchmarks import clients
from benchmarks.harness import Row, Table, row, run, server

TIMES = 200


async def _floor(session: aiohttp.ClientSession, base: str) -> float:
    begun = time.perf_counter()
    headers = {"authorization": "Bearer x"}
    async with session.post(f"{base}/chat/completions", json=clients.BODY, headers=headers) as response:
        tail = b""
        taken = 0.0
        while chunk := await response.content.readany():
            lines = (tail + chunk).split(b"\n")
            tail = lines.pop()
            if not taken and any(line.startswith(b"data: {") and from_json(line[6:])["choices"] for line in lines):
                taken = time.perf_counter() - begun
    return taken


async def _ours(base: str) -> float:
    engine = clients.engine_for(base)
    done = asyncio.get_running_loop().create_future()
    taken: list[float] = []
    begun = time.perf_counter()

    def on_next(event: Event) -> None:
        if type(event) is TextDelta and not taken:
            taken.append(time.perf_counter() - begun)

    stream_generate(engine, "hi").subscribe(on_next, done.set_exception, lambda: done.set_result(None))
    await done
    return taken[0]


async def measure() -> Table:
    """Measure the time to the first text, interleaved."""
    floor: list[float] = []
    ours: list[float] = []
    with server(3) as base:
        async with aiohttp.ClientSession() as session:
            for number in range(TIMES + 20):
                first = await _floor(session, base)
                second = await _ours(base)
                if number >= 20:
                    floor.append(first * 1e6)
                    ours.append(second * 1e6)
    table = Table("Time to the first text, warm connection", [row("floor", floor, "us"), row("stream_generate", ours, "us")])
    table.budget = "1 ms over the floor"
    added = table.rows[1].value - table.rows[0].value
    table.rows.append(Row("added", added, "us"))
    return table


def tables() -> list[Table]:
    """Run the benchmark."""
    return [run(measure())]


if __name__ == "__main__":
    for table in tables():
        print(table.show())
