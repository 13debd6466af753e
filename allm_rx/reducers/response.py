"""What the events of one message add up to: a `Response`.

Rule 1: the fold is total; any event in any order gives a response, and none raises.
Rule 2: an error is final for its message; what follows it is ignored.
Rule 3: the fold is mutable and belongs to one subscription; what leaves it is frozen.
"""

from typing import TYPE_CHECKING, Self

from allm_rx.data import events as ev
from allm_rx.data.messages import Message
from allm_rx.data.parts import ToolCall, ToolResultPart
from allm_rx.data.responses import FinishReason, Response
from allm_rx.data.usage import Usage
from allm_rx.reducers.message import MessageBuilder, MessageView

if TYPE_CHECKING:
    from allm_rx.data.failures import Failure


class Snapshot:
    """An answer as it stood at one moment; text is joined only when it is read."""

    __slots__ = ("_message", "finish_reason", "usage")

    def __init__(self, fold: "ResponseFold") -> None:
        """Remember how much of each block there is."""
        self._message: Message | MessageView = fold.builder.view() if fold.message is None else fold.message
        self.finish_reason: FinishReason | None = fold.finish_reason
        self.usage: Usage = fold.usage

    @property
    def message(self) -> Message:
        """The assistant message at that moment."""
        if isinstance(self._message, MessageView):
            self._message = self._message.build()
        return self._message

    @property
    def text(self) -> str:
        """All text at that moment."""
        return self.message.text

    @property
    def reasoning(self) -> str:
        """All readable reasoning at that moment."""
        return self.message.reasoning

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls at that moment; one that is not complete carries an error."""
        return self.message.tool_calls


class ResponseFold:
    """The state of one answer."""

    __slots__ = (
        "builder",
        "error",
        "finish_reason",
        "message",
        "message_id",
        "model",
        "provider",
        "provider_request_id",
        "raw_finish_reason",
        "request_id",
        "usage",
    )

    def __init__(self) -> None:
        """Begin with no event seen."""
        self.usage = Usage()
        self.request_id: str | None = None
        self.provider: str | None = None
        self.model: str | None = None
        self._forget()

    def _forget(self) -> None:
        self.builder = MessageBuilder()
        self.message: Message | None = None
        self.message_id: str | None = None
        self.provider_request_id: str | None = None
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.error: Failure | None = None

    def apply(self, event: ev.Event) -> Self:
        """Take one event into account."""
        if self.error is None:
            if type(event) is ev.TextDelta:  # the one event per token: no walk through the patterns
                self.builder.text(event.id).pieces.append(event.delta)
            else:
                self._apply(event)
        elif type(event) is ev.MessageRestarted:
            self._forget()
        return self

    def _apply(self, event: ev.Event) -> None:  # noqa: C901 - one arm per kind of the closed union
        builder = self.builder
        match event:
            case ev.TextDelta(id=block, delta=delta):
                builder.text(block).pieces.append(delta)
            case ev.ReasoningDelta(id=block, delta=delta):
                builder.reasoning(block).pieces.append(delta)
            case ev.ToolCallDelta(id=call, arguments_delta=delta):
                builder.call(call).pieces.append(delta)
            case ev.TextCompleted(id=block, text=text, provider_data=extra):
                builder.settle(builder.text(block), text, extra)
            case ev.ReasoningCompleted(id=block, text=text, provider_data=extra):
                builder.settle(builder.reasoning(block), text, extra)
            case ev.ToolCallStarted(id=call, name=name, provider_executed=executed):
                builder.call(call, name, provider_executed=executed)
            case ev.ToolCallCompleted():
                builder.call(event.id).completed = completed_call(event)
            case ev.ToolResultReceived():
                builder.add(received_result(event), event.id)
            case ev.MediaCompleted(id=block, part=part):
                builder.add(part, block)
            case ev.SourceAdded(part=part) | ev.ProviderItem(part=part):
                builder.add(part)
            case ev.RawChunk(kind="usage", data=Usage() as usage):
                self.usage = self.usage.merge(usage)
            case ev.MessageStarted():
                self._started(event)
            case ev.MessageCompleted(message=message, finish_reason=reason, raw_finish_reason=raw):
                self.message = message
                self.finish_reason = reason or self.finish_reason
                self.raw_finish_reason = raw or self.raw_finish_reason
            case ev.MessageRestarted():
                self._forget()
            case ev.Error(failure=failure):
                self.error = failure
                self.finish_reason = "error"
            case (
                ev.RawChunk()
                | ev.ToolExecutionStarted()
                | ev.ToolExecutionProgress()
                | ev.ToolExecutionCompleted()
                | ev.ToolResultEncoded()
                | ev.AskUserRequested()
                | ev.ToolHalt()
                | ev.StepCompleted()
                | ev.ChatCompleted()
                | ev.SessionStarted()
                | ev.SessionCompleted()
            ):
                pass

    def _started(self, event: ev.MessageStarted) -> None:
        self.message_id = event.message_id or self.message_id
        self.provider = event.provider or self.provider
        self.model = event.model or self.model
        self.request_id = event.request_id or self.request_id
        self.provider_request_id = event.provider_request_id or self.provider_request_id

    def snapshot(self) -> Snapshot:
        """Give a view of the answer as it stands; making it costs a step per block, not per character."""
        return Snapshot(self)

    def response(self) -> Response:
        """Give the response as it stands."""
        failure = self.error
        return Response(
            id=self.message_id,
            request_id=self.request_id or (failure.request_id if failure else None),
            provider_request_id=self.provider_request_id or (failure.provider_request_id if failure else None),
            provider=self.provider or (failure.provider if failure else None),
            model=self.model,
            message=self.message if self.message is not None else self.builder.build(),
            finish_reason=self.finish_reason,
            raw_finish_reason=self.raw_finish_reason,
            usage=self.usage,
            error=failure,
        )


def completed_call(event: ev.ToolCallCompleted) -> ToolCall:
    """Give the part that a completed call is."""
    return ToolCall(
        id=event.id,
        name=event.name,
        arguments=event.arguments,
        raw_arguments=event.raw_arguments,
        error=event.error,
        provider_executed=event.provider_executed,
        provider_data=event.provider_data,
    )


def received_result(event: ev.ToolResultReceived) -> ToolResultPart:
    """Give the part that a result of the provider's own tool is."""
    return ToolResultPart(
        id=event.id,
        name=event.name,
        content=event.content,
        is_error=event.is_error,
        provider_executed=True,
        provider_data=event.provider_data,
    )
