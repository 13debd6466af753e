"""Threads: how they grow, and which calls in them wait for an answer."""

from typing import Any

import pytest

from allm_rx.data.messages import Message, assistant, tool_result, user
from allm_rx.data.parts import ToolCall, ToolResultPart
from allm_rx.data.threads import Thread, unanswered
from allm_rx.errors import ValidationError


def calls(*ids: str) -> Message:
    """An assistant message that makes calls."""
    return assistant([ToolCall(id=call_id, name="f") for call_id in ids])


def waiting(*messages: Message) -> list[str]:
    """The ids of the calls that nothing answers."""
    return [call.id for call in Thread(messages=messages).unanswered_calls]


def test_appending_gives_a_new_thread() -> None:
    """The old one is what it was."""
    before = Thread(messages=[user("a")], metadata={"topic": "x"})

    after = before.append(assistant("b"), user("c"))

    assert before.messages == (user("a"),)
    assert after == Thread(messages=(user("a"), assistant("b"), user("c")), metadata={"topic": "x"})


def test_appending_nothing_gives_an_equal_thread() -> None:
    """No message is no change."""
    assert Thread().append() == Thread()


def test_only_messages_can_be_appended() -> None:
    """A thread that holds something else would fail much later."""
    wrong: Any = "hi"

    with pytest.raises(ValidationError) as caught:
        Thread().append(user("a"), wrong)

    assert caught.value.reason == "invalid_thread"
    assert caught.value.errors[0].path == ("messages", 1)


def test_a_call_waits_until_a_tool_message_answers_it() -> None:
    """What has no result is open, in the order of the calls."""
    assert waiting(user("q"), calls("a", "b")) == ["a", "b"]
    assert waiting(user("q"), calls("a", "b"), tool_result("a", "1")) == ["b"]
    assert waiting(user("q"), calls("a", "b"), tool_result("b", "2"), tool_result("a", "1")) == []


def test_a_call_that_is_followed_by_another_answer_still_waits() -> None:
    """F-32: open calls are found anywhere in the thread, not only at its end."""
    assert waiting(calls("a"), user("never mind"), calls("b"), tool_result("b", "2"), assistant("done")) == ["a"]


def test_ids_belong_to_their_answer() -> None:
    """A server that counts from one in each answer does not answer the first call with the second result."""
    assert waiting(calls("call_0"), calls("call_0"), tool_result("call_0", "x")) == ["call_0"]
    assert [index for index, _ in unanswered([calls("call_0"), calls("call_0"), tool_result("call_0", "x")])] == [0]
    assert waiting(calls("call_0"), tool_result("call_0", "x"), calls("call_0"), tool_result("call_0", "y")) == []


def test_one_result_answers_one_of_two_calls_with_the_same_id() -> None:
    """A duplicate id hides no call."""
    assert waiting(calls("a", "a")) == ["a", "a"]
    assert waiting(calls("a", "b", "a"), tool_result("a", "1")) == ["b", "a"]


def test_results_in_one_message_answer_all_their_calls() -> None:
    """A tool message may hold the results of a whole turn."""
    results = Message(role="tool", content=(ToolResultPart(id="a"), ToolResultPart(id="b")))

    assert waiting(calls("a", "b"), results) == []


def test_a_result_before_its_call_answers_nothing() -> None:
    """Results follow."""
    assert waiting(tool_result("a", "1"), calls("a")) == ["a"]


def test_only_a_tool_message_answers() -> None:
    """A result in a message of somebody else goes nowhere."""
    assert waiting(calls("a"), Message(role="user", content=(ToolResultPart(id="a"),))) == ["a"]


def test_calls_the_provider_ran_do_not_wait() -> None:
    """Their results are the provider's business."""
    assert waiting(assistant([ToolCall(id="a", name="web_search", provider_executed=True)])) == []


def test_a_call_with_wrong_arguments_waits_too() -> None:
    """It is not run, but the model has to be told."""
    assert waiting(assistant([ToolCall(id="a", name="f", error="not JSON")])) == ["a"]
