"""What happens during a call, as a closed union of small values.

Rule 1: adding a field with a default is compatible, adding a kind is not; a `match` over `Event` is exhaustive.
Rule 2: there is one event per token, so an event is a plain slotted dataclass: frozen for type checkers, cheap at run time.
Rule 3: every event survives `loads(dumps(event))`.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar, cast, dataclass_transform, get_args

import pydantic
from pydantic import JsonValue, TypeAdapter
from pydantic_core import from_json, to_json

from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message
from allm_rx.data.parts import AudioPart, ImagePart, ProviderPart, ResultContent, SourcePart
from allm_rx.data.responses import FinishReason
from allm_rx.data.results import ChatResult, StepResult, ToolOutcome
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.usage import Usage
from allm_rx.errors import Issue, ValidationError

_Class = TypeVar("_Class", bound=type)
_make: Any = dataclass(slots=True)


@dataclass_transform(frozen_default=True)
def _event(cls: _Class) -> _Class:
    # `frozen=True` makes `__init__` 2.5 times as dear (see benchmarks/events.py); type checkers enforce it all the same.
    return _make(cls)


def _json_object() -> dict[str, JsonValue]:
    return {}


@_event
class MessageStarted:
    """The provider began to answer."""

    type: ClassVar[Literal["message_started"]] = "message_started"
    message_id: str | None = None
    """The provider's id of the answer."""
    provider: str | None = None
    model: str | None = None
    """The model that answers, as the provider names it."""
    request_id: str | None = None
    """Ours, the same through all steps of a call."""
    provider_request_id: str | None = None
    """Theirs, to quote in a support request."""


@_event
class TextDelta:
    """Some more text of one content block."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"
    id: str
    """The content block the text belongs to."""
    delta: str
    """Never empty; decoders drop empty chunks."""


@_event
class TextCompleted:
    """One content block of text is whole."""

    type: ClassVar[Literal["text_completed"]] = "text_completed"
    id: str
    text: str
    """Authoritative for its block."""
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)


@_event
class ReasoningDelta:
    """Some more readable reasoning of one block."""

    type: ClassVar[Literal["reasoning_delta"]] = "reasoning_delta"
    id: str
    delta: str
    """Never empty."""


@_event
class ReasoningCompleted:
    """One block of reasoning is whole; its text may be empty where only a signature came."""

    type: ClassVar[Literal["reasoning_completed"]] = "reasoning_completed"
    id: str
    text: str
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)
    """Signature or encrypted content, to be sent back unchanged."""


@_event
class ToolCallStarted:
    """The model began to call a tool."""

    type: ClassVar[Literal["tool_call_started"]] = "tool_call_started"
    id: str
    name: str
    provider_executed: bool = False
    """Whether the provider runs the tool itself."""


@_event
class ToolCallDelta:
    """Some more of a call's arguments, as JSON text."""

    type: ClassVar[Literal["tool_call_delta"]] = "tool_call_delta"
    id: str
    arguments_delta: str
    """Never empty."""


@_event
class ToolCallCompleted:
    """A tool call is whole."""

    type: ClassVar[Literal["tool_call_completed"]] = "tool_call_completed"
    id: str
    name: str
    arguments: dict[str, JsonValue]
    """Parsed; empty when `error` is set."""
    raw_arguments: str | None = None
    """The arguments as the model wrote them."""
    error: str | None = None
    """What is wrong with the arguments; such a call is not run."""
    provider_executed: bool = False
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)


@_event
class ToolResultReceived:
    """A tool that the provider ran gave a result."""

    type: ClassVar[Literal["tool_result_received"]] = "tool_result_received"
    id: str
    """The call it answers."""
    name: str | None
    content: tuple[ResultContent, ...] = ()
    is_error: bool = False
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)


@_event
class SourceAdded:
    """The model cites something."""

    type: ClassVar[Literal["source_added"]] = "source_added"
    part: SourcePart


@_event
class MediaCompleted:
    """The model produced a picture or sound."""

    type: ClassVar[Literal["media_completed"]] = "media_completed"
    id: str
    part: ImagePart | AudioPart


@_event
class ProviderItem:
    """The provider sent an item that is not modelled here; it is kept whole."""

    type: ClassVar[Literal["provider_item"]] = "provider_item"
    part: ProviderPart


@_event
class RawChunk:
    """`kind="usage"` carries a `Usage`; any other kind the provider's own frame, with `include_raw_chunks`."""

    type: ClassVar[Literal["raw_chunk"]] = "raw_chunk"
    kind: str
    data: Any
    """`Usage` for usage; else JSON data."""


@_event
class MessageCompleted:
    """The answer is whole."""

    type: ClassVar[Literal["message_completed"]] = "message_completed"
    message: Message
    """Authoritative: what was folded before is replaced by it."""
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None


@_event
class MessageRestarted:
    """A retry after output: all of the current message so far is void."""

    type: ClassVar[Literal["message_restarted"]] = "message_restarted"
    attempt: int
    """The attempt that begins now, from 2."""
    failure: Failure
    """Why the one before it ended."""


