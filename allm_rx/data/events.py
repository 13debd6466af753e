"""What happens during a call, as a closed union of small values.

Rule 1: adding a field with a default is compatible, adding a kind is not; a `match` over `Event` is exhaustive.
Rule 2: an event is frozen for type checkers and cheap at run time, see `event_class`.
Rule 3: every event survives `loads(dumps(event))`.
"""

from dataclasses import field
from functools import cache
from typing import Any, ClassVar, Literal, cast, get_args

import pydantic
from pydantic import JsonValue, TypeAdapter
from pydantic_core import to_json

from allm_rx.data.event_class import Given, event_class
from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message
from allm_rx.data.model import parse_json
from allm_rx.data.parts import ProducedPart, ProviderPart, ResultContent, SourcePart
from allm_rx.data.responses import FinishReason
from allm_rx.data.results import ChatResult, StepResult, ToolOutcome
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.translation import shown, translated
from allm_rx.data.usage import Usage
from allm_rx.errors import Issue, ValidationError


def _json_object() -> dict[str, JsonValue]:
    return {}


@event_class
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


@event_class
class TextDelta:
    """Some more text of one content block."""

    type: ClassVar[Literal["text_delta"]] = "text_delta"
    id: str
    """The content block the text belongs to."""
    delta: str
    """Never empty; decoders drop empty chunks."""


@event_class
class TextCompleted:
    """One content block of text is whole."""

    type: ClassVar[Literal["text_completed"]] = "text_completed"
    id: str
    text: str
    """Authoritative for its block."""
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)


@event_class
class ReasoningDelta:
    """Some more readable reasoning of one block."""

    type: ClassVar[Literal["reasoning_delta"]] = "reasoning_delta"
    id: str
    delta: str
    """Never empty."""


@event_class
class ReasoningCompleted:
    """One block of reasoning is whole; its text may be empty where only a signature came."""

    type: ClassVar[Literal["reasoning_completed"]] = "reasoning_completed"
    id: str
    text: str
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)
    """Signature or encrypted content, to be sent back unchanged."""


@event_class
class ToolCallStarted:
    """The model began to call a tool."""

    type: ClassVar[Literal["tool_call_started"]] = "tool_call_started"
    id: str
    name: str
    provider_executed: bool = False
    """Whether the provider runs the tool itself."""


@event_class
class ToolCallDelta:
    """Some more of a call's arguments, as JSON text."""

    type: ClassVar[Literal["tool_call_delta"]] = "tool_call_delta"
    id: str
    arguments_delta: str
    """Never empty."""


@event_class
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


@event_class
class ToolResultReceived:
    """A tool that the provider ran gave a result."""

    type: ClassVar[Literal["tool_result_received"]] = "tool_result_received"
    id: str
    """The call it answers."""
    name: str | None
    content: tuple[ResultContent, ...] = ()
    is_error: bool = False
    provider_data: dict[str, JsonValue] = field(default_factory=_json_object)


@event_class
class SourceAdded:
    """The model cites something."""

    type: ClassVar[Literal["source_added"]] = "source_added"
    part: SourcePart


@event_class
class MediaCompleted:
    """The model produced a picture or sound."""

    type: ClassVar[Literal["media_completed"]] = "media_completed"
    id: str
    part: ProducedPart


@event_class
class ProviderItem:
    """The provider sent an item that is not modelled here; it is kept whole."""

    type: ClassVar[Literal["provider_item"]] = "provider_item"
    part: ProviderPart


@event_class
class RawChunk:
    """`kind="usage"` carries a `Usage`; any other kind the provider's own frame, with `include_raw_chunks`."""

    type: ClassVar[Literal["raw_chunk"]] = "raw_chunk"
    kind: str
    data: Given
    """`Usage` for usage; else JSON data."""


@event_class
class MessageCompleted:
    """The answer is whole."""

    type: ClassVar[Literal["message_completed"]] = "message_completed"
    message: Message
    """Authoritative: what was folded before is replaced by it."""
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None


