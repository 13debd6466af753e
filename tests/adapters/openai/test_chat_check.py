"""What is refused before anything is sent."""

import pytest

from allm_rx.adapters.openai.chat_completions import options
from allm_rx.adapters.openai.chat_completions.check import check
from allm_rx.adapters.openai.chat_completions.options import OPENAI, Quirks
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import AudioPart, FilePart, ImagePart, Part, ProviderPart, SourcePart, TextPart
from allm_rx.data.requests import Request
from allm_rx.data.tools import provider_tool
from allm_rx.errors import ValidationError

PICTURE = ImagePart(url="https://x/p.png")


def refused(request: Request, quirks: Quirks = OPENAI) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        check(request, quirks=quirks, provider="lake")
    assert (raised.value.reason, raised.value.provider) == ("unsupported_capability", "lake")
    assert "lake" in raised.value.message or raised.value.errors[0].path[0] == "provider_options"
    return [(issue.path, issue.code) for issue in raised.value.errors]


def test_picture_in_a_system_message_is_refused() -> None:
    """The protocol takes text only there."""
    request = Request(messages=(system(["Look:", PICTURE]), user("Hi")))

    assert refused(request) == [(("messages", 0, "content", 1), "image_in_system_message")]


@pytest.mark.parametrize(
    ("part", "code", "quirks"),
    [
        (ImagePart(file_id="files/1"), "unsupported_file_id", OPENAI),
        (FilePart(url="https://x/d.pdf"), "unsupported_url", OPENAI),
        (AudioPart(url="https://x/s.mp3"), "unsupported_audio_source", OPENAI),
        (FilePart(file_id="file-1"), "unsupported_file_id", options.COMPATIBLE),
        (PICTURE, "unsupported_url", options.OLLAMA),
    ],
)
def test_source_that_the_service_cannot_read_is_refused(part: Part, code: str, quirks: Quirks) -> None:
    """A reference of another kind is found with its place."""
    assert refused(Request(messages=(user(["See:", part]),)), quirks) == [(("messages", 0, "content", 1), code)]


def test_source_in_a_tool_result_is_found() -> None:
    """Parts inside results have paths too."""
    request = Request(messages=(tool_result("c", [TextPart(text="See:"), ImagePart(file_id="files/1")]),))

    assert refused(request) == [(("messages", 0, "content", 0, "content", 1), "unsupported_file_id")]


def test_picture_of_a_tool_is_refused_where_no_user_may_follow() -> None:
    """Mistral takes no user message after a tool's."""
    request = Request(messages=(tool_result("c", [PICTURE]),))

    assert refused(request, options.MISTRAL) == [(("messages", 0, "content", 0, "content", 0), "media_in_tool_result")]


def test_tool_of_another_protocol_is_refused() -> None:
    """A provider's tool belongs to one protocol."""
    tool = provider_tool("anthropic.messages", {"type": "web_search", "name": "web_search"})

    assert refused(Request(messages=(user("Hi"),), tools=(tool,))) == [(("tools", 0), "foreign_tool")]


def test_several_choices_are_refused() -> None:
    """A stream of ours is one answer."""
    request = Request(messages=(user("Hi"),), provider_options={"n": 2})

    assert refused(request) == [(("provider_options", "n"), "several_choices")]


def test_everything_wrong_is_told_at_once() -> None:
    """The error lists all issues."""
    request = Request(messages=(system([PICTURE]), user([ImagePart(file_id="f")])), provider_options={"n": 3})

    assert len(refused(request)) == 3


@pytest.mark.parametrize(
    "message",
    [
        user([SourcePart(url="https://x"), ProviderPart(kind="x", provider_data={"gemini": {}}), "Hi"]),
        assistant([ImagePart(file_id="made"), "Hi"]),
        user([ImagePart(url="data:image/png;base64,AA==")]),
    ],
)
def test_what_is_dropped_is_not_refused(message: Message) -> None:
    """A conversation that came from any model can be sent on."""
    check(Request(messages=(message,), provider_options={"n": 1}), quirks=options.OLLAMA, provider="lake")
