"""The order of events: what is well formed, and what a single change breaks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from allm_rx.data import events as ev
from allm_rx.data.events import Event
from allm_rx.data.messages import assistant
from allm_rx.data.parts import ImagePart, ProviderPart, SourcePart
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, StepResult, ToolOutcome
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.data.usage import Usage
from allm_rx.reducers.grammar import Grammar, Violation
from allm_rx.testing.marbles import OVERLOADED

STARTED = ev.MessageStarted("m", "p")
DONE = ev.MessageCompleted(assistant("a"), "stop", "stop")
ERROR = ev.Error(OVERLOADED)
USAGE = ev.RawChunk("usage", Usage(input_tokens=1))
CHAT = ChatResult(thread=Thread(), halted_reason="completed")
SESSION = Session(id="s")

Events = list[Event]


def step(index: int = 0, reason: str | None = None) -> ev.StepCompleted:
    """The end of a step."""
    return ev.StepCompleted(index, StepResult(index=index, thread=Thread(), response=Response(), halted_reason=reason))


def violation(events: Sequence[Event]) -> tuple[str, int] | None:
    """The first rule that is broken, and by which event, from 1."""
    grammar = Grammar()
    for event in events:
        if (broken := grammar.apply(event)) is not None:
            return broken.rule, grammar.count
    end: Violation | None = grammar.finish()
    return None if end is None else (end.rule, len(events) + 1)


# Well-formed streams, of every level.


def text(block: str, size: int) -> Events:
    """A block of text."""
    return [*(ev.TextDelta(block, "a") for _ in range(size)), ev.TextCompleted(block, "a" * size)]


def reasoning(block: str, size: int) -> Events:
    """A block of reasoning."""
    return [*(ev.ReasoningDelta(block, "a") for _ in range(size)), ev.ReasoningCompleted(block, "a" * size)]


def call(call_id: str, size: int) -> Events:
    """A tool call."""
    return [
        ev.ToolCallStarted(call_id, "t"),
        *(ev.ToolCallDelta(call_id, " ") for _ in range(size)),
        ev.ToolCallCompleted(call_id, "t", {}),
    ]


def single(block: str, size: int) -> Events:
    """Something that comes at once."""
    kinds: Events = [
        ev.MediaCompleted(block, ImagePart(file_id="f")),
        ev.SourceAdded(SourcePart(url="https://a.test")),
        ev.ProviderItem(ProviderPart(kind="k")),
        ev.ToolResultReceived(block, "t"),
        USAGE,
        ev.RawChunk("chunk", {}),
    ]
    return [kinds[size % len(kinds)]]


def run(call_id: str, size: int) -> Events:
    """A tool run."""
    ends: Events = [
        ev.ToolResultEncoded(call_id, ()),
        ev.AskUserRequested(call_id, "t", "?"),
        ev.ToolHalt(call_id, "enough"),
    ]
    return [
        ev.ToolExecutionStarted(call_id, "t", {}),
        *(ev.ToolExecutionProgress(call_id, "t", n) for n in range(size)),
        ev.ToolExecutionCompleted(call_id, "t", ToolOutcome(kind="value")),
        ends[size % len(ends)],
    ]


def interleaved(draw: DrawFn, scripts: list[Events]) -> Events:
    """Several scripts at once, each in its own order."""
    merged: Events = []
    while scripts := [script for script in scripts if script]:
        merged.append(draw(st.sampled_from(scripts)).pop(0))
    return merged


def scripts(draw: DrawFn, makers: Sequence[Callable[[str, int], Events]], prefix: str) -> list[Events]:
    """Up to three scripts with ids of their own."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(makers), st.integers(0, 6)), max_size=3))
    return [make(f"{prefix}{number}", size) for number, (make, size) in enumerate(chosen)]


@st.composite
def answers(draw: DrawFn) -> Events:
    """One answer, perhaps after restarts."""
    events: Events = []
    for attempt in range(1, draw(st.integers(1, 3)) + 1):
        if attempt > 1:
            events.append(ev.MessageRestarted(attempt, OVERLOADED))
        if draw(st.booleans()):
            events.append(STARTED)
        events += interleaved(draw, scripts(draw, (text, reasoning, call, single), "b"))
    return [*events, draw(st.sampled_from([DONE, ERROR]))]


