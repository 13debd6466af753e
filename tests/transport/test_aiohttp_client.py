"""What the HTTP client does on a real socket; the server tells what it saw."""

import asyncio
import copy
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.flow import LoopScheduler
from allm_rx.errors import AdapterError, EngineError, StreamError, SubscriberError, UsageError
from allm_rx.testing.answers import Answer, Recording
from allm_rx.testing.faults import Cut, DelayHead, Flood, Gzip, Redirect, Stall
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from allm_rx.wire.http import ResponseHead
from tests.demand import Tap
from tests.loopback import KEY, Authority, ask, program, until

BODY = b"data: 1\n\ndata: 2\n\n"


async def answer_of(transport: AiohttpTransport, server: ProviderServer) -> tuple[ResponseHead, bytes]:
    """Read an answer whole."""
    head, *pieces = await transport.open(ask(server)).pipe(ops.to_list())
    assert isinstance(head, ResponseHead)
    return head, b"".join(piece for piece in pieces if isinstance(piece, bytes))


class Reader:
    """A subscriber on the running loop."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.error: Exception | None = None
        self.subscription = SerialDisposable()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.ended = asyncio.get_running_loop().create_future()

    def read(self, transport: AiohttpTransport, server: ProviderServer, demand: Any = None) -> "Reader":
        scheduler = LoopScheduler(asyncio.get_running_loop(), demand)
        stream = transport.open(ask(server))
        self.subscription.disposable = stream.subscribe(self.on_next, self.on_error, self.on_completed, scheduler=scheduler)
        return self

    def on_next(self, item: Any) -> None:
        self.items.append(item)
        for count, future in self._waiting:
            if len(self.items) >= count and not future.done():
                future.set_result(None)

    def on_error(self, error: Exception) -> None:
        self.error = error
        self.ended.set_result(None)

    def on_completed(self) -> None:
        self.ended.set_result(None)

    async def seen(self, count: int) -> None:
        """Return when so many items came."""
        if len(self.items) < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((count, future))
            await future


# Reading.


def test_the_head_comes_first_then_the_body() -> None:
    """Status and headers are one item, the bytes of the body the others."""
    with ProviderServer(Recording(BODY, status=418, headers={"X-Request-Id": "req-9"})) as server:
        head, body = asyncio.run(answer_of(AiohttpTransport(), server))

    assert (head.status, head.request_id, body) == (418, "req-9", BODY)


def test_nothing_is_sent_before_subscribe() -> None:
    """Opening is a description; each subscription is a request of its own."""
    with ProviderServer(Recording(BODY)) as server:

        async def main() -> list[int]:
            stream = AiohttpTransport().open(ask(server))
            counts = [len(server.requests)]
            for _ in range(2):
                await stream
                counts.append(len(server.requests))
            return counts

        assert asyncio.run(main()) == [0, 1, 2]


def test_what_is_sent_is_what_the_request_says() -> None:
    """Method, headers, the key and the body arrive as they are."""
    with ProviderServer(Recording(BODY)) as server:
        asyncio.run(answer_of(AiohttpTransport(), server))
        (request,) = server.requests

    assert (request.method, request.raw, request.headers["Authorization"]) == ("POST", ask(server).body, f"Bearer {KEY}")


def test_a_compressed_body_is_unpacked() -> None:
    """Decoders see the bytes that were compressed, not those on the wire."""
    with ProviderServer(Recording(BODY), faults=[Gzip()]) as server:
        _, body = asyncio.run(answer_of(AiohttpTransport(), server))

    assert body == BODY


def test_no_piece_is_larger_than_16_kib() -> None:
    """A large read is handed on in slices, so that a slow subscriber delays its loop by no more than one of them."""
    with ProviderServer(Recording(b"x" * 1_000_000)) as server:

        async def main() -> list[int]:
            items = await AiohttpTransport().open(ask(server)).pipe(ops.to_list())
            return [len(item) for item in items if isinstance(item, bytes)]

        sizes = asyncio.run(main())

    assert (sum(sizes), max(sizes)) == (1_000_000, 16 * 1024)


def test_a_redirect_is_not_followed() -> None:
    """The key goes to no other host: the redirect itself is the answer."""
    with ProviderServer(Answer("Hi")) as other:
        redirect = Redirect(f"{other.base_url('openai-chat')}/chat/completions")
        with ProviderServer(Answer("Hi"), faults=[redirect]) as server:
            head, _ = asyncio.run(answer_of(AiohttpTransport(), server))

        assert (head.status, len(other.requests)) == (307, 0)


def test_cookies_are_not_kept() -> None:
    """What one answer wants remembered is not sent with the next request, which may be another customer's."""
    with ProviderServer(Recording(BODY, headers={"Set-Cookie": "who=me"})) as server:

        async def main() -> None:
            transport = AiohttpTransport()
            for _ in range(2):
                await answer_of(transport, server)

        asyncio.run(main())

        assert ["Cookie" in request.headers for request in server.requests] == [False, False]


