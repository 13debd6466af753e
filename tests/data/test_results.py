"""Results: what a chat tells about its steps."""

from typing import Any

import pytest

from allm_rx.data.messages import assistant
from allm_rx.data.parts import ToolCall
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, PendingQuestion, StepResult, ToolOutcome
from allm_rx.data.threads import Thread
from allm_rx.data.usage import Usage


def step(text: str, tokens: int | None = None, **fields: Any) -> StepResult:
    """A step that answered a text."""
    response = Response(message=assistant(text), usage=Usage(output_tokens=tokens))
    return StepResult(thread=Thread(), response=response, **fields)


def chat(*steps: StepResult) -> ChatResult:
    """A chat of some steps."""
    return ChatResult(thread=Thread(), steps=steps, halted_reason="completed")


def test_the_final_response_is_that_of_the_last_step() -> None:
    """The answer is what came last."""
    last = chat(step("let me see"), step("sunny")).final_response

    assert last is not None
    assert last.output_text == "sunny"


def test_a_chat_without_a_step_has_no_response() -> None:
    """A call that could not even begin is a result too."""
    nothing = chat()

    assert (nothing.final_response, nothing.usage) == (None, Usage())
    assert (nothing.pending_tool_calls, nothing.pending_questions) == ((), ())


def test_usage_is_that_of_all_steps() -> None:
    """F-13: a chat tells what the whole of it cost."""
    assert chat(step("a", 3), step("b"), step("c", 4)).usage == Usage(output_tokens=7)


def test_pending_work_is_that_of_the_last_step() -> None:
    """What earlier steps waited for has been given."""
    old, new = ToolCall(id="a", name="f"), ToolCall(id="b", name="f")
    question = PendingQuestion(tool_call_id="c", tool_name="ask", question="Where to?")

    result = chat(step("a", pending_tool_calls=(old,)), step("b", pending_tool_calls=(new,), pending_questions=(question,)))

    assert result.pending_tool_calls == (new,)
    assert result.pending_questions == (question,)


@pytest.mark.parametrize(
    ("given", "kept"),
    [({"a": (1, 2)}, {"a": [1, 2]}), ({3, 4}.__class__, "<class 'set'>"), (None, None), (b"\xff", "_w==")],
)
def test_an_outcome_holds_any_value_as_json(given: object, kept: object) -> None:
    """What a handler gave is told in a form that can be saved."""
    outcome = ToolOutcome.model_validate({"kind": "value", "value": given})

    assert outcome.value == kept
    assert ToolOutcome.model_validate_json(outcome.model_dump_json()) == outcome
