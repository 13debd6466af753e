"""Giving up on a whole chat that takes too long."""

from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex.notification import OnError
from reactivex.testing import ReactiveTest, TestScheduler

from allm_rx import ChatResult, Engine, StepResult, ToolCall, Turn, sessions, stream, stream_generate, stream_step, tool
from allm_rx import operators as lx
from allm_rx.abc.flow import LoopScheduler
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import delay
from allm_rx.data.events import ChatCompleted, Error, Event, SessionCompleted, SessionStarted, StepCompleted
from allm_rx.data.failures import Failure
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.marbles import STARTED, events, expect, items, observe
from tests import virtual_loop
from tests.demand import Tap
from tests.virtual_loop import pass_time, running

CALL = ToolCall(id="c1", name="look_up", arguments={})


def timeout(**facts: Any) -> Failure:
    """What is told after ten seconds."""
    return Failure(
        kind="AdapterError",
        reason="timeout",
        message="The whole took longer than 10 s: give `timeout_total` more, or ask for less.",
        details={"timeout": "timeout_total", "seconds": 10.0},
        **facts,
    )


@tool
def look_up() -> Observable[str]:
    """Look something up, for ever."""
    return rx.never()


def engine(*scripts: list[Any]) -> Engine:
    """An engine that answers so."""
    return Engine(adapter=Fake(scripts=list(scripts)), model="fake-1", tools=(look_up,))


def timed(source: Observable[Event]) -> list[Event]:
    """The events of a stream with ten seconds."""
    return items(source.pipe(lx.timeout_total(10.0)))


def types(seen: list[Event]) -> list[str]:
    """What kinds of events they are."""
    return [event.type for event in seen]


def test_an_answer_under_way_fails() -> None:
    """With an `error` event, after what came before it; the failure names whom was asked."""
    seen = observe(events("s-a-b-----------(d,|)").pipe(lx.timeout_total(10.0)))

    assert seen == expect("s-a-b-----(x,|)", {"x": Error(timeout(provider=STARTED.provider))})


def test_a_stream_in_time_is_not_touched() -> None:
    """Nor is its end."""
    assert observe(events("s-a-(d,|)").pipe(lx.timeout_total(10.0))) == expect("s-a-(d,|)")
    assert observe(events("s-a-#").pipe(lx.timeout_total(10.0))) == expect("s-a-#")


def test_a_whole_answer_cannot_fail_any_more() -> None:
    """Only the end of its connection is missing."""
    assert observe(events("s-a-d-----------").pipe(lx.timeout_total(10.0))) == expect("s-a-d-----|")


def test_a_generation_fails() -> None:
    """Right behind the call."""
    seen = timed(stream_generate(engine(["a", delay(60)]), "Hi"))

    assert types(seen) == ["message_started", "text_delta", "error"]
    assert_grammar(seen)


def test_a_step_fails_with_its_result() -> None:
    """The partial answer is on it."""
    seen = timed(stream_step(engine(["a", delay(60)]), "Hi"))

    assert types(seen) == ["message_started", "text_delta", "error", "step_completed"]
    result = result_of(seen)
    assert isinstance(result, StepResult)
    assert (result.halted_reason, result.response.output_text, result.response.error) == ("error", "a", errors_of(seen)[0])
    assert_grammar(seen)


def test_a_chat_fails_in_its_second_answer() -> None:
    """The steps before it are kept."""

    @tool
    def look_up() -> str:
        """Look something up."""
        return "found"

    asked = Engine(adapter=Fake(scripts=[[delay(6), CALL], ["a", delay(6), "b"]]), model="fake-1", tools=(look_up,))

    seen = timed(stream(asked, "Hi", tool_executor=None))

    result = result_of(seen)
    assert isinstance(result, ChatResult)
    assert (result.halted_reason, len(result.steps), result.error) == ("error", 2, errors_of(seen)[0])
    assert result.thread == result.steps[0].thread
    assert_grammar(seen)


