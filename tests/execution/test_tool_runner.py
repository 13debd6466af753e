"""What comes of a turn's tool calls: events, results, and what the model is told."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from allm_rx.abc.tools import RESERVED_HALTS, AskUser, Halt, ToolContext
from allm_rx.adapters.fake import finish
from allm_rx.data import events as ev
from allm_rx.data.parts import ImagePart, TextPart, ToolCall
from allm_rx.data.results import ToolOutcome
from allm_rx.data.tools import Tool
from allm_rx.errors import ToolError
from allm_rx.execution.calls import chat, step, stream, stream_step
from allm_rx.runtime.tools import tool
from tests.orchestration import after, answering, broken, call, engine, events, fake_of, giving, kinds, observed, result, texts

RUN = (
    "tool_execution_started",
    "tool_execution_progress",
    "tool_execution_completed",
    "tool_result_encoded",
    "ask_user_requested",
    "tool_halt",
)


@tool
def wait(seconds: float) -> Observable[str]:
    """Answer late."""
    return after(seconds, f"after {seconds:g}")


@tool
def double(number: int) -> int:
    """Double a number."""
    return 2 * number


class Unprintable:
    """A value that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class UnsayableError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no str")


def error_of(done: Any) -> tuple[str, str]:
    """Reason and message that the model reads of the first tool call."""
    error = json.loads(done.steps[0].tool_results[0].text)["error"]
    return error["reason"], error["message"]


# What a handler gives.


def test_a_value_is_the_tool_message_and_the_loop_goes_on() -> None:
    """The model reads what the tool gave, and is asked again."""
    done = answering({"temperature": 7})

    assert texts(done.thread.messages) == ["user: hi", "assistant: ", 'tool: {"temperature":7}', "assistant: done"]
    assert done.halted_reason == "completed"


def test_a_run_has_three_events() -> None:
    """Started, completed and encoded, each with its fields."""
    seen = events(stream_step(engine([call("double", number=4)], tools=[double]), "hi"))

    assert [event for event in seen if event.type in RUN] == [
        ev.ToolExecutionStarted("c1", "double", {"number": 4}),
        ev.ToolExecutionCompleted("c1", "double", ToolOutcome(kind="value", value=8)),
        ev.ToolResultEncoded("c1", (TextPart(text="8"),)),
    ]


def test_the_start_is_told_before_the_handler_runs() -> None:
    """F-06: who watches sees the tool begin, not that it has begun."""
    order: list[str] = []

    @tool
    def look() -> None:
        order.append("handler")

    def watch(event: ev.Event) -> None:
        if event.type == "tool_execution_started":
            order.append("started")

    result(step(engine([call("look")], tools=[look]), "hi", on_event=watch))

    assert order == ["started", "handler"]


def test_an_exception_is_a_tool_error() -> None:
    """By default the model is told what was raised, as structured JSON, and goes on."""
    done = answering(ValueError("no such city"))

    assert error_of(done) == ("handler_raised", "Tool 'look' raised ValueError: no such city")
    assert done.steps[0].tool_results[0].is_error
    assert done.halted_reason == "completed"


def test_an_exception_that_cannot_be_shown_is_told_all_the_same() -> None:
    """F-19: an exception whose text raises does not escape its call."""
    assert error_of(answering(UnsayableError())) == (
        "handler_raised",
        "Tool 'look' raised UnsayableError: (its text cannot be read)",
    )


def test_ask_user_halts_with_the_question() -> None:
    """A placeholder stands in the thread, the question on the result, and the model is not asked again."""
    done = answering(AskUser("Which Paris?", {"choices": ["Texas", "France"]}))

    assert done.halted_reason == "ask_user"
    assert texts(done.thread.messages)[-1] == "tool: <awaiting user response>"
    [question] = done.pending_questions
    assert (question.tool_call_id, question.tool_name, question.question) == ("c1", "look", "Which Paris?")
    assert question.options == {"choices": ["Texas", "France"]}


