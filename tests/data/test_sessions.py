"""Sessions: what is saved at any point is what goes on elsewhere."""

from allm_rx.data.failures import Failure
from allm_rx.data.messages import assistant, tool_result, user
from allm_rx.data.parts import ToolCall
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, PendingQuestion, StepResult
from allm_rx.data.sessions import LastHalt, Session, Turn
from allm_rx.data.threads import Thread

THREAD = Thread(messages=(user("Plan a trip."), assistant([ToolCall(id="c1", name="ask")]), tool_result("c1", "...")))


def test_a_new_session_is_idle_and_empty() -> None:
    """An id is all it takes."""
    session = Session(id="s1")

    assert (session.status, session.thread, session.last_halt) == ("idle", Thread(), None)
    assert (session.context, session.metadata) == ({}, {})


def test_a_waiting_session_survives_a_restart() -> None:
    """Everything that is needed to go on is in the JSON."""
    session = Session(
        id="s1",
        thread=THREAD,
        status="awaiting_user",
        pending_questions=(PendingQuestion(tool_call_id="c1", tool_name="ask", question="Where?", options={"n": 3}),),
        context={"user": 7},
        metadata={"title": "Trip"},
        last_halt=LastHalt(reason="error", failure=Failure(kind="AdapterError", reason="timeout", message="late")),
    )

    assert Session.model_validate_json(session.model_dump_json()) == session


def test_an_older_file_without_newer_fields_loads() -> None:
    """Fields that are missing have their defaults."""
    assert Session.model_validate_json('{"id":"s1"}') == Session(id="s1")


def test_a_turn_keeps_which_result_it_holds() -> None:
    """A step's result and a chat's are told apart in JSON."""
    step = StepResult(thread=THREAD, response=Response())
    chat = ChatResult(thread=THREAD, steps=(step,), halted_reason="completed")

    for result in (step, chat):
        turn = Turn(session=Session(id="s1"), result=result)

        assert Turn.model_validate_json(turn.model_dump_json()) == turn
        assert Turn.model_validate(turn.model_dump()).result == result
