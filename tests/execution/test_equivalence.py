"""Each call is the fold of its stream, whatever the model and its tools do."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from reactivex import Observable

from allm_rx import operators as lx
from allm_rx import sessions
from allm_rx.abc.tools import RESERVED_HALTS, AskUser, Halt
from allm_rx.adapters.fake import Fake, delay, error, finish, reasoning
from allm_rx.data import events as ev
from allm_rx.data.parts import ToolCall
from allm_rx.data.responses import FinishReason
from allm_rx.data.sessions import Session
from allm_rx.data.tools import Tool
from allm_rx.data.usage import Usage
from allm_rx.data.validation import check_session
from allm_rx.errors import ToolError
from allm_rx.execution.calls import chat, generate, step, stream, stream_generate, stream_step
from allm_rx.reducers.step import StepFold
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.tools import tool
from tests.orchestration import after, broken, events, fake_of, result

GIVEN: dict[str, Any] = {
    "value": {"n": 1},
    "error": ValueError("no"),
    "ask": AskUser("Which?"),
    "halt": Halt("mine", [1]),
    "strange": object(),
}
"""What the tool may give, besides an exception that it raises."""


@tool
def act(what: str, seconds: float) -> Observable[Any]:
    """Give something after a while."""
    return after(seconds, GIVEN[what])


TOOLS = [act, Tool(name="pay")]
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 40.0])
Wanted = tuple[str, dict[str, Any]]
ARGUMENTS: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"what": st.sampled_from(sorted(GIVEN)), "seconds": SECONDS})
ACTS: SearchStrategy[Wanted] = st.tuples(st.just("act"), ARGUMENTS)
MISTAKES: list[Wanted] = [("pay", {}), ("fly", {}), ("act", {"what": 1})]
CALLS: SearchStrategy[Wanted] = st.one_of(ACTS, st.sampled_from(MISTAKES))
ENDS: list[FinishReason | None] = [None, None, None, "stop", "length", "content_filter", "error"]


@st.composite
def scripts(draw: st.DrawFn) -> list[Any]:
    """One answer: text, thoughts, calls, usage, pauses, and an end or none."""
    said: SearchStrategy[Any] = st.one_of(
        st.text("ab ", min_size=1, max_size=5),
        st.builds(reasoning, st.text("xy", min_size=1, max_size=3)),
        st.builds(delay, SECONDS),
        st.builds(Usage, input_tokens=st.integers(0, 9), output_tokens=st.integers(0, 9)),
    )
    script = draw(st.lists(said, max_size=4))
    calls: list[ToolCall] = []
    for number, (name, arguments) in enumerate(draw(st.lists(CALLS, max_size=4))):
        calls.append(ToolCall(id=f"c{number}", name=name, arguments=arguments))
    if draw(st.booleans()):
        calls.append(broken("act", "cut"))
    end = draw(st.sampled_from(ENDS))
    ends = [] if end is None else [error("authentication_failed")] if end == "error" else [finish(end)]
    return [*script, *calls, *ends]


def instead(call: ToolCall, error: ToolError) -> Any:
    """A policy that replaces what failed."""
    return {"instead": error.reason}


OPTIONS: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"request_id": st.just("r")},
    optional={
        "max_turns": st.integers(1, 4),
        "mode": st.sampled_from(["auto", "manual"]),
        "on_tool_error": st.sampled_from(["continue", "halt", instead]),
        "max_concurrency": st.integers(1, 3),
        "tool_timeout": st.sampled_from([1.5, 30.0]),
        "usage_limit": st.just(Usage(input_tokens=8)),
        "emit_text_deltas": st.booleans(),
    },
)
MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def playing(answers: list[list[Any]]) -> Engine:
    """An engine that plays the answers, and then one more."""
    return Engine(adapter=Fake(scripts=[*answers, ["done"]]), model="m", tools=TOOLS)


@MANY
@given(st.lists(scripts(), min_size=1, max_size=1), OPTIONS)
def test_generate_is_the_fold_of_its_stream(answers: list[list[Any]], options: dict[str, Any]) -> None:
    """One response, from the same events."""
    seen = events(stream_generate(playing(answers), "hi", **options))
    whole = result(generate(playing(answers), "hi", **options))

    unfiltered: dict[str, Any] = {**options, "emit_text_deltas": True}  # who hides a part of the stream folds the rest
    folded = result(stream_generate(playing(answers), "hi", **unfiltered).pipe(lx.collect_response()))

    assert folded == whole
    assert whole.finish_reason is not None
    assert isinstance(seen[-1], (ev.MessageCompleted, ev.Error))


@MANY
@given(st.lists(scripts(), min_size=1, max_size=1), OPTIONS)
def test_step_is_the_fold_of_its_stream(answers: list[list[Any]], options: dict[str, Any]) -> None:
    """One result, from the same events; and what they say of the tools is what it says."""
    seen = events(stream_step(playing(answers), "hi", **options))
    whole = result(step(playing(answers), "hi", **options))

    assert isinstance(seen[-1], ev.StepCompleted)
    assert seen[-1].result == whole

    fold = StepFold()
    for event in seen[:-1]:
        fold.apply(event)
    assert fold.result(whole.thread).tool_results == whole.tool_results


@MANY
@given(st.lists(scripts(), min_size=1, max_size=3), OPTIONS)
def test_chat_is_the_fold_of_its_stream(answers: list[list[Any]], options: dict[str, Any]) -> None:
    """One result, from the same events; and each of its steps is a request."""
    here = playing(answers)
    seen = events(stream(here, "hi", **options))
    whole = result(chat(playing(answers), "hi", **options))

    assert isinstance(seen[-1], ev.ChatCompleted)
    assert seen[-1].result == whole
    assert [event.result for event in seen if isinstance(event, ev.StepCompleted)] == list(whole.steps)
    assert len(fake_of(here).requests) == len(whole.steps) <= options.get("max_turns", 8)
    assert whole.halted_reason in {*RESERVED_HALTS, "mine"}


@MANY
@given(st.lists(scripts(), min_size=1, max_size=3), OPTIONS)
def test_a_session_is_the_fold_of_its_stream(answers: list[list[Any]], options: dict[str, Any]) -> None:
    """One turn, from the same events; its session can be kept and goes on elsewhere."""
    seen = events(sessions.stream_start(playing(answers), "hi", id="s", **options))
    whole = result(sessions.start(playing(answers), "hi", id="s", **options))

    assert isinstance(seen[-1], ev.SessionCompleted)
    assert seen[-1].turn == whole
    check_session(whole.session)
    assert Session.model_validate_json(whole.session.model_dump_json()) == whole.session


@MANY
@given(st.lists(scripts(), min_size=1, max_size=3), OPTIONS)
def test_the_thread_of_a_chat_can_always_be_sent_again(answers: list[list[Any]], options: dict[str, Any]) -> None:
    """F-16, F-32: once the calls that wait have results."""
    turn = result(sessions.start(playing(answers), "hi", id="s", **options))

    session = turn.session
    waiting = [(pending.id, "paid") for pending in session.pending_tool_calls]
    session = sessions.submit_tool_results(session, waiting)
    if session.pending_questions:
        again = sessions.reply(playing([]), session, {question.tool_call_id: "Oslo" for question in session.pending_questions})
    else:
        again = sessions.reply(playing([]), session, "Go on.")

    assert result(again).session.status == "completed"
