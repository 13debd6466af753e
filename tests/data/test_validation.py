"""What may not be sent is told before a byte goes out: every problem, with its path and code."""

from collections.abc import Callable
from typing import Any

import pytest

from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, assistant, tool_result, user
from allm_rx.data.parts import ToolCall, ToolResultPart
from allm_rx.data.requests import AllowedTools, Request
from allm_rx.data.results import PendingQuestion
from allm_rx.data.sessions import LastHalt, Session
from allm_rx.data.threads import Thread
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.data.validation import check_request, check_session, check_thread, check_tools
from allm_rx.errors import ValidationError

Found = list[tuple[tuple[str | int, ...], str]]

F = Tool(name="f")


def calls(*ids: str) -> Message:
    """An assistant message that makes calls."""
    return assistant([ToolCall(id=call_id, name="f") for call_id in ids])


def wrong(check: Callable[[Any], None], value: object) -> Found:
    """Paths and codes of what is wrong."""
    try:
        check(value)
    except ValidationError as error:
        return [(issue.path, issue.code) for issue in error.errors]
    return []


def of_request(*messages: Message, **options: Any) -> Found:
    """What is wrong with a request."""
    return wrong(check_request, Request(messages=messages or (user("hi"),), **options))


def of_thread(*messages: Message) -> Found:
    """What is wrong with a thread."""
    return wrong(check_thread, Thread(messages=messages))


def of_session(**fields: Any) -> Found:
    """What is wrong with a session."""
    return wrong(check_session, Session(id="s", **fields))


def test_a_good_request_is_accepted() -> None:
    """Nothing is wrong with what is right."""
    thread = (user("q"), calls("a", "b"), tool_result("a", "1"), tool_result("b", "2"), assistant("done"), user("more"))

    assert of_request(*thread, tools=(F,), tool_choice="f", temperature=0, top_p=1, max_tokens=1) == []


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"temperature": -0.1}, [(("temperature",), "out_of_range")]),
        ({"temperature": 2.1}, [(("temperature",), "out_of_range")]),
        ({"temperature": float("nan")}, [(("temperature",), "out_of_range")]),
        ({"temperature": 2}, []),
        ({"top_p": -0.1}, [(("top_p",), "out_of_range")]),
        ({"top_p": 1.1}, [(("top_p",), "out_of_range")]),
        ({"max_tokens": 0}, [(("max_tokens",), "must_be_positive")]),
        ({"max_tokens": -5}, [(("max_tokens",), "must_be_positive")]),
        ({"tool_choice": "g", "tools": (F,)}, [(("tool_choice",), "unknown_tool")]),
        ({"tool_choice": "required"}, [(("tool_choice",), "unknown_tool")]),
        ({"tool_choice": "auto"}, []),
        ({"tool_choice": "none"}, []),
        ({"tool_choice": "required", "tools": (F,)}, []),
        ({"tool_choice": AllowedTools(names=("f", "g")), "tools": (F,)}, [(("tool_choice", "names", 1), "unknown_tool")]),
        ({"tool_choice": AllowedTools(names=("auto",)), "tools": (F,)}, [(("tool_choice", "names", 0), "unknown_tool")]),
        ({"tool_choice": "search", "tools": (provider_tool("gemini", {"name": "search"}),)}, []),
    ],
)
def test_options_are_checked(options: dict[str, Any], found: Found) -> None:
    """Numbers have ranges, and a choice is among the tools."""
    assert of_request(**options) == found


def test_a_request_needs_a_message() -> None:
    """Nothing to answer is nothing to send."""
    assert wrong(check_request, Request(messages=())) == [(("messages",), "empty")]


@pytest.mark.parametrize(
    ("tool", "found"),
    [
        (Tool(name=""), [(("tools", 0, "name"), "empty")]),
        (Tool(name="auto"), [(("tools", 0, "name"), "reserved_tool_name")]),
        (Tool(name="none"), [(("tools", 0, "name"), "reserved_tool_name")]),
        (Tool(name="required"), [(("tools", 0, "name"), "reserved_tool_name")]),
        (Tool(name="get weather"), [(("tools", 0, "name"), "invalid_format")]),
        (Tool(name="wetter_für_oslo"), [(("tools", 0, "name"), "invalid_format")]),
        (Tool(name="f\n"), [(("tools", 0, "name"), "invalid_format")]),
        (Tool(name="f" * 65), [(("tools", 0, "name"), "invalid_format")]),
        (Tool(name="F" * 64), []),
        (Tool(name="a-b_9"), []),
        (Tool(name="f", parameters={"type": "string"}), [(("tools", 0, "parameters"), "not_an_object")]),
        (Tool(name="f", parameters={}), []),
    ],
)
def test_tools_are_checked(tool: Tool, found: Found) -> None:
    """A tool has a name that every provider takes, and its arguments are an object."""
    assert wrong(check_tools, (tool,)) == found
    assert of_request(tools=(tool,)) == found


