"""What is refused before anything is sent, and with which path."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from allm_rx.adapters.anthropic.messages.check import check
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import AudioPart, FilePart, ImagePart
from allm_rx.data.requests import AllowedTools, Reasoning, Request
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ValidationError

SOUND = AudioPart(data=b"RIFF", media_type="audio/wav")
TIDE = Tool(name="tide")


def refused(*messages: Message, api_version: str = "2023-06-01", **options: Any) -> list[tuple[str, str]]:
    """The paths and codes of what is refused."""
    request = Request(**{"messages": messages or (user("Hi"),), "model": "claude-opus-4-6", **options})
    try:
        check(request, api_version=api_version, provider="quay")
    except ValidationError as error:
        return told(error)
    return []


def told(error: ValidationError) -> list[tuple[str, str]]:
    assert (error.reason, error.provider) == ("unsupported_capability", "quay")
    return [(".".join(map(str, issue.path)), issue.code) for issue in error.errors]


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(data=b"x", media_type="image/webp"),
        ImagePart(url="https://quay.example/a.tiff", media_type="image/tiff"),
        ImagePart(file_id="file_1", media_type="image/tiff"),
        FilePart(data=b"x", media_type="application/pdf"),
        FilePart(data=b"a,b", media_type="text/csv; charset=utf-8"),
        FilePart(url="https://quay.example/a"),
        FilePart(file_id="file_1", media_type="application/zip"),
    ],
)
def test_media_that_can_be_sent_are_accepted(part: Any) -> None:
    """What the API takes, or only it can judge, passes, in user messages and in results."""
    calls = assistant([])

    assert refused(user([part]), calls, tool_result("c", [part])) == []


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (SOUND, "unsupported_audio"),
        (ImagePart(data=b"x", media_type="image/tiff"), "unsupported_media_type"),
        (ImagePart(url="data:image/svg+xml;base64,eA=="), "unsupported_media_type"),
        (FilePart(data=b"x", media_type="application/zip"), "unsupported_media_type"),
        (FilePart(data=b"\xff", media_type="text/plain"), "unsupported_media_type"),
        (FilePart(data=b"x", media_type="image/png"), "unsupported_media_type"),
        (FilePart(url="https://quay.example/a.txt", media_type="text/plain"), "unsupported_url"),
    ],
)
def test_media_that_cannot_be_sent_are_named(part: Any, code: str) -> None:
    """What the API has no block for is refused with its place, also in a result of a tool."""
    assert refused(user(["Hi", part])) == [("messages.0.content.1", code)]
    assert refused(user("Hi"), tool_result("c", [part])) == [("messages.1.content.0.content.0", code)]


def test_system_message_takes_text_only() -> None:
    """A picture in the system prompt is refused."""
    part = ImagePart(url="https://quay.example/a.png")

    assert refused(system([part]), user("Hi")) == [("messages.0.content.0", "image_in_system_message")]


def test_answers_of_other_models_are_never_refused() -> None:
    """What an answer holds is left out where it cannot be sent, so any conversation goes on."""
    assert refused(user("Hi"), assistant(["Listen", SOUND]), user("Nice")) == []


@pytest.mark.parametrize("messages", [(system("Be brief."),), (user(" "),), (system("Be brief."), Message(role="user"))])
def test_nothing_said_is_refused(messages: tuple[Message, ...]) -> None:
    """Without a message to answer there is nothing to send."""
    assert refused(*messages) == [("messages", "nothing_said")]


def test_tool_of_another_protocol_is_refused() -> None:
    """A tool that another provider runs has no meaning here."""
    own = provider_tool("anthropic.messages", {"type": "web_search_20250305", "name": "web_search"})
    foreign = provider_tool("openai.responses", {"type": "web_search"})

    assert refused(tools=[TIDE, own, foreign]) == [("tools.2", "foreign_tool")]


def test_strict_tool_is_checked_for_what_cannot_be_held_to() -> None:
    """The schema of a strict tool is in the subset; that of another is the model's to read."""
    schema: dict[str, Any] = {"type": "object", "properties": {"any": {"type": "object"}}}
    assert refused(tools=[Tool(name="a", parameters=schema, strict=True)]) == [
        ("tools.0.parameters.properties.any", "open_object")
    ]
    assert refused(tools=[Tool(name="a", parameters=schema)]) == []


