"""The events that end a stream which is left on purpose: what there is, in the grammar of its kind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self

from allm_rx.data import events as ev
from allm_rx.reducers.chat import ChatFold
from allm_rx.reducers.response import ResponseFold
from allm_rx.reducers.session import SessionFold
from allm_rx.reducers.step import StepFold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allm_rx.data.threads import Thread

StreamKind = Literal["generate", "step", "chat", "session"]


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
        """Give the events that end the stream now."""
        ...


def closing_fold(kind: StreamKind, thread: Thread) -> ClosingFold:
    """Give the fold for a kind of stream.

    Args:
        kind: which call it comes from.
        thread: the conversation before the call.
    """
    match kind:
        case "generate":
            return _Generation()
        case "step":
            return _Step(thread)
        case "chat":
            return _Chat(thread)
        case "session":
            return _Session()


class _Generation:
    def __init__(self) -> None:
        self._fold = ResponseFold()
        self.ended = False

    def apply(self, event: ev.Event) -> Self:
        self._fold.apply(event)
        self.ended = self.ended or isinstance(event, (ev.MessageCompleted, ev.Error))
        return self

    def closing(self) -> Sequence[ev.Event]:
        return [ev.MessageCompleted(self._fold.response().message)]


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
        return [ev.StepCompleted(0, self._fold.result(self._thread))]


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
        return closing_chat(self._fold)


class _Session:
    def __init__(self) -> None:
        self._fold = SessionFold()

    @property
    def ended(self) -> bool:
        return self._fold.ended

    def apply(self, event: ev.Event) -> Self:
        self._fold.apply(event)
        return self

    def closing(self) -> Sequence[ev.Event]:
        if not self._fold.started:
            return []
        return [*closing_chat(self._fold.chat), ev.SessionCompleted(self._fold.turn())]


def closing_chat(fold: ChatFold) -> Sequence[ev.Event]:
    """Give the events that end a chat now: its current step's and its own."""
    result = fold.result()
    steps: list[ev.Event] = [ev.StepCompleted(step.index, step) for step in result.steps[fold.completed_steps :]]
    return [*steps, ev.ChatCompleted(result)]
