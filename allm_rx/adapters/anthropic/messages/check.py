"""What the Messages API cannot carry, found before anything is sent.

Rule 1: only what is certain is refused here; what one model takes and another does not, the provider decides.
Rule 2: an option is refused rather than dropped: who asks for a cache key must not believe in one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from allm_rx.adapters.anthropic.auth import takes_sampling
from allm_rx.adapters.anthropic.messages.answers import answers_by_tool
from allm_rx.adapters.anthropic.messages.media import refused
from allm_rx.adapters.anthropic.messages.options import LEAST_BUDGET, max_tokens_of, thinking_of
from allm_rx.adapters.anthropic.messages.wire import DIALECT
from allm_rx.adapters.anthropic.schemas import schema_issues
from allm_rx.data.parts import TextPart
from allm_rx.data.requests import JsonSchema
from allm_rx.errors import Issue
from allm_rx.wire.answers import answer_issues, thinking_issues, thinks
from allm_rx.wire.capabilities import media_issues, refuse, tool_issues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.data.requests import Request
    from allm_rx.wire.capabilities import Medium, Path

_SAMPLING = ("temperature", "top_p", "top_k")


def check(request: Request, *, api_version: str, provider: str) -> None:
    """Accept a request that can be sent.

    Raises:
        ValidationError: `unsupported_capability`, with the path of everything that cannot.
    """
    issues = [
        *media_issues(request, provider, partial(_media, provider=provider)),
        *_something_said(request, provider),
        *_answer_tool(request, provider),
        *tool_issues(request, DIALECT, provider, schema_issues),
        *_sampling(request, api_version, provider),
        *_effort_and_budget(request, provider),
        *_thinking(request, provider),
        *_prompt_cache(request, provider),
        *_format(request, provider),
    ]
    refuse(issues, provider)


def _media(medium: Medium, provider: str) -> Iterator[Issue]:
    if medium.role != "assistant" and (found := refused(medium.part)) is not None:
        code, what = found
        yield Issue(medium.path, f"unsupported_{code}", f"{provider} {what}")


def _something_said(request: Request, provider: str) -> Iterator[Issue]:
    for message in request.messages:
        if message.role != "system" and any(not isinstance(part, TextPart) or part.text.strip() for part in message.content):
            return
    what = f"{provider} wants at least one message that is neither empty nor a system message: add what the user says"
    yield Issue(("messages",), "nothing_said", what)


def _answer_tool(request: Request, provider: str) -> Iterator[Issue]:
    if answers_by_tool(request):
        yield from answer_issues(request, f"{request.model!r} of {provider}")


def _sampling(request: Request, api_version: str, provider: str) -> Iterator[Issue]:
    if request.seed is not None:
        yield Issue(("seed",), "unsupported_option", f"{provider} has no seed, but {request.seed} is given: leave it out")
    given: list[tuple[Path, object]] = [(("temperature",), request.temperature), (("top_p",), request.top_p)]
    given += [(("provider_options", name), request.provider_options.get(name)) for name in _SAMPLING]
    if not takes_sampling(api_version):
        for path, value in given:
            if value is not None:
                what = f"version {api_version} of {provider}'s API takes no {path[-1]}, but {value} is given: leave it out"
                yield Issue(path, "unsupported_option", what)
    elif request.temperature is not None and request.temperature > 1:
        what = f"{provider} takes a temperature of 0 to 1, not {request.temperature}: lower it"
        yield Issue(("temperature",), "out_of_range", what)


def _effort_and_budget(request: Request, provider: str) -> Iterator[Issue]:
    wanted = request.reasoning
    if wanted is None or wanted.effort is None or wanted.budget_tokens is None:
        return
    off = (wanted.effort == "none", wanted.budget_tokens == 0)
    if any(off) is not all(off) or (not any(off) and thinking_of(request.model) != "both"):
        given = f"effort {wanted.effort!r} and budget {wanted.budget_tokens}"
        what = f"{request.model} of {provider} takes one word on how much to think, not {given}: give `effort` or `budget_tokens`"
        yield Issue(("reasoning",), "effort_and_budget", what)


def _thinking(request: Request, provider: str) -> Iterator[Issue]:
    if not thinks(request):
        return
    if request.temperature not in (None, 1):
        what = f"{provider} thinks at a temperature of 1 only, not {request.temperature}: leave it out, or the reasoning"
        yield Issue(("temperature",), "conflicts_with_reasoning", what)
    yield from thinking_issues(request, f"{request.model!r} of {provider}", by_tool=answers_by_tool(request))
    yield from _budget(request, provider)


def _budget(request: Request, provider: str) -> Iterator[Issue]:
    budget = request.reasoning.budget_tokens if request.reasoning is not None else None
    limit, form = max_tokens_of(request), thinking_of(request.model)
    path: Path = ("reasoning", "budget_tokens")
    if form == "effort":
        return  # the budget is rounded to an effort
    if budget is not None and budget < LEAST_BUDGET:
        what = f"{provider} takes a budget of {LEAST_BUDGET} tokens or more, not {budget}: raise it, or turn thinking off with 0"
        yield Issue(path, "out_of_range", what)
    elif budget is not None and budget >= limit:
        what = (
            f"the budget of {budget} leaves no token for the answer, since thinking counts: raise `max_tokens` ({limit}) above it"
        )
        yield Issue(path, "out_of_range", what)
    elif form == "budget" and limit <= LEAST_BUDGET:
        what = f"{provider} needs more than {LEAST_BUDGET} tokens to think, not {limit}: raise it, or leave out the reasoning"
        yield Issue(("max_tokens",), "out_of_range", what)


def _prompt_cache(request: Request, provider: str) -> Iterator[Issue]:
    key = request.prompt_cache.key if request.prompt_cache is not None else None
    if key is not None:
        what = f"{provider} finds what it cached by the text and knows no keys, such as {key!r}: leave `key` out"
        yield Issue(("prompt_cache", "key"), "unsupported_cache_key", what)


def _format(request: Request, provider: str) -> Iterator[Issue]:
    wanted = request.response_format
    if wanted == "json_object":
        what = f"{provider} has no JSON mode without a schema: pass a pydantic class or `json_schema(...)`"
        yield Issue(("response_format",), "unsupported_option", what)
    elif isinstance(wanted, JsonSchema):
        for issue in schema_issues(wanted.json_schema):
            yield Issue(("response_format", "json_schema", *issue.path), issue.code, issue.message)
