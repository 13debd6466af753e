"""When a chat ends, and what its steps add up to."""

from typing import Any

import pytest

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, user
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.threads import Thread
from allm_rx.data.usage import Usage
from allm_rx.reducers.chat import ChatFold, halts_chat, over_limit

BEFORE = Thread(messages=[user("hi")])
AFTER = Thread(messages=[user("hi"), user("there")])
WRONG = Failure(kind="AdapterError", reason="overloaded", message="Busy.")


def step(halted: str | None = None, index: int = 0, **fields: Any) -> StepResult:
    return StepResult(index=index, thread=AFTER, response=Response(**fields), halted_reason=halted)


OVER: dict[str, Any] = {"usage": Usage(total_tokens=9), "usage_limit": Usage(total_tokens=1)}


def yes(step: StepResult) -> bool:
    return True


def no(step: StepResult) -> bool:
    return False


def halted(last: StepResult, **options: Any) -> str | None:
    given: dict[str, Any] = {"steps": 1, "max_turns": 8, **options}
    return halts_chat(last, **given)


# When.


@pytest.mark.parametrize("reason", ["ask_user", "tool_error", "mine", "manual_tool_calls", "completed", "length", "error"])
def test_a_step_that_halts_ends_the_chat(reason: str) -> None:
    """Its reason comes before all conditions of the loop."""
    assert halted(step(reason), max_turns=1, halt_when=yes, **OVER) == reason


def test_a_step_that_does_not_halt_goes_on() -> None:
    """The model reads its tools' results."""
    assert halted(step()) is None


def test_halt_when_comes_before_usage_before_turns() -> None:
    """The first condition that holds is the reason."""
    assert halted(step(), max_turns=1, halt_when=yes, **OVER) == "halt_when"
    assert halted(step(), max_turns=1, halt_when=no, **OVER) == "usage_limit"
    assert halted(step(), max_turns=1) == "max_turns"


def test_halt_when_gets_the_step() -> None:
    """The caller decides by what there is so far."""
    last = step()
    asked: list[StepResult] = []

    def ask(step: StepResult) -> bool:
        asked.append(step)
        return False

    halted(last, halt_when=ask)

    assert asked == [last]


def test_an_answer_is_not_the_end_while_somebody_waits_for_another() -> None:
    """A message that came meanwhile is answered."""
    assert halted(step("completed"), more=True) is None


@pytest.mark.parametrize("reason", ["length", "ask_user", "error"])
def test_other_ends_are_ends_also_when_somebody_waits(reason: str) -> None:
    """Only a whole answer is followed by another question."""
    assert halted(step(reason), more=True) == reason


@pytest.mark.parametrize("limits", [{"max_turns": 1}, {"halt_when": yes}])
def test_the_loops_own_limits_hold_for_those_who_wait(limits: dict[str, Any]) -> None:
    """The chat ends as it would have without them."""
    assert halted(step("completed"), more=True, **limits) == "completed"


# Usage.


@pytest.mark.parametrize(
    "name",
    [
        "input_tokens",
        "output_tokens",
        "cached_input_tokens",
        "cache_write_input_tokens",
        "reasoning_tokens",
        "total_tokens",
        "input_cost",
        "output_cost",
        "total_cost",
    ],
)
def test_each_field_that_is_set_is_a_limit(name: str) -> None:
    """More than it is over; exactly as much is not."""
    limit = Usage(**{name: 10})

    assert over_limit(Usage(**{name: 11}), limit)
    assert not over_limit(Usage(**{name: 10}), limit)


def test_what_is_not_set_is_no_limit() -> None:
    """None means that nobody cares."""
    assert not over_limit(Usage(input_tokens=10**9), Usage(output_tokens=1))


def test_what_is_not_reported_is_not_over() -> None:
    """A provider without costs does not stop the chat."""
    assert not over_limit(Usage(input_tokens=5), Usage(total_cost=0.01))


def test_a_total_that_is_not_reported_is_added_up() -> None:
    """Tokens are tokens, whoever adds them."""
    assert over_limit(Usage(input_tokens=6, output_tokens=5), Usage(total_tokens=10))


# The fold.


def folded(*events: ev.Event) -> ChatResult:
    fold = ChatFold(BEFORE)
    for event in events:
        fold.apply(event)
    return fold.result()


def test_the_result_of_a_whole_chat_is_its_own() -> None:
    """The last event has it."""
    whole = ChatResult(thread=AFTER, halted_reason="completed")

    assert folded(ev.TextDelta("t", "a"), ev.ChatCompleted(whole)) is whole


def test_a_chat_without_events_is_cancelled() -> None:
    """Nothing was added."""
    assert folded() == ChatResult(thread=BEFORE, halted_reason="cancelled")


def test_a_chat_left_in_its_second_step_keeps_the_first() -> None:
    """The partial answer is the final response, the thread that of the first step."""
    done = folded(ev.StepCompleted(0, step()), ev.MessageStarted(), ev.TextDelta("t", "par"))

    assert (done.halted_reason, len(done.steps), done.thread) == ("cancelled", 2, AFTER)
    assert done.final_response is not None
    assert (done.final_response.output_text, done.steps[1].index) == ("par", 1)


def test_a_chat_left_between_two_steps_has_those_that_are_complete() -> None:
    """No empty step is made up."""
    done = folded(ev.StepCompleted(0, step()))

    assert (done.halted_reason, len(done.steps)) == ("cancelled", 1)


@pytest.mark.parametrize("reason", ["ask_user", "manual_tool_calls", "tool_error", "mine"])
def test_a_step_that_halted_decides_though_nobody_waited(reason: str) -> None:
    """Whoever left before the chat's last event still knows what it waits for."""
    assert folded(ev.StepCompleted(0, step(reason))).halted_reason == reason


def test_a_chat_left_after_a_failure_is_an_error() -> None:
    """With the failure."""
    done = folded(ev.StepCompleted(0, step()), ev.Error(WRONG))

    assert (done.halted_reason, done.error) == ("error", WRONG)


def test_usage_is_the_sum_of_the_steps() -> None:
    """F-13: of all of them."""
    first = step(usage=Usage(input_tokens=1, output_tokens=2), message=Message(role="assistant", content="a"))

    assert folded(ev.StepCompleted(0, first), ev.StepCompleted(1, first)).usage == Usage(input_tokens=2, output_tokens=4)
