"""Whose session is whose, and what becomes of it."""

import asyncio
import gc
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp

from allm_rx.transport.connections import Connections
from tests.loopback import program, until

T = TypeVar("T")


def run_and_close(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop that is then closed without shutting its generators down, as scripts do."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


def test_a_loop_has_one_session() -> None:
    """Concurrent first uses and later ones all get the same."""
    connections = Connections(tls=True)

    async def main() -> set[int]:
        sessions = await asyncio.gather(*(connections.session() for _ in range(10)))
        return {id(session) for session in [*sessions, await connections.session()]}

    assert len(asyncio.run(main())) == 1


def test_each_loop_has_a_session_of_its_own() -> None:
    """A session is never used from another loop."""
    connections = Connections(tls=True)

    first, second = (asyncio.run(connections.session()) for _ in range(2))

    assert first is not second


def test_a_loop_that_ends_closes_its_session() -> None:
    """`asyncio.run` shuts generators down, and the one that owns the session closes it."""
    assert asyncio.run(Connections(tls=True).session()).closed


def test_a_closed_session_is_replaced() -> None:
    """Somebody who closes the session of a loop does not end all further calls."""
    connections = Connections(tls=True)

    async def main() -> bool:
        await (await connections.session()).close()
        return (await connections.session()).closed

    assert asyncio.run(main()) is False


def test_sessions_of_closed_loops_are_forgotten() -> None:
    """A hundred loops that were closed without a shutdown leave nothing but the last one."""
    connections = Connections(tls=True)
    sessions = weakref.WeakSet[aiohttp.ClientSession]()

    async def main() -> None:
        sessions.add(await connections.session())

    for _ in range(100):
        run_and_close(main())
    gc.collect()

    assert len(sessions) == 1


def test_connections_that_are_dropped_close_their_sessions() -> None:
    """A transport made for one call does not outlive it."""

    async def main() -> bool:
        session = await Connections(tls=True).session()
        gc.collect()
        await until(lambda: session.closed)
        return session.closed

    assert asyncio.run(main())


def test_a_loop_that_was_closed_the_short_way_is_no_reason_to_complain() -> None:
    """A script that closes its loop itself, twice, gets its answers and nothing on stderr."""
    done = program(
        """
        import asyncio, gc
        from allm_rx import Engine, generate
        from allm_rx.adapters import OpenAIChat
        from allm_rx.testing.provider_server import Answer, ProviderServer

        with ProviderServer(Answer("Hi")) as server:
            engine = Engine(adapter=OpenAIChat(base_url=server.base_url("openai-chat"), api_key="k"), model="m")

            async def ask():
                return (await generate(engine, "Hi")).output_text

            for _ in range(2):
                loop = asyncio.new_event_loop()
                print(loop.run_until_complete(ask()))
                loop.close()
                gc.collect()
        """,
        strict=False,
    )

    assert (done.stdout, done.stderr) == ("Hi\nHi\n", "")