def test_a_chat_fails_while_its_tools_run() -> None:
    """No answer is under way that could, so the results tell; the tool is settled, and the thread can be sent again."""
    seen = timed(stream(engine([CALL]), "Hi"))

    assert types(seen)[-5:] == [
        "tool_execution_started",
        "tool_execution_completed",
        "tool_result_encoded",
        "step_completed",
        "chat_completed",
    ]
    result = result_of(seen)
    assert isinstance(result, ChatResult)
    assert (result.halted_reason, result.error and result.error.reason) == ("error", "timeout")
    assert (result.steps[-1].halted_reason, result.steps[-1].error) == ("error", result.error)
    assert result.thread.unanswered_calls == ()
    assert_grammar(seen)


@pytest.mark.parametrize("script", [["a", delay(60)], [CALL]], ids=["answering", "tools"])
def test_a_session_fails_with_its_turn(script: list[Any]) -> None:
    """It can be resumed."""
    seen = timed(sessions.stream_start(engine(script), "Hi"))

    result = result_of(seen)
    assert isinstance(result, Turn)
    assert (result.session.status, result.result.halted_reason) == ("error", "error")
    assert result.session.last_halt is not None
    assert result.session.last_halt.failure == result.result.error
    assert_grammar(seen)


def test_a_step_of_a_session_fails_too() -> None:
    """In the middle of its tools."""
    [started, *_] = items(sessions.stream_start(engine([]), "Hi"))
    assert isinstance(started, SessionStarted)
    session = started.session

    seen = timed(sessions.stream_step(engine([CALL]), session))

    result = result_of(seen)
    assert isinstance(result, Turn)
    assert (result.session.status, result.result.halted_reason) == ("error", "error")
    assert_grammar(seen)


def test_a_chat_behind_another_operator_is_unknown() -> None:
    """In the middle of its tools it cannot be ended in band."""
    seen = observe(stream(engine([CALL]), "Hi").pipe(lx.validate_grammar(), lx.timeout_total(10.0)))

    assert (seen[-1].time, type(seen[-1].value)) == (210, OnError)


def test_the_source_is_left_when_time_is_up() -> None:
    """The request is closed at that moment."""
    scheduler = TestScheduler()
    source = scheduler.create_cold_observable(ReactiveTest.on_next(2, STARTED))

    scheduler.start(lambda: source.pipe(lx.timeout_total(10.0)))

    assert source.subscriptions == [ReactiveTest.subscribe(200, 210)]


def test_leaving_leaves_no_timer() -> None:
    """`dispose` takes it off the loop."""

    async def main() -> tuple[int, int]:
        subscription = rx.never().pipe(lx.timeout_total(10.0)).subscribe()
        during = len(running().timers)
        subscription.dispose()
        return during, len(running().timers)

    assert virtual_loop.run(main()) == (1, 0)


def test_time_without_demand_does_not_count() -> None:
    """Ninety seconds in which the subscriber took nothing move the end by ninety."""

    async def main() -> list[float]:
        ended: list[float] = []
        tap, loop = Tap(is_open=False), running()
        stream = rx.never().pipe(lx.timeout_total(10.0))
        stream.subscribe(on_completed=lambda: ended.append(loop.time()), scheduler=LoopScheduler(loop, tap))
        await pass_time(90)
        tap.open()
        await pass_time(50)
        return ended

    assert virtual_loop.run(main()) == [100.0]


def test_each_subscription_has_its_own_time() -> None:
    """A second one is as long."""
    stream = events("s--------------a").pipe(lx.timeout_total(10.0))

    assert observe(stream) == observe(stream)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_is_no_time(seconds: float) -> None:
    """It is told at once."""
    with pytest.raises(ValueError, match="no stream ends in no time"):
        lx.timeout_total(seconds)


def result_of(seen: list[Event]) -> StepResult | ChatResult | Turn:
    """What the last event carries."""
    match seen[-1]:
        case StepCompleted(result=result) | ChatCompleted(result=result):
            return result
        case SessionCompleted(turn=turn):
            return turn
        case other:
            raise AssertionError(other)


def errors_of(seen: list[Event]) -> list[Failure]:
    """The failures that came in band."""
    return [event.failure for event in seen if isinstance(event, Error)]