# Connections.


def test_a_body_read_to_its_end_gives_the_connection_back() -> None:
    """Three requests one after the other share one connection."""
    with ProviderServer(Recording(BODY)) as server:

        async def main() -> None:
            transport = AiohttpTransport()
            for _ in range(3):
                await answer_of(transport, server)

        asyncio.run(main())

        assert [request.connection for request in server.requests] == [0, 0, 0]


def test_a_connection_that_was_left_is_not_used_again() -> None:
    """An aborted answer takes its connection with it; the next request gets a fresh one."""
    with ProviderServer([Answer("Hi", faults=[Stall(after=1)]), Recording(BODY)]) as server:

        async def main() -> bytes:
            transport = AiohttpTransport()
            reader = Reader().read(transport, server)
            await reader.seen(2)
            reader.subscription.dispose()
            return (await answer_of(transport, server))[1]

        assert asyncio.run(main()) == BODY
        assert [request.connection for request in server.requests] == [0, 1]


def test_the_hundred_and_first_stream_does_not_wait() -> None:
    """The limit of 100 connections that aiohttp has is lifted: 120 streams are open at the same time."""
    with ProviderServer(Answer("Hi", faults=[Stall(after=1)])) as server:

        async def main() -> None:
            transport = AiohttpTransport()
            readers = [Reader().read(transport, server) for _ in range(120)]
            for reader in readers:
                await reader.seen(2)

        asyncio.run(main())

        assert server.connections.opened == 120


# Leaving.


def test_disposing_before_the_head_closes_the_connection() -> None:
    """A subscriber that leaves while the provider is silent is seen to leave."""
    with ProviderServer(Answer("Hi", faults=[DelayHead()])) as server:

        async def main() -> list[Any]:
            reader = Reader().read(AiohttpTransport(), server)
            await asyncio.to_thread(server.wait_requests)
            reader.subscription.dispose()
            await asyncio.to_thread(server.wait_closed)
            return reader.items

        assert asyncio.run(main()) == []


def test_disposing_before_the_task_began_sends_nothing() -> None:
    """Subscribing and leaving in the same breath costs nothing."""
    with ProviderServer(Answer("Hi")) as server:

        async def main() -> None:
            reader = Reader().read(AiohttpTransport(), server)
            reader.subscription.dispose()
            await until(lambda: len(asyncio.all_tasks()) == 1)

        asyncio.run(main())

        assert (len(server.requests), server.connections.opened) == (0, 0)


def test_disposing_in_mid_answer_closes_the_connection_and_ends_delivery() -> None:
    """No item follows on the loop, whatever the socket still holds."""
    with ProviderServer(Answer("Hi", faults=[Flood()])) as server:

        async def main() -> bool:
            reader = Reader().read(AiohttpTransport(), server)
            await reader.seen(5)
            reader.subscription.dispose()
            count = len(reader.items)
            await asyncio.to_thread(server.wait_closed)
            return len(reader.items) == count

        assert asyncio.run(main())


