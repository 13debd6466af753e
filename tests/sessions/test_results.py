"""Results of tools that the application runs itself."""

from typing import Any

import pytest
from pydantic import BaseModel

from allm_rx import sessions
from allm_rx.data.messages import user
from allm_rx.data.parts import ImagePart, ToolCall
from allm_rx.data.sessions import Session
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool
from allm_rx.errors import SessionError
from tests.orchestration import call, engine, result


def waiting(*ids: str) -> Session:
    """A session in which these calls wait."""
    here = engine([call("pay", one) for one in ids], tools=[Tool(name="pay")])
    return result(sessions.start(here, "hi", id="s")).session


class Receipt(BaseModel):
    paid: bool


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("paid", "paid"),
        ({"paid": True}, '{"paid":true}'),
        (Receipt(paid=True), '{"paid":true}'),
        (None, "null"),
    ],
)
def test_a_result_is_written_as_a_tools_is(given: Any, text: str) -> None:
    """Text, JSON values and models."""
    [message] = sessions.submit_tool_result(waiting("a"), "a", given).thread.messages[-1:]

    assert (message.role, message.tool_call_id, message.name, message.text) == ("tool", "a", "pay", text)


def test_a_result_may_be_a_picture() -> None:
    """As a tool's may."""
    picture = ImagePart(file_id="f")

    session = sessions.submit_tool_result(waiting("a"), "a", picture)

    assert session.thread.messages[-1].tool_results[0].content == (picture,)


def test_a_failure_is_said_to_be_one() -> None:
    """Some providers tell the model."""
    session = sessions.submit_tool_result(waiting("a"), "a", "No money.", is_error=True)

    assert session.thread.messages[-1].tool_results[0].is_error


def test_the_last_result_makes_the_session_idle() -> None:
    """Until then it waits for the others."""
    first = sessions.submit_tool_result(waiting("a", "b"), "b", "x")
    second = sessions.submit_tool_result(first, "a", "y")

    assert [(one.status, [waits.id for waits in one.pending_tool_calls]) for one in (first, second)] == [
        ("awaiting_tools", ["a"]),
        ("idle", []),
    ]


def test_the_session_before_is_unchanged() -> None:
    """It is a value; a result that was not saved was not submitted."""
    session = waiting("a")
    sessions.submit_tool_result(session, "a", "x")

    assert [one.id for one in session.pending_tool_calls] == ["a"]


def test_a_call_that_does_not_wait_is_refused() -> None:
    """The message names those that do."""
    with pytest.raises(SessionError, match="'x' is pending in session 's'; pending: 'a', 'b'") as caught:
        sessions.submit_tool_result(waiting("a", "b"), "x", 1)

    assert caught.value.reason == "unknown_tool_call_id"


def test_a_session_that_waits_for_nothing_is_refused() -> None:
    """The status says so."""
    with pytest.raises(SessionError, match="does not allow `submit_tool_result`"):
        sessions.submit_tool_result(Session(id="s", thread=Thread(messages=[user("hi")])), "a", 1)


def test_what_cannot_be_written_is_refused() -> None:
    """Here the application can be told by an exception."""
    with pytest.raises(Exception, match="has no JSON"):
        sessions.submit_tool_result(waiting("a"), "a", object())


def test_several_results_are_submitted_together() -> None:
    """In any order."""
    session = sessions.submit_tool_results(waiting("a", "b"), [("b", 2), ("a", 1)])

    assert [message.text for message in session.thread.messages[-2:]] == ["1", "2"]


def test_of_several_results_all_or_none_are_submitted() -> None:
    """An error leaves the session as it was."""
    session = waiting("a", "b")

    with pytest.raises(SessionError):
        sessions.submit_tool_results(session, [("a", 1), ("x", 2)])
    assert len(session.pending_tool_calls) == 2


def test_no_results_change_nothing() -> None:
    """Of any session."""
    session = Session(id="s")

    assert sessions.submit_tool_results(session, []) is session


def test_the_same_id_twice_is_one_result() -> None:
    """F-21: the second is refused, and nothing crashes."""
    session = Session(
        id="s",
        status="awaiting_tools",
        thread=Thread(messages=[user("hi")]),
        pending_tool_calls=(ToolCall(id="a", name="pay"), ToolCall(id="a", name="pay")),
    )

    assert sessions.submit_tool_result(session, "a", 1).pending_tool_calls == ()
