"""What the steps of a chat add up to, and when the loop ends. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from allm_rx.data import events as ev
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.threads import Thread
from allm_rx.reducers.step import StepFold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from allm_rx.data.usage import Usage


def halts_chat(
    step: StepResult,
    *,
    steps: int,
    max_turns: int,
    halt_when: Callable[[StepResult], bool] | None = None,
    usage: Usage | None = None,
    usage_limit: Usage | None = None,
    more: bool = False,
) -> str | None:
    """Give why a chat ends after a step, or None when the model is asked again; the first match decides.

    Args:
        step: the step that has ended.
        steps: how many there were.
        max_turns: how many there may be.
        halt_when: the caller's condition; asked only when the chat would go on.
        usage: of all steps.
        usage_limit: its fields that are set are limits.
        more: whether somebody has said something that the model has not seen; an answer is not the end then.
    """
    reason = step.halted_reason
    if reason is not None and not (more and reason == "completed"):
        return reason
    if halt_when is not None and halt_when(step):
        stop = "halt_when"
    elif usage is not None and usage_limit is not None and over_limit(usage, usage_limit):
        stop = "usage_limit"
    else:
        stop = "max_turns" if steps >= max_turns else None
    return stop and (reason or stop)


def over_limit(usage: Usage, limit: Usage) -> bool:
    """Tell whether anything of what was used is more than its limit; what was not reported is not over one."""
    spent = _numbers(usage)
    if spent.get("total_tokens") is None and (spent["input_tokens"] is not None or spent["output_tokens"] is not None):
        spent["total_tokens"] = (spent["input_tokens"] or 0) + (spent["output_tokens"] or 0)
    return any(
        most is not None and (used := spent.get(name)) is not None and used > most for name, most in _numbers(limit).items()
    )


def _numbers(usage: Usage) -> dict[str, float | None]:
    return {name: value for name, value in usage if name != "extra"}


class ChatFold:
    """What the events of one chat add up to."""

    def __init__(self, thread: Thread | None = None) -> None:
        """Begin with no event seen.

        Args:
            thread: the conversation before the chat, for the result of one that is left in its first step.
        """
        self._thread = thread if thread is not None else Thread()
        self._steps: list[StepResult] = []
        self.current = StepFold()
        """The step that runs."""
        self._completed: ChatResult | None = None

    def apply(self, event: ev.Event) -> Self:
        """Take one event into account."""
        if isinstance(event, ev.ChatCompleted):
            self._completed = event.result
        elif isinstance(event, ev.StepCompleted):
            self._steps.append(event.result)
            self._thread = event.result.thread
            self.current = StepFold()
        else:
            self.current.apply(event)
        return self

    @property
    def thread(self) -> Thread:
        """The conversation before the step that runs."""
        return self._thread

    @property
    def steps(self) -> Sequence[StepResult]:
        """The steps that came to their end."""
        return self._steps

    @property
    def ended(self) -> bool:
        """Whether the chat came to its end."""
        return self._completed is not None

    def result(self) -> ChatResult:
        """Give the chat's result; of one that was left early what there is of it, its thread fit to be sent again."""
        if self._completed is not None:
            return self._completed
        steps = list(self._steps)
        if self.current.begun:
            steps.append(self.current.result(self._thread, len(steps)))
        if not steps:
            return ChatResult(thread=self._thread, halted_reason="cancelled")
        last = steps[-1]
        # A step that halted decides, though nobody waited for the chat's last event; "completed" may not be all of it.
        halted = "cancelled" if last.halted_reason in (None, "completed") else last.halted_reason
        return ChatResult(thread=last.thread, steps=tuple(steps), halted_reason=halted, error=last.error)
