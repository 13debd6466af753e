"""What a step leaves behind: its result, its thread, and why a chat ends there. Pure.

Rule 1: the thread can always be sent again, once the calls in `pending_tool_calls` have results.
Rule 2: a step that was left early gives what there is of it, with `halted_reason` `cancelled`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from allm_rx.data import events as ev
from allm_rx.data.messages import Message
from allm_rx.data.parts import TextPart, ToolCall, ToolResultPart
from allm_rx.data.results import AWAITING_USER, PendingQuestion, StepResult
from allm_rx.reducers.response import ResponseFold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allm_rx.data.parts import ResultContent
    from allm_rx.data.responses import Response
    from allm_rx.data.threads import Thread

NOT_EXECUTED = '{"error":{"reason":"not_executed"}}'
"""What stands in the thread for the result of a call that nobody ran."""


@dataclass(slots=True)
class ToolPhase:
    """What the tools of one answer gave, by call id."""

    results: dict[str, ToolResultPart] = field(default_factory=dict[str, ToolResultPart])
    questions: dict[str, PendingQuestion] = field(default_factory=dict[str, PendingQuestion])
    halts: dict[str, str] = field(default_factory=dict[str, str])
    """Reasons of handlers' halts."""
    failed: set[str] = field(default_factory=set[str])
    """Calls whose error halts the chat."""


def step_result(index: int, thread: Thread, response: Response, phase: ToolPhase, manual: Sequence[ToolCall]) -> StepResult:
    """Give the result of one step.

    Args:
        index: its position, from 0.
        thread: the conversation before it.
        response: what the model answered.
        phase: what its tools gave.
        manual: the calls that are the application's to answer.
    """
    ran = [phase.results[call.id] for call in response.tool_calls if call.id in phase.results]
    pending = tuple(manual) if response.finish_reason == "tool_calls" else ()
    return StepResult(
        index=index,
        thread=_continued(thread, response, phase, pending),
        response=response,
        tool_results=tuple(ran),
        pending_tool_calls=pending,
        pending_questions=tuple(phase.questions[call.id] for call in response.tool_calls if call.id in phase.questions),
        halted_reason=_halted(response, phase, pending),
    )


def _halted(response: Response, phase: ToolPhase, pending: Sequence[ToolCall]) -> str | None:
    halts = [phase.halts[call.id] for call in response.tool_calls if call.id in phase.halts]
    reason = response.finish_reason
    if phase.questions:
        return "ask_user"
    if phase.failed:
        return "tool_error"
    if halts:
        return halts[0]
    if pending:
        return "manual_tool_calls"
    if reason == "tool_calls":
        return None if response.tool_calls else "completed"
    return "completed" if reason == "stop" else reason or "interrupted"


def _continued(thread: Thread, response: Response, phase: ToolPhase, pending: Sequence[ToolCall]) -> Thread:
    if response.finish_reason in (None, "error"):
        return thread  # no half message: the next request would send it again
    message = response.message
    cut = {call.id for call in message.tool_calls if call.error is not None and call.id not in phase.results}
    if cut:
        kept = tuple(part for part in message.content if not (isinstance(part, ToolCall) and part.id in cut))
        message = message.model_copy(update={"content": kept})
    if not message.content:
        return thread  # providers refuse an empty message
    waiting = {call.id for call in pending}
    answers = [
        _answer(phase.results.get(call.id) or _not_executed(call)) for call in message.tool_calls if call.id not in waiting
    ]
    return thread.append(message, *answers)


def _answer(result: ToolResultPart) -> Message:
    return Message(role="tool", tool_call_id=result.id, name=result.name, content=(result,))


def _not_executed(call: ToolCall) -> ToolResultPart:
    return ToolResultPart(id=call.id, name=call.name, content=(TextPart(text=NOT_EXECUTED),), is_error=True)


class StepFold:
    """What the events of one step add up to."""

    def __init__(self) -> None:
        """Begin with no event seen."""
        self.response = ResponseFold()
        self.completed: StepResult | None = None
        self._phase = ToolPhase()
        self._names: dict[str, str] = {}
        self._errors: set[str] = set()

    def apply(self, event: ev.Event) -> Self:
        """Take one event into account."""
        if isinstance(event, ev.StepCompleted):
            self.completed = event.result
        elif isinstance(event, ev.ToolExecutionStarted):
            self._names[event.id] = event.name
        elif isinstance(event, ev.ToolExecutionCompleted):
            if event.outcome.kind == "error":
                self._errors.add(event.id)
        elif isinstance(event, ev.ToolResultEncoded):
            self._record(event.id, event.content)
        elif isinstance(event, ev.AskUserRequested):
            self._record(event.tool_call_id, (TextPart(text=AWAITING_USER),))
            self._phase.questions[event.tool_call_id] = PendingQuestion(
                tool_call_id=event.tool_call_id,
                tool_name=event.tool_name,
                question=event.question,
                options=event.options,
            )
        else:
            self.response.apply(event)
        return self

    def result(self, thread: Thread, index: int = 0) -> StepResult:
        """Give the step's result; of a step that was left early what there is of it.

        Args:
            thread: the conversation before the step.
            index: its position in the chat.
        """
        if self.completed is not None:
            return self.completed
        partial = step_result(index, thread, self.response.response(), self._phase, ())
        halted = "error" if partial.response.error is not None else "cancelled"
        return partial.model_copy(update={"halted_reason": halted})

    @property
    def begun(self) -> bool:
        """Whether anything of the step was seen."""
        fold = self.response
        return self.completed is not None or fold.error is not None or fold.request_id is not None or bool(fold.builder.blocks)

    def _record(self, call_id: str, content: tuple[ResultContent, ...]) -> None:
        self._phase.results[call_id] = ToolResultPart(
            id=call_id, name=self._names.get(call_id), content=content, is_error=call_id in self._errors
        )
