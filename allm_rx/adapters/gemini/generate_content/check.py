"""What `generateContent` cannot carry, found before anything is sent.

Rule 1: only what is certain is refused here; what one model takes and another does not, the provider decides.
Rule 2: an option is refused rather than dropped: who asks for a cache key must not believe in one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from allm_rx.adapters.gemini.generate_content.encode import spelled
from allm_rx.adapters.gemini.generate_content.options import is_third
from allm_rx.adapters.gemini.generate_content.schema import unread
from allm_rx.adapters.gemini.provider_data import DIALECT
from allm_rx.data.requests import AllowedTools, JsonSchema
from allm_rx.data.tools import ProviderTool
from allm_rx.errors import Issue
from allm_rx.wire.capabilities import media_issues, refuse, tool_issues
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from allm_rx.adapters.gemini.generate_content.options import Service
    from allm_rx.data.requests import Request
    from allm_rx.wire.capabilities import Medium, Path

_CACHED = "create a cached content and name it in `provider_options={'cachedContent': ...}`"


def check(request: Request, *, service: Service, provider: str) -> None:
    """Accept a request that can be sent.

    Raises:
        ValidationError: `unsupported_capability`, with the path of everything that cannot.
    """
    issues = [
        *_order(request, provider),
        *media_issues(request, provider, partial(_media, service=service, provider=provider)),
        *tool_issues(request, DIALECT, provider),
        *_choice(request, provider),
        *_schemas(request, provider),
        *_options(request, provider),
    ]
    refuse(issues, provider)


def _order(request: Request, provider: str) -> Iterator[Issue]:
    spoken = [(index, message) for index, message in enumerate(request.messages) if message.role != "system"]
    if not spoken:
        what = f"{provider} wants something to answer, not only system messages: add a user message"
        yield Issue(("messages",), "no_user_message", what)
    elif spoken[0][1].role == "assistant":
        what = f"{provider} wants conversations to begin with the user, not with an assistant message: put a user message first"
        yield Issue(("messages", spoken[0][0], "role"), "assistant_first", what)


def _media(medium: Medium, service: Service, provider: str) -> Iterator[Issue]:
    part = medium.part
    if not service.vertex or part.data is not None:
        return
    if part.file_id is not None and part.file_id.startswith("files/"):
        what = f"{provider} on Vertex AI knows no uploaded files, such as {part.file_id!r}: give the bytes, or a gs:// address"
        yield Issue(medium.path, "unsupported_file_id", what)
    elif part.media_type is None:
        what = f"{provider} on Vertex AI wants the media type of {part.url or part.file_id!r}: set `media_type`"
        yield Issue(medium.path, "missing_media_type", what)


def _choice(request: Request, provider: str) -> Iterator[Issue]:
    hosted = {tool.name for tool in request.tools if isinstance(tool, ProviderTool)}
    choice = request.tool_choice
    if isinstance(choice, AllowedTools):
        forced = [name for name in choice.names if name in hosted] if choice.mode == "required" else []
    elif choice == "required":
        forced = [] if request.function_tools else sorted(hosted)
    else:
        forced = [choice] if choice in hosted else []
    for name in forced[:1]:
        what = f"{provider} cannot be made to use its own tool {name!r}: use 'auto', or name a tool of yours"
        yield Issue(("tool_choice",), "hosted_tool_forced", what)


def _schemas(request: Request, provider: str) -> Iterator[Issue]:
    strict: list[tuple[Path, Mapping[str, Any]]] = [
        (("tools", index, "parameters"), tool.parameters)
        for index, tool in enumerate(request.tools)
        if not isinstance(tool, ProviderTool) and tool.strict
    ]
    if isinstance(request.response_format, JsonSchema) and request.response_format.strict:
        strict.append((("response_format", "json_schema"), request.response_format.json_schema))
    for path, schema in strict:
        for where, what in unread(schema):
            advice = "leave it out, or set `strict=False`"
            yield Issue((*path, *where), "unsupported_schema", f"{provider} does not read {what} in a schema: {advice}")


def _options(request: Request, provider: str) -> Iterator[Issue]:
    wanted = request.reasoning
    if wanted is not None and wanted.effort is not None and wanted.budget_tokens is not None:
        what = f"{provider} takes an effort or a budget for thinking, not both: give `effort` or `budget_tokens`"
        yield Issue(("reasoning",), "effort_and_budget", what)
    elif wanted is not None and wanted.effort == "none" and is_third(request.model):
        what = f"{request.model} of {provider} cannot answer without thinking: use 'minimal' or 'low'"
        yield Issue(("reasoning", "effort"), "always_thinks", what)
    elif wanted is not None and wanted.budget_tokens == 0 and is_third(request.model):
        what = f"{request.model} of {provider} cannot answer without thinking, as a budget of 0 asks"
        what = f"{what}: use the effort 'minimal' or 'low'"
        yield Issue(("reasoning", "budget_tokens"), "always_thinks", what)
    cache = request.prompt_cache
    if cache is not None and cache.key is not None:
        what = f"{provider} caches by itself and knows no keys: leave `key` out, or {_CACHED}"
        yield Issue(("prompt_cache", "key"), "unsupported_cache_key", what)
    if cache is not None and cache.retention == "long":
        what = f"{provider} decides itself how long it caches: leave `retention` out, or {_CACHED}"
        yield Issue(("prompt_cache", "retention"), "unsupported_cache_retention", what)
    count = as_object(spelled(request.provider_options).get("generationConfig")).get("candidateCount")
    if count is not None and count != 1:
        what = f"{count!r} answers at once cannot be told apart in a stream: send the request several times"
        yield Issue(("provider_options", "generationConfig", "candidateCount"), "several_choices", what)
