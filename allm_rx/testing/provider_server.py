"""A provider on loopback: scripted answers in real protocols over real sockets, and a book of what clients did.

Rule 1: the server runs on a thread and a loop of its own, so it serves scripts, tests inside any loop, and other processes.
Rule 2: nothing here sleeps to wait; all waits end when the client leaves or the server stops.
Rule 3: stopping leaves nothing: no thread, task or socket.

`python -m allm_rx.testing.provider_server` serves until it is killed, and prints its URL first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, cast

from aiohttp import web

from allm_rx.testing.answers import Answer, AnyAnswer, ErrorAnswer, Recording, Respond
from allm_rx.testing.exchange import Exchange
from allm_rx.testing.ledger import Connection, Connections, Disconnect, Ledger
from allm_rx.testing.planning import planned, refusal
from allm_rx.testing.protocols import ProviderProtocol, Received, protocols
from allm_rx.testing.small_talk import SmallTalk

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from allm_rx.testing.faults import Fault, Plan

_LOG = logging.getLogger("allm_rx.testing.provider_server")

_TURNS = 4
"""Turns of the loop in which a connection that was accepted arrives."""

Script = AnyAnswer | Sequence[AnyAnswer] | Respond | SmallTalk
"""One answer for every request, answers for successive ones, a function that decides, or small talk."""


class ProviderServer:
    """A provider of your own.

    >>> with ProviderServer(Answer("Hello!")) as server:  # doctest: +ELLIPSIS
    ...     server.base_url("openai-chat")
    'http://127.0.0.1:.../v1'

    All of its properties and waits are for any thread but the server's own. The waits block; inside an event loop call them
    by `asyncio.to_thread`, or the client on that loop cannot do what is waited for.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        faults: Sequence[Fault] = (),
        ssl: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        """Set up without opening anything.

        Args:
            script: What is answered; None makes small talk, and calls a tool when the weather is asked for.
            faults: What goes wrong with every answer, after what goes wrong with it by itself.
            ssl: A server's context, for `https:`.
            port: The port to listen on; 0 takes a free one.
        """
        self._script: Script = SmallTalk() if script is None else script
        self._faults = tuple(faults)
        self._ssl = ssl
        self._port = port
        self._ledger = Ledger()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def start(self) -> Self:
        """Begin to serve, and return when connections are accepted.

        Raises:
            OSError: the port is taken.
            RuntimeError: the server was started before.
        """
        if self._thread is not None:
            raise RuntimeError("This provider server was started before: make another one.")
        listening: Future[int] = Future()
        thread = threading.Thread(target=self._run, args=(listening,), name="allm_rx provider server", daemon=True)
        thread.start()
        try:
            self._port = listening.result()
        except BaseException:
            thread.join()
            raise
        self._thread = thread
        return self

    def stop(self) -> None:
        """Abort all connections, and return when nothing is left; again has no effect."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._loop = None
        loop.call_soon_threadsafe(self._stop.set)
        thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the server is, without a path."""
        return f"{'https' if self._ssl else 'http'}://127.0.0.1:{self._port}"

    def base_url(self, protocol: str) -> str:
        """Give the `base_url` for clients of a protocol, such as `openai-chat`.

        Raises:
            ValueError: there is no such protocol.
        """
        for known in protocols():
            if known.name == protocol:
                return self.url + known.base_path
        names = ", ".join(repr(known.name) for known in protocols())
        raise ValueError(f"The provider server does not speak {protocol!r}: use one of {names}.")

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests so far, in order."""
        return self._ledger.requests

    @property
    def connections(self) -> Connections:
        """How many connections were opened, and how many are open."""
        return self._ledger.connections

    @property
    def closed_by_client(self) -> tuple[Disconnect, ...]:
        """The disconnects so far that the server did not bring about, in order."""
        return self._ledger.disconnects

    @property
    def answering(self) -> int:
        """How many answers are under way; one whose client left is not."""
        return self._ledger.answering

    @property
    def bytes_sent(self) -> int:
        """Bytes of bodies sent so far, without HTTP's framing."""
        return self._ledger.bytes_sent

    @property
    def blocked(self) -> float:
        """Seconds that a client has been holding back a write by not reading; 0 when none does."""
        return self._ledger.blocked

    def wait_closed(self, count: int = 1, timeout: float = 10) -> tuple[Disconnect, ...]:
        """Return the disconnects once the server has seen that many.

        Raises:
            TimeoutError: it has not within `timeout` seconds.
        """
        self._ledger.wait(lambda: len(self.closed_by_client) >= count, timeout, f"{count} disconnects")
        return self.closed_by_client

    def wait_requests(self, count: int = 1, timeout: float = 10) -> tuple[Received, ...]:
        """Return the requests once the server has that many.

        Raises:
            TimeoutError: it has not within `timeout` seconds.
        """
        self._ledger.wait(lambda: len(self.requests) >= count, timeout, f"{count} requests")
        return self.requests

    def wait_blocked(self, seconds: float = 0, timeout: float = 10) -> None:
        """Return when a client has held back a write for so many seconds.

        The system's own buffers take megabytes before and while they grow; a write that is held back for a tenth of a second
        stays so until the client reads.

        Raises:
            TimeoutError: none has within `timeout` seconds.
        """
        self._ledger.wait_blocked(seconds, timeout)

    def wait_until(self, happened: Callable[[Self], bool], timeout: float = 10) -> None:
        """Return when `happened`, given this server, is true; it is asked again whenever something changes.

        Raises:
            TimeoutError: it is not within `timeout` seconds.
        """
        self._ledger.wait(lambda: happened(self), timeout, "what was waited for")

    def _run(self, listening: Future[int]) -> None:
        try:
            asyncio.run(self._serve(listening))
        except BaseException as error:
            if listening.done():
                raise
            listening.set_exception(error)

    async def _serve(self, listening: Future[int]) -> None:
        loop = asyncio.get_running_loop()
        listener = _Listener(self._answer, self._ledger)
        # The backlog is for clients that open a thousand connections at once.
        server = await loop.create_server(listener, "127.0.0.1", self._port, ssl=self._ssl, backlog=4096)
        self._loop = loop
        listening.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        # asyncio loses a connection that it accepted just before `close`, and leaves its socket open.
        for listening_socket in server.sockets:
            with suppress(NotImplementedError):  # Windows: there it accepts in another way
                loop.remove_reader(listening_socket)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        server.close()
        listener.abort()
        await server.wait_closed()

    async def _answer(self, request: web.BaseRequest, connection: Connection) -> web.StreamResponse:
        raw = await request.content.read()  # not `request.read()`, which refuses more than a megabyte
        received = self._ledger.received(lambda index: _received(request, raw, index, connection.number))
        connection.request = received.index
        with self._ledger.answer():
            response = await Exchange(request, connection, self._ledger).send(self._plan(received))
        if request.transport is not None and not request.transport.is_closing():
            connection.request = None
        return response

    def _plan(self, request: Received) -> Plan:
        protocol = next((known for known in protocols() if known.serves(request.path)), None)
        if protocol is None:
            return refusal(protocols()[0], request, 404, f"There is nothing at {request.path!r}: check the base URL.")
        try:
            answer = self._scripted(protocol, request)
            plan = planned(answer, protocol, request)
            for fault in (*answer.faults, *self._faults):
                plan = fault.apply(plan)
        except Exception as error:  # noqa: BLE001 - whatever a script raises is answered and logged
            _LOG.exception("The script of the provider server failed at request %d.", request.index)
            # Status 400, since a client would send again what comes with 500, and the script would only fail again.
            return refusal(protocol, request, 400, f"The script failed at request {request.index}: {error!r}")
        return plan

    def _scripted(self, protocol: ProviderProtocol, request: Received) -> AnyAnswer:
        script = self._script
        if isinstance(script, SmallTalk):
            return script.answer(protocol.asked(request), request.index)
        if isinstance(script, (Answer, Recording, ErrorAnswer)):
            return script
        if callable(script):
            return script(request.body, request.index)
        if request.index < len(script):
            return script[request.index]
        raise LookupError(f"the script has {len(script)} answers, and this is request {request.index + 1}; give it more")


