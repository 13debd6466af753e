"""What is wrong with data is told with its path, its code, and no more of the value than a line holds."""

from typing import Any, cast

import pydantic
import pytest

from allm_rx.data.messages import Message
from allm_rx.data.model import Data
from allm_rx.data.requests import Request
from allm_rx.data.responses import Response
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.translation import shown
from allm_rx.errors import Issue, ValidationError

Path = tuple[str | int, ...]

USER: dict[str, Any] = {"role": "user"}
TEXT: dict[str, Any] = {"type": "text", "text": "hi"}

PATHS: list[tuple[type[Data], dict[str, Any], Path, str]] = [
    (Message, {}, ("role",), "missing"),
    (Message, {"role": "robot"}, ("role",), "literal_error"),
    (Message, USER | {"content": 5}, ("content",), "tuple_type"),
    (Message, USER | {"content": [TEXT, 5]}, ("content", 1), "model_attributes_type"),
    (Message, USER | {"content": [TEXT | {"text": 5}]}, ("content", 0, "text"), "string_type"),
    (Message, USER | {"content": [{"type": "text"}]}, ("content", 0, "text"), "missing"),
    (Message, USER | {"content": [TEXT | {"provider_data": 5}]}, ("content", 0, "provider_data"), "dict_type"),
    (Message, USER | {"content": [{"type": "image"}]}, ("content", 0), "value_error"),
    (Message, USER | {"content": [{"type": "smell"}]}, ("content", 0), "union_tag_invalid"),
    (Message, USER | {"content": [{"text": "a"}]}, ("content", 0), "union_tag_not_found"),
    (Message, USER | {"metadata": {"a": [{"b": {1}}]}}, ("metadata", "a", 0, "b"), "invalid-json-value"),
    (Message, USER | {"metadata": {"a": {1: 2}}}, ("metadata", "a", 1), "string_type"),
    (Message, USER | {"colour": "red"}, ("colour",), "extra_forbidden"),
    (
        Message,
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "tool_result", "id": "c", "content": [{}]}]},
        ("content", 0, "content", 0),
        "union_tag_not_found",
    ),
    (Request, {"messages": [], "tools": [{"type": "function"}]}, ("tools", 0, "name"), "missing"),
    (Request, {"messages": [], "reasoning": "deep"}, ("reasoning", "effort"), "literal_error"),
    (Request, {"messages": [], "prompt_cache": {"key": ""}}, ("prompt_cache", "key"), "string_too_short"),
    (Request, {"messages": [], "response_format": {"name": "x"}}, ("response_format", "json_schema"), "missing"),
    (Request, {"messages": [], "tool_choice": {"names": []}}, ("tool_choice", "names"), "too_short"),
    (Response, {"error": {"kind": "ToolError"}}, ("error", "reason"), "missing"),
    (Response, {"error": {"kind": "ToolError", "reason": "x", "message": ""}}, ("error", "reason"), "value_error"),
    (Session, {"id": "s", "thread": {"messages": [{}]}}, ("thread", "messages", 0, "role"), "missing"),
    (Session, {"id": "s", "status": "asleep"}, ("status",), "literal_error"),
    (Turn, {"session": {"id": "s"}, "result": {"thread": {}}}, ("result", "halted_reason"), "missing"),
    (Turn, {"session": {"id": "s"}, "result": {"response": {}}}, ("result", "thread"), "missing"),
]

ADVICE: list[tuple[type[Data], dict[str, Any], str]] = [
    (Message, {}, "role: Message needs this field: give it."),
    (
        Session,
        {"id": "s", "last_halt": {"reason": "x", "why": 1}},
        "last_halt.why: LastHalt has no such field: use reason, failure.",
    ),
    (
        Message,
        USER | {"content": [{"type": "smell"}]},
        "content[0]: there is no type 'smell': use 'text', 'reasoning', 'tool_call', 'tool_result', 'image', 'file',"
        " 'audio', 'source', 'provider'.",
    ),
    (Message, USER | {"content": [{}]}, "content[0]: the key 'type' is missing in {}: it says what this is."),
    (
        Message,
        USER | {"content": [{"type": "image"}]},
        "content[0]: give exactly one of `data`, `url` and `file_id`, not none.",
    ),
]


