"""What does a streamed chunk cost when 200 short streams run at once?

Budget: 2.0 x floor.
"""

import asyncio

import aiohttp

from benchmarks import clients
from benchmarks.harness import Table, cpu_per_item, rows, run, server

STREAMS = 200
CHUNKS = 100


def _many(client: clients.Client) -> clients.Client:
    async def read() -> int:
        return sum(await asyncio.gather(*(client() for _ in range(STREAMS))))

    return read


async def measure() -> Table:
    """Measure 200 streams of 100 chunks each."""
    with server(CHUNKS, together=4) as base:
        engine = clients.engine_for(base)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            taken = await cpu_per_item(
                {
                    "floor": _many(clients.floor(session, base)),
                    "stream_generate": _many(clients.streamed(engine)),
                    "generate": _many(clients.folded(engine, len("tok000 "))),
                },
                STREAMS * CHUNKS,
            )
    return Table(
        f"CPU per chunk, {STREAMS} concurrent streams of {CHUNKS} chunks", rows(taken, "ns", floor="floor"), budget="2.0 x floor"
    )


def tables() -> list[Table]:
    """Run the benchmark."""
    return [run(measure())]


if __name__ == "__main__":
    for table in tables():
        print(table.show())
