"""From what a handler gave to what the model is told. Pure, but for the caller's own policy and encoder.

Rule 1: whatever policy and encoder do, one settlement comes out; nothing is raised but Ctrl-C.
Rule 2: the policy is asked at most once per call; when what it gave cannot be used, the chat halts.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allm_rx.abc.tools import RESERVED_HALTS, AskUser, Halt
from allm_rx.data.failures import Failure
from allm_rx.data.parts import TextPart, ToolResultPart
from allm_rx.data.results import AWAITING_USER, PendingQuestion, ToolOutcome
from allm_rx.data.tool_values import error_text
from allm_rx.errors import AllmError, ToolError
from allm_rx.execution.tool_invocation import is_ctrl_c, text_of

if TYPE_CHECKING:
    from allm_rx.abc.tools import ToolResultEncoder
    from allm_rx.data.parts import ToolCall


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is done about one outcome."""

    outcome: Any
    """An `AskUser`, a `Halt`, a `ToolError` that the model is told, or a value."""
    result: ToolResultPart
    """What stands in the thread."""
    failure: ToolError | None = None
    """The error that halts the chat."""


def checked(call: ToolCall, outcome: Any) -> Any:
    """Give a handler's outcome; a question or a halt that cannot be one becomes a tool error."""
    match outcome:
        case AskUser():
            try:
                question_of(call, outcome)
            except (AllmError, TypeError, ValueError) as error:
                return _unusable(call, f"an `AskUser` that is none: {text_of(error)}")
        case Halt():
            reason: Any = outcome.reason
            if not isinstance(reason, str) or not reason:
                return _unusable(call, "a `Halt` whose reason is no word: give it a text.")
            if reason in RESERVED_HALTS:
                return _unusable(call, f"`Halt({reason!r})`, a reason of the chat loop itself: halt with another word.")
        case _:
            pass
    return outcome


def question_of(call: ToolCall, asked: AskUser) -> PendingQuestion:
    """Give a handler's question as data.

    Raises:
        AllmError: it is none.
    """
    return PendingQuestion(tool_call_id=call.id, tool_name=call.name, question=asked.question, options=dict(asked.options))


def settled(call: ToolCall, outcome: Any, *, policy: Any, encoder: ToolResultEncoder) -> Settlement:
    """Give what is done about an outcome that `checked` has passed.

    Args:
        call: what the model asked for.
        outcome: what its handler gave, or the `ToolError` that stands for it.
        policy: `"continue"`, `"halt"`, or a function of call and error that gives what replaces the result.
        encoder: writes a value for the model.
    """
    failure: ToolError | None = None
    judged = isinstance(outcome, ToolError)
    if judged:
        outcome, failure = _by_policy(call, outcome, policy)
    result = _written(call, outcome, encoder)
    if isinstance(result, ToolError):
        error = result
        replaced, failure = (error, error) if judged else _by_policy(call, error, policy)
        if isinstance(outcome, Halt) and not isinstance(replaced, (AskUser, Halt)):
            replaced = Halt(outcome.reason, replaced)  # it still wants to halt
        outcome = replaced
        result = _written(call, outcome, encoder)
        if isinstance(result, ToolError):
            outcome = failure = result
            result = _told_as_error(call, result)
    return Settlement(outcome, result, failure)


def told(outcome: Any) -> ToolOutcome:
    """Give an outcome as data, for those who watch."""
    match outcome:
        case ToolError():
            return ToolOutcome(kind="error", failure=Failure.of(outcome))
        case AskUser(question=question, options=options):
            return ToolOutcome(kind="ask_user", reason=question, value=dict(options))
        case Halt(reason=reason, result=result):
            return ToolOutcome(kind="halt", reason=reason, value=result)
        case _:
            return ToolOutcome(kind="value", value=outcome)


def _by_policy(call: ToolCall, error: ToolError, policy: Any) -> tuple[Any, ToolError | None]:
    """Give what stands in for a failed call, and the error that halts the chat, if one does."""
    if policy == "halt":
        return error, error
    if not callable(policy):
        return error, None
    try:
        answer: Any = policy(call, error)
    except BaseException as raised:
        if is_ctrl_c(raised):
            raise
        return _misjudged(error, f"raised {type(raised).__name__}: {text_of(raised)}", raised)
    if inspect.isawaitable(answer):  # an `Observable` is, too
        if inspect.iscoroutine(answer):
            answer.close()
        return _misjudged(error, f"gave a {type(answer).__name__}: make it a plain function")
    fit = checked(call, answer)
    return fit, fit if fit is not answer else None


def _misjudged(error: ToolError, what: str, cause: BaseException | None = None) -> tuple[ToolError, ToolError]:
    failed = ToolError("invalid_return", f"`on_tool_error` {what}", details={"tool_error": error.message}, cause=cause)
    return failed, failed


def _written(call: ToolCall, outcome: Any, encoder: ToolResultEncoder) -> ToolResultPart | ToolError:
    """Write an outcome for the model; one that cannot be written is an error."""
    value = outcome.result if isinstance(outcome, Halt) else outcome
    if isinstance(value, ToolError):
        return _told_as_error(call, value)
    if isinstance(value, AskUser):
        return ToolResultPart(id=call.id, name=call.name, content=(TextPart(text=AWAITING_USER),))
    try:
        return ToolResultPart(id=call.id, name=call.name, content=encoder(value))
    except BaseException as raised:
        if is_ctrl_c(raised):
            raise
        what = f"The result of {call.name!r} cannot be written for the model: {text_of(raised)}"
        return ToolError("encoding_failed", what, cause=raised)


def _told_as_error(call: ToolCall, error: ToolError) -> ToolResultPart:
    return ToolResultPart(
        id=call.id, name=call.name, content=(TextPart(text=error_text(error.reason, error.message)),), is_error=True
    )


def _unusable(call: ToolCall, what: str) -> ToolError:
    return ToolError("invalid_return", f"Tool {call.name!r} gave {what}")
