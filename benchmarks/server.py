"""A server that costs next to nothing, in a process of its own: the same canned answers for every client in a run.

`python -m benchmarks.server` prints its URL, and serves until it is killed. The path of a request names its answer, see
`benchmarks.answers`; what stands behind `/v1/` names the protocol. Of an answer that takes its time the server prints when
the client closed the connection before the end, in seconds of the monotonic clock, which all processes of a machine share.

`GET /opened` tells how many connections were ever made; `GET /go` lets all held answers go on.
"""

import asyncio
import contextlib
import time

from benchmarks.answers import HEAD, Answer, rendered


class Server:
    """What the connections of the server share."""

    def __init__(self) -> None:
        self._opened = 0
        self._go = asyncio.Event()

    async def serve(self) -> None:
        """Serve until cancelled; the URL is printed first."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=2**20, backlog=2048)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._opened += 1
        try:
            while (asked := await _request(reader)) is not None:
                path, body = asked
                if path in {"/opened", "/go"}:
                    writer.write(self._told(path))
                    continue
                name, _, entry = path.partition("/v1/")
                await self._answer(Answer.named(name), entry, body, reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    def _told(self, path: str) -> bytes:
        if path == "/go":
            self._go.set()
            self._go = asyncio.Event()
        body = str(self._opened).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)

    async def _answer(
        self, answer: Answer, entry: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        messages = entry.startswith("messages")
        answered = body.count(b'"tool_use_id"' if messages else b'"tool_call_id"') if answer.turns else 0
        pieces = rendered(answer, "messages" if messages else "chat", answered)
        watch = asyncio.create_task(_watch(reader)) if answer.watched else None
        writer.write(HEAD)
        for piece in pieces.first:
            writer.write(piece)
        if answer.held:
            await self._go.wait()
        for piece in pieces.rest:
            if answer.pace:
                await asyncio.sleep(answer.pace / 1000)
            writer.write(piece)
            await writer.drain()
        if watch is not None:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch


async def _watch(reader: asyncio.StreamReader) -> None:
    """Print when the other side closes; it says nothing before that."""
    with contextlib.suppress(ConnectionError):
        await reader.read(1)
    print(time.monotonic(), flush=True)


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0]) if lengths else 0)
    return head.split(b" ", 2)[1].decode(), body


async def main() -> None:
    """Serve."""
    await Server().serve()


if __name__ == "__main__":
    asyncio.run(main())
