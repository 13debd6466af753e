"""How long after `dispose()` does the server see the connection close, and how long does `dispose()` itself take?

Budget: 20 ms on loopback, from any thread.
"""

import asyncio
import statistics
import threading
import time
from typing import TYPE_CHECKING

from allm_rx import stream_generate
from allm_rx.data.events import Event, TextDelta
from allm_rx.testing.answers import Answer
from allm_rx.testing.provider_server import ProviderServer
from benchmarks import clients
from benchmarks.harness import Row, Table

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase

TIMES = 40


def _left(server: ProviderServer, number: int, disposed: float) -> float:
    server.wait_closed(number, 5)
    return server.closed_by_client[number - 1].at - disposed


def _from_another_thread(server: ProviderServer) -> tuple[list[float], list[float]]:
    seen: list[float] = []
    returned: list[float] = []
    engine = clients.engine_for(server.base_url("openai-chat"))
    for _ in range(TIMES):
        begun = threading.Event()

        def on_next(event: Event, begun: threading.Event = begun) -> None:
            if type(event) is TextDelta:
                begun.set()

        number = len(server.closed_by_client) + 1
        subscription = stream_generate(engine, "hi").subscribe(on_next)
        begun.wait(5)
        disposed = time.monotonic()
        subscription.dispose()
        returned.append(time.monotonic() - disposed)
        seen.append(_left(server, number, disposed))
    return seen, returned


async def _on_the_loop(server: ProviderServer) -> list[float]:
    seen: list[float] = []
    engine = clients.engine_for(server.base_url("openai-chat"))
    for _ in range(TIMES):
        begun = asyncio.Event()

        def on_next(event: Event, begun: asyncio.Event = begun) -> None:
            if type(event) is TextDelta:
                begun.set()

        number = len(server.closed_by_client) + 1
        subscription: DisposableBase = stream_generate(engine, "hi").subscribe(on_next)
        await begun.wait()
        disposed = time.monotonic()
        subscription.dispose()
        seen.append(await asyncio.to_thread(_left, server, number, disposed))
    return seen


def _rows(name: str, values: list[float]) -> list[Row]:
    middle = statistics.median(values) * 1e3
    worst = statistics.quantiles(values, n=20)[18] * 1e3
    return [Row(name, middle, "ms", note=f"95th percentile {worst:.2f} ms")]


def tables() -> list[Table]:
    """Run the benchmark."""
    with ProviderServer(Answer(text="word " * 10_000, pace=0.01)) as server:
        seen, returned = _from_another_thread(server)
        on_loop = asyncio.run(_on_the_loop(server))
    found = [
        *_rows("server sees it, disposed on the loop", on_loop),
        *_rows("server sees it, disposed on another thread", seen),
        *_rows("dispose() returns, on another thread", returned),
    ]
    return [Table("Leaving a stream in mid-token", found, budget="20 ms, from any thread")]


if __name__ == "__main__":
    for table in tables():
        print(table.show())