@_event
class Error:
    """The call failed; nothing of this message follows."""

    type: ClassVar[Literal["error"]] = "error"
    failure: Failure


@_event
class ToolExecutionStarted:
    """A tool's handler is about to run."""

    type: ClassVar[Literal["tool_execution_started"]] = "tool_execution_started"
    id: str
    name: str
    arguments: dict[str, JsonValue]


@_event
class ToolExecutionProgress:
    """A running tool reports."""

    type: ClassVar[Literal["tool_execution_progress"]] = "tool_execution_progress"
    id: str
    name: str
    value: Any


@_event
class ToolExecutionCompleted:
    """A tool's handler ended."""

    type: ClassVar[Literal["tool_execution_completed"]] = "tool_execution_completed"
    id: str
    name: str
    outcome: ToolOutcome


@_event
class ToolResultEncoded:
    """A tool's result as the model will read it."""

    type: ClassVar[Literal["tool_result_encoded"]] = "tool_result_encoded"
    id: str
    content: tuple[ResultContent, ...]


@_event
class AskUserRequested:
    """A tool wants an answer from the user."""

    type: ClassVar[Literal["ask_user_requested"]] = "ask_user_requested"
    tool_call_id: str
    tool_name: str
    question: str
    options: dict[str, JsonValue] = field(default_factory=_json_object)


@_event
class ToolHalt:
    """A tool ends the chat."""

    type: ClassVar[Literal["tool_halt"]] = "tool_halt"
    tool_call_id: str
    reason: str
    result: Any = None


@_event
class StepCompleted:
    """One generation and its tools are done."""

    type: ClassVar[Literal["step_completed"]] = "step_completed"
    index: int
    result: StepResult


@_event
class ChatCompleted:
    """The chat ended; always the last event of one that was not left early."""

    type: ClassVar[Literal["chat_completed"]] = "chat_completed"
    result: ChatResult


@_event
class SessionStarted:
    """A session's operation begins; the input has been added."""

    type: ClassVar[Literal["session_started"]] = "session_started"
    session: Session


@_event
class SessionCompleted:
    """A session's operation ended."""

    type: ClassVar[Literal["session_completed"]] = "session_completed"
    turn: Turn


ContentEvent = (
    TextDelta
    | TextCompleted
    | ReasoningDelta
    | ReasoningCompleted
    | ToolCallStarted
    | ToolCallDelta
    | ToolCallCompleted
    | ToolResultReceived
    | SourceAdded
    | MediaCompleted
    | ProviderItem
)
"""What a model's answer is made of; "before output" means before the first of these."""

Event = (
    ContentEvent
    | MessageStarted
    | RawChunk
    | MessageCompleted
    | MessageRestarted
    | Error
    | ToolExecutionStarted
    | ToolExecutionProgress
    | ToolExecutionCompleted
    | ToolResultEncoded
    | AskUserRequested
    | ToolHalt
    | StepCompleted
    | ChatCompleted
    | SessionStarted
    | SessionCompleted
)
"""Any event."""

CONTENT_EVENTS: frozenset[type] = frozenset(get_args(ContentEvent))
"""The classes of `ContentEvent`; `type(event) in CONTENT_EVENTS` is the cheapest test."""

KINDS: dict[str, type[Any]] = {cls.type: cls for cls in get_args(Event)}
"""Every event class by its `type`."""


@cache
def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def dumps(event: Event) -> str:
    """Give an event as one line of JSON.

    Values that a program put in itself (`ToolExecutionProgress.value`, `ToolHalt.result`) and JSON cannot hold are
    written as their `repr`.
    """
    fields = _adapter(type(event)).dump_python(event, mode="json", warnings=False, fallback=repr)
    return to_json({"type": event.type, **fields}, inf_nan_mode="constants").decode()


def loads(text: str | bytes) -> Event:
    """Give the event that `dumps` wrote.

    Raises:
        ValidationError: the text is not JSON, names no known event, or its fields do not fit.
    """
    try:
        data = from_json(text)
    except ValueError as error:
        raise _unreadable(("type",), "json_invalid", f"The text is not JSON: {error}.") from None
    kind: Any = cast("dict[str, Any]", data).get("type") if isinstance(data, dict) else None
    if kind not in KINDS:
        raise _unreadable(("type",), "unknown", f"{kind!r} is no event: use one of {', '.join(sorted(KINDS))}.")
    try:
        event = _adapter(KINDS[kind]).validate_json(text)
        if isinstance(event, RawChunk) and event.kind == "usage":
            return RawChunk(kind="usage", data=Usage.model_validate(event.data))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise _unreadable(tuple(first["loc"]), first["type"], f"{first['msg']} in an event of type {kind!r}.") from None
    return event


def _unreadable(path: tuple[str | int, ...], code: str, message: str) -> ValidationError:
    return ValidationError.of("invalid_request", Issue(path, code, message))
