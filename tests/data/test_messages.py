"""Messages: however one is written, it has one form."""

from typing import Any

import pytest

from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import ImagePart, ReasoningPart, TextPart, ToolCall, ToolResultPart
from allm_rx.errors import ValidationError

HI = TextPart(text="hi")
CAT = ImagePart(url="https://x/cat.png")
SUNNY = ToolResultPart(id="c1", name="weather", content=(TextPart(text="sunny"),))


@pytest.mark.parametrize(
    ("message", "role"),
    [(system("hi"), "system"), (user("hi"), "user"), (assistant("hi"), "assistant")],
)
def test_a_string_becomes_one_text_part(message: Message, role: str) -> None:
    """The short form and the long form are the same message."""
    assert message == Message.model_validate({"role": role, "content": (HI,)})


def test_strings_and_parts_mix_in_order() -> None:
    """Text around pictures needs no part classes."""
    assert user(["hi", CAT, "bye"]).content == (HI, CAT, TextPart(text="bye"))


def test_content_may_be_any_iterable() -> None:
    """What can be iterated once is enough."""
    for items in (["hi", CAT], ("hi", CAT), iter(["hi", CAT]), {"hi": 1, CAT: 2}.keys()):
        assert user(items).content == (HI, CAT)


@pytest.mark.parametrize("role", ["user", "tool"])
@pytest.mark.parametrize("wrong", [5, b"hi", {"type": "text", "text": "hi"}, HI])
def test_content_that_is_no_text_and_no_parts_is_refused(wrong: Any, role: Any) -> None:
    """A part alone is not a list of parts, and bytes are not text."""
    with pytest.raises(ValidationError) as caught:
        Message(role=role, content=wrong)

    assert [issue.path for issue in caught.value.errors] == [("content",)]


def test_a_part_alone_is_told_to_go_into_a_list() -> None:
    """The commonest slip with pictures has its own sentence."""
    alone: Any = CAT

    with pytest.raises(ValidationError, match="content: `ImagePart` is one part: put it into a list"):
        user(alone)


def test_an_assistant_that_says_nothing_has_no_parts() -> None:
    """An empty answer is empty; providers refuse an empty block."""
    assert assistant("").content == ()
    assert assistant().content == ()


def test_a_user_has_a_name() -> None:
    """Several people can talk."""
    assert user("hi", name="Ada").name == "Ada"


@pytest.mark.parametrize(
    "written",
    [
        tool_result("c1", "sunny", name="weather"),
        tool_result("c1", [TextPart(text="sunny")], name="weather"),
        Message(role="tool", tool_call_id="c1", name="weather", content="sunny"),
        Message(role="tool", tool_call_id="c1", name="weather", content=["sunny"]),
        Message(role="tool", tool_call_id="c1", name="weather", content=(SUNNY,)),
        Message(role="tool", content=[SUNNY]),
        Message(role="tool", content=iter([SUNNY])),
        Message(role="tool", name="weather", content=[SUNNY.replace(name=None)]),
        Message.model_validate({"role": "tool", "content": [SUNNY.model_dump()]}),
        Message.model_validate({"role": "tool", "name": "weather", "content": [{**SUNNY.model_dump(), "name": None}]}),
    ],
)
def test_a_tool_message_has_one_form(written: Message) -> None:
    """A result looks the same in a thread, whoever wrote it."""
    assert dict(written) == {
        "role": "tool",
        "content": (SUNNY,),
        "name": "weather",
        "tool_call_id": "c1",
        "metadata": {},
        "provider_data": {},
    }


def test_a_tool_message_keeps_what_its_result_says() -> None:
    """Whether the tool failed is part of the result."""
    message = tool_result("c1", "no such town", is_error=True)

    assert message.tool_results == (ToolResultPart(id="c1", content=(TextPart(text="no such town"),), is_error=True),)


def test_an_empty_result_is_a_result() -> None:
    """A tool that has nothing to say has answered."""
    assert Message(role="tool", tool_call_id="c1").tool_results == (ToolResultPart(id="c1"),)


def test_one_message_may_hold_several_results() -> None:
    """Then each has its own id and name, and the message has none."""
    other = ToolResultPart(id="c2", name="time", content=(TextPart(text="noon"),))

    message = Message(role="tool", content=(SUNNY, other))

    assert message.tool_results == (SUNNY, other)
    assert (message.tool_call_id, message.name) == (None, None)
    assert message.text == "sunnynoon"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tool_call_id": "c2"}, "`tool_call_id` is 'c2', but the result in `content` has the id 'c1': leave one out"),
        ({"name": "time"}, "`name` is 'time', but the result in `content` has the name 'weather': leave one out"),
    ],
)
def test_a_message_and_its_result_cannot_differ(fields: dict[str, Any], told: str) -> None:
    """Which of the two a provider would get is not left to chance."""
    with pytest.raises(ValidationError) as caught:
        Message(role="tool", content=(SUNNY,), **fields)

    assert told in str(caught.value)


@pytest.mark.parametrize("fields", [{"tool_call_id": "c1"}, {"name": "weather"}])
def test_a_message_with_several_results_has_no_id_of_its_own(fields: dict[str, Any]) -> None:
    """One id cannot be that of two results."""
    with pytest.raises(ValidationError, match="2 results are in `content`: leave `tool_call_id` and `name` to each"):
        Message(role="tool", content=(SUNNY, SUNNY.replace(id="c2")), **fields)


def test_a_changed_tool_message_keeps_its_form() -> None:
    """`replace` writes a tool message like the constructor does."""
    message = tool_result("c1", "sunny", name="weather")

    assert message.replace(content="rain") == tool_result("c1", "rain", name="weather")


def test_text_joins_the_blocks_in_order() -> None:
    """What a reader sees is the text, without reasoning, calls and pictures."""
    parts = ["a", ReasoningPart(text="hm"), ToolCall(id="c", name="f"), CAT, "b"]

    message = assistant(parts)

    assert (message.text, message.reasoning) == ("ab", "hm")


def test_tool_calls_are_those_the_application_runs() -> None:
    """What the provider ran itself needs no answer."""
    ours = ToolCall(id="c1", name="weather")
    theirs = ToolCall(id="c2", name="web_search", provider_executed=True)

    assert assistant([theirs, ours]).tool_calls == (ours,)


def test_tool_results_are_those_of_the_application() -> None:
    """The result of a tool that the provider ran is content of the answer."""
    theirs = ToolResultPart(id="c2", name="web_search", content=(HI,), provider_executed=True)

    message = assistant([ToolCall(id="c2", name="web_search", provider_executed=True), theirs])

    assert message.tool_results == ()
    assert message.content[1] == theirs


def test_a_message_of_another_role_keeps_its_content() -> None:
    """Only tool messages are rewritten."""
    assert Message(role="user", tool_call_id="c1", content="hi").content == (HI,)
