"""The bounded hop between the owning loop and a delivery thread."""

import asyncio
from collections.abc import Callable

from allm_rx.runtime.hop import Hop


class ByHand:
    """A delivery thread that runs when the test says so."""

    def __init__(self) -> None:
        self.wakes = 0
        self._drains: list[Callable[[], None]] = []

    def wake(self, drain: Callable[[], None], /) -> None:
        self.wakes += 1
        self._drains.append(drain)

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
        hop = Hop(asyncio.get_running_loop(), waker, lambda _: None, capacity=4)
        for number in range(4):
            hop.push(number)
        assert not hop.ready()

        waiting = asyncio.ensure_future(hop.wait())
        await asyncio.sleep(0)
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
        await asyncio.sleep(0)

        hop.close()
        await waiting
        waker.turn()

        assert got == []

    asyncio.run(main())
