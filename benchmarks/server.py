"""A server that costs next to nothing, in a process of its own: the same canned answer for every client in a run.

`python -m benchmarks.server --chunks 20000 --together 1` prints its base URL and serves until it is killed. The answer is
rendered once; each HTTP chunk carries `--together` records, as a provider that flushes per token (1) or a proxy that
gathers (32) would send them.
"""

import argparse
import asyncio
import json

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def rendered(chunks: int, together: int) -> list[bytes]:
    """Give the HTTP chunks of an answer of that many pieces of text, the last chunk included."""
    records: list[bytes] = []
    for number in range(chunks):
        delta: dict[str, object] = {"content": f"tok{number % 1000:03d} "}
        records.append(_record(delta, None))
    records.append(_record({}, "stop"))
    usage = {"prompt_tokens": 12, "completion_tokens": chunks, "total_tokens": 12 + chunks}
    records.append(_line({**_base(), "choices": [], "usage": usage}))
    records.append(b"data: [DONE]\n\n")
    bodies = [b"".join(records[start : start + together]) for start in range(0, len(records), together)]
    return [b"%x\r\n%b\r\n" % (len(body), body) for body in bodies] + [b"0\r\n\r\n"]


def _base() -> dict[str, object]:
    return {
        "id": "chatcmpl-BQx7f3nVbench",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "gpt-bench-2026-01-01",
        "service_tier": "default",
        "system_fingerprint": "fp_07871e2ad8",
    }


def _record(delta: dict[str, object], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _line({**_base(), "choices": [choice], "usage": None})


def _line(data: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


async def serve(chunks: int, together: int, pace: float) -> None:
    """Serve until cancelled; the base URL is printed first."""
    pieces = rendered(chunks, together)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _read_request(reader):
                writer.write(_HEAD)
                for piece in pieces:
                    writer.write(piece)
                    if pace:
                        await asyncio.sleep(pace)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**20, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    async with server:
        await server.serve_forever()


async def _read_request(reader: asyncio.StreamReader) -> bool:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return False
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(lengths[0]) if lengths else 0)
    return True


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=20_000, help="pieces of text per answer")
    parser.add_argument("--together", type=int, default=1, help="records per HTTP chunk")
    parser.add_argument("--pace", type=float, default=0.0, help="milliseconds between HTTP chunks")
    options = parser.parse_args()
    asyncio.run(serve(options.chunks, options.together, options.pace / 1000))


if __name__ == "__main__":
    main()
