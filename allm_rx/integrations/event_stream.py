"""Records to one HTTP client of ours, as `text/event-stream`; what all server responses here share.

Rule 1: the client's socket is the demand: what it does not take is not read from the provider.
Rule 2: a client that leaves disposes the stream at once, not at the next record.
Rule 3: what goes wrong once the head is sent is a record; there is no status left to tell it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from aiohttp import web
from reactivex import operators as ops
from reactivex.subject import Subject

from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.operators.to_aiter import to_aiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from reactivex import Observable

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

_LOG = logging.getLogger("allm_rx.integrations")

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    # `no-transform` forbids compression on the way, which would hold records back until a block is full.
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
_COMMENT = b": keep-alive\n\n"
_CAPACITY = 16
"""Items that may wait for the socket. Most of what waits is in the socket's own buffer, which asyncio bounds."""


class Spelling(Protocol[T_contra]):
    """How one stream is written: whole records, or nothing."""

    def item(self, item: T_contra, /) -> bytes:
        """Write an item."""
        ...

    def failure(self, failure: Failure, /) -> bytes:
        """Write what the stream's `on_error` means; nothing follows."""
        ...

    def end(self) -> bytes:
        """Write what comes last when the stream completes."""
        ...


async def respond(
    request: web.Request,
    stream: Observable[T],
    spelling: Spelling[T],
    *,
    keep_alive: float | None,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """Send records until the stream ends or the client leaves.

    Args:
        request: what the client asked; its body has been read.
        stream: what is sent; subscribed on the running loop.
        spelling: how; of this stream alone, for it may keep state.
        keep_alive: seconds between comments, None for none.
        headers: sent with, or in place of, those of every event stream.

    Raises:
        ValueError: `keep_alive` is not positive.
    """
    if keep_alive is not None and keep_alive <= 0:
        raise ValueError(f"`keep_alive` is {keep_alive}: give the seconds between comments, or None for no comments.")
    response = web.StreamResponse(headers={**_HEADERS, **headers})
    with suppress(ConnectionError):  # the client left; there is nobody to tell
        await response.prepare(request)
        async with _left(request) as left, _comments(response, keep_alive):
            await _send(response, stream.pipe(ops.take_until(left)), spelling)
        if request.transport is not None:
            await response.write_eof()
    return response


async def _send(response: web.StreamResponse, stream: Observable[T], spelling: Spelling[T]) -> None:
    async with to_aiter(stream, _CAPACITY) as items:
        ended = False
        while not ended:
            try:
                record = spelling.item(await anext(items))
            except StopAsyncIteration:
                record, ended = spelling.end(), True
            except Exception as error:  # noqa: BLE001 - whatever ended the stream is told in band
                record, ended = spelling.failure(_told(error)), True
            if record:
                await response.write(record)


def _told(error: Exception) -> Failure:
    """Give what a client may know: our messages are made to be shown, those of others may hold anything."""
    if isinstance(error, AllmError):
        return Failure.of(error)
    _LOG.error("A stream failed while it was sent to a client.", exc_info=error)
    name = type(error).__name__
    message = f"The server failed with {name} while it answered: its log tells why."
    return Failure(kind="AdapterError", reason="unknown", message=message, details={"exception": name})


@asynccontextmanager
async def _comments(response: web.StreamResponse, every: float | None) -> AsyncGenerator[None]:
    """Send comments meanwhile, so that no proxy on the way takes a model that thinks for a dead connection."""
    if every is None:
        yield
        return

    async def send() -> None:
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(every)  # noqa: TID251 - the patience of proxies, which is real time
                await response.write(_COMMENT)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


@asynccontextmanager
async def _left(request: web.Request) -> AsyncGenerator[Subject[None]]:
    """Give what emits when the connection is lost.

    aiohttp tells a handler only by cancelling it, and only where the server was set up so. A protocol in front of its own
    hears it everywhere, while nothing is being written too.
    """
    left = Subject[None]()
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("The client left before it was answered.")
    before = transport.get_protocol()
    transport.set_protocol(cast("asyncio.BaseProtocol", _Listening(before, left)))
    try:
        yield left
    finally:
        transport.set_protocol(before)


class _Listening(asyncio.Protocol):
    """Passes everything on, and tells of the end."""

    def __init__(self, to: Any, left: Subject[None]) -> None:
        self._to = to
        self._left = left

    def connection_lost(self, exc: Exception | None) -> None:
        self._to.connection_lost(exc)
        self._left.on_next(None)

    def data_received(self, data: bytes) -> None:
        self._to.data_received(data)

    def eof_received(self) -> bool | None:
        return self._to.eof_received()

    def pause_writing(self) -> None:
        self._to.pause_writing()

    def resume_writing(self) -> None:
        self._to.resume_writing()
