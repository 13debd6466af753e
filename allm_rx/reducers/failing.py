"""The events that end a stream which fails from outside, in the grammar of its kind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data import events as ev
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.sessions import Turn
from allm_rx.reducers.session import projected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from allm_rx.data.failures import Failure
    from allm_rx.data.sessions import Session
    from allm_rx.reducers.closing import ClosingFold


def failed(fold: ClosingFold, failure: Failure, *, answering: bool, before: Session | None = None) -> Iterator[ev.Event]:
    """Give the events that end a stream which fails from outside, such as by the clock.

    An answer under way, or to come, ends with `error`. While tools run there is none, so only the results can tell.

    Args:
        fold: what there is of the stream.
        failure: why it fails.
        answering: whether an answer is under way, or the next to come.
        before: the session, when its operation has not begun.
    """
    openings: list[ev.Event] = [] if before is None else [ev.SessionStarted(before)]
    if answering:
        openings.append(ev.Error(failure))
    for event in openings:
        fold.apply(event)
        yield event
    if not fold.ended:
        closing = fold.closing()
        yield from closing if answering else _with_failure(closing, failure)


def _with_failure(closing: Iterable[ev.Event], failure: Failure) -> Iterator[ev.Event]:
    for event in closing:
        match event:
            case ev.StepCompleted(index=index, result=step):
                yield ev.StepCompleted(index, _step(step, failure))
            case ev.ChatCompleted(result=chat):
                yield ev.ChatCompleted(_chat(chat, failure))
            case ev.SessionCompleted(turn=turn):
                result = _chat(turn.result, failure) if isinstance(turn.result, ChatResult) else _step(turn.result, failure)
                yield ev.SessionCompleted(Turn(session=projected(turn.session, result), result=result))
            case _:
                yield event


def _step(step: StepResult, failure: Failure) -> StepResult:
    response = step.response.model_copy(update={"error": failure})
    return step.model_copy(update={"halted_reason": "error", "response": response})


def _chat(chat: ChatResult, failure: Failure) -> ChatResult:
    steps = (*chat.steps[:-1], *(_step(step, failure) for step in chat.steps[-1:]))
    return chat.model_copy(update={"steps": steps, "halted_reason": "error", "error": failure})
