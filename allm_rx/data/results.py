"""What came of a step, of a chat, and of one tool call."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeVar, cast

from pydantic import Field, JsonValue

from allm_rx.data.answers import answered
from allm_rx.data.failures import Failure
from allm_rx.data.model import Data, JsonLike
from allm_rx.data.parts import ToolCall, ToolResultPart
from allm_rx.data.responses import Response
from allm_rx.data.threads import Thread
from allm_rx.data.tool_values import error_of
from allm_rx.data.usage import Usage
from allm_rx.errors import SessionError

AnswerT = TypeVar("AnswerT")

AWAITING_USER = "<awaiting user response>"
"""What stands in the thread for the answer of a tool that asked the user."""


class ToolOutcome(Data):
    """How one tool call ended, before it was encoded for the model."""

    kind: Literal["value", "error", "ask_user", "halt"]
    value: JsonLike = None
    """What the handler gave: the value, the halt's result, or the question's options."""
    failure: Failure | None = None
    """Why it failed, for `error`."""
    reason: str | None = None
    """The halt's reason, or the question."""


class PendingQuestion(Data):
    """A question of a tool that the user has not answered yet."""

    tool_call_id: str
    tool_name: str
    question: str
    options: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class StepResult(Data):
    """One generation and the tools it called."""

    index: int = 0
    """Position of the step in its chat, from 0."""
    thread: Thread = Field(repr=False)
    """The conversation after the step; it can be sent again once its pending calls are answered.

    It is left out of the `repr`, where the steps of a long chat would show the whole conversation once each.
    """
    response: Response
    tool_results: tuple[ToolResultPart, ...] = ()
    """In call order."""
    pending_tool_calls: tuple[ToolCall, ...] = ()
    """Calls that the application has to answer."""
    pending_questions: tuple[PendingQuestion, ...] = ()
    halted_reason: str | None = None
    """Why the loop ends here; None when it may go on."""

    @property
    def output_text(self) -> str:
        """The text of the answer."""
        return self.response.output_text

    @property
    def error(self) -> Failure | None:
        """Why the step failed: its answer, or for `tool_error` the first tool that did."""
        if self.response.error is not None or self.halted_reason != "tool_error":
            return self.response.error
        return next((failure for result in self.tool_results if (failure := _failure(result)) is not None), None)

    def raise_for_error(self) -> Self:
        """Give the result itself.

        Raises:
            AllmError: the step failed; what there is of it is on this result.
        """
        if self.error is not None:
            raise self.error.exception()
        return self

    def resume(self, answer: str | Mapping[str, str]) -> Thread:
        """Give the thread with the user's answers in the place of the questions; see `ChatResult.resume`."""
        return _resumed(self.thread, self.pending_questions, answer)


class ChatResult(Data):
    """All steps of a chat, and why it ended."""

    thread: Thread
    """The conversation after the chat; it can be sent again once its pending calls are answered."""
    steps: tuple[StepResult, ...] = ()
    halted_reason: str
    error: Failure | None = None
    """Why it failed, for `error` and `tool_error`."""

    def raise_for_error(self) -> Self:
        """Give the result itself.

        Raises:
            AllmError: the chat failed; what there is of it is on this result.
        """
        if self.error is not None:
            raise self.error.exception()
        return self

    @property
    def final_response(self) -> Response | None:
        """The last answer, partial where it broke off; None when there was no step."""
        return self.steps[-1].response if self.steps else None

    @property
    def output_text(self) -> str:
        """The text of the last answer; empty when there was none."""
        return self.steps[-1].response.output_text if self.steps else ""

    @property
    def usage(self) -> Usage:
        """Tokens and cost of all steps together."""
        return sum((step.response.usage for step in self.steps), Usage())

    @property
    def pending_tool_calls(self) -> tuple[ToolCall, ...]:
        """Calls that the application has to answer before the thread can be sent again."""
        return self.steps[-1].pending_tool_calls if self.steps else ()

    @property
    def pending_questions(self) -> tuple[PendingQuestion, ...]:
        """Questions that the user has to answer before the thread can be sent again."""
        return self.steps[-1].pending_questions if self.steps else ()

    def resume(self, answer: str | Mapping[str, str]) -> Thread:
        """Give the thread with the user's answers in the place of the questions, ready to be sent again.

        Args:
            answer: the answer to the one question, or answers by tool call id.

        Raises:
            SessionError: `wrong_status` when nothing was asked, or a question is left without an answer;
                `unknown_tool_call_id` when an id asked nothing.
        """
        return _resumed(self.thread, self.pending_questions, answer)


def _failure(result: ToolResultPart) -> Failure | None:
    """Give why a tool failed, which its result tells the model."""
    error = error_of(result.text) if result.is_error else None
    return error and Failure(kind="ToolError", reason=error[0], message=error[1])


def _resumed(thread: Thread, questions: tuple[PendingQuestion, ...], answer: str | Mapping[str, str]) -> Thread:
    if not questions:
        raise SessionError("wrong_status", "No tool asked the user here: send the thread itself, or halt with `AskUser`.")
    return answered(thread, answers_to(questions, answer))


def answers_to(questions: Sequence[PendingQuestion], answer: AnswerT | Mapping[str, AnswerT]) -> Mapping[str, AnswerT]:
    """Give the answers by tool call id.

    Args:
        questions: those that wait, at least one.
        answer: to the one question, or a mapping by id.

    Raises:
        SessionError: `wrong_status`, a question is left without an answer.
    """
    waiting = [question.tool_call_id for question in questions]
    if not isinstance(answer, Mapping):
        first, *others = waiting
        if not others:
            return {first: answer}
        missing = waiting
    else:
        answers = cast("Mapping[str, AnswerT]", answer)
        missing = [call_id for call_id in waiting if call_id not in answers]
        if not missing:
            return answers
    ids = ", ".join(map(repr, missing))
    raise SessionError(
        "wrong_status", f"{len(waiting)} questions wait: answer all of them by id, as {{id: answer}}; missing: {ids}."
    )