def test_seed_is_refused() -> None:
    """What the provider has no field for is not dropped in silence."""
    assert refused(seed=7) == [("seed", "unsupported_option")]


def test_temperature_is_at_most_one() -> None:
    """The provider's scale ends at 1."""
    assert refused(temperature=1.0) == []
    assert refused(temperature=1.1) == [("temperature", "out_of_range")]


def test_newer_version_takes_no_sampling() -> None:
    """Version 2026-10-21 refuses sampling parameters, also at their defaults and in the provider's own words."""
    options: dict[str, Any] = {"temperature": 1.0, "top_p": 0.9, "provider_options": {"top_k": 5}}

    assert refused(**options) == []
    assert refused(**options, api_version="2026-10-21") == [
        ("temperature", "unsupported_option"),
        ("top_p", "unsupported_option"),
        ("provider_options.top_k", "unsupported_option"),
    ]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"temperature": 0.5}, "temperature"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "tide"}, "tool_choice"),
        ({"tool_choice": AllowedTools(names=("tide",), mode="required")}, "tool_choice"),
    ],
)
def test_thinking_stands_alone(options: dict[str, Any], path: str) -> None:
    """A temperature or a forced tool is refused beside thinking, and fine without."""
    assert refused(tools=[TIDE], reasoning=Reasoning(effort="low"), **options) == [(path, "conflicts_with_reasoning")]
    assert refused(tools=[TIDE], reasoning=Reasoning(effort="none"), **options) == []


@pytest.mark.parametrize(
    "options",
    [{"temperature": 1}, {"tool_choice": "auto"}, {"tool_choice": "none"}, {"tool_choice": AllowedTools(names=("tide",))}],
)
def test_thinking_takes_what_leaves_it_free(options: dict[str, Any]) -> None:
    """Options that force nothing pass beside thinking."""
    assert refused(tools=[TIDE], reasoning=Reasoning(effort="low"), **options) == []


@pytest.mark.parametrize(
    ("model", "reasoning", "max_tokens", "expected"),
    [
        ("claude-sonnet-4-5", {"budget_tokens": 1023}, None, [("reasoning.budget_tokens", "out_of_range")]),
        ("claude-sonnet-4-5", {"budget_tokens": 2000}, 2000, [("reasoning.budget_tokens", "out_of_range")]),
        ("claude-sonnet-4-5", {"budget_tokens": 2000}, 2001, []),
        ("claude-sonnet-4-5", {"budget_tokens": 0}, 10, []),
        ("claude-sonnet-4-5", {"effort": "low"}, 1024, [("max_tokens", "out_of_range")]),
        ("claude-sonnet-4-5", {"effort": "low"}, 2048, []),
        ("claude-opus-4-6", {"effort": "low"}, 10, []),
        ("claude-opus-4-7", {"budget_tokens": 100}, 10, []),
    ],
)
def test_budget_fits_below_the_limit(model: str, reasoning: dict[str, Any], max_tokens: int | None, expected: Any) -> None:
    """Where thinking is counted in tokens, they are enough and leave some for the answer."""
    assert refused(model=model, reasoning=Reasoning(**reasoning), max_tokens=max_tokens) == expected


def test_json_without_a_schema_is_refused() -> None:
    """The provider has no such mode."""
    assert refused(response_format="json_object") == [("response_format", "unsupported_option")]
    assert refused(response_format="text") == []


class Log(BaseModel):
    notes: dict[str, str]
    days: int = Field(ge=1)


def test_schema_that_cannot_be_held_to_is_refused_with_its_path() -> None:
    """An open map is named where it stands in the schema; bounds are no reason to refuse."""
    assert refused(response_format=Log) == [("response_format.json_schema.properties.notes", "open_object")]


def test_refusal_says_what_where_and_what_to_do() -> None:
    """The message names the place, the provider, the value and a way out."""
    with pytest.raises(ValidationError, match=r"messages\[1\].content\[0\]: quay takes no sound: give its transcript as text"):
        check(Request(messages=(user("Hi"), user([SOUND]))), api_version="2023-06-01", provider="quay")


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One refusal lists everything."""
    assert [path for path, _ in refused(user([SOUND]), seed=1, response_format="json_object")] == [
        *("messages.0.content.0", "seed", "response_format")
    ]
