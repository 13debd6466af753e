"""The session that an operation leaves behind."""

from typing import Any

import pytest

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, PendingQuestion, StepResult
from allm_rx.data.sessions import LastHalt, Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.data.validation import check_session
from allm_rx.reducers.session import SessionFold, projected

BEFORE = Session(id="s", thread=Thread(messages=[user("hi")], metadata={"n": 1}), context={"c": 1}, metadata={"m": 1})
AFTER = Thread(messages=[user("hi"), Message(role="assistant", content="hello")])
WRONG = Failure(kind="AdapterError", reason="overloaded", message="Busy.")
QUESTION = PendingQuestion(tool_call_id="q", tool_name="ask", question="Sure?")
CALL = ToolCall(id="m", name="pay")


def step(halted: str | None, **fields: Any) -> StepResult:
    return StepResult(thread=AFTER, response=Response(), halted_reason=halted, **fields)


def after(halted: str, error: Failure | None = None, **fields: Any) -> Session:
    """The session after a chat of one step."""
    return projected(BEFORE, ChatResult(thread=AFTER, steps=(step(halted, **fields),), halted_reason=halted, error=error))


@pytest.mark.parametrize(
    ("halted", "status"),
    [
        ("completed", "completed"),
        ("max_turns", "completed"),
        ("halt_when", "completed"),
        ("usage_limit", "completed"),
        ("length", "completed"),
        ("content_filter", "completed"),
        ("mine", "completed"),
        ("cancelled", "cancelled"),
        ("ask_user", "awaiting_user"),
        ("manual_tool_calls", "awaiting_tools"),
        ("error", "error"),
        ("tool_error", "error"),
        ("interrupted", "error"),
    ],
)
def test_the_reason_decides_the_status(halted: str, status: str) -> None:
    """F-25: what was left unfinished does not look like success, and the reason is kept."""
    session = after(halted, pending_tool_calls=(CALL,) if halted == "manual_tool_calls" else ())

    assert session.status == status
    assert session.last_halt is not None
    assert session.last_halt.reason == halted


def test_the_thread_goes_on_and_the_rest_stays() -> None:
    """F-23: the application's own notes are not written to."""
    session = after("completed")

    assert session.thread == Thread(messages=AFTER.messages, metadata={"n": 1})
    assert (session.id, session.context, session.metadata) == ("s", {"c": 1}, {"m": 1})


def test_a_step_that_goes_on_leaves_an_idle_session() -> None:
    """Its tools have run, and another step may follow."""
    session = projected(BEFORE, step(None))

    assert (session.status, session.last_halt) == ("idle", None)


def test_a_failure_is_kept() -> None:
    """Whoever loads the session can say why it stands still."""
    assert after("error", WRONG).last_halt == LastHalt(reason="error", failure=WRONG)


def test_an_answer_that_just_ended_has_a_failure_too() -> None:
    """Status `error` always tells why."""
    session = after("interrupted")

    check_session(session)
    assert session.last_halt is not None
    assert session.last_halt.failure is not None
    assert session.last_halt.failure.reason == "stream_interrupted"


def test_questions_wait() -> None:
    """They are on the session."""
    assert after("ask_user", pending_questions=(QUESTION,)).pending_questions == (QUESTION,)


def test_questions_of_a_chat_that_was_cancelled_do_not_wait() -> None:
    """The user said stop."""
    assert after("cancelled", pending_questions=(QUESTION,)).pending_questions == ()


@pytest.mark.parametrize("halted", ["manual_tool_calls", "mine"])
def test_calls_wait_whatever_else_halted(halted: str) -> None:
    """A handler's halt does not answer the calls beside it."""
    session = after(halted, pending_tool_calls=(CALL,))

    assert (session.status, session.pending_tool_calls) == ("awaiting_tools", (CALL,))


def test_a_question_beside_manual_calls_keeps_both() -> None:
    """The user is asked, and the calls are still to be answered."""
    session = after("ask_user", pending_tool_calls=(CALL,), pending_questions=(QUESTION,))

    assert (session.status, session.pending_tool_calls, session.pending_questions) == ("awaiting_user", (CALL,), (QUESTION,))


# The fold.


def test_a_whole_operation_gives_its_own_turn() -> None:
    """The last event has it."""
    turn = Turn(session=BEFORE, result=ChatResult(thread=AFTER, halted_reason="completed"))

    assert SessionFold().apply(ev.SessionStarted(BEFORE)).apply(ev.SessionCompleted(turn)).turn() is turn


def test_an_operation_left_early_gives_the_started_session() -> None:
    """Its input is kept, its status says what happened, and the partial text is in the result."""
    fold = SessionFold().apply(ev.SessionStarted(BEFORE)).apply(ev.MessageStarted()).apply(ev.TextDelta("t", "par"))

    turn = fold.turn()

    assert (turn.session.status, turn.session.thread) == ("cancelled", BEFORE.thread)
    assert isinstance(turn.result, ChatResult)
    assert turn.result.final_response is not None
    assert turn.result.final_response.output_text == "par"


def test_a_step_gives_a_step_result() -> None:
    """Of one that is left early as of one that is complete."""
    fold = SessionFold(is_step=True).apply(ev.SessionStarted(BEFORE)).apply(ev.TextDelta("t", "par"))

    assert isinstance(fold.turn().result, StepResult)
    assert fold.apply(ev.StepCompleted(0, step(None))).turn().session.status == "idle"


def test_events_without_a_session_give_none() -> None:
    """The message says which events to fold."""
    with pytest.raises(ValueError, match=r"allm_rx\.sessions"):
        SessionFold().apply(ev.TextDelta("t", "a")).turn()