@st.composite
def steps(draw: DrawFn, index: int = 0) -> Events:
    """One answer and its tools."""
    events = draw(answers())
    tools = interleaved(draw, scripts(draw, (run,), "c")) if events[-1] is DONE else []
    return [*events, *tools, step(index)]


@st.composite
def chats(draw: DrawFn) -> Events:
    """Some steps and their end."""
    count = draw(st.integers(1, 3))
    return [event for index in range(count) for event in draw(steps(index))] + [ev.ChatCompleted(CHAT)]


@st.composite
def operations(draw: DrawFn) -> Events:
    """An operation of a session."""
    inner = draw(steps() | chats())
    return [ev.SessionStarted(SESSION), *inner, ev.SessionCompleted(Turn(session=SESSION, result=CHAT))]


streams = answers() | steps() | chats() | operations()


@settings(max_examples=50)
@given(streams)
def test_well_formed_streams_pass(events: Events) -> None:
    """Answers, steps, chats and operations, with blocks and runs interleaved."""
    assert violation(events) is None


# One change, and the stream is malformed.

Draw = Callable[[SearchStrategy[Any]], Any]
Mutation = Callable[[Draw, Events], None]


def position(draw: Draw, events: Events, *kinds: type) -> int:
    """Somewhere one of these kinds is."""
    found = [index for index, event in enumerate(events) if isinstance(event, kinds)]
    assume(found)
    return draw(st.sampled_from(found))


def without_its_end(draw: Draw, events: Events) -> None:
    """The last event is missing."""
    assume(not (isinstance(events[-1], (ev.StepCompleted, ev.ChatCompleted)) and ends_early(events)))
    del events[-1]


def ends_early(events: Events) -> bool:
    """Whether what is left without its end is well formed as something smaller."""
    return violation(events[:-1]) is None


def with_two_ends(draw: Draw, events: Events) -> None:
    """Its end comes twice."""
    events.append(events[-1])


def with_two_terminals(draw: Draw, events: Events) -> None:
    """An answer ends twice."""
    index = position(draw, events, ev.MessageCompleted, ev.Error)
    events.insert(index, draw(st.sampled_from([DONE, ERROR])))


def with_late_usage(draw: Draw, events: Events) -> None:
    """Usage comes after the terminal."""
    events.insert(position(draw, events, ev.MessageCompleted, ev.Error) + 1, USAGE)


def with_a_late_start(draw: Draw, events: Events) -> None:
    """The start is not first."""
    index = position(draw, events, ev.TextDelta, ev.ToolCallStarted, ev.RawChunk, ev.MessageStarted)
    events.insert(index + 1, STARTED)


def with_an_empty_delta(draw: Draw, events: Events) -> None:
    """A delta has nothing in it."""
    index = position(draw, events, ev.TextDelta, ev.ReasoningDelta, ev.ToolCallDelta)
    event: Any = events[index]
    field = "arguments_delta" if isinstance(event, ev.ToolCallDelta) else "delta"
    events[index] = replace(event, **{field: ""})


def with_an_empty_id(draw: Draw, events: Events) -> None:
    """A block or call has no id."""
    index = position(draw, events, ev.TextCompleted, ev.ReasoningDelta, ev.ToolCallStarted, ev.MediaCompleted)
    event: Any = events[index]
    events[index] = replace(event, id="")


def with_a_block_completed_twice(draw: Draw, events: Events) -> None:
    """A block or call ends twice."""
    kinds = (ev.TextCompleted, ev.ReasoningCompleted, ev.ToolCallCompleted, ev.MediaCompleted)
    index = position(draw, events, *kinds)
    events.insert(index, events[index])


def with_a_delta_after_its_block(draw: Draw, events: Events) -> None:
    """A block grows after it was whole."""
    index = position(draw, events, ev.TextCompleted, ev.ReasoningCompleted, ev.ToolCallCompleted)
    grown: dict[type, Callable[[str], Event]] = {
        ev.TextCompleted: lambda block: ev.TextDelta(block, "x"),
        ev.ReasoningCompleted: lambda block: ev.ReasoningDelta(block, "x"),
        ev.ToolCallCompleted: lambda block: ev.ToolCallDelta(block, "x"),
    }
    event: Any = events[index]
    events.insert(index + 1, grown[type(event)](event.id))


