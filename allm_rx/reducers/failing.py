"""The end of a stream that failed while no answer was under way, such as in the middle of its tools. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data import events as ev
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.sessions import Turn
from allm_rx.reducers.session import projected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from allm_rx.data.failures import Failure


def failing(closing: Iterable[ev.Event], failure: Failure) -> Iterator[ev.Event]:
    """Give the events that end a stream, with results that say why it failed in place of `cancelled`.

    Args:
        closing: what a `ClosingFold` gives.
        failure: why it failed; no `error` event can tell, since there is no answer that it would end.
    """
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
    return step.model_copy(update={"halted_reason": "error", "tool_failure": failure})


def _chat(chat: ChatResult, failure: Failure) -> ChatResult:
    steps = (*chat.steps[:-1], *(_step(step, failure) for step in chat.steps[-1:]))
    return chat.model_copy(update={"steps": steps, "halted_reason": "error", "error": failure})
