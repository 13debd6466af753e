"""Conversations as data: start, reply, resume, step, and what each leaves behind."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from reactivex import operators as ops

from allm_rx import sessions
from allm_rx.abc.tools import AskUser, Halt, ToolContext
from allm_rx.adapters.fake import Fake, error
from allm_rx.data import events as ev
from allm_rx.data.messages import Message, assistant, system, user
from allm_rx.data.parts import ImagePart, TextPart
from allm_rx.data.requests import Request
from allm_rx.data.results import ChatResult, PendingQuestion, StepResult
from allm_rx.data.sessions import LastHalt, Session, SessionStatus, Turn
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool
from allm_rx.errors import EngineError, SessionError, ValidationError
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool
from allm_rx.sessions.status import Operation, require
from tests.orchestration import call, engine, events, fake_of, giving, kinds, result, texts

PAY = Tool(name="pay")


def idle(**fields: Any) -> Session:
    """A session that waits for nothing."""
    return Session(id="s", thread=Thread(messages=[user("hi")]), **fields)


def asking(*ids: str) -> tuple[Engine, Session]:
    """An engine and a session whose tools asked the user."""
    here = engine([call("look", one) for one in ids or ("c1",)], ["done"], tools=[giving(AskUser("Which?"))])
    return here, result(sessions.start(here, "hi", id="s")).session


def manual(*ids: str) -> tuple[Engine, Session]:
    """An engine and a session with calls that the application has to answer."""
    here = engine([call("pay", one) for one in ids or ("c1",)], ["done"], tools=[PAY])
    return here, result(sessions.start(here, "hi", id="s")).session


# The stream.


def test_a_stream_begins_and_ends_with_the_session() -> None:
    """In between it is a chat."""
    seen = events(sessions.stream_start(engine([call("look")], ["done"], tools=[giving(1)]), "hi"))

    assert (kinds(seen)[0], kinds(seen)[-2:]) == ("session_started", ["chat_completed", "session_completed"])


def test_a_step_of_a_session_is_a_step() -> None:
    """Without the end of a chat."""
    seen = events(sessions.stream_step(engine(["a"]), idle()))

    assert kinds(seen, "session_started", "step_completed", "chat_completed", "session_completed") == [
        "session_started",
        "step_completed",
        "session_completed",
    ]


def test_the_session_that_starts_has_the_input() -> None:
    """So a stream that is left early has it, too."""
    first = events(sessions.stream_reply(engine(["a"]), idle(), "And?"))[0]

    assert isinstance(first, ev.SessionStarted)
    assert texts(first.session.thread.messages) == ["user: hi", "user: And?"]


def test_filters_and_on_event_are_those_of_the_call() -> None:
    """Once, at its edge."""
    seen: list[str] = []

    shown = sessions.stream_start(
        engine(["a"]), "hi", emit_text_deltas=False, on_event=lambda event: seen.append(event.type)
    ).pipe(ops.map(lambda event: event.type), ops.to_list())

    kept = result(shown)
    assert [kind for kind in seen if kind != "text_delta"] == kept
    assert (seen[0], "text_delta" in seen) == ("session_started", True)


# Start.


def test_start_gives_a_turn() -> None:
    """The session, and the chat's result."""
    turn = result(sessions.start(engine(["hello"]), "hi", id="s"))

    assert isinstance(turn, Turn)
    assert isinstance(turn.result, ChatResult)
    assert (turn.session.id, turn.session.status, turn.result.halted_reason) == ("s", "completed", "completed")
    assert turn.session.thread == turn.result.thread


def test_an_id_is_minted() -> None:
    """A new one for each session."""
    first, second = (result(sessions.start(engine(["a"]), "hi")).session.id for _ in range(2))

    assert len({first, second, ""}) == 3


@pytest.mark.parametrize("given", ["hi", user("hi"), [user("hi")], Thread(messages=[user("hi")]), Request(messages=[user("hi")])])
def test_start_takes_what_the_calls_take(given: Any) -> None:
    """In all forms."""
    assert texts(result(sessions.start(engine(["a"]), given)).session.thread.messages) == ["user: hi", "assistant: a"]


def test_options_of_a_request_hold() -> None:
    """They are not lost on the way into a session."""
    here = engine(["a"])

    result(sessions.start(here, Request(messages=[user("hi")], temperature=0.5, model="other")))

    assert (fake_of(here).requests[0].temperature, fake_of(here).requests[0].model) == (0.5, "other")