def test_disposing_within_its_own_on_next_closes_the_connection() -> None:
    """`take(2)` is a disposal from inside the pump."""
    with ProviderServer(Answer("Hi", faults=[Flood()])) as server:

        async def main() -> int:
            items = await AiohttpTransport().open(ask(server)).pipe(ops.take(2), ops.to_list())
            await asyncio.to_thread(server.wait_closed)
            return len(items)

        assert asyncio.run(main()) == 2


def test_disposing_while_demand_is_absent_closes_the_connection() -> None:
    """A pump that waits for its subscriber still sees it leave."""
    with ProviderServer(Answer("Hi", faults=[Flood()])) as server:

        async def main() -> None:
            tap = Tap(is_open=False)
            reader = Reader().read(AiohttpTransport(), server, tap)
            await asyncio.to_thread(server.wait_blocked)
            reader.subscription.dispose()
            await asyncio.to_thread(server.wait_closed)

        asyncio.run(main())


def test_what_an_on_next_raises_closes_the_connection_and_is_told_once() -> None:
    """A subscriber's exception is not mistaken for a failure of the network, and does not die in a task."""
    with ProviderServer(Answer("Hi", faults=[Flood()])) as server:

        async def main() -> list[Exception]:
            failed: list[Exception] = []

            def on_next(_: object) -> None:
                raise LookupError("mine")

            AiohttpTransport().open(ask(server)).subscribe(on_next, failed.append)
            await asyncio.to_thread(server.wait_closed)
            return failed

        (error,) = asyncio.run(main())

    assert isinstance(error, SubscriberError)
    assert isinstance(error.cause, LookupError)


def test_a_loop_that_ends_tells_who_still_reads() -> None:
    """`asyncio.run` that returns early leaves no subscriber waiting for ever, and closes the connection."""
    with ProviderServer(Answer("Hi", faults=[Stall(after=1)])) as server:

        async def main() -> Reader:
            reader = Reader().read(AiohttpTransport(), server)
            await reader.seen(2)
            return reader

        error = asyncio.run(main()).error
        server.wait_closed()

    assert isinstance(error, StreamError)
    assert error.reason == "cancelled"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_body_that_breaks_off_is_told_after_what_came(how: Any) -> None:
    """What arrived is given, then the break; a cut that HTTP cannot see is the decoder's to find."""
    with ProviderServer(Recording(BODY, faults=[Cut(9, how)])) as server:

        async def main() -> tuple[bytes, Exception | None]:
            reader = Reader().read(AiohttpTransport(), server)
            await reader.ended
            return b"".join(reader.items[1:]), reader.error

        body, error = asyncio.run(main())

    assert body == BODY[:9]
    assert isinstance(error, StreamError)
    assert (error.reason, "The answer is incomplete." in error.message) == ("stream_interrupted", True)


# Demand.


def test_reading_stops_without_demand_and_goes_on_with_it() -> None:
    """The socket is paused, so the server is held back; afterwards nothing is missing."""
    body = b"".join(b"data: %01000d\n\n" % number for number in range(12_000))
    with ProviderServer(Recording(body, frames_per_write=50)) as server:

        async def main() -> tuple[int, int, bytes]:
            tap = Tap(is_open=False)
            reader = Reader().read(AiohttpTransport(), server, tap)
            await asyncio.to_thread(server.wait_blocked, 0.05)
            paused, sent = len(reader.items), server.bytes_sent
            tap.open()
            await reader.ended
            return paused, sent, b"".join(reader.items[1:])

        paused, sent, got = asyncio.run(main())

    assert paused <= 1
    assert sent < len(body)
    assert got == body


