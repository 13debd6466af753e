"""The tables of the page on providers: what each adapter carries, found by asking it, and which services there are.

`python -m tests.docs.capabilities` writes them into the page.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import pydantic

from allm_rx.adapters.openai.chat_completions.options import COMPATIBLE, Quirks
from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import AudioPart, Dialect, FilePart, ImagePart, Part, ReasoningPart, SourcePart, TextPart, ToolCall
from allm_rx.data.requests import AllowedTools, PromptCache, Reasoning, Request
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.errors import ValidationError
from allm_rx.runtime.endpoints import ENDPOINTS
from tests.adapters.authored import AUTHORED, PIXEL
from tests.adapters.providers import BY_NAME, Provider
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "providers.md"

YES, NO, ITSELF, ROUNDED, UNTYPED = "yes", "no", "by itself", "in words", "sent"


@dataclass(frozen=True)
class Column:
    """One adapter as it is asked."""

    title: str
    provider: Provider
    address: str | None = None
    """Where it is led, when that is not its vendor."""

    def body(self, **fields: Any) -> dict[str, Any]:
        """Give the body of a request that it accepts."""
        where = {} if self.address is None else {"base_url": self.address}
        return self.provider.sent(Request(**fields), **where)

    def answers(self) -> Iterator[Message]:
        """Give all answers of its protocol that the tests carry."""
        yield from (self.provider.said(body) for body in self.provider.recordings.values())
        yield from (self.provider.said(body) for (name, _), body in AUTHORED.items() if name == self.provider.name)


COLUMNS = (
    Column("`Anthropic`", BY_NAME["anthropic"]),
    Column("`Gemini`", BY_NAME["gemini"]),
    Column("`OpenAI`", BY_NAME["openai"]),
    Column("`OpenAIChat`", BY_NAME["openai-chat"]),
    Column("other servers", BY_NAME["openai-chat"], "https://llm.example.com/v1"),
)

Probe = Callable[[Column], str]

HI = (user("Hi"),)
TOOLS = (Tool(name="look"), Tool(name="row"))
CALLS = assistant([ToolCall(id="c1", name="look"), ToolCall(id="c2", name="row")])
PDF, TEXT = (b"%PDF-1.7", "application/pdf"), (b"Ahoy", "text/plain")


class _Point(pydantic.BaseModel):
    x: int


def option(**given: Any) -> Probe:
    """Ask with an option: whether it changes the body, changes nothing, or is refused."""

    def probe(column: Column) -> str:
        tools = given.get("tools", ())
        return _outcome(column, {"messages": HI, "tools": tools}, {"messages": HI, **given})

    return probe


def said(part: Part) -> Probe:
    """Ask with a part in what the user says."""
    words = TextPart(text="See:")
    return lambda column: _outcome(column, {"messages": (user([words]),)}, {"messages": (user([words, part]),)})


def given_back(part: ImagePart) -> Probe:
    """Ask with a part in what a tool gives back."""
    words = TextPart(text="See:")

    def probe(column: Column) -> str:
        second = tool_result("c2", "No.")
        plain, asked = (tool_result("c1", content) for content in ([words], [words, part]))
        return _outcome(column, _called(plain, second), _called(asked, second))

    return probe


def _called(*results: Message) -> dict[str, Any]:
    return {"messages": (*HI, CALLS, *results), "tools": TOOLS}


def _outcome(column: Column, plain: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    try:
        body = column.body(**asked)
    except ValidationError:
        return NO
    if body == column.body(**plain):
        return ITSELF
    return YES if column.address or _is_typed(column, body) else UNTYPED


def _is_typed(column: Column, body: dict[str, Any]) -> bool:
    try:
        column.provider.accepted(body)
    except (pydantic.ValidationError, KeyError):
        return False
    return True


def budget(column: Column) -> str:
    """Ask for a number of tokens to think: as a number, or rounded to a word."""
    outcome = option(reasoning=Reasoning(budget_tokens=4096))(column)
    return ROUNDED if outcome == YES and "4096" not in str(column.body(messages=HI, reasoning=_BUDGET)) else outcome


_BUDGET = Reasoning(budget_tokens=4096)


HOSTED: dict[str, tuple[Dialect, dict[str, Any]]] = {
    "anthropic": ("anthropic.messages", {"type": "web_search_20250305", "name": "web_search"}),
    "gemini": ("gemini", {"googleSearch": {}}),
    "openai": ("openai.responses", {"type": "web_search"}),
    "openai-chat": ("openai.chat", {"type": "web_search"}),
}
"""A search that the provider runs, in its own words."""


def several_calls(column: Column) -> str:
    """Look whether an answer with several calls was read, and goes back with several results."""
    read = any(len(answer.tool_calls) > 1 for answer in column.answers())
    results = (tool_result("c1", "calm"), tool_result("c2", "calm"))
    return YES if read and str(column.body(**_called(*results))).count("calm") == 2 else NO


def hosted(column: Column) -> str:
    """Ask with a tool that the provider runs."""
    dialect, spec = HOSTED[column.provider.name]
    return _outcome(column, {"messages": HI}, {"messages": HI, "tools": (provider_tool(dialect, spec),)})


def made(kind: type[ImagePart | AudioPart | SourcePart | ReasoningPart]) -> Probe:
    """Look whether answers were read that hold such a part."""
    return lambda column: YES if any(isinstance(part, kind) for answer in column.answers() for part in answer.content) else NO


def ran(column: Column) -> str:
    """Look whether answers were read in which the provider ran a tool."""
    parts = (part for answer in column.answers() for part in answer.content)
    return YES if any(isinstance(part, ToolCall) and part.provider_executed for part in parts) else NO


def signed(column: Column) -> str:
    """Look whether reasoning that came signed or sealed goes back as it came."""
    for answer in column.answers():
        for part in answer.content:
            own: Any = part.provider_data.get(column.provider.dialect) or {}
            seal = next((own[name] for name in ("signature", "encrypted_content", "thoughtSignature") if name in own), None)
            if seal is not None:
                results = [tool_result(call.id, "calm") for call in answer.tool_calls]
                return YES if seal in str(column.body(messages=(*HI, answer, *results, *HI))) else NO
    return NO


ROWS: dict[str, Probe] = {
    "system messages": lambda column: _outcome(column, {"messages": HI}, {"messages": (system("Be brief."), *HI)}),
    "pictures: bytes": said(ImagePart(data=PIXEL, media_type="image/png")),
    "pictures: address": said(ImagePart(url="https://x.example/a.png")),
    "pictures: file id": said(ImagePart(file_id="file_1")),
    "PDF: bytes": said(FilePart(data=PDF[0], media_type=PDF[1])),
    "PDF: address": said(FilePart(url="https://x.example/a.pdf")),
    "PDF: file id": said(FilePart(file_id="file_1")),
    "text files": said(FilePart(data=TEXT[0], media_type=TEXT[1])),
    "sound": said(AudioPart(data=b"RIFF", media_type="audio/wav")),
    "pictures from tools": given_back(ImagePart(data=PIXEL, media_type="image/png")),
    "pictures in answers": made(ImagePart),
    "sound in answers": made(AudioPart),
    "citations in answers": made(SourcePart),
    "readable reasoning in answers": made(ReasoningPart),
    "signed reasoning goes back": signed,
    "tools": lambda column: _outcome(column, {"messages": HI}, {"messages": HI, "tools": TOOLS}),
    "strict tools": lambda column: _outcome(
        column, {"messages": HI, "tools": TOOLS}, {"messages": HI, "tools": [tool.replace(strict=True) for tool in TOOLS]}
    ),
    "several calls at once": several_calls,
    "tools that the provider runs": hosted,
    "their calls and results in answers": ran,
    "`tool_choice`: `auto`": option(tools=TOOLS, tool_choice="auto"),
    "`tool_choice`: `none`": option(tools=TOOLS, tool_choice="none"),
    "`tool_choice`: `required`": option(tools=TOOLS, tool_choice="required"),
    "`tool_choice`: a name": option(tools=TOOLS, tool_choice="row"),
    "`tool_choice`: some of them": option(tools=TOOLS, tool_choice=AllowedTools(names=("row",))),
    "`response_format`: a class or schema": option(response_format=_Point),
    "`response_format`: `json_object`": option(response_format="json_object"),
    "`reasoning`: an effort": option(reasoning="low"),
    "`reasoning`: a budget": budget,
    "`reasoning`: a summary": option(reasoning=Reasoning(summary="auto")),
    "`reasoning`: no summary": option(reasoning=Reasoning(summary="none")),
    "`prompt_cache`": option(prompt_cache=True),
    "`prompt_cache`: a key": option(prompt_cache=PromptCache(key="k")),
    "`prompt_cache`: long": option(prompt_cache=PromptCache(retention="long")),
    "`temperature`": option(temperature=0.5),
    "`top_p`": option(top_p=0.5),
    "`max_tokens`": option(max_tokens=3000),
    "`stop`": option(stop="END"),
    "`seed`": option(seed=7),
}
"""What is asked of each adapter."""


def capabilities_table() -> Iterator[str]:
    """Give what each adapter carries."""
    yield f"| | {' | '.join(column.title for column in COLUMNS)} |"
    yield "|---|" + "---|" * len(COLUMNS)
    for label, probe in ROWS.items():
        yield f"| {label} | {' | '.join(probe(column) for column in COLUMNS)} |"


WORDS: dict[tuple[str, Any], str] = {
    ("max_tokens", "max_completion_tokens"): "the limit is `max_completion_tokens`",
    ("seed", "random_seed"): "the seed is `random_seed`",
    ("reasoning", "openrouter"): "effort, budget and hiding as OpenRouter's `reasoning`",
    ("reasoning", "thinking"): "thinking is only on or off",
    ("reasoning", "enable_thinking"): "thinking is on or off, with a budget",
    ("reasoning_echo", "reasoning"): "gets its reasoning back as `reasoning`",
    ("reasoning_echo", "reasoning_content"): "gets its reasoning back as `reasoning_content`",
    ("reasoning_details", True): "signed reasoning goes back",
    ("json_schema", False): "answers to a schema come through a forced tool",
    ("thinks_when_forced", False): "no thinking where a tool is forced",
    ("cache_marks", ("anthropic/", "google/gemini", "qwen/")): "`prompt_cache` marks what Claude, Gemini and Qwen cache",
    ("hour_marks", ("anthropic/",)): "Claude's for an hour, if long",
    ("required_choice", "any"): "`required` is `any`",
    ("short_call_ids", True): "ids of calls become nine characters",
    ("tool_name", True): "results name their tool",
    ("user_after_tool", False): "no pictures from tools",
    ("image_urls", False): "pictures as bytes only",
    ("file_urls", True): "documents by address",
    ("include_usage", False): "usage comes unasked",
    ("auth_optional", True): "no key needed",
    ("think_tags", "tags"): "reasoning is read from `<think>` tags",
}
"""What differs from other servers, in words; a quirk without words fails the test of the table."""


def quirks_of(quirks: Quirks) -> list[tuple[str, Any]]:
    """Give what a service wants otherwise than most."""
    values = [(field.name, getattr(quirks, field.name)) for field in fields(quirks)]
    return [(name, value) for name, value in values if value != getattr(COMPATIBLE, name)]


def services_table() -> Iterator[str]:
    """Give the compatible services."""
    yield "| name | address | key | what differs |"
    yield "|---|---|---|---|"
    for name, endpoint in ENDPOINTS.items():
        keys = " or ".join(f"`{variable}`" for variable in endpoint.key_variables)
        differs = "; ".join(WORDS[quirk] for quirk in quirks_of(endpoint.quirks))
        yield f"| `{name}` | `{endpoint.base_url}` | {keys} | {differs} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {"capabilities": capabilities_table, "services": services_table}


def filled(text: str) -> str:
    """Give the page with its tables made anew.

    Raises:
        ValueError: the page has no place for one of them.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- table of {name}, made by tests/docs/capabilities.py -->\n\n", "\n<!-- end of table -->\n"
        place = f"{re.escape(begin)}.*?{re.escape(end)}"
        rows = begin + "\n".join(table()) + "\n" + end
        text, count = re.subn(place, lambda _, rows=rows: rows, text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"The page needs one place for the table of {name}: {begin!r} and {end!r}.")
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
