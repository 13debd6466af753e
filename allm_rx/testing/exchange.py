"""One answer on its way out: a plan becomes bytes on a connection.

Rule 1: every wait ends at once when the task is cancelled: the client left, or the server stops.
Rule 2: each write waits for the client's flow control, so at most one piece more than the system's buffers is ever held.
Rule 3: an answer without end yields to the loop every few milliseconds, or nothing else would be served or seen.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import struct
import zlib
from typing import TYPE_CHECKING, cast

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiohttp.http import StreamWriter

    from allm_rx.testing.faults import Cut, Drip, Frame, Plan
    from allm_rx.testing.ledger import Connection, Ledger

_SLICE = 0.005
"""Seconds of writing after which others get their turn."""

_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""The socket option that makes a close a reset."""

_GZIP = 16 + zlib.MAX_WBITS

Piece = tuple[float, bytes]
"""Seconds to wait, then bytes to write at once."""


class Exchange:
    """Sends one answer."""

    def __init__(self, request: web.BaseRequest, connection: Connection, ledger: Ledger) -> None:
        self._request = request
        self._connection = connection
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._turn = 0.0

    async def send(self, plan: Plan) -> web.StreamResponse:
        """Send what is planned, and give what aiohttp has to finish."""
        response = web.StreamResponse(status=plan.status, headers=plan.headers)
        try:
            await self._pause(plan.pause_before_head)
            if plan.reset:
                self._reset()
                return response
            # What `prepare` gives is typed by its interface, which lacks `drain=`.
            writer = cast("StreamWriter", await response.prepare(self._request))
            if plan.pause_before_body:
                writer.send_headers()
                await self._pause(plan.pause_before_body)
            await self._body(writer, plan)
        except ConnectionError:
            pass  # the client left between two writes; the connection's own end is in the ledger
        if not response.keep_alive:
            self._connection.ours = True
        return response

    async def _body(self, writer: StreamWriter, plan: Plan) -> None:
        cut = plan.cut
        left = cut.after if cut else math.inf
        self._turn = self._loop.time() + _SLICE
        for pause, piece in pieces(plan):
            if pause:
                writer.send_headers()
                await self._pause(pause)
            if len(piece) >= left:
                await self._write(writer, piece[: int(left)])
                self._end(writer, cast("Cut", cut))
                return
            left -= len(piece)
            await self._write(writer, piece)

    async def _write(self, writer: StreamWriter, piece: bytes) -> None:
        if piece:
            await writer.write(piece, drain=False)
            self._ledger.sent(len(piece))
        if self._request.protocol.writing_paused:
            await self._drain(writer)
        elif self._loop.time() > self._turn:
            await asyncio.sleep(0)
            self._turn = self._loop.time() + _SLICE

    async def _drain(self, writer: StreamWriter) -> None:
        with self._ledger.blocking():
            await writer.drain()

    async def _pause(self, seconds: float) -> None:
        if math.isinf(seconds):
            await self._loop.create_future()
        elif seconds > 0:
            await asyncio.sleep(seconds)

    def _end(self, writer: StreamWriter, cut: Cut) -> None:
        writer.send_headers()
        if cut.how == "end":
            return
        transport = self._request.transport
        if transport is None:
            return
        if cut.how == "close":
            self._connection.ours = True
            transport.close()
            return
        self._reset()

    def _reset(self) -> None:
        transport = self._request.transport
        if transport is None:
            return
        self._connection.ours = True
        opened: socket.socket | None = transport.get_extra_info("socket")
        if opened is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        transport.abort()


def pieces(plan: Plan) -> Iterator[Piece]:
    """Give what is written, a piece at a time."""
    written = _joined(plan.frames, plan.frames_per_write)
    if plan.gzip:
        written = _zipped(written)
    return _sliced(written, plan.drip) if plan.drip else written


def _joined(frames: Iterable[Frame], count: int) -> Iterator[Piece]:
    if count == 1:
        for frame in frames:
            yield frame.pause, frame.data
        return
    pause, parts = 0.0, list[bytes]()
    for frame in frames:
        if len(parts) >= count or (parts and math.isinf(frame.pause)):
            yield pause, b"".join(parts)
            parts = []
        if not parts:
            pause = frame.pause
        parts.append(frame.data)
    if parts:
        yield pause, b"".join(parts)


def _zipped(written: Iterable[Piece]) -> Iterator[Piece]:
    packer = zlib.compressobj(wbits=_GZIP)
    for pause, piece in written:
        yield pause, packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield 0.0, packer.flush()


def _sliced(written: Iterable[Piece], drip: Drip) -> Iterator[Piece]:
    for pause, piece in written:
        if not piece:
            yield pause, piece
        for start in range(0, len(piece), drip.size):
            yield drip.every + (pause if start == 0 else 0.0), piece[start : start + drip.size]
