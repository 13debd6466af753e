"""The events that end a stream which is left on purpose: in its grammar, wherever it is left."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_args

import pytest
from reactivex import Observable

from allm_rx.data import events as ev
from allm_rx.data.events import Event
from allm_rx.data.messages import user
from allm_rx.data.parts import TextPart
from allm_rx.data.results import ChatResult
from allm_rx.data.sessions import Session
from allm_rx.data.threads import Thread
from allm_rx.data.validation import check_session, check_thread
from allm_rx.execution.calls import stream, stream_generate, stream_step
from allm_rx.reducers.closing import StreamKind, closing_fold
from allm_rx.sessions import stream_start
from allm_rx.sessions import stream_step as session_step
from allm_rx.testing.assertions import assert_grammar
from tests.orchestration import call, engine, events, giving, kinds

THREAD = Thread(messages=[user("hi")])
SESSION = Session(id="s", thread=THREAD)


def scripted() -> Any:
    """A model that thinks, calls two tools, and answers."""
    turn = ["Let me ", "look.", call("look", "a"), call("look", "b")]
    return engine(turn, ["do", "ne"], tools=[giving(7)])


KINDS: tuple[StreamKind, ...] = get_args(StreamKind)
CALLS: dict[StreamKind, Callable[[], Observable[Event]]] = {
    "generate": lambda: stream_generate(scripted(), "hi"),
    "step": lambda: stream_step(scripted(), "hi"),
    "chat": lambda: stream(scripted(), "hi"),
    "session": lambda: stream_start(scripted(), "hi"),
    "session_step": lambda: session_step(scripted(), SESSION),
}


@cache
def whole(kind: StreamKind) -> list[Event]:
    """All events of a stream of that kind."""
    return events(CALLS[kind]())


def beginnings(kind: StreamKind) -> Iterator[list[Event]]:
    """The events of a stream, left before each of them."""
    for cut in range(len(whole(kind))):
        yield whole(kind)[:cut]


def left(kind: StreamKind, seen: list[Event]) -> list[Event]:
    """What ends a stream of that kind after these events."""
    fold = closing_fold(kind, SESSION if kind.startswith("session") else THREAD)
    for event in seen:
        fold.apply(event)
    return [] if fold.ended else list(fold.closing())


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_left_anywhere_is_well_formed(kind: StreamKind) -> None:
    """What was seen and what ends it make a stream of its kind."""
    for seen in beginnings(kind):
        assert_grammar([*seen, *left(kind, seen)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_left_anywhere_leaves_what_can_go_on(kind: StreamKind) -> None:
    """The thread of each result can be sent, the session used."""
    for seen in beginnings(kind):
        for event in left(kind, seen):
            if isinstance(event, (ev.StepCompleted, ev.ChatCompleted)):
                check_thread(event.result.thread)
            if isinstance(event, ev.SessionCompleted):
                check_session(event.turn.session)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_has_ended_is_left_alone(kind: StreamKind) -> None:
    """Nothing follows its own end."""
    assert left(kind, whole(kind)) == []


def test_a_generation_ends_with_its_partial_message() -> None:
    """And without a finish reason."""
    [end] = left("generate", [ev.MessageStarted(), ev.TextDelta("t", "par")])

    assert isinstance(end, ev.MessageCompleted)
    assert (end.message.text, end.finish_reason) == ("par", None)


def test_a_call_that_was_being_written_is_cut() -> None:
    """It completes with an error, so nobody runs it."""
    cut, end = left("generate", [ev.ToolCallStarted("c", "look"), ev.ToolCallDelta("c", '{"ci')])

    assert isinstance(cut, ev.ToolCallCompleted)
    assert (cut.id, cut.raw_arguments, cut.error is None) == ("c", '{"ci', False)
    assert kinds([cut, end]) == ["tool_call_completed", "message_completed"]


def test_a_tool_that_was_running_was_not_executed() -> None:
    """Its run ends, and the thread says so."""
    seen = whole("step")
    after_start = next(index for index, event in enumerate(seen) if isinstance(event, ev.ToolExecutionStarted)) + 1

    closing = left("step", seen[:after_start])

    assert kinds(closing) == ["tool_execution_completed", "tool_result_encoded", "step_completed"]
    assert isinstance(closing[0], ev.ToolExecutionCompleted)
    assert closing[0].outcome.failure is not None
    assert closing[0].outcome.failure.reason == "not_executed"
    assert closing[1] == ev.ToolResultEncoded("a", (TextPart(text='{"error":{"reason":"not_executed"}}'),))


def test_a_chat_that_has_not_begun_has_one_empty_step() -> None:
    """A chat has at least one."""
    closing = left("chat", [])

    assert kinds(closing) == ["message_completed", "step_completed", "chat_completed"]
    assert isinstance(closing[-1], ev.ChatCompleted)
    assert closing[-1].result.halted_reason == "cancelled"


def test_a_chat_left_between_two_steps_gets_no_third() -> None:
    """Only its own end."""
    after_step = next(index for index, event in enumerate(whole("chat")) if isinstance(event, ev.StepCompleted)) + 1

    assert kinds(left("chat", whole("chat")[:after_step])) == ["chat_completed"]


def test_a_session_that_has_not_begun_begins_and_ends() -> None:
    """Its input is kept."""
    closing = left("session", [])

    assert kinds(closing)[0] == "session_started"
    assert isinstance(closing[-1], ev.SessionCompleted)
    assert closing[-1].turn.session == SESSION.model_copy(
        update={"status": "cancelled", "last_halt": closing[-1].turn.session.last_halt}
    )


def test_a_step_of_a_session_has_a_steps_result() -> None:
    """And no end of a chat."""
    closing = left("session_step", [])

    assert kinds(closing) == ["session_started", "message_completed", "step_completed", "session_completed"]
    assert isinstance(closing[-1], ev.SessionCompleted)
    assert not isinstance(closing[-1].turn.result, ChatResult)