def test_tools_of_the_provider_are_its_own_business() -> None:
    """Their names follow its rules."""
    assert wrong(check_tools, (provider_tool("gemini", {"name": "url context!"}),)) == []


def test_names_of_tools_are_unique() -> None:
    """Each duplicate name is told once, also when one of the tools is the provider's."""
    search = provider_tool("anthropic.messages", {"type": "web_search_20250305", "name": "web_search"})

    found = wrong(check_tools, (F, F, F, Tool(name="web_search"), search))

    assert found == [(("tools",), "duplicate_name"), (("tools",), "duplicate_name")]


def test_several_tools_of_the_provider_may_be_of_one_type() -> None:
    """Each MCP server is an entry of its own."""
    servers = [provider_tool("openai.responses", {"type": "mcp", "server_label": label}) for label in "ab"]

    assert wrong(check_tools, servers) == []


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (Message(role="tool", content="sunny"), [(("messages", 1, "tool_call_id"), "required")]),
        (Message(role="user", content=(ToolCall(id="a", name="f"),)), [(("messages", 1, "content"), "invalid_part_type")]),
        (Message(role="user", content=(ToolResultPart(id="a"),)), [(("messages", 1, "content"), "invalid_part_type")]),
        (Message(role="assistant", content=(ToolResultPart(id="a"),)), [(("messages", 1, "content"), "invalid_part_type")]),
        (Message(role="assistant", content=(ToolResultPart(id="a", provider_executed=True),)), []),
        (Message(role="system", content=()), []),
        (Message(role="user", content=""), []),
    ],
)
def test_messages_are_checked(message: Message, found: Found) -> None:
    """Calls and results stand where they belong; an empty message is for the provider to judge."""
    assert of_request(user("hi"), message) == found
    assert of_thread(user("hi"), message) == found


def test_ids_of_calls_are_unique_within_their_message() -> None:
    """F-21: of two calls with one id, one could not be answered."""
    assert of_thread(calls("a", "a", "b"), tool_result("a", "1"), tool_result("b", "2")) == [
        (("messages", 0, "content"), "duplicate_id"),
        (("messages", 0, "content"), "unanswered_call"),
    ]


def test_ids_of_calls_may_repeat_between_answers() -> None:
    """Some servers count from one in each answer."""
    assert of_thread(calls("call_0"), tool_result("call_0", "1"), calls("call_0"), tool_result("call_0", "2")) == []


def test_a_result_of_an_earlier_answer_comes_too_late() -> None:
    """Results belong to the assistant message before them."""
    found = of_thread(calls("a"), assistant("well"), tool_result("a", "1"))

    assert found == [(("messages", 2, "tool_call_id"), "unknown_call"), (("messages", 0, "content"), "unanswered_call")]


@pytest.mark.parametrize(
    ("thread", "found"),
    [
        ([tool_result("a", "1")], [(("messages", 0, "tool_call_id"), "unknown_call")]),
        ([calls("a"), tool_result("b", "1"), tool_result("a", "1")], [(("messages", 1, "tool_call_id"), "unknown_call")]),
        ([calls("a"), tool_result("a", "1"), tool_result("a", "2")], [(("messages", 2, "tool_call_id"), "duplicate_answer")]),
        ([user("q"), calls("a")], [(("messages", 1, "content"), "unanswered_call")]),
        ([calls("a"), user("never mind"), assistant("ok")], [(("messages", 0, "content"), "unanswered_call")]),
        (
            [calls("a", "b"), tool_result("b", "2"), calls("a", "c"), tool_result("a", "1")],
            [(("messages", 0, "content"), "unanswered_call"), (("messages", 2, "content"), "unanswered_call")],
        ),
        ([assistant([ToolCall(id="a", name="f", provider_executed=True)])], []),
        ([], []),
    ],
)
def test_every_call_is_answered_once(thread: list[Message], found: Found) -> None:
    """F-32: what a provider would refuse is refused here, wherever in the thread it is."""
    assert of_thread(*thread) == found


def test_everything_wrong_is_told_in_a_stable_order() -> None:
    """Messages, linkage, tools, choice, numbers: the same request makes the same list."""
    messages = (Message(role="tool", content="x"), calls("a"))
    options: dict[str, Any] = {"tools": (Tool(name=""), F, F), "tool_choice": "g", "temperature": 9, "max_tokens": 0}

    assert of_request(*messages, **options) == [
        (("messages", 0, "tool_call_id"), "required"),
        (("messages", 1, "content"), "unanswered_call"),
        (("tools", 0, "name"), "empty"),
        (("tools",), "duplicate_name"),
        (("tool_choice",), "unknown_tool"),
        (("temperature",), "out_of_range"),
        (("max_tokens",), "must_be_positive"),
    ]


