"""What the Responses API cannot carry, found before anything is sent.

Rule: only what is certain is refused here; what one model takes and another does not, the provider decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.adapters.openai.responses.wire import DIALECT
from allm_rx.adapters.openai.strictness import strict_issues
from allm_rx.data.parts import AudioPart, ToolResultPart
from allm_rx.data.requests import JsonSchema
from allm_rx.data.tools import ProviderTool
from allm_rx.errors import Issue, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.data.messages import Message
    from allm_rx.data.requests import Request

Path = tuple[str | int, ...]


def check(request: Request, *, provider: str) -> None:
    """Accept a request that can be sent.

    Raises:
        ValidationError: `unsupported_capability`, with the path of everything that cannot.
    """
    issues = [
        *(issue for index, message in enumerate(request.messages) for issue in _message(index, message, provider)),
        *_tools(request, provider),
        *_format(request),
        *_options(request, provider),
    ]
    if issues:
        error = ValidationError.of("unsupported_capability", *issues)
        error.provider = provider
        raise error


def _message(index: int, message: Message, provider: str) -> Iterator[Issue]:
    if message.role == "assistant":
        return  # what of it cannot be sent again is left out
    for position, part in enumerate(message.content):
        path: Path = ("messages", index, "content", position)
        if isinstance(part, AudioPart):
            what = f"{provider} takes no 'audio' parts in this API, as in message {index}: give a text, or use `OpenAIChat`"
            yield Issue(path, "unsupported_audio", what)
        elif isinstance(part, ToolResultPart):
            for inner, item in enumerate(part.content):
                if isinstance(item, AudioPart):
                    what = f"{provider} takes no 'audio' parts from tools, as in message {index}: give a text"
                    yield Issue((*path, "content", inner), "audio_in_tool_result", what)


def _tools(request: Request, provider: str) -> Iterator[Issue]:
    for index, tool in enumerate(request.tools):
        path: Path = ("tools", index)
        if isinstance(tool, ProviderTool):
            if tool.dialect != DIALECT:
                belongs = f"the tool {tool.name!r} belongs to {tool.dialect!r}"
                yield Issue(path, "foreign_tool", f"{belongs}, but {provider} is spoken to in {DIALECT!r}: leave it out")
        elif tool.strict:
            for issue in strict_issues(tool.parameters):
                what = f"{issue.message}, or make the tool not `strict`"
                yield Issue((*path, "parameters", *issue.path), issue.code, what)


def _format(request: Request) -> Iterator[Issue]:
    wanted = request.response_format
    if isinstance(wanted, JsonSchema) and wanted.strict:
        for issue in strict_issues(wanted.json_schema):
            what = f"{issue.message}, or pass `json_schema(..., strict=False)`"
            yield Issue(("response_format", "json_schema", *issue.path), issue.code, what)


def _options(request: Request, provider: str) -> Iterator[Issue]:
    for name, value in (("seed", request.seed), ("stop", request.stop)):
        if value is not None:
            what = f"{provider} has no {name!r} in this API, but {value!r} is given: leave it out, or use `OpenAIChat`"
            yield Issue((name,), "unsupported_option", what)
    budget = request.reasoning.budget_tokens if request.reasoning is not None else None
    if budget is not None:
        what = f"{provider} takes no number of tokens for thinking, such as {budget}: give an `effort`, such as 'low' or 'none'"
        yield Issue(("reasoning", "budget_tokens"), "unsupported_option", what)
    if request.provider_options.get("background"):
        what = f"an answer that {provider} makes in the background has to be fetched later, which is no stream: leave it out"
        yield Issue(("provider_options", "background"), "unsupported_option", what)
