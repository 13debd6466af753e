"""HTTP by aiohttp: a subscription is a request, its disposal closes the connection.

Rule 1: one task per subscription, on the subscriber's loop; whatever ends it releases the connection.
Rule 2: a body is read to its end, so that its connection is used again; anything else aborts the connection.
Rule 3: reading stops while the subscriber's demand is absent, and yields to the loop after 5 ms of delivery.
Rule 4: redirects are not followed: they would carry the key to another host.
"""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import TYPE_CHECKING, cast

import aiohttp
from reactivex.abc import DisposableBase
from reactivex.disposable import Disposable
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.flow import Demand, LoopScheduler, demand_of
from allm_rx.errors import AllmError, EngineError, StreamError, SubscriberError, UsageError
from allm_rx.operators.lean import Lean
from allm_rx.transport.connections import Connections
from allm_rx.transport.failures import unreachable
from allm_rx.transport.io_loop import ending
from allm_rx.transport.loop_end import spawn
from allm_rx.transport.proxies import proxy_for
from allm_rx.wire.http import ResponseHead, WireRequest

if TYPE_CHECKING:
    import ssl

    from reactivex import Observable
    from reactivex.abc import ObserverBase, SchedulerBase

_PIECE = 16 * 1024
"""Bytes handed on at once: what a slow subscriber may delay its loop by, before the pump looks at the clock."""
_SLICE = 0.005
"""Seconds of uninterrupted delivery after which other streams of the loop get their turn."""


