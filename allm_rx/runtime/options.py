"""The options of the six calls: their names, types and what values they take.

One table serves the type checker, the check of names, and the check of values.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from pydantic import SecretStr
from reactivex import Observable

from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.data.translation import shown
from allm_rx.data.usage import Usage
from allm_rx.errors import Issue, ToolError, ValidationError

if TYPE_CHECKING:
    from allm_rx.abc.tools import ToolExecutor, ToolResultEncoder
    from allm_rx.data.events import Event
    from allm_rx.data.messages import Message
    from allm_rx.data.parts import ToolCall
    from allm_rx.data.requests import AllowedTools, Effort, JsonSchema, PromptCache, Reasoning
    from allm_rx.data.results import StepResult


class ModelOptions(TypedDict, total=False):
    """What is asked of the model."""

    model: str | None
    tools: Sequence[Any] | None
    tool_choice: AllowedTools | str | None
    temperature: float | None
    top_p: float | None
    max_tokens: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    response_format: type[Any] | JsonSchema | Literal["json_object", "text"] | None
    reasoning: Reasoning | Effort | None
    prompt_cache: PromptCache | bool | None
    provider_options: Mapping[str, Any] | None


class CallOptions(TypedDict, total=False):
    """How the call is made."""

    api_key: str | SecretStr | None
    request_id: str | None
    timeouts: Timeouts | None
    retry: RetryPolicy | bool | None
    context: Mapping[str, Any] | None
    session_id: str | None


class StreamOptions(TypedDict, total=False):
    """What of the stream is seen."""

    emit_text_deltas: bool | None
    emit_tool_deltas: bool | None
    include_raw_chunks: bool | None
    on_event: Callable[[Event], None] | None


class OrchestrationOptions(TypedDict, total=False):
    """How tools run and when a chat ends."""

    mode: Literal["auto", "manual"] | None
    max_turns: int | None
    halt_when: Callable[[StepResult], bool] | None
    on_tool_error: Literal["continue", "halt"] | Callable[[ToolCall, ToolError], Any] | None
    tool_timeout: float | None
    max_concurrency: int | None
    structured_finalize: bool | None
    structured_finalize_nudge: str | None
    tool_executor: Executor | ToolExecutor | None
    tool_result_encoder: ToolResultEncoder | None
    usage_limit: Usage | None
    inbox: Observable[Message] | Observable[str] | Observable[Message | str] | None


class Options(ModelOptions, CallOptions, StreamOptions, OrchestrationOptions, total=False):
    """All options; the same on all six calls. None always means "not given"."""


MODEL = frozenset(ModelOptions.__annotations__)
CALL = frozenset(CallOptions.__annotations__)
STREAM = frozenset(StreamOptions.__annotations__)
ORCHESTRATION = frozenset(OrchestrationOptions.__annotations__)
ALL = MODEL | CALL | STREAM | ORCHESTRATION


def check_names(names: Iterable[str], *, where: str) -> None:
    """Accept names of options.

    Raises:
        TypeError: a name is unknown; the message names the nearest known one.
    """
    for name in names:
        if name not in ALL:
            near = difflib.get_close_matches(name, ALL, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(ALL))}."
            raise TypeError(f"{where} got an unknown option {name!r}: {hint}")


def check_values(options: Mapping[str, Any]) -> None:
    """Accept values of options that are not fields of the request; those are checked with it.

    Raises:
        ValidationError: `invalid_request`, with all issues and their paths.
    """
    issues = [
        Issue((name,), "invalid_value", f"{_shown(name, value)} is no value for it: use {_VALUES[name][1]}")
        for name, value in options.items()
        if value is not None and name in _VALUES and not _VALUES[name][0](value)
    ]
    if issues:
        raise ValidationError.of("invalid_request", *issues)


def _shown(name: str, value: Any) -> str:
    return f"a {type(value).__name__}" if name == "api_key" else shown(value)  # of a wrong type, a key is a key still


def _is(*types: type[Any]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, types)


def _positive(*types: type[Any]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, types) and not isinstance(value, bool) and value > 0


_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "provider_options": (_is(Mapping), "a mapping of fields for the body"),
    "api_key": (_is(str, SecretStr), "a text or `SecretStr`"),
    "request_id": (_is(str), "a text"),
    "timeouts": (_is(Timeouts), "`Timeouts(...)`"),
    "retry": (_is(RetryPolicy, bool), "`RetryPolicy(...)`, True or False"),
    "context": (_is(Mapping), "a mapping"),
    "session_id": (_is(str), "a text"),
    "emit_text_deltas": (_is(bool), "True or False"),
    "emit_tool_deltas": (_is(bool), "True or False"),
    "include_raw_chunks": (_is(bool), "True or False"),
    "on_event": (callable, "a function of one event"),
    "mode": (lambda value: value in ("auto", "manual"), "'auto' or 'manual'"),
    "max_turns": (_positive(int), "a whole number from 1"),
    "halt_when": (callable, "a function of a StepResult"),
    "on_tool_error": (lambda value: value in ("continue", "halt") or callable(value), "'continue', 'halt' or a function"),
    "tool_timeout": (_positive(int, float), "seconds, more than 0"),
    "max_concurrency": (_positive(int), "a whole number from 1"),
    "structured_finalize": (_is(bool), "True or False"),
    "structured_finalize_nudge": (_is(str), "a text"),
    "tool_executor": (
        lambda value: isinstance(value, Executor) or callable(value),
        "an executor, such as `ThreadPoolExecutor()`, or a function",
    ),
    "tool_result_encoder": (callable, "a function of a tool's result"),
    "usage_limit": (_is(Usage), "`Usage(...)`"),
    "inbox": (_is(Observable), "an Observable of messages"),
}
