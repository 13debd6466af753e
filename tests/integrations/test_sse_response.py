"""Events as a web server's answer."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import reactivex as rx
from aiohttp import web
from reactivex import Observable
from reactivex import operators as ops
from reactivex.subject import Subject

from allm_rx import Engine, errors, events, stream_generate
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import error
from allm_rx.integrations.sse_response import sse_response
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import DelayBody, Flood, Stall
from allm_rx.testing.provider_server import ProviderServer
from tests.integrations.serving import elsewhere, records, serving
from tests.loopback import an_engine

Asking = Callable[[aiohttp.ClientResponse], Awaitable[Any]]


def asked(source: Observable[Any], ask: Asking, offers: dict[str, str] | None = None, **options: Any) -> Any:
    """What a client makes of the response to its request."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return await sse_response(request, source, **options)

    async def main() -> Any:
        session = aiohttp.ClientSession(auto_decompress=False)
        async with serving(handler) as url, session as client, client.get(url, headers=offers) as response:
            return await ask(response)

    return asyncio.run(main())


def body_of(source: Observable[Any], **options: Any) -> str:
    """The whole response to a request."""
    return asked(source, aiohttp.ClientResponse.text, **options)


def fake(*script: Any) -> Observable[events.Event]:
    """The events of a scripted answer."""
    return stream_generate(Engine(adapter=Fake(script=list(script)), model="fake-1", retry=False), "Hi")


@pytest.fixture
def flooding() -> Iterator[ProviderServer]:
    """A provider that never stops."""
    with ProviderServer(Answer(faults=[Flood("and so on " * 100)])) as server:
        yield server


def test_an_event_is_a_record() -> None:
    """What a client reads back are the events, numbered and named."""
    delta = events.TextDelta(id="0", delta="two\nlines, \u2028 and \N{SNOWMAN}")

    body = body_of(rx.of(events.MessageStarted(), delta))

    found = records(body)
    assert [(one.id, one.event) for one in found] == [(0, "message_started"), (1, "text_delta")]
    assert events.loads(found[1].data) == delta


def test_numbers_go_on_where_they_are_told() -> None:
    """The rest of an answer that was read in part keeps the numbers it had."""
    said = [events.TextDelta(id="0", delta=letter) for letter in "abcd"]

    body = body_of(rx.from_iterable(said).pipe(ops.skip(2)), first_id=2)

    assert [one.id for one in records(body)] == [2, 3]


def test_the_head_says_that_it_is_a_stream() -> None:
    """Neither a cache nor a proxy may hold an event back."""

    async def head(response: aiohttp.ClientResponse) -> tuple[str, ...]:
        return tuple(response.headers[name] for name in ("Content-Type", "Cache-Control", "X-Accel-Buffering", "X-Own"))

    sent = asked(fake("Hi."), head, headers={"X-Own": "mine"})

    assert sent == ("text/event-stream; charset=utf-8", "no-cache, no-transform", "no", "mine")


def test_it_is_never_compressed() -> None:
    """A client that offers gzip gets plain records."""

    async def raw(response: aiohttp.ClientResponse) -> bytes:
        assert "Content-Encoding" not in response.headers
        return await response.read()

    body = asked(fake("Hi."), raw, offers={"Accept-Encoding": "gzip, deflate"})

    assert body.startswith(b"id: 0\nevent: message_started\n")
    assert not body.startswith(gzip.compress(b"")[:2])


def test_a_failure_is_the_last_record() -> None:
    """What the provider refuses comes in band, with the text before it."""
    found = records(body_of(fake("Well", error("server_error", status=500))))

    assert [one.event for one in found][-1] == "error"
    assert json.loads(found[-1].data)["failure"]["status"] == 500


def test_on_error_is_told_in_band() -> None:
    """An exception of ours that ends the stream is one more record."""
    broken = rx.concat(rx.of(events.MessageStarted()), rx.throw(errors.StreamError("stream_interrupted", "It was cut.")))

    found = records(body_of(broken))

    assert [one.id for one in found] == [0, 1]
    assert json.loads(found[1].data)["failure"]["message"] == "It was cut."