def test_a_small_body_waits_for_demand_too() -> None:
    """What fits into one read is not given before it is wanted."""
    with ProviderServer(Recording(BODY)) as server:

        async def main() -> tuple[list[Any], list[Any]]:
            tap = Tap(is_open=False)
            reader = Reader().read(AiohttpTransport(), server, tap)
            await until(lambda: tap.waits or len(reader.items) > 1)
            paused = list(reader.items)
            tap.open()
            await reader.ended
            return paused, reader.items

        paused, items = asyncio.run(main())

    assert [type(item) for item in paused] == [ResponseHead]
    assert b"".join(items[1:]) == BODY


def test_demand_that_ends_within_a_large_read_holds_the_rest_of_it_back() -> None:
    """Demand is asked for before each slice of 16 KiB, not only before each read."""
    with ProviderServer(Recording(b"x" * 1_000_000)) as server:

        async def main() -> tuple[int, int]:
            tap = Tap()
            items: list[Any] = []
            ended = asyncio.get_running_loop().create_future()

            def on_next(item: Any) -> None:
                items.append(item)
                if len(items) == 3:
                    tap.close()

            scheduler = LoopScheduler(asyncio.get_running_loop(), tap)
            AiohttpTransport().open(ask(server)).subscribe(
                on_next, on_completed=lambda: ended.set_result(None), scheduler=scheduler
            )
            await until(lambda: tap.waits)
            paused = len(items)
            tap.open()
            await ended
            return paused, sum(len(item) for item in items[1:])

        assert asyncio.run(main()) == (3, 1_000_000)


def test_a_slow_subscriber_does_not_starve_another_stream_of_its_loop() -> None:
    """After 5 ms of delivery others have their turn, also while more is there to be read."""
    pause = threading.Event()
    with ProviderServer(Answer("Hi", faults=[Flood("x" * 10_000)])) as flooding, ProviderServer(Recording(BODY)) as server:

        async def main() -> int:
            transport = AiohttpTransport()
            items: list[object] = []

            def on_next(item: object) -> None:
                items.append(item)
                pause.wait(0.006)

            slow = transport.open(ask(flooding)).subscribe(on_next)
            await until(lambda: len(items) > 20)
            before = len(items)
            await answer_of(transport, server)
            slow.dispose()
            return len(items) - before

        assert asyncio.run(main()) < 100


# Whose loop, whose session, whose certificate.


def test_two_loops_share_one_transport() -> None:
    """Each loop has connections of its own, at the same time."""
    with ProviderServer(Recording(BODY)) as server:
        transport = AiohttpTransport()
        both = threading.Barrier(2)
        bodies: list[bytes] = []

        async def main() -> None:
            both.wait(10)
            bodies.append((await answer_of(transport, server))[1])

        threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert bodies == [BODY, BODY]
        assert {request.connection for request in server.requests} == {0, 1}


def test_loops_that_follow_each_other_share_one_transport() -> None:
    """Two `asyncio.run`, one after the other: each has connections of its own, and closes them."""
    with ProviderServer(Recording(BODY)) as server:
        transport = AiohttpTransport()

        bodies = [asyncio.run(answer_of(transport, server))[1] for _ in range(2)]
        server.wait_until(lambda server: server.connections.open == 0)

        assert bodies == [BODY, BODY]
        assert server.connections.opened == 2


def test_a_session_of_ones_own_is_used_and_not_closed() -> None:
    """What the caller configured is in force, and stays the caller's."""
    with ProviderServer(Recording(BODY)) as server:

        async def main() -> bool:
            async with aiohttp.ClientSession(headers={"X-Mine": "yes"}) as session:
                await answer_of(AiohttpTransport(session=session), server)
                return session.closed

        assert asyncio.run(main()) is False
        assert server.requests[0].headers["X-Mine"] == "yes"


