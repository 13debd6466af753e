"""The bounded hop between the owning loop and a delivery thread."""

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest

from allm_rx.runtime.hop import Hop


async def a_turn() -> None:
    """Let the loop turn once."""
    turned = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turned.set_result, None)
    await turned


class ByHand:
    """A delivery thread that runs when the test says so."""

    def __init__(self) -> None:
        self.wakes = 0
        self._drains: list[Callable[[], None]] = []

    def open(self, gone: Callable[[], None], /) -> None: ...

    def wake(self, drain: Callable[[], None], /) -> None:
        self.wakes += 1
        self._drains.append(drain)

    def close(self) -> None: ...

    def turn(self) -> None:
        drains, self._drains = self._drains, []
        for drain in drains:
            drain()


def test_a_burst_wakes_the_delivery_thread_once() -> None:
    """However many items come before it runs, the thread is woken once, and gets them in order."""

    async def main() -> None:
        got: list[int] = []
        waker = ByHand()
        hop = Hop(asyncio.get_running_loop(), waker, got.append)

        for number in range(100):
            hop.push(number)

        assert waker.wakes == 1
        waker.turn()
        assert got == list(range(100))

    asyncio.run(main())


def test_a_later_item_wakes_it_again() -> None:
    """A drained hop sleeps until the next item."""

    async def main() -> None:
        got: list[int] = []
        waker = ByHand()
        hop = Hop(asyncio.get_running_loop(), waker, got.append)
        hop.push(1)
        waker.turn()

        hop.push(2)
        waker.turn()

        assert (got, waker.wakes) == ([1, 2], 2)

    asyncio.run(main())


def test_a_full_queue_is_absent_demand() -> None:
    """At capacity the source is asked to pause, and at half of it to go on."""

    async def main() -> None:
        waker = ByHand()
        got: list[int] = []
        hop = Hop(asyncio.get_running_loop(), waker, got.append, capacity=4)
        for number in range(4):
            hop.push(number)
        assert not hop.ready()

        waiting = asyncio.ensure_future(hop.wait())
        await a_turn()
        assert not waiting.done()
        waker.turn()
        await waiting

        assert hop.ready()

    asyncio.run(main())


def test_a_flood_is_drained_in_slices() -> None:
    """One turn of the delivery thread takes at most 256 items, then lets others run."""

    async def main() -> None:
        got: list[int] = []
        waker = ByHand()
        hop = Hop(asyncio.get_running_loop(), waker, got.append, capacity=1000)
        for number in range(600):
            hop.push(number)

        waker.turn()
        first = len(got)
        waker.turn()
        waker.turn()

        assert first <= 256
        assert got == list(range(600))

    asyncio.run(main())


def test_closing_lets_waiters_go_and_drops_the_queue() -> None:
    """A source that waits for room sees the disposal."""

    async def main() -> None:
        got: list[int] = []
        waker = ByHand()
        hop = Hop(asyncio.get_running_loop(), waker, got.append, capacity=1)
        hop.push(1)
        waiting = asyncio.ensure_future(hop.wait())
        await a_turn()

        hop.close()
        await waiting
        waker.turn()

        assert got == []

    asyncio.run(main())


def test_a_subscriber_that_exits_leaves_the_rest_to_the_next_turn() -> None:
    """`SystemExit` out of a delivery ends that turn and not the hop: a GUI may catch it and go on."""

    async def main() -> None:
        got: list[int] = []

        def deliver(number: int) -> None:
            got.append(number)
            if number == 1:
                raise SystemExit

        waker = ByHand()
        hop = Hop(asyncio.get_running_loop(), waker, deliver)
        for number in range(3):
            hop.push(number)

        with pytest.raises(SystemExit):
            waker.turn()
        waker.turn()

        assert got == [0, 1, 2]

    asyncio.run(main())


def test_a_source_that_waits_for_a_thread_that_is_gone_is_kept() -> None:
    """Nothing but the hop knows a task that waits for room; it is not collected with a complaint, but cancelled in the end."""

    async def main() -> None:
        hop = Hop[int](asyncio.get_running_loop(), ByHand(), lambda _: None, capacity=1)
        hop.push(1)
        task = weakref.ref(asyncio.ensure_future(hop.wait()))
        await a_turn()

        del hop
        gc.collect()

        assert task() is not None

    asyncio.run(main())
