"""Beginning no more often than a provider allows."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import DisposableBase
from reactivex.scheduler import EventLoopScheduler
from reactivex.testing import TestScheduler

from allm_rx import Engine, Usage, generate
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.data.events import RawChunk
from allm_rx.testing.marbles import events, expect, observe
from tests import virtual_loop
from tests.virtual_loop import pass_time, running

Limit = Callable[[Observable[Any]], Observable[Any]]

TOKENS = {str(count): RawChunk("usage", Usage(total_tokens=count)) for count in range(1, 10)}


class Crowd:
    """Subscribers in virtual time, and when each one's stream began."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.scheduler = TestScheduler()
        self.begun: list[tuple[float, str]] = []

    def ask(self, name: str, diagram: str = "s-a-(d,|)") -> DisposableBase:
        """Subscribe to a stream of that name now."""

        def begin(scheduler: Any) -> Observable[Any]:
            self.begun.append((round(self.scheduler.clock, 3), name))
            return events(diagram, TOKENS)

        return rx.defer(begin).pipe(self.limit).subscribe(scheduler=self.scheduler)

    def ask_all(self, names: str, diagram: str = "s-a-(d,|)") -> list[tuple[float, str]]:
        """Subscribe for each letter now, let all time pass, and give when they began."""
        for name in names:
            self.ask(name, diagram)
        self.scheduler.start()
        return self.begun


def test_so_many_begin_in_any_stretch_of_time() -> None:
    """The others wait for their turn, in order."""
    assert Crowd(lx.rate_limit(2, per=6.0)).ask_all("abcde") == [(0, "a"), (0, "b"), (6, "c"), (6, "d"), (12, "e")]


def test_the_stretch_moves_with_time() -> None:
    """It is no fixed minute at whose border twice as many could begin."""
    crowd = Crowd(lx.rate_limit(2, per=6.0))

    crowd.ask("a")
    crowd.scheduler.advance_to(5.0)
    crowd.ask_all("bcd")

    assert crowd.begun == [(0, "a"), (5, "b"), (6, "c"), (11, "d")]


def test_who_comes_late_waits_behind_the_others() -> None:
    """Also when a place has become free meanwhile."""
    crowd = Crowd(lx.rate_limit(1, per=6.0))

    crowd.ask("a")
    crowd.ask("b")
    crowd.scheduler.advance_to(3.0)
    crowd.ask_all("c")

    assert crowd.begun == [(0, "a"), (6, "b"), (12, "c")]


def test_who_leaves_gives_up_the_place() -> None:
    """The first in line as well as another."""
    crowd = Crowd(lx.rate_limit(1, per=6.0))

    crowd.ask("a")
    first, second = crowd.ask("b"), crowd.ask("c")
    crowd.ask("d")
    crowd.scheduler.advance_to(3.0)
    second.dispose()
    first.dispose()
    crowd.scheduler.start()

    assert crowd.begun == [(0, "a"), (6, "d")]


def test_who_has_begun_and_leaves_frees_nothing() -> None:
    """The request was made."""
    crowd = Crowd(lx.rate_limit(1, per=6.0))

    crowd.ask("a").dispose()

    assert crowd.ask_all("b") == [(0, "a"), (6, "b")]


def test_tokens_are_counted_when_they_are_known() -> None:
    """The next begins when less than the limit was used of late."""
    crowd = Crowd(lx.rate_limit(tokens=6, per=10.0))

    crowd.ask("a", "s-3-(d,|)")
    crowd.ask("b", "s-4-(d,|)")
    crowd.scheduler.advance_to(4.0)
    crowd.ask_all("c")

    assert crowd.begun == [(0, "a"), (0, "b"), (12, "c")]


def test_reports_about_one_answer_count_once() -> None:
    """A later one replaces the earlier."""
    crowd = Crowd(lx.rate_limit(tokens=8, per=10.0))

    crowd.ask("a", "s-3-7-(d,|)")
    crowd.scheduler.advance_to(5.0)
    crowd.ask_all("b")

    assert crowd.begun == [(0, "a"), (5, "b")]


def test_a_response_tells_what_it_used() -> None:
    """`generate` is limited like `stream_generate`."""
    limit, scheduler = lx.rate_limit(tokens=5, per=10.0), TestScheduler()
    engine = Engine(adapter=Fake(script=["Hi", Usage(input_tokens=4, output_tokens=2)]), model="fake-1")
    seen: list[float] = []

    for _ in range(2):
        generate(engine, "Hi").pipe(limit).subscribe(lambda _: seen.append(scheduler.clock), scheduler=scheduler)
        scheduler.advance_by(1.0)
    scheduler.start()

    assert [round(second) for second in seen] == [0, 10]


