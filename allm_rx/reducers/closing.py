"""The events that end a stream which is left on purpose: what there is, in the grammar of its kind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.parts import TextPart, ToolCall
from allm_rx.data.results import ToolOutcome
from allm_rx.data.sessions import Session
from allm_rx.reducers.chat import ChatFold
from allm_rx.reducers.response import ResponseFold
from allm_rx.reducers.session import SessionFold
from allm_rx.reducers.step import NOT_EXECUTED, StepFold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from allm_rx.data.threads import Thread

StreamKind = Literal["generate", "step", "chat", "session", "session_step"]

_LEFT = Failure(
    kind="ToolError",
    reason="not_executed",
    message="The call was cancelled before its tool had answered.",
)
"""Why a tool that was still running has no result."""


class ClosingFold(Protocol):
    """A fold that can end its stream at any moment."""

    @property
    def ended(self) -> bool:
        """Whether the stream has ended by itself."""
        ...

    def apply(self, event: ev.Event, /) -> Self:
        """Take one event into account."""
        ...

    def closing(self) -> Sequence[ev.Event]:
        """Give the events that end the stream now; called once."""
        ...


def closing_fold(kind: StreamKind, before: Thread | Session) -> ClosingFold:
    """Give the fold for a kind of stream.

    Args:
        kind: which call it comes from.
        before: the conversation before the call; for the operation of a session, the session that it starts with.
    """
    if isinstance(before, Session):
        return _Session(before, is_step=kind == "session_step")
    match kind:
        case "step":
            return _Step(before)
        case "chat":
            return _Chat(before)
        case _:
            return _Generation()


class _Generation:
    def __init__(self) -> None:
        self._fold = ResponseFold()
        self.ended = False

    def apply(self, event: ev.Event) -> Self:
        self._fold.apply(event)
        self.ended = self.ended or isinstance(event, (ev.MessageCompleted, ev.Error))
        return self

    def closing(self) -> Sequence[ev.Event]:
        return [*_end_of_answer(self._fold)]


class _Step:
    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._fold = StepFold()

    @property
    def ended(self) -> bool:
        return self._fold.completed is not None

    def apply(self, event: ev.Event) -> Self:
        self._fold.apply(event)
        return self

    def closing(self) -> Sequence[ev.Event]:
        return _end_of_step(self._fold, self._thread, 0)


class _Chat:
    def __init__(self, thread: Thread) -> None:
        self._fold = ChatFold(thread)

    @property
    def ended(self) -> bool:
        return self._fold.ended

    def apply(self, event: ev.Event) -> Self:
        self._fold.apply(event)
        return self

    def closing(self) -> Sequence[ev.Event]:
        return _end_of_chat(self._fold)


class _Session:
    def __init__(self, session: Session, *, is_step: bool) -> None:
        self._session = session
        self._is_step = is_step
        self._fold = SessionFold(is_step=is_step)

    @property
    def ended(self) -> bool:
        return self._fold.ended

    def apply(self, event: ev.Event) -> Self:
        self._fold.apply(event)
        return self

    def closing(self) -> Sequence[ev.Event]:
        events: list[ev.Event] = []
        if not self._fold.started:
            events.append(ev.SessionStarted(self._session))
            self.apply(events[0])
        chat = self._fold.chat
        if not self._is_step:
            events += () if chat.ended else _end_of_chat(chat)
        elif not chat.steps:
            events += _end_of_step(chat.current, chat.thread, 0)
            self.apply(events[-1])
        return [*events, ev.SessionCompleted(self._fold.turn())]


def _end_of_answer(fold: ResponseFold) -> Iterator[ev.Event]:
    """End an answer where it is: calls that were being written are cut, and the message has no finish reason."""
    message = fold.response().message
    for part in message.content:
        if isinstance(part, ToolCall) and not fold.builder.call(part.id).completed:
            yield ev.ToolCallCompleted(
                id=part.id,
                name=part.name,
                arguments={},
                raw_arguments=part.raw_arguments,
                error=part.error,
                provider_executed=part.provider_executed,
            )
    yield ev.MessageCompleted(message)


def _end_of_step(fold: StepFold, thread: Thread, index: int) -> Sequence[ev.Event]:
    """End a step where it is: its answer, the tools that run, and the step."""
    events = [] if fold.answered else [*_end_of_answer(fold.response)]
    for call_id, run in fold.running.items():
        if isinstance(run, ev.ToolExecutionStarted):
            events.append(ev.ToolExecutionCompleted(call_id, run.name, ToolOutcome(kind="error", failure=_LEFT)))
        events.append(ev.ToolResultEncoded(call_id, (TextPart(text=NOT_EXECUTED),)))
    for event in events:
        fold.apply(event)
    return [*events, ev.StepCompleted(index, fold.result(thread, index))]


def _end_of_chat(fold: ChatFold) -> Sequence[ev.Event]:
    """End a chat where it is; one that has not begun has one step, of which there is nothing."""
    events: list[ev.Event] = []
    if fold.current.begun or not fold.steps:
        events += _end_of_step(fold.current, fold.thread, len(fold.steps))
        fold.apply(events[-1])
    result = ev.ChatCompleted(fold.result())
    fold.apply(result)
    return [*events, result]