def with_an_id_of_two_kinds(draw: Draw, events: Events) -> None:
    """Text and reasoning share an id."""
    index = position(draw, events, ev.TextDelta)
    event: Any = events[index]
    events.insert(index + 1, ev.ReasoningDelta(event.id, "x"))


def with_a_call_that_did_not_start(draw: Draw, events: Events) -> None:
    """A call's first event is missing."""
    del events[position(draw, events, ev.ToolCallStarted)]


def with_a_call_that_starts_twice(draw: Draw, events: Events) -> None:
    """Two calls share an id."""
    index = position(draw, events, ev.ToolCallStarted)
    events.insert(index, events[index])


def with_a_restart_that_counts_back(draw: Draw, events: Events) -> None:
    """An attempt has the number of the one before it."""
    index = position(draw, events, ev.MessageRestarted)
    event: Any = events[index]
    events[index] = replace(event, attempt=event.attempt - 1)


def with_usage_that_is_none(draw: Draw, events: Events) -> None:
    """A usage chunk carries plain data."""
    events.insert(position(draw, events, ev.MessageCompleted, ev.Error), ev.RawChunk("usage", {"input_tokens": 1}))


def with_a_run_before_the_answer(draw: Draw, events: Events) -> None:
    """A tool runs while the model still speaks."""
    index = position(draw, events, ev.MessageCompleted, ev.Error)
    events.insert(index, ev.ToolExecutionStarted("x", "t", {}))


def with_a_run_after_an_error(draw: Draw, events: Events) -> None:
    """A tool runs although the answer failed."""
    events.insert(position(draw, events, ev.Error) + 1, ev.ToolExecutionStarted("x", "t", {}))


def with_a_run_that_did_not_start(draw: Draw, events: Events) -> None:
    """A run's first event is missing."""
    del events[position(draw, events, ev.ToolExecutionStarted)]


def with_a_run_that_did_not_end(draw: Draw, events: Events) -> None:
    """A run is open when its step ends."""
    kinds = (ev.ToolExecutionCompleted, ev.ToolResultEncoded, ev.AskUserRequested, ev.ToolHalt)
    del events[position(draw, events, *kinds)]


def with_a_run_that_starts_twice(draw: Draw, events: Events) -> None:
    """A call runs two times."""
    index = position(draw, events, ev.ToolExecutionStarted)
    events.insert(index, events[index])


def with_a_step_before_its_answer(draw: Draw, events: Events) -> None:
    """A step ends while the model still speaks."""
    events.insert(position(draw, events, ev.MessageCompleted, ev.Error), step())


def with_a_step_that_is_not_counted(draw: Draw, events: Events) -> None:
    """A later step has a number that does not follow."""
    index = position(draw, events, ev.StepCompleted)
    event: Any = events[index]
    assume(event.index > 0)
    events[index] = step(event.index + draw(st.sampled_from([-1, 1])))


def with_a_chat_before_its_step(draw: Draw, events: Events) -> None:
    """A chat ends while a step still runs."""
    events.insert(position(draw, events, ev.StepCompleted), ev.ChatCompleted(CHAT))


def with_a_session_in_the_middle(draw: Draw, events: Events) -> None:
    """A session starts after something else."""
    events.insert(draw(st.integers(1, len(events))), ev.SessionStarted(SESSION))


def with_a_session_that_did_not_start(draw: Draw, events: Events) -> None:
    """An operation's first event is missing."""
    del events[position(draw, events, ev.SessionStarted)]


