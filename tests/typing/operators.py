"""Claims about the types of operators: checked by pyright and mypy, never run."""

from typing import assert_type

import pydantic
from reactivex import Observable

from allm_rx import Engine
from allm_rx import operators as lx
from allm_rx.data.events import Event
from allm_rx.data.failures import Failure
from allm_rx.data.parts import ToolCall
from allm_rx.data.policies import RetryPolicy
from allm_rx.data.responses import Response
from allm_rx.data.usage import Usage
from allm_rx.operators.fields import Field
from allm_rx.reducers.response import Snapshot


class Step(pydantic.BaseModel):
    do: str


def views_say_what_they_give(events: Observable[Event]) -> None:
    assert_type(events.pipe(lx.text()), Observable[str])
    assert_type(events.pipe(lx.reasoning()), Observable[str])
    assert_type(events.pipe(lx.sentences()), Observable[str])
    assert_type(events.pipe(lx.tool_calls()), Observable[ToolCall])
    assert_type(events.pipe(lx.usage()), Observable[Usage])
    assert_type(events.pipe(lx.snapshots()), Observable[Snapshot])
    assert_type(events.pipe(lx.partial(Step)), Observable[Step])
    assert_type(events.pipe(lx.fields(Step)), Observable[Field])
    assert_type(events.pipe(lx.elements(Step)), Observable[Step])
    assert_type(events.pipe(lx.elements(int, field="numbers")), Observable[int])


def what_passes_items_on_keeps_their_type(events: Observable[Event], views: Observable[Snapshot]) -> None:
    assert_type(views.pipe(lx.throttle_latest(0.1)), Observable[Snapshot])
    assert_type(views.pipe(lx.on_overflow("latest", capacity=2)), Observable[Snapshot])
    assert_type(views.pipe(lx.rate_limit(5, per=1.0)), Observable[Snapshot])
    assert_type(views.pipe(lx.single_flight("key")), Observable[Snapshot])
    assert_type(events.pipe(lx.smooth(50)), Observable[Event])
    assert_type(events.pipe(lx.timeout_total(60)), Observable[Event])
    lx.on_overflow("oldest")  # type: ignore[arg-type]


def several_streams_are_one(events: Observable[Event]) -> None:
    assert_type(events.pipe(lx.fallback(events, lambda: events, restart=True)), Observable[Event])
    assert_type(events.pipe(lx.fallback(events, when=RetryPolicy().allows)), Observable[Event])
    assert_type(events.pipe(lx.hedge(after=0.5)), Observable[Event])
    assert_type(lx.race_first(events, lambda: events), Observable[Event])
    lx.fallback("other")  # type: ignore[arg-type]


def a_policy_is_a_function_of_the_failure(events: Observable[Event]) -> None:
    def when(failure: Failure) -> bool:
        return failure.status == 529

    assert_type(events.pipe(lx.fallback(events, when=when)), Observable[Event])


def streams_of_streams_become_one(prompts: Observable[str], streams: Observable[Observable[int]], engine: Engine) -> None:
    def ask(prompt: str) -> Observable[Response]:
        raise NotImplementedError(prompt)

    assert_type(prompts.pipe(lx.max_concurrent(4, ask)), Observable[Response])
    assert_type(prompts.pipe(lx.max_concurrent(4, ask, ordered=False)), Observable[Response])
    assert_type(streams.pipe(lx.max_concurrent(4)), Observable[int])


def requests_are_operators(prompts: Observable[str], engine: Engine) -> None:
    assert_type(prompts.pipe(lx.generate(engine, temperature=0.5)), Observable[Event])
    assert_type(prompts.pipe(lx.switch_generate(engine)), Observable[Event])
    assert_type(prompts.pipe(lx.chat(engine, max_turns=3)), Observable[Event])
    lx.generate(engine, temprature=0.5)  # type: ignore[call-arg]
    lx.chat(engine, max_turns="three")  # type: ignore[arg-type]