def test_ask_user_is_an_event() -> None:
    """Who watches can show the question at once."""
    seen = events(stream_step(engine([call("look")], tools=[giving(AskUser("Sure?", {"mask": True}))]), "hi"))

    assert seen[-2] == ev.AskUserRequested("c1", "look", "Sure?", {"mask": True})
    assert kinds(seen, *RUN) == ["tool_execution_started", "tool_execution_completed", "ask_user_requested"]


def test_halt_encodes_its_result_and_ends_with_its_reason() -> None:
    """The model's thread holds the result, the chat the reason."""
    done = answering(Halt("booked", {"flight": "SK 4"}))

    assert (done.halted_reason, len(done.steps)) == ("booked", 1)
    assert texts(done.thread.messages)[-1] == 'tool: {"flight":"SK 4"}'


def test_halt_is_an_event() -> None:
    """Who watches gets the value itself, not its text."""
    seen = events(stream_step(engine([call("look")], tools=[giving(Halt("booked", [1, 2]))]), "hi"))

    assert seen[-2] == ev.ToolHalt("c1", "booked", [1, 2])


@pytest.mark.parametrize("reason", sorted(RESERVED_HALTS))
def test_a_reason_of_the_loop_is_no_halt(reason: str) -> None:
    """A handler cannot pretend that the loop ended by itself."""
    done = answering(Halt(reason))

    assert error_of(done)[0] == "invalid_return"
    assert reason in error_of(done)[1]
    assert done.halted_reason == "completed"


@pytest.mark.parametrize(
    "given",
    [AskUser(5), AskUser("?", {"at": object()}), AskUser("?", 7), Halt(3), Halt("")],  # type: ignore[arg-type]
)
def test_a_question_or_halt_that_cannot_be_one_is_a_tool_error(given: Any) -> None:
    """F-19: a malformed return stays within its call."""
    assert error_of(answering(given))[0] == "invalid_return"


def test_a_tool_error_of_the_handlers_own_is_told_as_it_is() -> None:
    """A handler chooses the words for the model."""
    assert error_of(answering(ToolError("invalid_arguments", "There is no Oslo in Spain."))) == (
        "invalid_arguments",
        "There is no Oslo in Spain.",
    )


def test_nothing_within_the_timeout_is_a_tool_error() -> None:
    """The chat does not wait longer than it may."""
    seen = observed(chat(engine([call("wait", seconds=60)], ["done"], tools=[wait]), "hi", tool_timeout=5))

    assert seen[-1].at == 5
    assert error_of(seen[-1].item)[0] == "timeout"


def test_the_default_timeout_is_thirty_seconds() -> None:
    """A tool that hangs does not hang the chat for ever."""
    seen = observed(chat(engine([call("wait", seconds=60)], ["done"], tools=[wait]), "hi"))

    assert seen[-1].at == 30


def test_a_tools_own_timeout_beats_the_calls() -> None:
    """A slow tool says how long it may take."""
    patient = tool(wait.handler, name="wait", timeout=90)

    seen = observed(chat(engine([call("wait", seconds=60)], ["done"], tools=[patient]), "hi", tool_timeout=5))

    assert (seen[-1].at, seen[-1].item.steps[0].tool_results[0].text) == (60, "after 60")


def test_a_late_result_is_dropped() -> None:
    """What comes after the timeout is in no event and in no result."""
    slow = engine([call("wait", "a", seconds=60), call("wait", "b", seconds=90)], tools=[tool(wait.handler, name="wait")])

    seen = events(stream_step(slow, "hi", tool_timeout=70, max_concurrency=2))

    results = [event for event in seen if isinstance(event, ev.ToolResultEncoded)]
    assert [(one.id, "timeout" in one.content[0].text) for one in results if isinstance(one.content[0], TextPart)] == [
        ("a", False),
        ("b", True),
    ]


