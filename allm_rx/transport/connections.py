"""One aiohttp session per event loop, closed with its loop.

Rule 1: a session belongs to the loop that made it and is never used from another.
Rule 2: `asyncio.run` closes it: an async generator parked on the loop owns it, and `shutdown_asyncgens` ends that.
Rule 3: entries of closed loops are purged; a weak dictionary would leak, since the session refers to its loop.
Rule 4: a loop that was closed without shutting down its generators is no reason for aiohttp to complain on stderr.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator


@dataclass(slots=True)
class _Kept:
    session: aiohttp.ClientSession
    keeper: AsyncGenerator[aiohttp.ClientSession, None]


class Connections:
    """The sessions of one transport, by loop."""

    def __init__(self, *, tls: ssl.SSLContext | bool) -> None:
        """Begin with none; `tls` is aiohttp's `ssl` argument."""
        self._tls = tls
        self._kept: dict[asyncio.AbstractEventLoop, _Kept] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._left_to_parent: list[dict[asyncio.AbstractEventLoop, _Kept]] = []
        weakref.finalize(self, _purge, self._kept)  # at interpreter exit too

    async def session(self) -> aiohttp.ClientSession:
        """Give the running loop's session, made on first use."""
        if self._pid != os.getpid():
            self._begin_anew()
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is not None and not kept.session.closed:
            return kept.session
        keeper = self._keep(tls=self._tls)
        session = await anext(keeper)
        with self._lock:
            _purge(self._kept)
            self._kept[loop] = _Kept(session, keeper)
        return session

    @staticmethod
    async def _keep(*, tls: ssl.SSLContext | bool) -> AsyncGenerator[aiohttp.ClientSession, None]:
        # Static: its frame must not keep the connections it serves alive.
        # `limit=0`: the default of 100 would queue the 101st stream. `total=None`: the default kills a stream after 300 s.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )
        try:
            yield session
        finally:
            await session.close()

    def _begin_anew(self) -> None:
        # A forked child shares the parent's sockets: closing or collecting them here would end the parent's streams.
        self._left_to_parent.append(self._kept)
        self._kept = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()
        weakref.finalize(self, _purge, self._kept)


def _purge(kept: dict[asyncio.AbstractEventLoop, _Kept]) -> None:
    """Forget the sessions of closed loops."""
    for loop in [loop for loop in kept if loop.is_closed()]:
        closing = kept.pop(loop).session.close()
        with suppress(StopIteration):  # it awaits nothing: all that is left to do is to note that it is closed
            closing.send(None)