def test_a_session_of_another_loop_is_refused_by_name() -> None:
    """It is not used where it does not belong, nor silently passed over."""
    with ProviderServer(Recording(BODY)) as server:

        async def make() -> aiohttp.ClientSession:
            return aiohttp.ClientSession()

        async def main(session: aiohttp.ClientSession) -> None:
            await answer_of(AiohttpTransport(session=session), server)

        session = asyncio.run(make())
        with pytest.raises(UsageError, match="another event loop"):
            asyncio.run(main(session))
        asyncio.run(session.close())


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[ProviderServer]:
    with ProviderServer(Recording(BODY), ssl=authority.server()) as server:
        yield server


def test_an_authority_of_ones_own_is_trusted(tls_server: ProviderServer, authority: Authority) -> None:
    """`ssl=` takes the context that knows the server's authority."""
    _, body = asyncio.run(answer_of(AiohttpTransport(ssl=authority.trusted()), tls_server))

    assert body == BODY


def test_an_unknown_authority_is_not_trusted(tls_server: ProviderServer) -> None:
    """A certificate nobody vouches for ends the request, before the key is sent."""
    with pytest.raises(AdapterError, match="is not trusted") as caught:
        asyncio.run(answer_of(AiohttpTransport(), tls_server))

    assert caught.value.reason == "network_error"
    assert caught.value.details["should_retry"] is False
    assert tls_server.requests == ()


def test_verification_can_be_turned_off(tls_server: ProviderServer) -> None:
    """`ssl=False` is for those who know what they do."""
    assert asyncio.run(answer_of(AiohttpTransport(ssl=False), tls_server))[1] == BODY


def test_dispose_over_tls_closes_the_connection(authority: Authority) -> None:
    """An encrypted connection is aborted as a plain one is."""
    with ProviderServer(Answer("Hi", faults=[Stall(after=1)]), ssl=authority.server()) as server:

        async def main() -> None:
            reader = Reader().read(AiohttpTransport(ssl=authority.trusted()), server)
            await reader.seen(2)
            reader.subscription.dispose()
            await asyncio.to_thread(server.wait_closed)

        asyncio.run(main())


def test_a_proxy_of_ones_own_gets_the_request() -> None:
    """`proxy=` is where the request goes, whatever host it is for."""
    with ProviderServer(Recording(BODY)) as proxy:
        request = ask(proxy, url="http://provider.invalid/v1/chat/completions")

        async def main() -> None:
            await AiohttpTransport(proxy=proxy.url).open(request)

        asyncio.run(main())

        assert [received.headers["Host"] for received in proxy.requests] == ["provider.invalid"]


# Where it cannot be.


def test_virtual_time_is_refused_by_name() -> None:
    """A real connection takes real time."""
    failed: list[Exception] = []
    with ProviderServer(Recording(BODY)) as server:
        AiohttpTransport().open(ask(server)).subscribe(print, failed.append, scheduler=VirtualTimeScheduler())

    assert isinstance(failed[0], EngineError)
    assert failed[0].reason == "virtual_time"


def test_a_thread_without_a_loop_is_refused_by_name() -> None:
    """A bare transport needs a loop; the message says how to get one."""
    failed: list[Exception] = []
    with ProviderServer(Recording(BODY)) as server:
        AiohttpTransport().open(ask(server)).subscribe(print, failed.append)

    assert isinstance(failed[0], UsageError)
    assert "go through an engine" in failed[0].message


@pytest.mark.parametrize("carry", [pickle.dumps, copy.deepcopy])
def test_a_transport_stays_where_its_sockets_are(carry: Any) -> None:
    """Pickling says to build it in the worker."""
    with pytest.raises(TypeError, match="build it in the worker"):
        carry(AiohttpTransport())


def test_aiohttp_is_not_imported_before_the_first_request() -> None:
    """Building an engine and describing a call cost no HTTP client."""
    done = program(
        """
        import sys
        from allm_rx import Engine, stream_generate
        from allm_rx.adapters import OpenAIChat

        stream = stream_generate(Engine(adapter=OpenAIChat(api_key="k"), model="m"), "Hi")
        print("aiohttp" in sys.modules)
        """
    )

    assert (done.stdout, done.stderr) == ("False\n", "")
