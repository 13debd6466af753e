"""Answers, where the conversation waits for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.data.answers import answered, with_result
from allm_rx.data.messages import Message, assistant, tool_result, user
from allm_rx.data.parts import ImagePart, TextPart, ToolCall
from allm_rx.data.results import AWAITING_USER, PendingQuestion, answers_to
from allm_rx.data.threads import Thread
from allm_rx.errors import SessionError

PICTURE = ImagePart(file_id="f")


def calls(*ids: str) -> Message:
    return assistant([ToolCall(id=one, name="ask") for one in ids])


def asked(*ids: str) -> Thread:
    """A thread in which these calls wait for the user."""
    return Thread(messages=[user("hi"), calls(*ids), *(tool_result(one, AWAITING_USER, name="ask") for one in ids)])


def question(call_id: str) -> PendingQuestion:
    return PendingQuestion(tool_call_id=call_id, tool_name="ask", question="?")


def results(thread: Thread) -> list[tuple[str | None, str]]:
    return [(message.tool_call_id, message.text) for message in thread.messages if message.role == "tool"]


def test_an_answer_takes_the_placeholders_place() -> None:
    """F-31: nothing is added, nothing else is changed."""
    done = answered(asked("a", "b"), {"b": "yes"})

    assert results(done) == [("a", AWAITING_USER), ("b", "yes")]
    assert len(done.messages) == 4


def test_an_answer_may_be_a_picture() -> None:
    """A user may show what was asked for."""
    done = answered(asked("a"), {"a": [TextPart(text="This:"), PICTURE]})

    assert done.messages[-1].tool_results[0].content == (TextPart(text="This:"), PICTURE)


def test_an_answer_to_nobody_is_refused() -> None:
    """The message names the id."""
    with pytest.raises(SessionError, match="'x'") as caught:
        answered(asked("a"), {"x": "yes"})

    assert caught.value.reason == "unknown_tool_call_id"


def test_only_the_last_turn_is_answered() -> None:
    """Ids are unique within an answer, not within a conversation."""
    thread = Thread(messages=[*asked("a").messages, *asked("a").messages])

    assert results(answered(thread, {"a": "yes"})) == [("a", AWAITING_USER), ("a", "yes")]


# Whose answer.


def test_one_question_takes_a_plain_answer() -> None:
    """There is no other it could be for."""
    assert answers_to([question("a")], "yes") == {"a": "yes"}


def test_several_questions_take_answers_by_id() -> None:
    """Each its own."""
    assert answers_to([question("a"), question("b")], {"a": "yes", "b": "no"}) == {"a": "yes", "b": "no"}


@pytest.mark.parametrize(("answer", "missing"), [("yes", "'a', 'b'"), ({"a": "yes"}, "'b'"), ({}, "'a', 'b'")])
def test_a_question_without_an_answer_is_refused(answer: str | dict[str, str], missing: str) -> None:
    """The message names all that are missing."""
    with pytest.raises(SessionError, match=f"missing: {missing}"):
        answers_to([question("a"), question("b")], answer)


# Results of calls.


@given(st.permutations(["a", "b", "c"]))
def test_results_stand_in_the_order_of_the_calls(order: list[str]) -> None:
    """However they come in, the same request is sent."""
    thread = Thread(messages=[user("hi"), calls("a", "b", "c"), tool_result("b", "2")])

    for one in order:
        if one != "b":
            thread = with_result(thread, tool_result(one, one))

    assert [call_id for call_id, _ in results(thread)] == ["a", "b", "c"]


def test_a_result_comes_right_after_its_calls() -> None:
    """Also when something was said since."""
    thread = with_result(Thread(messages=[calls("a"), user("wait")]), tool_result("a", "1"))

    assert [message.role for message in thread.messages] == ["assistant", "tool", "user"]


def test_notes_of_the_thread_are_kept() -> None:
    """They are the application's."""
    assert with_result(Thread(messages=[calls("a")], metadata={"n": 1}), tool_result("a", "1")).metadata == {"n": 1}