def test_notes_of_a_thread_are_kept() -> None:
    """They are the application's."""
    turn = result(sessions.start(engine(["a"]), Thread(messages=[user("hi")], metadata={"topic": "weather"})))

    assert turn.session.thread.metadata == {"topic": "weather"}


def test_start_goes_on_with_a_session_as_it_is() -> None:
    """Its id, context and notes stay."""
    session = idle(context={"a": 1}, metadata={"b": 2})

    after = result(sessions.start(engine(["a"]), session)).session

    assert (after.id, after.context, after.metadata) == ("s", {"a": 1}, {"b": 2})


def test_a_session_keeps_its_id() -> None:
    """Another one for it is a mistake."""
    with pytest.raises(ValidationError, match="leave `id` out"):
        sessions.start(engine(["a"]), idle(), id="other")


def test_a_call_that_cannot_be_sent_raises_at_once() -> None:
    """As everywhere."""
    with pytest.raises(EngineError, match="model"):
        sessions.start(Engine(adapter=Fake(["a"])), "hi")


# Reply.


def test_reply_adds_a_message() -> None:
    """The conversation goes on."""
    here = engine(["one"], ["two"])

    first = result(sessions.start(here, [system("s"), user("hi")]))
    second = result(sessions.reply(here, first.session, "And?"))

    assert texts(second.session.thread.messages)[1:] == ["user: hi", "assistant: one", "user: And?", "assistant: two"]


def test_reply_answers_a_question() -> None:
    """F-31: in its place, and the model goes on from there."""
    here, session = asking()

    after = result(sessions.reply(here, session, "Oslo")).session

    assert texts(after.thread.messages) == ["user: hi", "assistant: ", "tool: Oslo", "assistant: done"]
    assert (after.status, after.pending_questions) == ("completed", ())


def test_reply_answers_with_a_picture() -> None:
    """A message may hold more than text."""
    here, session = asking()
    shown = user([TextPart(text="This:"), ImagePart(file_id="f")])

    after = result(sessions.reply(here, session, shown)).session

    assert after.thread.messages[2].tool_results[0].content == shown.content


def test_several_questions_are_answered_by_id() -> None:
    """One text cannot be the answer to all."""
    here, session = asking("a", "b")

    after = result(sessions.reply(here, session, {"b": "Bergen", "a": "Oslo"})).session

    assert texts(after.thread.messages)[2:4] == ["tool: Oslo", "tool: Bergen"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Oslo", "wrong_status"),
        ({"a": "x"}, "wrong_status"),
        ({"a": "x", "b": "y", "c": "z"}, "unknown_tool_call_id"),
    ],
)
def test_an_answer_that_fits_no_question_is_refused(answer: Any, reason: str) -> None:
    """Before anything is sent."""
    here, session = asking("a", "b")

    with pytest.raises(SessionError) as caught:
        sessions.reply(here, session, answer)
    assert caught.value.reason == reason
    assert len(fake_of(here).requests) == 1


def test_answers_by_id_need_questions() -> None:
    """In a session that asked nothing they mean nothing."""
    with pytest.raises(SessionError, match="asked nothing"):
        sessions.reply(engine(["a"]), idle(), {"a": "Oslo"})


def test_a_failed_session_takes_a_reply() -> None:
    """Its thread can be sent again."""
    here = engine(["par", error("overloaded")], ["done"])

    first = result(sessions.start(here, "hi"))
    second = result(sessions.reply(here, first.session, "Again, please."))

    assert (first.session.status, second.session.status) == ("error", "completed")


# Resume.


def test_resume_goes_on_after_tool_results() -> None:
    """The model reads what the application did."""
    here, session = manual()

    done = sessions.submit_tool_result(session, "c1", {"paid": True})
    after = result(sessions.resume(here, done)).session

    assert texts(after.thread.messages) == ["user: hi", "assistant: ", 'tool: {"paid":true}', "assistant: done"]


def test_resume_asks_again_after_a_failure() -> None:
    """Nothing has to be said."""
    here = engine(["par", error("overloaded")], ["done"])

    first = result(sessions.start(here, "hi"))
    second = result(sessions.resume(here, first.session))

    assert texts(second.session.thread.messages) == ["user: hi", "assistant: done"]


def test_resume_may_say_something() -> None:
    """Which answers a question, where one waits."""
    here, session = asking()

    assert result(sessions.resume(here, session, "Oslo")).session.thread.messages[2].text == "Oslo"


