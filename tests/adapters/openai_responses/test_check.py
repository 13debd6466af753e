"""What is refused before anything is sent."""

from typing import Any

import pytest
from pydantic import BaseModel

from allm_rx.adapters.openai.responses.check import check
from allm_rx.data.messages import Message, assistant, tool_result, user
from allm_rx.data.parts import AudioPart, FilePart, ImagePart
from allm_rx.data.requests import Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ValidationError

SOUND = AudioPart(data=b"px", media_type="audio/wav")


class Ports(BaseModel):
    depth: dict[str, int]


def refused(*messages: Message, **fields: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Give what is wrong with a request."""
    with pytest.raises(ValidationError) as raised:
        check(Request(messages=messages or (user("Hi"),), model="m", **fields), provider="lake")
    assert (raised.value.reason, raised.value.provider) == ("unsupported_capability", "lake")
    return [(issue.path, issue.code) for issue in raised.value.errors]


def test_everything_at_once_is_accepted() -> None:
    """Media in questions and results, hosted tools, formats: the API takes it all."""
    picture, document = ImagePart(url="https://x/a.png"), FilePart(file_id="f")
    request = Request(
        messages=(user(["Hi", picture, document]), assistant([SOUND]), tool_result("c", [picture, document])),
        tools=(Tool(name="look"), Tool(name="see", strict=True), provider_tool("openai.responses", {"type": "web_search"})),
        response_format=json_schema({"type": "object", "properties": {}}),
        reasoning=Reasoning(effort="none", summary="auto"),
        provider_options={"store": True},
    )

    check(request, provider="lake")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"seed": 7}, ("seed",)),
        ({"stop": ("x",)}, ("stop",)),
        ({"reasoning": Reasoning(budget_tokens=0)}, ("reasoning", "budget_tokens")),
        ({"provider_options": {"background": True}}, ("provider_options", "background")),
    ],
)
def test_option_that_the_api_does_not_have_is_refused(fields: dict[str, Any], path: Any) -> None:
    """It is not dropped in silence."""
    assert refused(**fields) == [(path, "unsupported_option")]


def test_message_says_what_to_do() -> None:
    """What, with which value, and the way out."""
    with pytest.raises(ValidationError, match=r"lake has no 'seed' in this API, but 7 is given: .* `OpenAIChat`"):
        check(Request(messages=(user("Hi"),), seed=7), provider="lake")


@pytest.mark.parametrize("sound", [SOUND, AudioPart(url="https://x/a.wav")], ids=["bytes", "address"])
def test_sound_is_refused(sound: AudioPart) -> None:
    """The API takes none, and the error names part, message and provider."""
    with pytest.raises(ValidationError, match=r"lake takes no 'audio' parts in this API, as in message 1: .* `OpenAIChat`"):
        check(Request(messages=(user("Hi"), user([sound]))), provider="lake")

    assert refused(user("Hi"), user(["Hear:", sound])) == [(("messages", 1, "content", 1), "unsupported_audio")]


def test_sound_from_a_tool_is_refused() -> None:
    """A result has no place for it; the path leads into the result."""
    assert refused(user("Hi"), tool_result("c", ["See:", SOUND])) == [  # type: ignore[list-item]
        (("messages", 1, "content", 0, "content", 1), "audio_in_tool_result")
    ]


def test_tool_of_another_protocol_is_refused() -> None:
    """It names both."""
    tool = provider_tool("anthropic.messages", {"type": "web_search_20250305", "name": "web_search"})

    assert refused(tools=(Tool(name="look"), tool)) == [(("tools", 1), "foreign_tool")]


def test_schema_that_strict_mode_has_no_form_for_is_refused() -> None:
    """With the path into it, for formats and for strict tools; tools that are not strict may have it."""
    schema = Ports.model_json_schema()
    strict, lax = Tool(name="a", parameters=schema, strict=True), Tool(name="b", parameters=schema)

    assert refused(response_format=Ports, tools=(lax, strict)) == [
        (("tools", 1, "parameters", "properties", "depth"), "open_object"),
        (("response_format", "json_schema", "properties", "depth"), "open_object"),
    ]
