"""What the steps of a chat add up to, and when the loop ends. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from allm_rx.data import events as ev
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.threads import Thread
from allm_rx.reducers.step import StepFold

if TYPE_CHECKING:
    from collections.abc import Callable

    from allm_rx.data.usage import Usage


def halts_chat(
    step: StepResult,
    *,
    steps: int,
    max_turns: int,
    halt_when: Callable[[StepResult], bool] | None,
    usage: Usage,
    usage_limit: Usage | None,
) -> str | None:
    """Give why a chat ends after a step, or None when the model is asked again; the first match decides."""
    if step.halted_reason is not None:
        return step.halted_reason
    if halt_when is not None and halt_when(step):
        return "halt_when"
    if usage_limit is not None and _over(usage, usage_limit):
        return "usage_limit"
    return "max_turns" if steps >= max_turns else None


def _over(usage: Usage, limit: Usage) -> bool:
    names = ("input_tokens", "output_tokens", "total_tokens", "reasoning_tokens", "total_cost")
    pairs = ((getattr(usage, name), getattr(limit, name)) for name in names)
    return any(most is not None and used is not None and used > most for used, most in pairs)


class ChatFold:
    """What the events of one chat add up to."""

    def __init__(self, thread: Thread | None = None) -> None:
        """Begin with no event seen.

        Args:
            thread: the conversation before the chat, for the result of one that is left in its first step.
        """
        self._thread = thread if thread is not None else Thread()
        self._steps: list[StepResult] = []
        self._current = StepFold()
        self._completed: ChatResult | None = None

    def apply(self, event: ev.Event) -> Self:
        """Take one event into account."""
        if isinstance(event, ev.ChatCompleted):
            self._completed = event.result
        elif isinstance(event, ev.StepCompleted):
            self._steps.append(event.result)
            self._thread = event.result.thread
            self._current = StepFold()
        else:
            self._current.apply(event)
        return self

    @property
    def completed_steps(self) -> int:
        """How many steps came to their end."""
        return len(self._steps)

    @property
    def ended(self) -> bool:
        """Whether the chat came to its end."""
        return self._completed is not None

    def result(self) -> ChatResult:
        """Give the chat's result; of one that was left early what there is of it, its thread fit to be sent again."""
        if self._completed is not None:
            return self._completed
        steps = list(self._steps)
        if self._current.begun:
            steps.append(self._current.result(self._thread, len(steps)))
        error = steps[-1].response.error if steps else None
        thread = steps[-1].thread if steps else self._thread
        halted = "error" if error is not None else "cancelled"
        return ChatResult(thread=thread, steps=tuple(steps), halted_reason=halted, error=error)
