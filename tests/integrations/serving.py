"""A web server of a program that uses the library, and clients that read it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Record(NamedTuple):
    """A record of an event stream."""

    id: int
    event: str
    data: str


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncGenerator[str]:
    """Serve one handler on loopback, and give its address."""
    app = web.Application()
    app.router.add_route("*", "/", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, **options)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def records(body: str) -> list[Record]:
    """Take a body of numbered records apart; comments are left out."""
    found = [dict(line.split(": ", 1) for line in block.split("\n")) for block in body.split("\n\n") if block[:3] == "id:"]
    return [Record(int(one["id"]), one["event"], one["data"]) for one in found]


async def elsewhere(wait: Callable[..., Any], *arguments: Any) -> Any:
    """Wait for a provider server without holding up this loop."""
    return await asyncio.to_thread(wait, *arguments)
