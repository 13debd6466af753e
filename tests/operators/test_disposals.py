"""Every operator, left a thousand times at random moments."""

import gc
import itertools
import random  # noqa: TID251 - seeded: the same thousand moments each time
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as ops
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from reactivex.observer import AutoDetachObserver
from reactivex.testing import TestScheduler

from allm_rx import Engine, RetryPolicy
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import delay, error
from allm_rx.data.events import Event, TextDelta
from allm_rx.reducers.response import ResponseFold
from allm_rx.testing.marbles import events

LEAVINGS = 1000
SEED = 20_240_229

DIAGRAMS = [
    "s-a-b-u-c-(d,|)",
    "s-j-k-l-(d,|)",
    "s-a-----(e,|)",
    "--(e,|)",
    "(s,a,e,|)",
    "s-a-#",
    "s-----------------------------",
    "(a,d,|)",
    "|",
]
JSON = {
    "j": TextDelta("b", '{"title": "Bread'),
    "k": TextDelta("b", '", "steps": ["sti'),
    "l": TextDelta("b", 'r"]}'),
}
STREAMS = [events(diagram, JSON) for diagram in DIAGRAMS]


class Recipe(BaseModel):
    title: str
    steps: list[str]


class Sources:
    """Streams that behave in one of many ways, and how many of them are subscribed."""

    def __init__(self, chance: random.Random) -> None:
        self.open = 0
        self.subscribed = 0
        self._chance = chance

    def stream(self) -> Observable[Event]:
        return Observable(self._subscribe)

    def _subscribe(self, observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        self.open += 1
        self.subscribed += 1
        inner = self._chance.choice(STREAMS).subscribe(observer, scheduler=scheduler)
        return Disposable(lambda: self._leave(inner))

    def _leave(self, inner: DisposableBase) -> None:
        self.open -= 1
        inner.dispose()


Pipe = Callable[[Sources], Observable[Any]]


def behind(make: Callable[[], Callable[[Observable[Any]], Observable[Any]]]) -> Pipe:
    """An operator behind a source."""
    operator = make()
    return lambda sources: sources.stream().pipe(operator)


def asking(operator: Callable[[Engine], Callable[[Observable[Any]], Observable[Event]]]) -> Pipe:
    """An operator that makes requests, behind the events of a source, each of which is a prompt."""
    scripts = [["Hi", delay(3), "there"], [delay(2), error("overloaded")], [delay(40)]]
    engine = Engine(adapter=Fake(respond=lambda _: scripts[len(engine.adapter.requests) % 3]), model="fake-1")  # type: ignore[union-attr]
    return lambda sources: sources.stream().pipe(ops.map(lambda event: event.type), ops.take(2), operator(engine))


def in_groups_of_three(operator: Callable[[int], Callable[[Observable[Any]], Observable[Any]]]) -> Pipe:
    """An operator that shares by a key; three subscribers after each other have the same one."""
    count = itertools.count()
    return lambda sources: rx.defer(lambda _: sources.stream().pipe(operator(next(count) // 3)))


RETRY = RetryPolicy(base_delay=3.0, jitter=0.0, restart=True)
STOP: Observable[Any] = rx.timer(7.0)

PIPES: dict[str, Pipe] = {
    "cancel_on": behind(lambda: lx.cancel_on(STOP)),
    "chat": asking(lx.chat),
    "collect_chat": behind(lx.collect_chat),
    "collect_response": behind(lx.collect_response),
    "collect_session": behind(lx.collect_session),
    "collect_step": behind(lx.collect_step),
    "elements": behind(lambda: lx.elements(str)),
    "fallback": lambda sources: sources.stream().pipe(lx.fallback(sources.stream(), sources.stream, restart=True)),
    "fields": behind(lambda: lx.fields(Recipe)),
    "generate": asking(lx.generate),
    "hedge": behind(lambda: lx.hedge(after=3.0)),
    "max_concurrent": lambda sources: sources.stream().pipe(lx.max_concurrent(2, lambda _: sources.stream())),
    "on_overflow": behind(lambda: lx.on_overflow("latest")),
    "partial": behind(lambda: lx.partial(Recipe)),
    "race_first": lambda sources: lx.race_first(sources.stream(), sources.stream, sources.stream()),
    "raise_errors": behind(lx.raise_errors),
    "rate_limit": behind(lambda: lx.rate_limit(100, 50, per=5.0)),
    "reasoning": behind(lx.reasoning),
    "reduce_with": behind(lambda: lx.reduce_with(ResponseFold)),
    "retry_backoff": behind(lambda: lx.retry_backoff(RETRY)),
    "sentences": behind(lx.sentences),
    "single_flight": in_groups_of_three(lx.single_flight),
    "smooth": behind(lambda: lx.smooth(0.7)),
    "snapshots": behind(lx.snapshots),
    "switch_generate": asking(lx.switch_generate),
    "text": behind(lx.text),
    "throttle_latest": behind(lambda: lx.throttle_latest(3.0)),
    "timeout_total": behind(lambda: lx.timeout_total(11.0)),
    "timeouts": behind(lambda: lx.timeouts(first=5.0, stall=3.0, total=11.0)),
    "tool_calls": behind(lx.tool_calls),
    "usage": behind(lx.usage),
    "validate_grammar": behind(lx.validate_grammar),
}
NO_OPERATORS = {"from_aiter", "run", "to_aiter"}
"""They begin or end a pipe, and have tests of their own."""


def test_no_operator_is_left_out() -> None:
    """A new one takes its place in the table."""
    assert set(PIPES) | NO_OPERATORS == set(lx.__all__)


@pytest.mark.parametrize("name", PIPES)
def test_leaving_at_any_moment_leaves_nothing(name: str) -> None:
    """No subscription to the source, no object, and no item after it."""
    chance, scheduler = random.Random(SEED), TestScheduler()
    sources, late = Sources(chance), list[Any]()
    stream = PIPES[name](sources)
    before = subscriptions_in_memory()

    for _ in range(LEAVINGS):
        Visit(stream, late).begin(scheduler, chance.uniform(0, 300), chance.uniform(0, 25))
    scheduler.start()

    assert sources.subscribed >= LEAVINGS / 10
    assert sources.open == 0
    assert late == []
    del stream
    assert subscriptions_in_memory() <= before


@pytest.mark.parametrize("name", PIPES)
def test_leaving_at_any_moment_leaves_no_timer(name: str) -> None:
    """Nothing is scheduled any more at that very moment."""
    chance = random.Random(SEED)
    stream = PIPES[name](Sources(chance))

    for _ in range(LEAVINGS // 10):
        scheduler = TestScheduler()
        subscription = stream.subscribe(on_error=ignored, scheduler=scheduler)
        scheduler.advance_to(chance.uniform(0.1, 25))
        subscription.dispose()

        assert not [item for item, _ in scheduler._queue.items if not item.is_cancelled()]  # type: ignore[attr-defined]


def ignored(error: Exception) -> None:
    pass


class Visit:
    """One subscription that is left after a while, and what comes after that."""

    def __init__(self, stream: Observable[Any], late: list[Any]) -> None:
        self._stream = stream
        self._late = late
        self._left = False

    def begin(self, scheduler: TestScheduler, at: float, seconds: float) -> None:
        scheduler.schedule_absolute(at, self._enter)
        scheduler.schedule_absolute(at + seconds, self._leave)

    def _enter(self, scheduler: SchedulerBase, state: object = None) -> None:
        self._subscription = self._stream.subscribe(self._see, self._see, scheduler=scheduler)

    def _leave(self, scheduler: SchedulerBase, state: object = None) -> None:
        self._subscription.dispose()
        self._left = True

    def _see(self, item: object) -> None:
        if self._left:
            self._late.append(item)


def subscriptions_in_memory() -> int:
    """How many observers of subscriptions are alive."""
    gc.collect()
    return sum(isinstance(thing, AutoDetachObserver) for thing in gc.get_objects())
