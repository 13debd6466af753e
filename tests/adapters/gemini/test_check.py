"""What is refused before anything is sent."""

from typing import Any

import pytest

from allm_rx.adapters.gemini.generate_content.check import check
from allm_rx.adapters.gemini.generate_content.options import Service
from allm_rx.data.messages import assistant, system, tool_result, user
from allm_rx.data.parts import AudioPart, FilePart, ImagePart, Part, SourcePart, TextPart
from allm_rx.data.requests import AllowedTools, PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ValidationError

PICTURE = ImagePart(url="https://x/p.png")
SEARCH = provider_tool("gemini", {"googleSearch": {}})
HI = Request(messages=(user("Hi"),), model="gemini-2.5-flash")
STUDIO = Service()
VERTEX = Service(parent="projects/p/locations/global/")
NOT_STRICT: dict[str, Any] = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}


def refused(request: Request, service: Service = STUDIO) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        check(request, service=service, provider="lake")
    assert (raised.value.reason, raised.value.provider) == ("unsupported_capability", "lake")
    assert "lake" in raised.value.message or raised.value.errors[0].path[0] == "provider_options"
    return [(issue.path, issue.code) for issue in raised.value.errors]


def test_conversation_begins_with_the_user() -> None:
    """The protocol takes no other first role; system messages do not count."""
    request = HI.replace(messages=(system("Be brief."), assistant("Hello!"), user("Hi")))

    assert refused(request) == [(("messages", 1, "role"), "assistant_first")]


def test_something_has_to_be_answered() -> None:
    """System messages alone are no conversation."""
    assert refused(HI.replace(messages=(system("Be brief."),))) == [(("messages",), "no_user_message")]


def test_picture_in_a_system_message_is_refused() -> None:
    """The instruction is text."""
    request = HI.replace(messages=(system(["Look:", PICTURE]), user("Hi")))

    assert refused(request) == [(("messages", 0, "content", 1), "image_in_system_message")]


@pytest.mark.parametrize(
    ("part", "code"), [(FilePart(file_id="files/1"), "unsupported_file_id"), (PICTURE, "missing_media_type")]
)
def test_source_that_vertex_cannot_read_is_refused(part: Part, code: str) -> None:
    """It has no uploaded files and wants media types; AI Studio takes both."""
    request = HI.replace(messages=(user(["See:", part]),))

    check(request, service=STUDIO, provider="lake")
    assert refused(request, VERTEX) == [(("messages", 0, "content", 1), code)]


def test_source_in_a_tool_result_is_found() -> None:
    """Parts inside results have paths too."""
    request = HI.replace(messages=(user("Hi"), tool_result("c", [TextPart(text="See:"), PICTURE])))

    assert refused(request, VERTEX) == [(("messages", 1, "content", 0, "content", 1), "missing_media_type")]


def test_tool_of_another_protocol_is_refused() -> None:
    """A hosted tool belongs to its own provider."""
    request = HI.replace(tools=(SEARCH, provider_tool("openai.responses", {"type": "web_search"})))

    assert refused(request) == [(("tools", 1), "foreign_tool")]


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ((SEARCH,), "required"),
        ((SEARCH, Tool(name="row")), "googleSearch"),
        ((SEARCH, Tool(name="row")), AllowedTools(names=("googleSearch", "row"), mode="required")),
    ],
)
def test_hosted_tool_cannot_be_forced(tools: Any, choice: Any) -> None:
    """Modes speak of functions."""
    assert refused(HI.replace(tools=tools, tool_choice=choice)) == [(("tool_choice",), "hosted_tool_forced")]


def test_strict_schema_that_would_be_lost_is_refused() -> None:
    """The path leads into the schema, of a tool or of the answer."""
    request = HI.replace(tools=(Tool(name="row", parameters=NOT_STRICT, strict=True),), response_format=json_schema(NOT_STRICT))

    assert refused(request) == [
        (("tools", 0, "parameters", "properties", "a", "not"), "unsupported_schema"),
        (("response_format", "json_schema", "properties", "a", "not"), "unsupported_schema"),
    ]


@pytest.mark.parametrize(
    ("model", "wanted", "issue"),
    [
        ("gemini-2.5-flash", Reasoning(effort="low", budget_tokens=5), (("reasoning",), "effort_and_budget")),
        ("gemini-3-pro-preview", Reasoning(effort="none"), (("reasoning", "effort"), "always_thinks")),
        ("gemini-3-pro-preview", Reasoning(budget_tokens=0), (("reasoning", "budget_tokens"), "always_thinks")),
    ],
)
def test_thinking_that_cannot_be_asked_for_is_refused(model: str, wanted: Reasoning, issue: Any) -> None:
    """An effort and a budget exclude each other, and the third generation always thinks."""
    assert refused(HI.replace(model=model, reasoning=wanted)) == [issue]


@pytest.mark.parametrize(
    ("cache", "path"),
    [
        (PromptCache(key="lake"), ("prompt_cache", "key")),
        (PromptCache(retention="long"), ("prompt_cache", "retention")),
    ],
)
def test_cache_that_cannot_be_had_is_refused(cache: PromptCache, path: tuple[str, ...]) -> None:
    """The provider caches as it likes; who asks for more is told."""
    assert [issue[0] for issue in refused(HI.replace(prompt_cache=cache))] == [path]


@pytest.mark.parametrize("options", [{"generationConfig": {"candidateCount": 2}}, {"generation_config": {"candidate_count": 2}}])
def test_several_answers_are_refused(options: Any) -> None:
    """A stream has one answer, however the option is spelled."""
    assert refused(HI.replace(provider_options=options))[0][1] == "several_choices"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"provider_options": {"generationConfig": {"candidateCount": 1}}},
        {"prompt_cache": PromptCache()},
        {"reasoning": Reasoning(effort="none")},
        {"tools": (SEARCH, Tool(name="row", parameters=NOT_STRICT)), "tool_choice": "required"},
        {"response_format": json_schema(NOT_STRICT, strict=False)},
        {"messages": (user(["See:", PICTURE, FilePart(file_id="files/1"), AudioPart(url="gs://b/s")]),)},
        {"messages": (user("Hi"), assistant([SourcePart(url="https://x"), ImagePart(data=b"x", media_type="image/png")]))},
    ],
)
def test_what_can_be_sent_is_accepted(fields: dict[str, Any]) -> None:
    """Nothing is refused that the provider may take."""
    check(HI.replace(**fields), service=STUDIO, provider="lake")


def test_everything_wrong_is_told_at_once() -> None:
    """Several mistakes are one error."""
    request = HI.replace(prompt_cache=PromptCache(key="k", retention="long"), reasoning=Reasoning(effort="low", budget_tokens=5))

    assert len(refused(request)) == 3
