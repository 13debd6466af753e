"""What a step leaves behind: its thread, fit to be sent again, and why a chat ends there."""

import json
from typing import Any

import pytest

from allm_rx.abc.tools import RESERVED_HALTS
from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, user
from allm_rx.data.parts import (
    ImagePart,
    Part,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.data.responses import FinishReason, Response
from allm_rx.data.results import PendingQuestion, StepResult, ToolOutcome
from allm_rx.data.threads import Thread
from allm_rx.data.validation import check_thread
from allm_rx.reducers.step import StepFold, ToolPhase, step_result

BEFORE = Thread(messages=[user("hi")], metadata={"topic": "weather"})
SIGNED = {"anthropic.messages": {"signature": "s"}}
WRONG = Failure(kind="AdapterError", reason="overloaded", message="Busy.")
THOUGHT = ReasoningPart(text="hm", provider_data=SIGNED)
CUT = ToolCall(id="cut", name="look", raw_arguments='{"ci', error="cut off")
SERVER_CUT = CUT.model_copy(update={"provider_executed": True})


def look(call_id: str = "c1") -> ToolCall:
    return ToolCall(id=call_id, name="look")


def response(*parts: Part, finish: FinishReason | None = "stop", error: Failure | None = None) -> Response:
    return Response(message=Message(role="assistant", content=parts), finish_reason=finish, error=error)


def phase(*ids: str, **fields: Any) -> ToolPhase:
    """A tool phase in which these calls gave their id."""
    return ToolPhase({one: ToolResultPart(id=one, name="look", content="r-" + one) for one in ids}, **fields)


def left_by(answer: Response, tools: ToolPhase | None = None, manual: tuple[ToolCall, ...] = ()) -> StepResult:
    return step_result(0, BEFORE, answer, tools or ToolPhase(), manual)


def added(step: StepResult) -> list[tuple[str, Any]]:
    """The messages that the step added: role, and content."""
    messages = step.thread.messages[len(BEFORE.messages) :]
    return [(one.role, one.text if one.role == "tool" else one.content) for one in messages]


# Why a chat ends.


@pytest.mark.parametrize(
    ("finish", "halted"),
    [
        ("stop", "completed"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("other", "other"),
        ("error", "error"),
        (None, "interrupted"),
    ],
)
def test_the_finish_reason_decides_without_tools(finish: FinishReason | None, halted: str) -> None:
    """F-11: any finish that is not tool calls is an end, each under its own word."""
    assert left_by(response(TextPart(text="a"), finish=finish)).halted_reason == halted


def test_answered_calls_let_the_loop_go_on() -> None:
    """None means that the model is asked again."""
    assert left_by(response(look(), finish="tool_calls"), phase("c1")).halted_reason is None


def test_tool_calls_without_any_call_are_an_end() -> None:
    """There is nothing to tell the model, so asking again would be the same question."""
    assert left_by(response(TextPart(text="a"), finish="tool_calls")).halted_reason == "completed"


def test_manual_calls_halt_and_stay_unanswered() -> None:
    """They wait for the application; the others have their results."""
    step = left_by(response(look("a"), look("b"), finish="tool_calls"), phase("b"), (look("a"),))

    assert (step.halted_reason, step.pending_tool_calls) == ("manual_tool_calls", (look("a"),))
    assert [one.id for one in step.thread.unanswered_calls] == ["a"]


@pytest.mark.parametrize(
    ("fields", "halted"),
    [
        ({"halts": {"a": "mine"}}, "mine"),
        ({"halts": {"b": "late", "a": "early"}}, "early"),
        ({"halts": {"a": "mine"}, "failed": {"b"}}, "tool_error"),
        (
            {"failed": {"a"}, "questions": {"b": PendingQuestion(tool_call_id="b", tool_name="look", question="?")}},
            "ask_user",
        ),
    ],
)
def test_what_tools_gave_beats_manual_calls(fields: dict[str, Any], halted: str) -> None:
    """Question, error, first halt by call order, manual calls: the first that there is."""
    calls = [look("a"), look("b"), look("m")]

    step = left_by(response(*calls, finish="tool_calls"), phase("a", "b", **fields), (look("m"),))

    assert step.halted_reason == halted
    assert step.pending_tool_calls == (look("m"),)


def test_a_failed_answer_is_an_error_with_its_failure() -> None:
    """The partial answer is on the response."""
    step = left_by(response(TextPart(text="par"), finish="error", error=WRONG))

    assert (step.halted_reason, step.error, step.response.output_text) == ("error", WRONG, "par")


def test_a_tool_error_tells_which_tool_failed() -> None:
    """The failure is what the model is told, as data."""
    told = json.dumps({"error": {"reason": "timeout", "message": "Too slow."}}, separators=(",", ":"))
    tools = phase("a", failed={"b"})
    tools.results["b"] = ToolResultPart(id="b", name="look", content=told, is_error=True)

    step = left_by(response(look("a"), look("b"), finish="tool_calls"), tools)

    assert step.error == Failure(kind="ToolError", reason="timeout", message="Too slow.")


def test_the_reserved_reasons_are_those_of_the_loop() -> None:
    """No reason that the fold gives can come from a handler."""
    given = {"ask_user", "tool_error", "manual_tool_calls", "completed", "length", "content_filter", "other", "error"}

    assert given | {"interrupted", "halt_when", "usage_limit", "max_turns", "cancelled"} == RESERVED_HALTS


# What the thread is.


def test_an_answer_is_added_whole() -> None:
    """Signed reasoning included; notes of the thread are kept."""
    step = left_by(response(THOUGHT, TextPart(text="a")))

    assert added(step) == [("assistant", (THOUGHT, TextPart(text="a")))]
    assert step.thread.metadata == {"topic": "weather"}


def test_results_follow_their_calls_in_call_order() -> None:
    """F-17: however they came."""
    step = left_by(response(look("a"), look("b"), finish="tool_calls"), phase("b", "a"))

    assert added(step)[1:] == [("tool", "r-a"), ("tool", "r-b")]


@pytest.mark.parametrize("finish", ["error", None])
def test_a_half_message_is_not_added(finish: FinishReason | None) -> None:
    """F-16: a failed or interrupted turn would be sent again as if the model had said so."""
    failure = WRONG if finish == "error" else None

    assert added(left_by(response(TextPart(text="par"), look(), finish=finish, error=failure))) == []


@pytest.mark.parametrize("finish", ["stop", "length", "content_filter", "other"])
def test_calls_that_nobody_ran_are_answered(finish: FinishReason) -> None:
    """The provider refuses a call without a result."""
    step = left_by(response(look("a"), look("b"), finish=finish))

    assert added(step)[1:] == [("tool", '{"error":{"reason":"not_executed"}}')] * 2
    assert all(message.tool_results[0].is_error for message in step.thread.messages[-2:])


@pytest.mark.parametrize("cut", [CUT, SERVER_CUT])
def test_a_call_that_was_cut_is_removed(cut: ToolCall) -> None:
    """Half of its arguments can be sent to nobody."""
    step = left_by(response(TextPart(text="a"), look(), cut, finish="length"))

    assert added(step)[0] == ("assistant", (TextPart(text="a"), look()))


def test_a_call_with_broken_arguments_that_was_answered_stays() -> None:
    """The model sees what it wrote, and what was wrong with it."""
    step = left_by(response(CUT, finish="tool_calls"), phase("cut"))

    assert added(step) == [("assistant", (CUT,)), ("tool", "r-cut")]


def test_a_broken_call_that_the_application_answers_stays() -> None:
    """Its result will need it."""
    step = left_by(response(CUT, finish="tool_calls"), manual=(CUT,))

    assert added(step) == [("assistant", (CUT,))]


def test_a_thought_before_a_cut_call_goes_with_it() -> None:
    """Providers refuse an answer that ends in a thought."""
    assert added(left_by(response(TextPart(text="a"), THOUGHT, CUT, finish="length"))) == [("assistant", (TextPart(text="a"),))]


def test_a_thought_that_was_cut_off_is_removed() -> None:
    """So when the tokens ran out while the model was thinking."""
    assert added(left_by(response(TextPart(text="a"), THOUGHT, finish="length"))) == [("assistant", (TextPart(text="a"),))]


@pytest.mark.parametrize(
    "parts", [(), (TextPart(text=" \n"),), (THOUGHT,), (SourcePart(url="https://a"),), (CUT,)], ids=lambda parts: str(len(parts))
)
@pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
def test_an_empty_answer_is_not_added(parts: tuple[Part, ...], finish: FinishReason) -> None:
    """Providers refuse a message without content."""
    assert added(left_by(response(*parts, finish=finish))) == []


@pytest.mark.parametrize(
    "part",
    [
        TextPart(text="", provider_data={"gemini": {"thoughtSignature": "s"}}),
        ImagePart(file_id="f"),
        ProviderPart(kind="compaction", provider_data=SIGNED),
    ],
)
def test_an_answer_without_text_may_say_something(part: Part) -> None:
    """A picture, a signature and a provider's own item are content."""
    assert added(left_by(response(part))) == [("assistant", (part,))]


@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls", "content_filter", "other", "error", None])
@pytest.mark.parametrize("parts", [(look("a"), CUT), (TextPart(text="a"), look("a")), (THOUGHT,), (THOUGHT, CUT), ()])
def test_the_thread_can_always_be_sent_again(finish: FinishReason | None, parts: tuple[Part, ...]) -> None:
    """Whatever happened, nothing in it is unanswered."""
    check_thread(left_by(response(*parts, finish=finish, error=WRONG if finish == "error" else None)).thread)


# The fold.


COMPLETED = ev.MessageCompleted(Message(role="assistant", content=(look("a"), look("b"))), "tool_calls")


def folded(*events: ev.Event) -> StepResult:
    fold = StepFold()
    for event in events:
        fold.apply(event)
    return fold.result(BEFORE, 3)


def test_the_result_of_a_whole_step_is_its_own() -> None:
    """The last event has it."""
    whole = left_by(response(TextPart(text="a")))

    assert folded(ev.TextDelta("t", "b"), ev.StepCompleted(0, whole)) is whole


def test_a_step_left_in_its_answer_keeps_the_text() -> None:
    """It is on the response, and not in the thread."""
    step = folded(ev.MessageStarted(request_id="r"), ev.TextDelta("t", "par"))

    assert (step.halted_reason, step.index, step.thread) == ("cancelled", 3, BEFORE)
    assert (step.response.output_text, step.response.finish_reason, step.response.request_id) == ("par", None, "r")


def test_a_step_left_after_a_failure_is_an_error() -> None:
    """Leaving does not hide it."""
    assert folded(ev.TextDelta("t", "par"), ev.Error(WRONG)).halted_reason == "error"


def test_a_step_left_in_its_tools_keeps_their_results() -> None:
    """What has run is recorded; what has not is said not to have."""
    step = folded(
        COMPLETED,
        ev.ToolExecutionStarted("a", "look", {}),
        ev.ToolExecutionStarted("b", "look", {}),
        ev.ToolExecutionCompleted("b", "look", ToolOutcome(kind="value", value=1)),
        ev.ToolResultEncoded("b", (TextPart(text="1"),)),
    )

    assert step.halted_reason == "cancelled"
    assert [one[1] for one in added(step)[1:]] == ['{"error":{"reason":"not_executed"}}', "1"]
    assert [one.id for one in step.tool_results] == ["b"]


@pytest.mark.parametrize(
    ("event", "text", "is_error"),
    [
        (ev.ToolResultEncoded("a", (TextPart(text='{"error":{"reason":"timeout","message":"m"}}'),)), None, True),
        (ev.ToolResultEncoded("a", (TextPart(text='{"error":{"reason":"of its own"}}'),)), None, False),
        (ev.AskUserRequested("a", "look", "?", {}), "<awaiting user response>", False),
        (ev.ToolHalt("a", "mine", {"n": 1}), '{"n":1}', False),
        (ev.ToolHalt("a", "mine", object()), '{"error":{"reason":"encoding_failed"}}', True),
        (ev.ToolHalt("a", "tool_error", '{"error":{"reason":"timeout","message":"m"}}'), None, True),
    ],
)
def test_each_end_of_a_run_is_a_result(event: ev.Event, text: str | None, is_error: bool) -> None:
    """F-04: a step that was left has what its tools gave, whichever way."""
    [result] = folded(COMPLETED, ev.ToolExecutionStarted("a", "look", {}), event).tool_results

    assert (result.id, result.name, result.is_error) == ("a", "look", is_error)
    assert text is None or result.text == text


def test_a_question_of_a_step_that_was_left_is_known() -> None:
    """It can still be shown."""
    step = folded(COMPLETED, ev.AskUserRequested("a", "look", "Sure?", {"mask": True}))

    assert step.pending_questions == (
        PendingQuestion(tool_call_id="a", tool_name="look", question="Sure?", options={"mask": True}),
    )