class _Listener(web.Server):
    """Makes a connection's protocol, and keeps the book about connections."""

    def __init__(self, answer: Callable[[web.BaseRequest, Connection], Awaitable[web.StreamResponse]], ledger: Ledger) -> None:
        super().__init__(self._handle, handler_cancellation=True, access_log=None)
        self._answer = answer
        self._ledger = ledger
        self._live: dict[web.RequestHandler, tuple[Connection, asyncio.Transport]] = {}

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection, _ = self._live[request.protocol]
        return await self._answer(request, connection)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._live[handler] = self._ledger.opened(), transport

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        connection, _ = self._live.pop(handler)
        self._ledger.lost(connection)

    def abort(self) -> None:
        for connection, transport in self._live.values():
            connection.ours = True
            transport.abort()


def _received(request: web.BaseRequest, raw: bytes, index: int, connection: int) -> Received:
    try:
        body: object = json.loads(raw)
    except ValueError:
        body = None
    return Received(
        index=index,
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=cast("dict[str, Any]", body) if isinstance(body, dict) else {},
        raw=raw,
        connection=connection,
        at=time.monotonic(),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until killed; the first line printed is the URL."""
    parser = argparse.ArgumentParser(
        prog="python -m allm_rx.testing.provider_server",
        description="A provider on loopback. Without options it makes small talk.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--chunks", type=int, help="answer everything with this many chunks of text")
    parser.add_argument("--chunk-size", type=int, default=4, help="characters of text per chunk (default: 4)")
    parser.add_argument("--chunks-per-write", type=int, default=1, help="chunks that travel together (default: 1)")
    parser.add_argument("--pace", type=float, default=0.0, metavar="MS", help="milliseconds between writes (default: 0)")
    options = parser.parse_args(arguments)
    pace = options.pace / 1000
    script: Script = SmallTalk(pace=pace)
    if options.chunks is not None:
        text = ["x" * (options.chunk_size - 1) + " "] * options.chunks
        script = Answer(chunks=text, pace=pace, frames_per_write=options.chunks_per_write)
    with ProviderServer(script, port=options.port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