@pytest.mark.parametrize(
    ("messages", "options", "told"),
    [
        ((), {}, "messages: there is no message: pass a text or at least one message"),
        (
            (user("q"), calls("a")),
            {},
            "messages[1].content: the call 'a' of tool 'f' has no result: add `tool_result('a', ...)` after it",
        ),
        (
            (user("q"), tool_result("a", "1")),
            {},
            "messages[1].tool_call_id: the assistant message before it made no call 'a': use the `id` of one of its calls",
        ),
        (
            (Message(role="tool", content="x"),),
            {},
            "messages[0].tool_call_id: a tool message answers a call: set `tool_call_id`, or use `tool_result(...)`",
        ),
        (
            (user("q"),),
            {"tool_choice": "g", "tools": (F,)},
            "tool_choice: 'g' is not among the request's tools: use one of them (f), 'auto', 'none' or 'required'",
        ),
        ((user("q"),), {"temperature": 9}, "temperature: 9.0 is out of range: use 0 to 2"),
        (
            (user("q"),),
            {"tools": (Tool(name="a b"),)},
            "tools[0].name: 'a b' is no tool name: use 1 to 64 of A-Z a-z 0-9 _ -",
        ),
    ],
)
def test_a_message_says_where_what_and_what_to_do(messages: Any, options: dict[str, Any], told: str) -> None:
    """Who reads the traceback can mend the call."""
    with pytest.raises(ValidationError) as caught:
        check_request(Request(messages=messages, **options))

    assert str(caught.value) == told


def test_a_name_of_any_length_makes_a_short_message() -> None:
    """No message quotes more than 80 characters of a value."""
    long = "x" * 1000
    request = Request(messages=(calls(long), tool_result(long + "y", "1")), tools=(Tool(name=long),), tool_choice=long + "z")

    with pytest.raises(ValidationError) as caught:
        check_request(request)

    assert all("x" * 81 not in issue.message for issue in caught.value.errors)


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        (check_request, Request(messages=()), "invalid_request"),
        (check_thread, Thread(messages=(calls("a"),)), "invalid_thread"),
        (check_tools, (Tool(name=""),), "invalid_tool"),
        (check_session, Session(id="s", status="error"), "invalid_session"),
    ],
)
def test_the_reason_says_what_was_checked(check: Callable[[Any], None], value: object, reason: str) -> None:
    """A program can tell a wrong thread from a wrong request."""
    with pytest.raises(ValidationError) as caught:
        check(value)

    assert caught.value.reason == reason


QUESTION = PendingQuestion(tool_call_id="a", tool_name="ask", question="Where?")
HALT = LastHalt(reason="error", failure=Failure(kind="AdapterError", reason="timeout", message="late"))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"status": "idle"}, []),
        ({"status": "completed"}, []),
        ({"status": "cancelled"}, []),
        ({"status": "awaiting_user"}, [(("pending_questions",), "required_for_status")]),
        ({"status": "awaiting_user", "pending_questions": (QUESTION,)}, []),
        ({"status": "awaiting_tools"}, [(("pending_tool_calls",), "required_for_status")]),
        ({"status": "error"}, [(("last_halt", "failure"), "required_for_status")]),
        ({"status": "error", "last_halt": LastHalt(reason="error")}, [(("last_halt", "failure"), "required_for_status")]),
        ({"status": "error", "last_halt": HALT}, []),
    ],
)
def test_a_session_holds_what_its_status_says(fields: dict[str, Any], found: Found) -> None:
    """A session that waits for nothing could never go on."""
    assert of_session(**fields) == found


def test_the_thread_of_a_session_is_checked_too() -> None:
    """The path begins at the session."""
    thread = Thread(messages=(calls("a"), user("q"), Message(role="tool", content="x")))

    assert of_session(thread=thread) == [
        (("thread", "messages", 2, "tool_call_id"), "required"),
        (("thread", "messages", 0, "content"), "unanswered_call"),
    ]


def test_a_session_that_awaits_tools_may_have_open_calls() -> None:
    """They are the pending ones of its last answer; any other open call is wrong."""
    waiting: dict[str, Any] = {"status": "awaiting_tools", "pending_tool_calls": (ToolCall(id="a", name="f"),)}
    answered = (calls("a"), tool_result("a", "1"))

    assert of_session(thread=Thread(messages=(*answered, calls("a"))), **waiting) == []
    assert of_session(thread=Thread(messages=(calls("a"), calls("a", "b"))), **waiting) == [
        (("thread", "messages", 0, "content"), "unanswered_call"),
        (("thread", "messages", 1, "content"), "unanswered_call"),
    ]
