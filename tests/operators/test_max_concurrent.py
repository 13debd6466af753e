"""Many streams, a few at a time."""

import threading
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.subject import Subject
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import Engine, generate
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import error
from allm_rx.testing.marbles import events, expect, items, observe

LETTERS = {letter: letter for letter in "abcdefxyz"}


def inner(diagram: str) -> Observable[Any]:
    """A stream of letters."""
    return events(diagram, LETTERS)


def drawn(*diagrams: str, error: Exception | None = None) -> list[Any]:
    """What is expected, in diagrams that follow each other; a new one begins where letters would read as a word."""
    return [recorded for diagram in diagrams for recorded in expect(diagram, LETTERS, error=error)]


def limited(n: int, *diagrams: str, **options: Any) -> list[Any]:
    """What comes of these streams, which are all there at the beginning."""
    return observe(rx.from_iterable(diagrams).pipe(lx.max_concurrent(n, inner, **options)))


def test_so_many_run_at_a_time() -> None:
    """The next begins when one has ended."""
    scheduler, begun = TestScheduler(), list[float]()

    def project(diagram: str) -> Observable[Any]:
        begun.append(scheduler.clock)
        return inner(diagram)

    rx.of("---|", "-----|", "-|", "-|").pipe(lx.max_concurrent(2, project)).subscribe(scheduler=scheduler)
    scheduler.start()

    assert begun == [0, 0, 3, 4]


def test_items_come_in_the_order_of_the_source() -> None:
    """What comes early waits for its turn."""
    assert limited(2, "a-----b|", "x-y|") == drawn("a-----b", "-------(x,y,|)")


def test_the_one_whose_turn_it_is_is_heard_at_once() -> None:
    """It has given what it had early, then goes on."""
    assert limited(2, "a--|", "x-y---z|") == drawn("a--(x,y)", "------z|")


def test_without_order_items_come_as_they_come() -> None:
    """Still so many at a time."""
    assert limited(2, "a-----b|", "x-y|", "e|", ordered=False) == drawn("(a,x)", "--y", "---e", "------b|")


def test_one_at_a_time_is_one_after_the_other() -> None:
    """Like `concat_map`."""
    assert limited(1, "a-b|", "x-y|") == drawn("a-b", "---x-y|")


def test_streams_may_be_the_items() -> None:
    """Without a function that makes them."""
    streams: Observable[Observable[Any]] = rx.of(inner("a-|"), inner("x|"))

    assert observe(streams.pipe(lx.max_concurrent(2))) == expect("a-(x,|)", LETTERS)


def test_an_error_comes_in_its_turn() -> None:
    """Whatever is before it is given; what runs is left."""
    bug = ValueError("bug")
    diagrams = iter([events("a---b|", LETTERS), events("x#", LETTERS, error=bug), events("y---------z|", LETTERS)])

    seen = observe(rx.range(3).pipe(lx.max_concurrent(3, lambda _: next(diagrams))))

    assert seen == expect("a---b(x,#)", LETTERS, error=bug)


def test_without_order_an_error_comes_at_once() -> None:
    """It is the end."""
    bug = ValueError("bug")
    streams: Observable[Observable[Any]] = rx.of(inner("a---b|"), events("x-#", LETTERS, error=bug))

    assert observe(streams.pipe(lx.max_concurrent(2, ordered=False))) == drawn("(a,x)", "--#", error=bug)


def test_an_error_of_the_source_comes_at_once() -> None:
    """Nobody knows what would have come."""
    bug = ValueError("bug")
    streams: Observable[Any] = rx.concat(rx.of(inner("a---b|")), events("--#", error=bug))

    assert observe(streams.pipe(lx.max_concurrent(2))) == expect("a-#", LETTERS, error=bug)


def test_a_function_that_raises_ends_the_stream() -> None:
    """When it is called, which is when a place is free."""

    def project(diagram: str) -> Observable[Any]:
        if diagram == "bad":
            raise ValueError(diagram)
        return inner(diagram)

    seen = observe(rx.of("a--|", "bad").pipe(lx.max_concurrent(1, project)))

    assert seen == expect("a--#", LETTERS, error=ValueError("bad"))


def test_a_failed_answer_is_an_item() -> None:
    """The others are not touched."""
    engine = Engine(adapter=Fake(scripts=[["one"], [error("overloaded")], ["three"]]), model="fake-1", retry=False)

    responses = lx.run(rx.range(3).pipe(lx.max_concurrent(1, lambda _: generate(engine, "Hi")), ops.to_list()))

    assert [response.finish_reason for response in responses] == ["stop", "error", "stop"]


def test_an_empty_source_completes() -> None:
    """And so does one whose streams are empty."""
    assert observe(rx.empty().pipe(lx.max_concurrent(2))) == expect("|")
    assert limited(2, "|", "|") == expect("|")


def test_three_thousand_that_end_at_once_do_not_recurse() -> None:
    """Each begins after the one before it has ended, not within it."""

    def at_once(observer: ObserverBase[int], scheduler: SchedulerBase | None = None) -> Disposable:
        observer.on_next(1)
        observer.on_completed()
        return Disposable()

    assert lx.run(rx.range(3000).pipe(lx.max_concurrent(1, lambda _: Observable(at_once)), ops.count())) == 3000


def test_streams_of_many_threads_do_not_overlap() -> None:
    """A subscriber hears one item at a time, in order, whoever emits."""
    subjects = [Subject[int]() for _ in range(8)]
    seen: list[int] = []
    inside = 0

    def on_next(item: int) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        seen.append(item)
        inside -= 1

    streams: Observable[Observable[int]] = rx.from_iterable(subjects)
    streams.pipe(lx.max_concurrent(8)).subscribe(on_next)
    threads = [threading.Thread(target=emit, args=(subject, index)) for index, subject in enumerate(subjects)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [index * 1000 + item for index in range(8) for item in range(500)]


def emit(subject: Subject[int], index: int) -> None:
    for item in range(500):
        subject.on_next(index * 1000 + item)
    subject.on_completed()


def test_leaving_leaves_all_that_run_and_begins_no_other() -> None:
    """Whatever waits is forgotten."""
    scheduler = TestScheduler()
    never = ReactiveTest.on_next(900, 1)
    streams = [scheduler.create_cold_observable(never) for _ in range(3)]

    scheduler.start(lambda: rx.from_iterable(streams).pipe(lx.max_concurrent(2)), disposed=220)

    assert [[one.unsubscribe for one in stream.subscriptions] for stream in streams] == [[220], [220], []]


def test_each_subscription_counts_its_own() -> None:
    """Nothing is shared."""
    stream = rx.of("a-|", "x-|").pipe(lx.max_concurrent(1, inner))

    assert observe(stream) == observe(stream)
    assert items(stream) == ["a", "x"]


def test_at_least_one_runs() -> None:
    """Anything else is told at once."""
    with pytest.raises(ValueError, match="at least 1 stream runs at a time"):
        lx.max_concurrent(0)
