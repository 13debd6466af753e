"""What becomes of tasks when their loop ends."""

import asyncio
import gc
import weakref

import pytest

from allm_rx.errors import StreamError
from allm_rx.transport.loop_end import spawn


async def for_ever(ends: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ends.append("cancelled")
        raise


def test_a_task_that_begins_while_its_loop_ends_is_cancelled() -> None:
    """`asyncio.run` cancels what there is, which begins something else, which is cancelled too, and waited for."""
    ends: list[str] = []

    async def go_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            spawn(asyncio.get_running_loop(), for_ever(ends), name="second")

    async def main() -> None:
        spawn(asyncio.get_running_loop(), go_on(), name="first")
        await asyncio.sleep(0)  # noqa: TID251 - one turn, in which the task begins

    asyncio.run(main())

    assert ends == ["cancelled"]


def test_nothing_begins_on_a_loop_that_has_ended() -> None:
    """What would be lost is refused, and told why."""
    loop = asyncio.new_event_loop()

    async def main() -> None:
        await spawn(loop, asyncio.sleep(0), name="only")  # noqa: TID251 - one turn

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_asyncgens())
    with pytest.raises(StreamError, match="keep the loop until the stream is over") as refused:
        spawn(loop, for_ever([]), name="late")
    loop.close()

    assert refused.value.reason == "cancelled"


def test_loops_that_were_closed_are_forgotten() -> None:
    """A hundred loops leave nothing but the last one."""
    loops = weakref.WeakSet[asyncio.AbstractEventLoop]()

    async def main() -> None:
        loops.add(asyncio.get_running_loop())
        await spawn(asyncio.get_running_loop(), asyncio.sleep(0), name="only")  # noqa: TID251 - one turn

    for _ in range(100):
        asyncio.run(main())
    gc.collect()

    assert len(loops) == 1