def test_progress_comes_while_the_tool_runs() -> None:
    """Each item of an observable is progress when it comes; the last is also the result."""

    @tool
    def count() -> Observable[int]:
        return rx.interval(1.0).pipe(ops.take(3))

    seen = observed(stream_step(engine([call("count")], tools=[count]), "hi"))

    progress = [(one.at, one.item.value) for one in seen if isinstance(one.item, ev.ToolExecutionProgress)]
    assert progress == [(1, 0), (2, 1), (3, 2)]
    assert seen[-1].item.result.tool_results[0].text == "2"


def test_an_observable_without_items_gives_null() -> None:
    """A tool that has nothing to say says so."""

    @tool
    def nothing() -> Observable[int]:
        return rx.empty()

    assert result(step(engine([call("nothing")], tools=[nothing]), "hi")).tool_results[0].text == "null"


def test_an_observable_that_fails_is_a_tool_error() -> None:
    """Its error is the handler's."""

    @tool
    def fail() -> Observable[int]:
        return rx.throw(ValueError("gone"))

    done = result(chat(engine([call("fail")], ["done"], tools=[fail]), "hi"))

    assert error_of(done) == ("handler_raised", "Tool 'fail' raised ValueError: gone")


# What the model calls.


def test_an_unknown_tool_is_told_to_the_model() -> None:
    """F-03: the paid answer is kept, and the model learns which tools there are."""
    done = result(chat(engine([call("fly")], ["done"], tools=[double, wait]), "hi"))

    assert error_of(done) == ("unknown_tool", "There is no tool 'fly'; there are: double, wait.")
    assert done.halted_reason == "completed"


def test_arguments_that_do_not_fit_are_told_to_the_model() -> None:
    """The handler is not run, and the message says which argument is wrong."""
    done = result(chat(engine([call("double", number="x")], ["done"], tools=[double]), "hi"))

    reason, message = error_of(done)
    assert reason == "invalid_arguments"
    assert "number" in message


def test_arguments_that_are_no_json_do_not_reach_the_handler() -> None:
    """F-14: a broken call is not run with nothing."""
    ran: list[int] = []

    @tool
    def look(city: str = "Oslo") -> None:
        ran.append(1)

    done = result(chat(engine([broken("look")], ["done"], tools=[look]), "hi"))

    assert error_of(done)[0] == "invalid_arguments"
    assert ran == []


def test_a_broken_call_of_a_manual_tool_is_told_to_the_model() -> None:
    """The application is not asked to run what nobody can run."""
    done = result(chat(engine([broken("pay")], ["done"], tools=[Tool(name="pay")]), "hi"))

    assert error_of(done)[0] == "invalid_arguments"
    assert (done.halted_reason, done.pending_tool_calls) == ("completed", ())


def test_tools_run_only_when_the_finish_reason_says_so() -> None:
    """Calls of an answer that was cut off are not run."""
    seen = events(stream_step(engine([call("double", number=1), finish("length")], tools=[double]), "hi"))

    assert kinds(seen, *RUN) == []


# How an error goes on.


def test_halt_on_error_ends_the_chat_after_all_tools() -> None:
    """The error is in the thread, siblings have run, and the result tells which tool failed."""
    turn = [call("look", "a"), call("wait", "b", seconds=3)]

    seen = observed(chat(engine(turn, tools=[giving(ValueError("no")), wait]), "hi", on_tool_error="halt"))

    done = seen[-1].item
    assert (seen[-1].at, done.halted_reason) == (3, "tool_error")
    assert [one.text for one in done.steps[0].tool_results][1] == "after 3"
    assert (done.error.kind, done.error.reason) == ("ToolError", "handler_raised")


def test_halt_on_error_is_an_event() -> None:
    """Who watches sees why the chat will end."""
    seen = events(stream_step(engine([call("look")], tools=[giving(ValueError("no"))]), "hi", on_tool_error="halt"))

    assert isinstance(seen[-2], ev.ToolHalt)
    assert (seen[-2].tool_call_id, seen[-2].reason) == ("c1", "tool_error")