def test_resume_without_an_answer_is_refused() -> None:
    """A question waits; the message says what is allowed."""
    here, session = asking()

    with pytest.raises(SessionError, match="'awaiting_user' and does not allow `resume`; allowed: reply"):
        sessions.resume(here, session)


def test_resume_goes_on_after_max_turns() -> None:
    """The model reads the results of its last tools."""
    here = engine([call("look")], ["done"], tools=[giving(1)])

    first = result(sessions.start(here, "hi", max_turns=1))
    second = result(sessions.resume(here, first.session))

    assert (first.session.last_halt, second.session.status) == (LastHalt(reason="max_turns"), "completed")


# Step.


def test_step_gives_a_step_result() -> None:
    """And a session that is idle while the model has not finished."""
    here = engine([call("look")], ["done"], tools=[giving(1)])

    first = result(sessions.step(here, idle()))
    second = result(sessions.step(here, first.session))

    assert isinstance(first.result, StepResult)
    assert (first.session.status, second.session.status) == ("idle", "completed")
    assert texts(second.session.thread.messages) == ["user: hi", "assistant: ", "tool: 1", "assistant: done"]


@pytest.mark.parametrize(
    ("given", "options", "status"),
    [
        (AskUser("?"), {}, "awaiting_user"),
        (Halt("mine"), {}, "completed"),
        (ValueError("no"), {"on_tool_error": "halt"}, "error"),
        (1, {"mode": "manual"}, "awaiting_tools"),
    ],
)
def test_what_halts_a_step_halts_the_session(given: Any, options: dict[str, Any], status: str) -> None:
    """As it would a chat's."""
    turn = result(sessions.step(engine([call("look")], tools=[giving(given)]), idle(), **options))

    assert turn.session.status == status


def test_a_tool_error_is_kept_on_the_session() -> None:
    """Whoever loads it can say what went wrong."""
    turn = result(sessions.start(engine([call("look")], tools=[giving(ValueError("no"))]), "hi", on_tool_error="halt"))

    assert turn.session.last_halt is not None
    assert turn.session.last_halt.failure is not None
    assert turn.session.last_halt.failure.message == "Tool 'look' raised ValueError: no"


# Status.


def in_status(status: SessionStatus) -> Session:
    """A session of that status, with what it needs."""
    waits: dict[str, Any] = {
        "awaiting_user": {"pending_questions": (PendingQuestion(tool_call_id="q", tool_name="ask", question="?"),)},
        "awaiting_tools": {"pending_tool_calls": (call("pay"),)},
    }
    return idle(status=status, **waits.get(status, {}))


