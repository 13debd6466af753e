"""Marks of what is to be cached, for services behind which some models cache nothing else."""

from typing import Any

import pytest

from allm_rx.adapters.openai.chat_completions.check import check
from allm_rx.adapters.openai.chat_completions.encode import encode_body
from allm_rx.adapters.openai.chat_completions.options import COMPATIBLE, OPENROUTER, Quirks
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import ImagePart, TextPart, ToolCall
from allm_rx.data.requests import PromptCache, Request
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ValidationError

CLAUDE = "anthropic/claude-sonnet-4.5"
MARK = {"type": "ephemeral"}
LOOK, ROW = Tool(name="look"), Tool(name="row")


def asked(*messages: Message, **fields: Any) -> Request:
    given = {"model": CLAUDE, "prompt_cache": PromptCache(), **fields}
    return Request(messages=messages or (user("Hi"),), **given)


def body(*messages: Message, quirks: Quirks = OPENROUTER, **fields: Any) -> dict[str, Any]:
    return encode_body(asked(*messages, **fields), quirks)


def marked(text: str, **mark: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {**MARK, **mark}}


@pytest.mark.parametrize("model", [CLAUDE, "~anthropic/claude-latest", "google/gemini-2.5-pro", "qwen/qwen3-max"])
def test_ends_are_marked(model: str) -> None:
    """Tools, the last system message and the last question: what the next request begins with."""
    messages = (system("Be brief."), system("Be kind."), user("Hi"), assistant("Hello."), user("Sail?"))

    sent = body(*messages, model=model, tools=(LOOK, ROW))

    contents = [message["content"] for message in sent["messages"]]
    assert contents == ["Be brief.", [marked("Be kind.")], "Hi", "Hello.", [marked("Sail?")]]
    assert ["cache_control" in offered for offered in sent["tools"]] == [False, True]


def test_result_of_a_tool_is_marked_when_it_is_last() -> None:
    """A loop of tools grows by them."""
    call = ToolCall(id="c1", name="look", arguments={})

    sent = body(user("Hi"), assistant([call]), tool_result("c1", "calm"), tools=(LOOK,))

    assert sent["messages"][0]["content"] == "Hi"
    assert sent["messages"][2] == {"role": "tool", "tool_call_id": "c1", "content": [marked("calm")]}


def test_mark_stands_on_text() -> None:
    """The last part with text has it; what is empty, or a tool in the provider's words, has none."""
    hosted = provider_tool("openai.chat", {"type": "web_search"})

    sent = body(system(""), user([TextPart(text="See:"), ImagePart(url="https://x/a.png")]), tools=(LOOK, hosted))

    assert sent["messages"][0]["content"] == ""
    assert sent["messages"][1]["content"] == [marked("See:"), {"type": "image_url", "image_url": {"url": "https://x/a.png"}}]
    assert [offered.get("cache_control") for offered in sent["tools"]] == [MARK, None]


def test_mark_of_the_caller_stays() -> None:
    """Who marks a part by hand knows better."""
    part = TextPart(text="Hi", provider_data={"openai.chat": {"cache_control": {"type": "ephemeral", "ttl": "1h"}}})

    assert body(user([part]))["messages"][0]["content"] == [marked("Hi", ttl="1h")]


def test_long_retention_is_an_hour() -> None:
    """Of the models that cache what is marked, Claude keeps it longer when told so."""
    assert body(prompt_cache=PromptCache(retention="long"))["messages"][0]["content"] == [marked("Hi", ttl="1h")]


@pytest.mark.parametrize(
    ("quirks", "model", "cache", "path"),
    [
        (OPENROUTER, CLAUDE, PromptCache(key="k"), "key"),
        (OPENROUTER, "google/gemini-2.5-pro", PromptCache(retention="long"), "retention"),
        (OPENROUTER, "openai/gpt-5.1", PromptCache(retention="long"), "retention"),
        (COMPATIBLE, CLAUDE, PromptCache(retention="long"), "retention"),
    ],
)
def test_what_no_mark_can_say_is_refused(quirks: Quirks, model: str, cache: PromptCache, path: str) -> None:
    """Keys, and hours where they are not known."""
    with pytest.raises(ValidationError, match="lake") as raised:
        check(asked(model=model, prompt_cache=cache), quirks=quirks, provider="lake")

    assert [issue.path for issue in raised.value.errors] == [("prompt_cache", path)]


@pytest.mark.parametrize(
    ("quirks", "fields"),
    [
        (OPENROUTER, {"model": "openai/gpt-5.1"}),
        (OPENROUTER, {"model": "deepseek/deepseek-chat"}),
        (COMPATIBLE, {"model": CLAUDE}),
        (OPENROUTER, {"prompt_cache": None}),
    ],
)
def test_nothing_is_marked_where_marks_mean_nothing(quirks: Quirks, fields: dict[str, Any]) -> None:
    """Other models cache by themselves, other services know no marks, and who wants no cache gets none."""
    assert body(quirks=quirks, **fields)["messages"] == [{"role": "user", "content": "Hi"}]