class AiohttpTransport:
    """The HTTP client. One instance serves any number of loops and threads."""

    def __init__(
        self,
        *,
        ssl: ssl.SSLContext | bool = True,
        proxy: str | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        """Set up without opening anything.

        Args:
            ssl: an SSL context for servers of one's own; False turns verification off.
            proxy: URL of a proxy; None uses the environment's (`HTTPS_PROXY`, `NO_PROXY`, ...).
            session: an aiohttp session of one's own; it is used on its loop only, and never closed here.
        """
        self._connections = Connections(tls=ssl)
        self._proxy = proxy
        self._session = session

    def open(self, request: WireRequest, /) -> Observable[ResponseHead | bytes]:
        """Send the request on subscription; see `abc.transport.Transport` for the guarantees."""

        def subscribe(observer: ObserverBase[ResponseHead | bytes], scheduler: SchedulerBase | None = None) -> DisposableBase:
            try:
                loop = _loop_of(scheduler)
            except AllmError as error:
                observer.on_error(error)
                return Disposable()
            exchange = _Exchange(self, request, observer, demand_of(scheduler))
            exchange.start(loop)
            return exchange

        return Lean(subscribe)

    async def session(self) -> aiohttp.ClientSession:
        """Give the session for the running loop.

        Raises:
            UsageError: `wrong_thread`, the caller's own session belongs to another loop.
        """
        if self._session is None:
            return await self._connections.session()
        if self._session._loop is not asyncio.get_running_loop():  # pyright: ignore[reportPrivateUsage] # the public name warns
            raise UsageError(
                "wrong_thread",
                "The session of this transport belongs to another event loop: subscribe on that one, or leave `session` out.",
            )
        return self._session

    def proxy(self, url: str) -> str | None:
        """Give the proxy for a URL, or None for a direct connection."""
        return self._proxy or proxy_for(url)

    def __reduce__(self) -> str:
        """Refuse to be pickled.

        Raises:
            TypeError: always; sockets stay where they are.
        """
        raise TypeError("A transport holds sockets and cannot be pickled: build it in the worker.")


@cache
def default_transport() -> AiohttpTransport:
    """Give the transport that adapters use when they were given none."""
    return AiohttpTransport()


def _loop_of(scheduler: SchedulerBase | None) -> asyncio.AbstractEventLoop:
    if isinstance(scheduler, LoopScheduler):
        return scheduler.loop
    if isinstance(scheduler, VirtualTimeScheduler):
        raise EngineError(
            "virtual_time", "A real connection cannot live in virtual time: use `Fake` or a replay with a virtual scheduler."
        )
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(
            "no_event_loop", "A transport is subscribed on an event loop: go through an engine, or subscribe inside a loop."
        ) from None


class _Exchange(DisposableBase):
    """One request and its answer."""

    __slots__ = ("_demand", "_observer", "_off", "_request", "_response", "_task", "_transport", "_yielded")

    def __init__(
        self,
        transport: AiohttpTransport,
        request: WireRequest,
        observer: ObserverBase[ResponseHead | bytes],
        demand: Demand | None,
    ) -> None:
        self._transport = transport
        self._request = request
        self._observer = observer
        self._demand = demand
        self._off = False
        self._response: aiohttp.ClientResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._yielded = 0.0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._task = spawn(loop, self._run(), name="allm_rx exchange")
        except StreamError as ended:
            self._end(ended)

    def dispose(self) -> None:
        """Abort the connection; on the loop's own thread."""
        if self._off:
            return
        self._off = True
        task = cast("asyncio.Task[None]", self._task)
        self._abort()
        if asyncio.current_task(task.get_loop()) is not task:  # disposed from within its own `on_next`, it just returns
            task.cancel()

    async def _run(self) -> None:
        request = self._request
        try:
            self._response = response = await self._send()
            if self._off:
                return
            self._deliver(ResponseHead(response.status, response.headers))
            await self._pump(response.content)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            self._end(unreachable(error, request, head_seen=self._response is not None))
        except _RaisedDownstreamError as raised:
            self._end(SubscriberError(raised.cause))
        except asyncio.CancelledError:
            if ending():
                self._off = True
            self._end(StreamError("cancelled", "The event loop ended while the answer was read: the answer is incomplete."))
            raise
        except Exception as error:  # noqa: BLE001 - a defect must reach the subscriber, not die unread in a task
            self._end(error)
        else:
            self._end(None)
        finally:
            self._abort()

    async def _send(self) -> aiohttp.ClientResponse:
        request = self._request
        session = await self._transport.session()
        return await session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.plain_headers(),
            allow_redirects=False,
            proxy=self._transport.proxy(request.url),
            timeout=aiohttp.ClientTimeout(total=None, connect=request.connect_timeout),
        )

    async def _pump(self, content: aiohttp.StreamReader) -> None:
        demand = self._demand
        self._yielded = time.perf_counter()
        while not self._off:
            if demand is not None and not demand.ready():
                await demand.wait()
                self._yielded = time.perf_counter()
                continue
            chunk = content.read_nowait()
            if not chunk:
                if content.at_eof():
                    return
                chunk = await content.readany()
                self._yielded = time.perf_counter()
                if not chunk:
                    return
            if len(chunk) <= _PIECE:
                self._deliver(chunk)
                if time.perf_counter() - self._yielded > _SLICE:
                    await self._yield()
            else:
                await self._deliver_in_pieces(chunk)

    async def _deliver_in_pieces(self, chunk: bytes) -> None:
        demand = self._demand
        for start in range(0, len(chunk), _PIECE):
            if self._off:
                return
            while demand is not None and not demand.ready() and not self._off:
                await demand.wait()
            self._deliver(chunk[start : start + _PIECE])
            if time.perf_counter() - self._yielded > _SLICE:
                await self._yield()

    async def _yield(self) -> None:
        await asyncio.sleep(0)
        self._yielded = time.perf_counter()

    def _deliver(self, item: ResponseHead | bytes) -> None:
        if self._off:
            return
        try:
            self._observer.on_next(item)
        except Exception as error:
            raise _RaisedDownstreamError(error) from error

    def _end(self, error: Exception | None) -> None:
        if self._off:
            return
        self._off = True  # before the terminal: it disposes, and cancelling this task now would lose the connection
        if error is None:
            self._response = None
            self._observer.on_completed()
        else:
            self._abort()
            self._observer.on_error(error)

    def _abort(self) -> None:
        response, self._response = self._response, None
        if response is None:
            return
        connection = response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        response.close()


class _RaisedDownstreamError(Exception):
    """Carries what an `on_next` raised past the handlers of network errors."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause
