"""What the Responses API cannot carry, found before anything is sent.

Rule: only what is certain is refused here; what one model takes and another does not, the provider decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.adapters.openai.responses.wire import DIALECT
from allm_rx.adapters.openai.strictness import strict_issues
from allm_rx.data.parts import AudioPart
from allm_rx.data.requests import JsonSchema
from allm_rx.errors import Issue
from allm_rx.wire.capabilities import media_of, refuse, tool_issues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.data.requests import Request
    from allm_rx.wire.capabilities import Medium


def check(request: Request, *, provider: str) -> None:
    """Accept a request that can be sent.

    Raises:
        ValidationError: `unsupported_capability`, with the path of everything that cannot.
    """
    issues = [
        *(issue for medium in media_of(request) for issue in _sound(medium, provider)),
        *tool_issues(request, DIALECT, provider, strict_issues),
        *_format(request),
        *_options(request, provider),
    ]
    refuse(issues, provider)


def _sound(medium: Medium, provider: str) -> Iterator[Issue]:
    if medium.role == "assistant" or not isinstance(medium.part, AudioPart):
        return  # what of an answer cannot be sent again is left out
    place = f"as in message {medium.path[1]}"
    if medium.in_result:
        what = f"{provider} takes no 'audio' parts from tools, {place}: give a text"
        yield Issue(medium.path, "audio_in_tool_result", what)
    else:
        what = f"{provider} takes no 'audio' parts in this API, {place}: give a text, or use `OpenAIChat`"
        yield Issue(medium.path, "unsupported_audio", what)


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