def test_both_limits_hold() -> None:
    """The later of the two decides."""
    crowd = Crowd(lx.rate_limit(2, 5, per=10.0))

    crowd.ask("a", "s-9-(d,|)")
    crowd.scheduler.advance_to(3.0)
    crowd.ask_all("bc")

    assert crowd.begun == [(0, "a"), (12, "b"), (12, "c")]


def test_items_pass_as_they_come() -> None:
    """The limit is for beginnings only."""
    assert observe(events("s-a-(d,|)").pipe(lx.rate_limit(1))) == expect("s-a-(d,|)")
    assert observe(events("s-a-#").pipe(lx.rate_limit(tokens=1))) == expect("s-a-#")


def test_leaving_leaves_the_source() -> None:
    """As without a limit."""
    crowd = Crowd(lx.rate_limit(1, per=6.0))

    subscription = crowd.ask("a", "s-a--------b")
    crowd.scheduler.advance_to(4.0)
    subscription.dispose()

    assert not [item for item in crowd.scheduler._queue.items if not item[0].is_cancelled()]  # type: ignore[attr-defined]


def test_the_time_is_the_loops() -> None:
    """Without a scheduler."""

    async def main() -> list[float]:
        begun: list[float] = []
        limit, loop = lx.rate_limit(1, per=6.0), running()
        for _ in range(3):
            silent: Observable[Any] = rx.defer(lambda _: rx.never() if begun.append(loop.time()) is None else rx.empty())
            silent.pipe(limit).subscribe()
        await pass_time(20)
        return begun

    assert virtual_loop.run(main()) == [0.0, 6.0, 12.0]


def test_many_threads_share_one_limit() -> None:
    """Whoever asks, no more begin than may."""
    limit, engine = lx.rate_limit(5, per=3600.0), Engine(adapter=Fake(script=["Hi"]), model="fake-1")
    subscriptions: list[DisposableBase] = []
    done = threading.Semaphore(0)

    def ask() -> None:
        stream = generate(engine, "Hi").pipe(limit)
        subscriptions.append(stream.subscribe(lambda _: done.release()))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(5):
        assert done.acquire(timeout=30)
    for subscription in subscriptions:
        subscription.dispose()

    assert len(engine.adapter.requests) == 5  # type: ignore[union-attr]


def test_those_who_live_on_threads_of_their_own_begin_there() -> None:
    """Nobody is begun on somebody else's, since a toolkit would not bear it; the order is kept."""
    limit, asked, done = lx.rate_limit(1, per=0.02), threading.Semaphore(0), threading.Semaphore(0)
    begun: list[tuple[str, str]] = []

    def ask(name: str) -> None:
        def begin(scheduler: Any) -> Observable[Any]:
            begun.append((name, threading.current_thread().name))
            done.release()
            return rx.empty()

        def subscribe(*_: Any) -> None:
            rx.defer(begin).pipe(limit).subscribe(scheduler=scheduler)
            asked.release()

        scheduler = EventLoopScheduler(lambda target: threading.Thread(target=target, name=name, daemon=True))
        schedulers.append(scheduler)
        scheduler.schedule(subscribe)
        assert asked.acquire(timeout=30)

    schedulers: list[EventLoopScheduler] = []
    for name in ("one", "two", "three"):
        ask(name)
    for _ in range(3):
        assert done.acquire(timeout=30)
    for scheduler in schedulers:
        scheduler.dispose()

    assert begun == [("one", "one"), ("two", "two"), ("three", "three")]


def test_a_waiting_subscriber_hears_of_a_source_that_cannot_begin() -> None:
    """What it raises then is not lost in a timer."""
    crowd, errors = Crowd(lx.rate_limit(1, per=6.0)), list[Exception]()

    class Unguarded(Observable[Any]):
        def subscribe(self, *args: Any, **options: Any) -> Any:
            raise ValueError("no")

    crowd.ask("a")
    Unguarded().pipe(crowd.limit, ops.do_action()).subscribe(on_error=errors.append, scheduler=crowd.scheduler)
    crowd.scheduler.start()

    assert [str(error) for error in errors] == ["no"]


@pytest.mark.parametrize("limits", [{}, {"requests": 0}, {"tokens": 0}, {"requests": -1}, {"requests": 1, "per": 0.0}], ids=str)
def test_a_limit_is_a_number_from_one(limits: dict[str, Any]) -> None:
    """Anything else is told at once."""
    with pytest.raises(ValueError, match="allows nothing, or everything"):
        lx.rate_limit(**limits)