def test_a_policy_replaces_the_result() -> None:
    """What the function gives is the tool's value, and no error any more."""

    def instead(call: ToolCall, error: Exception) -> Any:
        return {"call": call.id, "instead of": str(error)}

    done = answering(ValueError("no"), on_tool_error=instead)

    assert done.steps[0].tool_results[0].text == '{"call":"c1","instead of":"Tool \'look\' raised ValueError: no"}'
    assert not done.steps[0].tool_results[0].is_error


def test_a_policy_may_give_the_error_back() -> None:
    """Then the model is told, as without a policy."""
    done = answering(ValueError("no"), on_tool_error=lambda call, error: error)

    assert error_of(done)[0] == "handler_raised"
    assert done.halted_reason == "completed"


@pytest.mark.parametrize(("given", "halted"), [(Halt("stuck", 1), "stuck"), (AskUser("Which?"), "ask_user")])
def test_a_policy_may_halt_or_ask(given: Any, halted: str) -> None:
    """They mean what they mean from a handler."""
    assert answering(ValueError("no"), on_tool_error=lambda call, error: given).halted_reason == halted


def failing(call: ToolCall, error: Exception) -> Any:
    """A policy that is broken."""
    raise KeyError("policy")


async def waiting(call: ToolCall, error: Exception) -> Any:
    """A policy that would have to be awaited."""


