"""What a step leaves behind: its result, its thread, and why a chat ends there. Pure.

Rule 1: the thread can always be sent again, once the calls in `pending_tool_calls` have results.
Rule 2: a step that was left early gives what there is of it, with `halted_reason` `cancelled`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeGuard

from allm_rx.data import events as ev
from allm_rx.data.messages import Message
from allm_rx.data.parts import ReasoningPart, SourcePart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.results import AWAITING_USER, PendingQuestion, StepResult
from allm_rx.data.tool_values import encoded, error_of, error_text
from allm_rx.reducers.response import ResponseFold

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from allm_rx.data.parts import Part, ResultContent
    from allm_rx.data.responses import Response
    from allm_rx.data.threads import Thread

ToolExecution = ev.ToolExecutionStarted | ev.ToolExecutionCompleted

NOT_EXECUTED = error_text("not_executed")
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
    calls = response.tool_calls
    pending = tuple(manual) if response.finish_reason == "tool_calls" else ()
    return StepResult(
        index=index,
        thread=_continued(thread, response, phase, pending),
        response=response,
        tool_results=tuple(phase.results[call.id] for call in calls if call.id in phase.results),
        pending_tool_calls=pending,
        pending_questions=tuple(phase.questions[call.id] for call in calls if call.id in phase.questions),
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
    waiting = {call.id for call in pending}
    message = _mended(response, phase.results.keys() | waiting)
    if message is None:
        return thread
    answers = [
        _answer(phase.results.get(call.id) or _not_executed(call)) for call in message.tool_calls if call.id not in waiting
    ]
    return thread.append(message, *answers)


def _mended(response: Response, answered: Collection[str]) -> Message | None:
    """Give the answer without what broke off at its end, as providers take it; None when nothing is left to send."""
    message = response.message
    own = {part.id for part in message.content if isinstance(part, ToolResultPart)}
    parts = [part for part in message.content if not (_is_cut(part) and part.id not in answered and part.id not in own)]
    if len(parts) < len(message.content) or response.finish_reason not in ("stop", "tool_calls"):
        while parts and isinstance(parts[-1], ReasoningPart):  # a thought that led to nothing is refused
            del parts[-1]
    if not any(_says(part) for part in parts):
        return None
    return message if len(parts) == len(message.content) else message.model_copy(update={"content": tuple(parts)})


def _is_cut(part: Part) -> TypeGuard[ToolCall]:
    return isinstance(part, ToolCall) and part.error is not None


def _says(part: Part) -> bool:
    if isinstance(part, TextPart):
        return bool(part.text.strip() or part.provider_data)
    return not isinstance(part, (ReasoningPart, SourcePart))


def _answer(result: ToolResultPart) -> Message:
    return Message(role="tool", tool_call_id=result.id, name=result.name, content=(result,))


def _not_executed(call: ToolCall) -> ToolResultPart:
    return ToolResultPart(id=call.id, name=call.name, content=(TextPart(text=NOT_EXECUTED),), is_error=True)


_TOOL_PHASE = frozenset(
    {
        ev.ToolExecutionStarted,
        ev.ToolExecutionProgress,
        ev.ToolExecutionCompleted,
        ev.ToolResultEncoded,
        ev.AskUserRequested,
        ev.ToolHalt,
        ev.StepCompleted,
    }
)


class StepFold:
    """What the events of one step add up to."""

    def __init__(self) -> None:
        """Begin with no event seen."""
        self.response = ResponseFold()
        self.completed: StepResult | None = None
        self.begun = False
        """Whether anything of the step was seen."""
        self.answered = False
        """Whether the answer is whole, or has failed."""
        self.running: dict[str, ToolExecution] = {}
        """The tool runs that are not settled yet, by call id."""
        self._phase = ToolPhase()
        self._names: dict[str, str] = {}

    def apply(self, event: ev.Event) -> Self:
        """Take one event into account."""
        self.begun = True
        if type(event) in _TOOL_PHASE:
            self._apply(event)
        else:
            self.answered = self.answered or type(event) is ev.MessageCompleted or type(event) is ev.Error
            self.response.apply(event)
        return self

    def _apply(self, event: ev.Event) -> None:
        match event:
            case ev.StepCompleted():
                self.completed = event.result
            case ev.ToolExecutionStarted():
                self._names[event.id] = event.name
                self.running[event.id] = event
            case ev.ToolExecutionCompleted():
                self.running[event.id] = event
            case ev.ToolResultEncoded():
                self._record(event.id, event.content)
            case ev.AskUserRequested():
                self._record(event.tool_call_id, (TextPart(text=AWAITING_USER),))
                self._phase.questions[event.tool_call_id] = PendingQuestion(
                    tool_call_id=event.tool_call_id,
                    tool_name=event.tool_name,
                    question=event.question,
                    options=event.options,
                )
            case ev.ToolHalt():
                self._record(event.tool_call_id, _written(event.result))
            case _:
                pass

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

    def _record(self, call_id: str, content: str | tuple[ResultContent, ...]) -> None:
        self.running.pop(call_id, None)
        result = ToolResultPart(id=call_id, name=self._names.get(call_id), content=content)
        self._phase.results[call_id] = result.model_copy(update={"is_error": error_of(result.text) is not None})


def _written(value: Any) -> str | tuple[ResultContent, ...]:
    """Write what a tool halted with; the event has only the value, which an encoder of the caller's may write otherwise."""
    try:
        return encoded(value)
    except Exception:  # noqa: BLE001 - a value of the caller's, which the encoder has refused before
        return error_text("encoding_failed")