def test_the_exceptions_of_others_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """The text of a foreign exception goes to the log and not to a browser."""
    found = records(body_of(rx.throw(ValueError("password=hunter2"))))

    assert "hunter2" not in found[0].data
    assert "ValueError" in found[0].data
    assert "hunter2" in caplog.text


def test_comments_come_while_a_model_thinks() -> None:
    """A stream in which nothing happens is kept alive before its first event."""

    async def first(response: aiohttp.ClientResponse) -> bytes:
        return await response.content.readuntil(b"\n\n")

    assert asked(rx.never(), first, keep_alive=0.001) == b": keep-alive\n\n"


def test_an_impossible_keep_alive_is_refused() -> None:
    """No comment can come every zero seconds."""

    async def handler(request: web.Request) -> web.StreamResponse:
        with pytest.raises(ValueError, match="give the seconds between comments"):
            await sse_response(request, rx.never(), keep_alive=0)
        return web.Response(text="refused")

    async def main() -> str:
        async with serving(handler) as url, aiohttp.ClientSession() as client, client.get(url) as response:
            return await response.text()

    assert asyncio.run(main()) == "refused"


@pytest.mark.parametrize(
    ("fault", "before"), [(DelayBody(), 0), (Stall(after=3), 3)], ids=["before the first event", "in a pause"]
)
def test_a_client_that_leaves_ends_the_call(fault: Any, before: int) -> None:
    """The provider's connection is closed while nothing is there to be written."""
    with ProviderServer(Answer("One two three four.", faults=[fault])) as server:

        async def leave(response: aiohttp.ClientResponse) -> Any:
            await elsewhere(server.wait_requests)
            for _ in range(before):
                await response.content.readuntil(b"\n\n")
            response.close()
            return await elsewhere(server.wait_closed)

        left = asked(stream_generate(an_engine(server), "Hi"), leave, keep_alive=None)

        assert left[0].request == 0


def test_a_client_that_leaves_a_flood_ends_the_call(flooding: ProviderServer) -> None:
    """The provider's connection is closed while a write waits for the client."""

    async def leave(response: aiohttp.ClientResponse) -> Any:
        await elsewhere(flooding.wait_blocked, 0.1)
        response.close()
        return await elsewhere(flooding.wait_closed)

    assert len(asked(stream_generate(an_engine(flooding), "Hi"), leave)) == 1


def test_a_client_that_does_not_read_slows_the_provider(flooding: ProviderServer) -> None:
    """Nothing is read from the provider that the client does not take."""

    async def do_not_read(response: aiohttp.ClientResponse) -> int:
        await elsewhere(flooding.wait_blocked, 0.1)
        return flooding.bytes_sent

    sent = asked(stream_generate(an_engine(flooding), "Hi"), do_not_read)

    assert 0 < sent < 64 * 2**20


def test_a_connection_serves_the_next_request() -> None:
    """After a whole stream the connection is as it was."""
    ports: set[Any] = set()
    protocols: set[Any] = set()

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        protocols.add(request.transport.get_protocol())
        return await sse_response(request, fake("Hi."))

    async def main() -> list[int]:
        async with serving(handler) as url, aiohttp.ClientSession() as client:
            return [len(records(await (await client.post(url, data=b"x" * 100_000)).text())) for _ in range(3)]

    assert asyncio.run(main()) == [4, 4, 4]
    assert (len(ports), len(protocols)) == (1, 1)


def test_events_come_as_they_happen() -> None:
    """A record is with the client before the next event exists."""
    source = Subject[events.Event]()
    said = [events.TextDelta(id="0", delta=letter) for letter in "ab"]

    async def one_by_one(response: aiohttp.ClientResponse) -> list[int]:
        numbers: list[int] = []
        for event in said:
            source.on_next(event)
            record = await response.content.readuntil(b"\n\n")
            numbers += [one.id for one in records(record.decode())]
        return numbers

    assert asked(source, one_by_one, keep_alive=None) == [0, 1]