MUTATIONS: list[Mutation] = [
    without_its_end,
    with_two_ends,
    with_two_terminals,
    with_late_usage,
    with_a_late_start,
    with_an_empty_delta,
    with_an_empty_id,
    with_a_block_completed_twice,
    with_a_delta_after_its_block,
    with_an_id_of_two_kinds,
    with_a_call_that_did_not_start,
    with_a_call_that_starts_twice,
    with_a_restart_that_counts_back,
    with_usage_that_is_none,
    with_a_run_before_the_answer,
    with_a_run_after_an_error,
    with_a_run_that_did_not_start,
    with_a_run_that_did_not_end,
    with_a_run_that_starts_twice,
    with_a_step_before_its_answer,
    with_a_step_that_is_not_counted,
    with_a_chat_before_its_step,
    with_a_session_in_the_middle,
    with_a_session_that_did_not_start,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_single_change_is_seen(mutation: Mutation, data: st.DataObject) -> None:
    """A well-formed stream with one mistake in it is not well formed."""
    events = list(data.draw(streams))

    mutation(data.draw, events)

    assert violation(events) is not None


# By name.


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        ([], ("terminal_missing", 1)),
        ([STARTED], ("terminal_missing", 2)),
        ([DONE, ev.TextDelta("b", "x")], ("terminal_last", 2)),
        ([ERROR, DONE], ("terminal_last", 2)),
        ([USAGE, STARTED], ("start_first", 2)),
        ([STARTED, STARTED], ("start_first", 2)),
        ([ev.TextDelta("b", "")], ("delta_empty", 1)),
        ([ev.TextDelta("", "x")], ("id_empty", 1)),
        ([ev.ToolCallStarted("", "t")], ("id_empty", 1)),
        ([*text("b", 1), *text("b", 1)], ("block_order", 3)),
        ([ev.TextDelta("b", "x"), ev.ReasoningCompleted("b", "")], ("id_unique", 2)),
        ([ev.TextDelta("b", "x"), *single("b", 0)], ("id_unique", 2)),
        ([ev.ToolCallDelta("c", "x")], ("block_order", 1)),
        ([*call("c", 0), ev.ToolCallStarted("c", "t")], ("id_unique", 3)),
        ([ev.ToolCallStarted("c", "t"), DONE], ("block_order", 2)),
        ([ev.MessageRestarted(1, OVERLOADED)], ("attempt_counts", 1)),
        ([DONE, ev.MessageRestarted(2, OVERLOADED)], ("terminal_last", 2)),
        ([ev.RawChunk("usage", {})], ("usage_typed", 1)),
        ([DONE, *run("c", 0)], ("step_missing", 5)),
        ([DONE, step(), DONE], ("step_missing", 4)),
        ([DONE, step(), DONE, step(1)], ("chat_missing", 5)),
        ([DONE, step(), DONE, step(2)], ("step_counts", 4)),
        ([DONE, ev.ToolExecutionProgress("c", "t", 1)], ("run_order", 2)),
        ([DONE, *run("c", 0)[:2], step()], ("run_order", 4)),
        ([*run("c", 0)], ("tools_after_answer", 1)),
        ([ERROR, *run("c", 0)], ("tools_after_answer", 2)),
        ([step()], ("step_after_answer", 1)),
        ([DONE, ev.ChatCompleted(CHAT)], ("chat_after_step", 2)),
        ([DONE, step(), ev.ChatCompleted(CHAT), DONE], ("chat_last", 4)),
        ([DONE, ev.SessionStarted(SESSION)], ("session_first", 2)),
        ([ev.SessionStarted(SESSION), DONE], ("step_missing", 3)),
        ([ev.SessionStarted(SESSION), DONE, step()], ("session_missing", 4)),
        ([DONE, step(), ev.SessionCompleted(Turn(session=SESSION, result=CHAT))], ("session_last", 3)),
    ],
)
def test_each_violation_has_its_name_and_place(events: Events, broken: tuple[str, int]) -> None:
    """The rule, and the event that broke it; the end of the stream counts as one."""
    assert violation(events) == broken


@pytest.mark.parametrize(
    "events",
    [
        [STARTED, ev.ToolCallStarted("c", "t"), ev.MessageCompleted(assistant(""))],
        [STARTED, ev.TextDelta("b", "x"), step(0, "cancelled")],
        [DONE, ev.ToolExecutionStarted("c", "t", {}), step(0, "cancelled")],
        [DONE, step(), STARTED, step(1, "cancelled"), ev.ChatCompleted(CHAT)],
        [ev.ChatCompleted(CHAT.replace(halted_reason="cancelled"))],
    ],
    ids=["answer", "step in its answer", "step in its tools", "chat", "chat before its first event"],
)
def test_what_was_cancelled_may_end_anywhere(events: Events) -> None:
    """A stop button cuts at any point, and says so."""
    assert violation(events) is None


def test_ids_begin_anew_with_each_message() -> None:
    """Two answers of a chat, and two attempts of an answer, may use the same ids."""
    twice = [*text("b", 1), *call("c", 1)]

    events = [*twice, ev.MessageRestarted(2, OVERLOADED), *twice, DONE, step(), *twice, DONE, step(1)]

    assert violation([*events, ev.ChatCompleted(CHAT)]) is None