@event_class
class MessageRestarted:
    """A retry after output: all of the current message so far is void."""

    type: ClassVar[Literal["message_restarted"]] = "message_restarted"
    attempt: int
    """The attempt that begins now, from 2."""
    failure: Failure
    """Why the one before it ended."""


@event_class
class Error:
    """The call failed; nothing of this message follows."""

    type: ClassVar[Literal["error"]] = "error"
    failure: Failure


@event_class
class ToolExecutionStarted:
    """A tool's handler is about to run."""

    type: ClassVar[Literal["tool_execution_started"]] = "tool_execution_started"
    id: str
    name: str
    arguments: dict[str, JsonValue]


@event_class
class ToolExecutionProgress:
    """A running tool reports."""

    type: ClassVar[Literal["tool_execution_progress"]] = "tool_execution_progress"
    id: str
    name: str
    value: Given


@event_class
class ToolExecutionCompleted:
    """A tool's handler ended."""

    type: ClassVar[Literal["tool_execution_completed"]] = "tool_execution_completed"
    id: str
    name: str
    outcome: ToolOutcome


@event_class
class ToolResultEncoded:
    """A tool's result as the model will read it."""

    type: ClassVar[Literal["tool_result_encoded"]] = "tool_result_encoded"
    id: str
    content: tuple[ResultContent, ...]


@event_class
class AskUserRequested:
    """A tool wants an answer from the user."""

    type: ClassVar[Literal["ask_user_requested"]] = "ask_user_requested"
    tool_call_id: str
    tool_name: str
    question: str
    options: dict[str, JsonValue] = field(default_factory=_json_object)


@event_class
class ToolHalt:
    """A tool ends the chat."""

    type: ClassVar[Literal["tool_halt"]] = "tool_halt"
    tool_call_id: str
    reason: str
    result: Given = None


@event_class
class StepCompleted:
    """One generation and its tools are done."""

    type: ClassVar[Literal["step_completed"]] = "step_completed"
    index: int
    result: StepResult


@event_class
class ChatCompleted:
    """The chat ended; always the last event of one that was not left early."""

    type: ClassVar[Literal["chat_completed"]] = "chat_completed"
    result: ChatResult


@event_class
class SessionStarted:
    """A session's operation begins; the input has been added."""

    type: ClassVar[Literal["session_started"]] = "session_started"
    session: Session


@event_class
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
    values = _adapter(type(event)).dump_python(event, mode="json")
    return to_json({"type": event.type, **values}, inf_nan_mode="constants").decode()


def loads(text: str | bytes) -> Event:
    """Give the event that `dumps` wrote.

    Raises:
        ValidationError: the text is not JSON, names no known event, or its fields do not fit.
    """
    try:
        data = parse_json(text)
    except ValueError as error:
        raise _unreadable((), "json_invalid", f"the text is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise _unreadable((), "dict_type", f"an event is a JSON object, not {shown(data)}: use what `dumps` gave.")
    values = cast("dict[str, Any]", data)
    kind = values.pop("type", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise _unreadable(("type",), "unknown", f"{shown(kind)} is no event: use one of {', '.join(sorted(KINDS))}.")
    cls = KINDS[kind]
    try:
        event = _adapter(cls).validate_python(values)
    except pydantic.ValidationError as error:
        raise translated(error, cls, "invalid_request") from None
    if isinstance(event, RawChunk) and event.kind == "usage":
        return RawChunk(kind="usage", data=_usage(event.data))
    return event


def _usage(data: object) -> Usage:
    try:
        return TypeAdapter(Usage).validate_python(data)
    except pydantic.ValidationError as error:
        raise translated(error, Usage, "invalid_request", within=("data",)) from None


def _unreadable(path: tuple[str | int, ...], code: str, message: str) -> ValidationError:
    return ValidationError.of("invalid_request", Issue(path, code, message))