POLICIES: list[Callable[[ToolCall, ToolError], Any]] = [
    failing,
    waiting,
    lambda call, error: Halt("completed"),
    lambda call, error: object(),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_that_fails_halts_the_chat(policy: Any) -> None:
    """Whatever is wrong with it, nothing escapes, and nobody goes on paying."""
    done = answering(ValueError("no"), on_tool_error=policy)

    assert done.halted_reason == "tool_error"
    assert done.error is not None
    assert done.error.reason in ("invalid_return", "encoding_failed")


def test_a_policy_is_asked_once() -> None:
    """A replacement that cannot be written does not come back to it."""
    asked: list[str] = []

    def policy(call: ToolCall, error: Any) -> Any:
        asked.append(error.reason)
        return object()

    answering(ValueError("no"), on_tool_error=policy)

    assert asked == ["handler_raised"]


# How a value is written.


@pytest.mark.parametrize("value", [object(), Unprintable(), {1, object()}, lambda: 1])
def test_a_value_that_cannot_be_written_is_a_tool_error(value: Any) -> None:
    """The model is told, and the loop goes on."""
    done = answering(value)

    assert error_of(done)[0] == "encoding_failed"
    assert done.halted_reason == "completed"


def test_an_encoding_error_goes_to_the_policy() -> None:
    """A function may write something else."""
    done = answering(object(), on_tool_error=lambda call, error: error.reason)

    assert done.steps[0].tool_results[0].text == "encoding_failed"


def test_a_replacement_that_cannot_be_written_either_halts() -> None:
    """Nobody is asked twice."""
    done = answering(object(), on_tool_error=lambda call, error: object())

    assert (done.halted_reason, error_of(done)[0]) == ("tool_error", "encoding_failed")


def test_an_encoding_error_halts_under_halt() -> None:
    """It is an error like any other."""
    done = answering(object(), on_tool_error="halt")

    assert done.halted_reason == "tool_error"
    assert done.error is not None
    assert done.error.reason == "encoding_failed"


def test_a_halt_whose_result_cannot_be_written_still_halts() -> None:
    """The model is told of the error, and the handler's wish holds."""
    done = answering(Halt("booked", object()))

    assert done.halted_reason == "booked"
    assert error_of(done)[0] == "encoding_failed"


def test_an_encoder_of_the_callers_writes_the_value() -> None:
    """It gets what the handler gave, not what the default would write."""
    done = answering({"a": 1}, tool_result_encoder=lambda value: f"<{value['a']}>")

    assert done.steps[0].tool_results[0].text == "<1>"


ENCODERS: list[Callable[[Any], Any]] = [
    lambda value: 1 / 0,
    lambda value: 5,
    lambda value: None,
    lambda value: [object()],
]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_encoder_that_fails_is_a_tool_error(encoder: Any) -> None:
    """F-19: it takes neither the batch nor the caller down."""
    assert error_of(answering("x", tool_result_encoder=encoder))[0] == "encoding_failed"


def test_media_stay_media() -> None:
    """A picture goes to the model as a part, beside text."""
    picture = ImagePart(data=b"\x89PNG", media_type="image/png")

    done = answering(["A map:", picture])

    assert done.steps[0].tool_results[0].content == (TextPart(text="A map:"), picture)


# Several calls.


def test_calls_run_side_by_side() -> None:
    """A turn takes as long as its slowest tool, and results are told as they come."""
    turn = [call("wait", "slow", seconds=5), call("wait", "quick", seconds=1)]

    seen = observed(stream_step(engine(turn, tools=[wait]), "hi"))

    encoded = [(one.at, one.item.id) for one in seen if isinstance(one.item, ev.ToolResultEncoded)]
    assert encoded == [(1, "quick"), (5, "slow")]
    assert seen[-1].at == 5


def test_results_are_in_call_order() -> None:
    """F-17: the thread does not depend on which tool was quicker."""
    turn = [call("wait", "slow", seconds=5), call("wait", "quick", seconds=1)]

    done = result(step(engine(turn, tools=[wait]), "hi"))

    assert texts(done.thread.messages)[-2:] == ["tool: after 5", "tool: after 1"]
    assert [one.id for one in done.tool_results] == ["slow", "quick"]


def test_at_most_max_concurrency_run_at_once() -> None:
    """The next begins when one has ended."""
    turn = [call("wait", name, seconds=2) for name in "abc"]

    seen = observed(stream_step(engine(turn, tools=[wait]), "hi", max_concurrency=2))

    starts = [(one.at, one.item.id) for one in seen if isinstance(one.item, ev.ToolExecutionStarted)]
    assert starts == [(0, "a"), (0, "b"), (2, "c")]


def test_a_thousand_calls_do_not_recurse() -> None:
    """Handlers that end at once, one at a time, keep the stack flat."""
    turn = [call("double", f"c{number}", number=number) for number in range(1000)]

    done = result(step(engine(turn, tools=[double]), "hi", max_concurrency=1))

    assert [one.text for one in done.tool_results] == [str(2 * number) for number in range(1000)]


def test_the_first_halt_by_call_order_decides() -> None:
    """F-04: not the quickest."""

    @tool
    def halt(seconds: float) -> Observable[Halt]:
        return after(seconds, Halt(f"after {seconds:g}"))

    done = result(chat(engine([call("halt", "a", seconds=5), call("halt", "b", seconds=1)], tools=[halt]), "hi"))

    assert done.halted_reason == "after 5"
    assert len(done.steps[0].tool_results) == 2


def test_two_questions_wait_in_call_order() -> None:
    """F-04: both are kept, and both calls have an answer in the thread."""
    turn = [call("look", "a"), call("ask", "b")]

    done = result(chat(engine(turn, tools=[giving(AskUser("One?")), giving(AskUser("Two?"), "ask")]), "hi"))

    assert [question.question for question in done.pending_questions] == ["One?", "Two?"]
    assert texts(done.thread.messages)[-2:] == ["tool: <awaiting user response>"] * 2


@pytest.mark.parametrize(
    ("first", "second", "halted"),
    [
        (Halt("mine"), AskUser("?"), "ask_user"),
        (Halt("mine"), ValueError("no"), "tool_error"),
        (ValueError("no"), AskUser("?"), "ask_user"),
    ],
)
def test_a_question_beats_an_error_beats_a_halt(first: Any, second: Any, halted: str) -> None:
    """The order of the table decides, not that of the calls."""
    turn = [call("look", "a"), call("ask", "b")]

    done = result(chat(engine(turn, tools=[giving(first), giving(second, "ask")]), "hi", on_tool_error="halt"))

    assert done.halted_reason == halted


def test_a_halt_does_not_cancel_siblings() -> None:
    """All results are recorded."""
    turn = [call("look", "a"), call("wait", "b", seconds=4)]

    done = result(chat(engine(turn, tools=[giving(Halt("mine", "x")), wait]), "hi"))

    assert [one.text for one in done.steps[0].tool_results] == ["x", "after 4"]


# What a handler knows.


def test_the_context_tells_of_the_call() -> None:
    """Ids, call and engine are there, the same as on the response."""
    known: list[ToolContext] = []

    @tool
    def look(city: str, ctx: ToolContext) -> None:
        known.append(ctx)

    here = engine([call("look", city="Oslo")], tools=[look])
    done = result(step(here, "hi", request_id="r-1", session_id="s-1"))

    [context] = known
    assert (context.request_id, context.session_id, context.engine) == ("r-1", "s-1", here)
    assert context.tool_call == done.response.tool_calls[0]
    assert done.response.request_id == "r-1"


def test_a_request_id_is_minted_for_handlers_too() -> None:
    """It is the same through all steps, and never None."""
    known: list[str] = []

    @tool
    def look(ctx: ToolContext) -> None:
        known.append(ctx.request_id)

    done = result(chat(engine([call("look")], [call("look")], ["done"], tools=[look]), "hi"))

    assert known == [done.steps[0].response.request_id] * 2
    assert known[0]


def test_the_context_is_merged_from_engine_and_call() -> None:
    """The call's values win, the engine's others stay."""
    known: list[dict[str, Any]] = []

    @tool
    def look(ctx: ToolContext) -> None:
        known.append(dict(ctx.context))

    result(step(engine([call("look")], tools=[look], context={"a": 1, "b": 1}), "hi", context={"b": 2}))

    assert known == [{"a": 1, "b": 2}]


def test_a_handler_cannot_change_the_context_of_others() -> None:
    """It is read-only."""

    @tool
    def look(ctx: ToolContext) -> None:
        ctx.context["a"] = 2  # type: ignore[index]

    done = result(chat(engine([call("look")], ["done"], tools=[look], context={"a": 1}), "hi"))

    assert error_of(done)[0] == "handler_raised"


def test_a_handler_reports_progress() -> None:
    """What it reports is an event between start and end."""

    @tool
    def look(ctx: ToolContext) -> str:
        ctx.progress({"percent": 50})
        return "done"

    seen = events(stream_step(engine([call("look")], tools=[look]), "hi"))

    assert [event for event in seen if isinstance(event, ev.ToolExecutionProgress)] == [
        ev.ToolExecutionProgress("c1", "look", {"percent": 50})
    ]


def test_progress_after_the_end_is_dropped() -> None:
    """A handler that kept its context cannot write into the next turn."""
    kept: list[ToolContext] = []

    @tool
    def look(ctx: ToolContext) -> None:
        for earlier in kept:
            earlier.progress("late")
        kept.append(ctx)

    seen = events(stream(engine([call("look")], [call("look")], ["done"], tools=[look]), "hi"))

    assert kinds(seen, "tool_execution_progress") == []


def test_tools_are_merged_and_the_calls_own_win() -> None:
    """Of two tools of a name the one nearest to the call runs."""
    here = engine([call("look")], tools=[giving("engine's"), double])

    done = result(step(here, "hi", tools=[giving("call's")]))

    assert done.tool_results[0].text == "call's"
    assert [one.name for one in fake_of(here).requests[0].tools] == ["look", "double"]