OPERATIONS: list[Operation] = ["start", "reply", "resume", "step", "submit_tool_result"]
LEGAL: dict[SessionStatus, str] = {
    "idle": "start reply resume step",
    "completed": "start reply resume step",
    "cancelled": "start reply resume step",
    "error": "reply resume step",
    "awaiting_user": "reply",
    "awaiting_tools": "submit_tool_result",
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("status", LEGAL)
def test_each_status_allows_its_operations(status: SessionStatus, operation: Operation) -> None:
    """And refuses the others by naming those it allows."""
    session = in_status(status)

    if operation in LEGAL[status].split():
        require(session, operation)
        return
    with pytest.raises(SessionError, match=f"allowed: {', '.join(LEGAL[status].split())}") as caught:
        require(session, operation)
    assert caught.value.reason == "wrong_status"


CALLS: dict[str, Callable[[Engine, Session], Any]] = {
    "start": lambda here, session: sessions.start(here, session),
    "stream_start": lambda here, session: sessions.stream_start(here, session),
    "reply": lambda here, session: sessions.reply(here, session, "x"),
    "stream_reply": lambda here, session: sessions.stream_reply(here, session, "x"),
    "resume": lambda here, session: sessions.resume(here, session),
    "stream_resume": lambda here, session: sessions.stream_resume(here, session),
    "step": lambda here, session: sessions.step(here, session),
    "stream_step": lambda here, session: sessions.stream_step(here, session),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_status_is_told_at_the_call(name: str) -> None:
    """Of both functions of each operation."""
    with pytest.raises(SessionError, match="'c1'"):
        CALLS[name](engine(["a"]), in_status("awaiting_tools"))


def test_calls_that_wait_come_before_a_question() -> None:
    """Nothing can be sent while they are unanswered; then the question can be answered."""
    here = engine([call("pay", "m"), call("look", "q")], ["done"], tools=[PAY, giving(AskUser("Which?"))])
    session = result(sessions.start(here, "hi")).session

    assert session.status == "awaiting_user"
    with pytest.raises(SessionError, match="submit_tool_result"):
        sessions.reply(here, session, "Oslo")
    paid = sessions.submit_tool_result(session, "m", "paid")
    after = result(sessions.reply(here, paid, "Oslo")).session

    assert (paid.status, after.status) == ("awaiting_user", "completed")
    assert texts(after.thread.messages)[2:4] == ["tool: paid", "tool: Oslo"]


# Context.


def knowing(known: list[dict[str, Any]]) -> Engine:
    """An engine with context, whose tool notes what it knows."""

    @tool
    def look(ctx: ToolContext) -> None:
        known.append({**ctx.context, "session": ctx.session_id})

    return engine([call("look")], ["done"], tools=[look], context={"a": "engine", "b": "engine"})


@pytest.mark.parametrize(
    ("session", "given", "expected"),
    [
        ({}, {}, {"a": "engine", "b": "engine"}),
        ({"b": "session"}, {}, {"a": "engine", "b": "session"}),
        ({"b": "session"}, {"context": {"b": "call"}}, {"a": "engine", "b": "call"}),
    ],
)
def test_context_is_merged(session: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]) -> None:
    """F-22: engine, session, call; an empty one hides nothing."""
    known: list[dict[str, Any]] = []

    result(sessions.start(knowing(known), idle(context=session), **given))

    assert known == [{**expected, "session": "s"}]


# Persistence.


def reloaded(session: Session) -> Session:
    """The session, saved and loaded."""
    return Session.model_validate_json(session.model_dump_json())


def test_a_loaded_session_sends_the_same_request() -> None:
    """Byte for byte, after tools, a question and an answer."""

    def conversation(keep: Callable[[Session], Session]) -> list[str]:
        turns = [[call("look"), "Hm."], [call("ask")], ["done"], ["bye"]]
        here = engine(*turns, tools=[giving({"b": 1, "a": [2.5, None]}), giving(AskUser("Sure?"), "ask")])
        session = keep(result(sessions.start(here, "hi", id="s")).session)
        session = keep(result(sessions.reply(here, session, "Yes")).session)
        keep(result(sessions.reply(here, session, "Bye")).session)
        return [request.model_dump_json() for request in fake_of(here).requests]

    assert conversation(reloaded) == conversation(lambda session: session)


def test_submitting_in_any_order_sends_the_same_request() -> None:
    """The provider's cache finds it."""

    def conversation(*order: str) -> str:
        here, session = manual("a", "b", "c")
        session = sessions.submit_tool_results(session, [(one, one) for one in order])
        result(sessions.resume(here, session))
        return fake_of(here).requests[-1].model_dump_json()

    assert conversation("c", "a", "b") == conversation("a", "b", "c")


def test_runs_do_not_write_into_the_notes() -> None:
    """F-23: not after questions, halts and failures."""
    here, session = asking()

    after = result(sessions.reply(here, session.replace(metadata={"mine": 1}), "Oslo")).session

    assert after.metadata == {"mine": 1}


def test_the_engine_is_not_stored() -> None:
    """Nor anything of it."""
    _here, session = asking()

    assert set(session.model_dump()) == {
        *("id", "thread", "status", "pending_tool_calls", "pending_questions", "context", "metadata", "last_halt")
    }
    assert "fake" not in session.model_dump_json()


def test_sessions_can_be_awaited() -> None:
    """They are observables like the rest."""

    async def main() -> Turn:
        return await sessions.start(engine(["a"]), "hi")

    assert asyncio.run(main()).session.status == "completed"


def test_sessions_can_block() -> None:
    """With `run()`."""
    assert sessions.start(engine(["a"]), "hi").run(timeout=30).session.status == "completed"


def test_a_message_of_another_role_is_just_added() -> None:
    """It is no answer of the user's."""
    session = idle(status="awaiting_user", pending_questions=in_status("awaiting_user").pending_questions)

    said: Message = system("Be brief.")
    first = events(sessions.stream_reply(engine(["a"]), session, said))[0]

    assert isinstance(first, ev.SessionStarted)
    assert first.session.thread.messages[-1] == said


def test_a_thread_that_ends_with_an_answer_can_be_stepped() -> None:
    """Some models go on with what they have begun."""
    session = Session(id="s", thread=Thread(messages=[user("hi"), assistant("It is")]))

    assert result(sessions.step(engine([" cold."]), session)).session.status == "completed"