def issues(model: type[Data], data: object) -> tuple[Issue, ...]:
    """What is wrong with the data."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return caught.value.errors


def replaced(data: Any, junk: Any) -> Any:
    """The data with junk where a placeholder was."""
    if isinstance(data, dict):
        return {key: replaced(value, junk) for key, value in cast("dict[str, Any]", data).items()}
    if isinstance(data, list):
        return [replaced(value, junk) for value in cast("list[Any]", data)]
    return junk if data == "JUNK" else data


@pytest.mark.parametrize(("model", "data", "path", "code"), PATHS)
def test_the_path_leads_to_the_value(model: type[Data], data: object, path: Path, code: str) -> None:
    """Keys and positions, and nothing else, whatever union the value was tried against."""
    found = issues(model, data)

    assert (path, code) == (found[0].path, found[0].code)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One run of a program shows every mistake."""
    found = issues(Session, {"id": 5, "thread": {"messages": [{"role": "x"}, {"role": "user", "name": 3}]}})

    assert [issue.path for issue in found] == [
        ("id",),
        ("thread", "messages", 0, "role"),
        ("thread", "messages", 1, "name"),
    ]


def test_the_message_tells_where_what_and_how_many_more() -> None:
    """The first issue is in the message, so that a traceback is enough to mend it."""
    with pytest.raises(ValidationError) as caught:
        Request.model_validate({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}], "seed": "x"})

    assert str(caught.value) == ("messages[0].content[0].text: Input should be a valid string, got 5. (and 1 more, see `errors`)")


@pytest.mark.parametrize(("model", "data", "message"), ADVICE)
def test_a_message_says_what_to_do(model: type[Data], data: object, message: str) -> None:
    """What is wrong, with which value, and what would be right."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)

    assert str(caught.value) == message


@pytest.mark.parametrize("junk", ["long" * 100, b"long" * 100, ["long" * 100] * 9, {"long" * 100: 1}, 10**4000])
@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "JUNK"},
        {"role": "user", "content": [{"type": "JUNK"}]},
        {"role": "user", "content": [{"long": "JUNK"}]},
        {"role": "user", "metadata": "JUNK", "name": ["long" * 100]},
        {"role": "tool", "tool_call_id": "JUNK", "content": [{"type": "tool_result", "id": "c"}]},
    ],
)
def test_a_message_never_quotes_more_than_80_characters(wrong: dict[str, Any], junk: Any) -> None:
    """A log line stays a line, whatever was passed in."""
    found = issues(Message, replaced(wrong, junk))

    assert all(issue.message.count("long") * 4 <= 80 for issue in found)
    assert all(len(issue.message) < 300 for issue in found)


def test_a_long_path_is_cut_in_the_message_only() -> None:
    """A key may be as long as a value; the issue still has it whole."""
    with pytest.raises(ValidationError) as caught:
        Message.model_validate({"role": "user", "metadata": {"k" * 5000: {1}}})

    assert len(str(caught.value)) < 300
    assert caught.value.errors[0].path == ("metadata", "k" * 5000)


def test_the_value_of_an_unknown_field_is_not_told() -> None:
    """Who passes a key where none belongs does not find it in the log."""
    with pytest.raises(ValidationError) as caught:
        Request.model_validate({"messages": [], "api_key": "sk-12345"})

    assert caught.value.errors[0].path == ("api_key",)
    assert "sk-12345" not in repr(caught.value) + repr(caught.value.errors)


def test_text_that_is_not_json_is_not_told() -> None:
    """The wrong file may be one that holds a key."""
    with pytest.raises(ValidationError, match="the text is not JSON: expected value at line 1 column 1") as caught:
        Session.model_validate_json("OPENAI_API_KEY=sk-12345")

    assert "sk-12345" not in repr(caught.value)


@pytest.mark.parametrize(
    ("model", "reason"),
    [(Message, "invalid_message"), (Session, "invalid_session"), (Request, "invalid_request")],
)
def test_the_reason_is_that_of_the_outermost_model(model: type[Data], reason: str) -> None:
    """What was to be made decides, not the part that is wrong."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"messages": [{}], "thread": {"messages": [{}]}})

    assert caught.value.reason == reason


def test_a_wrong_part_in_a_constructor_has_its_path_too() -> None:
    """A call of the class tells the same as `model_validate`."""
    wrong: Any = {"role": "user", "content": ["hi", 5]}

    with pytest.raises(ValidationError) as caught:
        Message(**wrong)

    assert caught.value.errors[0].path == ("content", 1)


def test_the_exception_of_pydantic_does_not_show_through() -> None:
    """A traceback has one error, ours."""
    with pytest.raises(ValidationError) as caught:
        Message.model_validate({})

    assert not isinstance(caught.value, pydantic.ValidationError)
    assert caught.value.__suppress_context__


def test_a_huge_value_is_cut_before_it_is_written_out() -> None:
    """The picture of 10 MB that was given as a role costs no 10 MB more."""

    class Picture(bytes):
        def __repr__(self) -> str:
            raise AssertionError("written out whole")

    assert shown(Picture(10_000_000)) == repr(bytes(80))[:77] + "..."
