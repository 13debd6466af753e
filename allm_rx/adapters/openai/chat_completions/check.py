"""What the Chat Completions API cannot carry, found before anything is sent.

Rule 1: only what is certain is refused here; what one model takes and another does not, the provider decides.
Rule 2: an option is refused rather than dropped: who asks for a cache key must not believe in one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from allm_rx.adapters.openai.chat_completions.answers import forced_tool_issues
from allm_rx.adapters.openai.chat_completions.caching import cache_issues
from allm_rx.adapters.openai.chat_completions.messages import DIALECT
from allm_rx.data.parts import FilePart, ImagePart
from allm_rx.errors import Issue
from allm_rx.wire.capabilities import media_issues, refuse, tool_issues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.adapters.openai.chat_completions.options import Quirks
    from allm_rx.data.requests import Request
    from allm_rx.wire.capabilities import Medium, Path


def check(request: Request, *, quirks: Quirks, provider: str) -> None:
    """Accept a request that can be sent.

    Raises:
        ValidationError: `unsupported_capability`, with the path of everything that cannot.
    """
    issues = [
        *media_issues(request, provider, partial(_media, quirks=quirks, provider=provider)),
        *tool_issues(request, DIALECT, provider),
        *_reasoning(request, quirks, provider),
        *forced_tool_issues(request, quirks, provider),
        *cache_issues(request, quirks, provider),
        *_options(request),
    ]
    refuse(issues, provider)


def _media(medium: Medium, quirks: Quirks, provider: str) -> Iterator[Issue]:
    part, path = medium.part, medium.path
    if medium.role == "assistant":
        return
    if medium.in_result and not quirks.user_after_tool:
        what = f"{provider} takes only text from tools, not {part.type!r} parts: give a text, such as a description"
        yield Issue(path, "media_in_tool_result", what)
    elif isinstance(part, ImagePart):
        if part.file_id is not None:
            yield _refused(path, "file_id", f"{provider} takes no picture by its file id {part.file_id!r}")
        elif part.url is not None and not quirks.image_urls and not part.url.startswith("data:"):
            yield _refused(path, "url", f"{provider} does not fetch pictures, such as {part.url!r}")
    elif isinstance(part, FilePart):
        if part.file_id is not None and not quirks.file_ids:
            yield _refused(path, "file_id", f"{provider} knows no files by an id, such as {part.file_id!r}")
        elif part.url is not None and not quirks.file_urls and not part.url.startswith("data:"):
            yield _refused(path, "url", f"{provider} does not fetch documents, such as {part.url!r}")
    elif part.data is None:
        given = part.url or part.file_id
        yield _refused(path, "audio_source", f"{provider} takes sound as bytes only, not {given!r}")


def _refused(path: Path, code: str, what: str) -> Issue:
    return Issue(path, f"unsupported_{code}", f"{what}: give its bytes, as `from_path` does")


def _reasoning(request: Request, quirks: Quirks, provider: str) -> Iterator[Issue]:
    wanted = request.reasoning
    if wanted is None:
        return
    if wanted.effort is not None and wanted.budget_tokens is not None:
        what = f"{provider} takes an effort or a budget for thinking, not both: give `effort` or `budget_tokens`"
        yield Issue(("reasoning",), "effort_and_budget", what)
    path: Path = ("reasoning", "summary")
    if wanted.summary in ("concise", "detailed"):
        what = f"{provider} gives no choice of summaries, but {wanted.summary!r} is asked for: use 'auto', or leave `summary` out"
        yield Issue(path, "unsupported_option", what)
    elif wanted.summary == "auto" and not quirks.shows_reasoning:
        what = f"{provider} shows no reasoning in this API, but a summary is asked for: leave `summary` out, or use `OpenAI`"
        yield Issue(path, "unsupported_option", what)
    elif wanted.summary == "none" and quirks.shows_reasoning and quirks.reasoning != "openrouter":
        what = f"{provider} cannot be told to hide its reasoning: leave `summary` out, or filter the events"
        yield Issue(path, "unsupported_option", what)


def _options(request: Request) -> Iterator[Issue]:
    count = request.provider_options.get("n")
    if count is not None and count != 1:
        what = f"{count!r} answers at once cannot be told apart in a stream: send the request several times"
        yield Issue(("provider_options", "n"), "several_choices", what)
