"""What does a streamed chunk cost, from the socket to the subscriber, beside the least a client can do?

Budgets: streamed 1.5 x floor, folded 1.7 x floor, the `openai` package at least 15 x what ours costs.
"""

import aiohttp

from benchmarks import clients
from benchmarks.harness import Table, cpu_per_item, row, rows, run, server

CHUNKS = 20_000
BUDGET = "streamed 1.5 x floor, folded 1.7 x floor, the `openai` package 15 x ours"
_LENGTH = len("tok000 ")


async def measure(together: int, *, peers: bool) -> Table:
    """Measure one answer of many chunks, `together` of them per HTTP chunk."""
    with server(CHUNKS, together) as base:
        engine = clients.engine_for(base)
        async with aiohttp.ClientSession() as session:
            candidates = {
                "floor": clients.floor(session, base),
                "stream_generate": clients.streamed(engine),
                "generate": clients.folded(engine, _LENGTH),
            }
            taken = await cpu_per_item(candidates, CHUNKS)
        table = Table(
            f"CPU per chunk, one stream, {together} chunk(s) per HTTP chunk", rows(taken, "ns", floor="floor"), budget=BUDGET
        )
        if peers:
            with server(2_000, together) as small:
                theirs = await cpu_per_item({"openai": clients.openai_package(small)}, 2_000, rounds=3)
            ours = table.rows[1].value
            peer = row("openai package", theirs["openai"], "ns", table.rows[0].value)
            peer.note = f"{peer.value / ours:.0f} x ours"
            table.rows.append(peer)
    return table


def tables() -> list[Table]:
    """Run the benchmark."""
    return [run(measure(1, peers=True)), run(measure(32, peers=False))]


if __name__ == "__main__":
    for table in tables():
        print(table.show())
