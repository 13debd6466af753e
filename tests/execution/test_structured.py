"""Structured finalize: tools first, then one answer that fits a schema."""

from typing import Any

import pytest
from pydantic import BaseModel

from allm_rx.adapters.fake import Fake, error
from allm_rx.data.requests import Request
from allm_rx.data.results import StepResult
from allm_rx.errors import EngineError
from allm_rx.execution.calls import chat, stream
from allm_rx.execution.structured import NUDGE
from allm_rx.runtime.engine import Engine
from tests.orchestration import call, engine, events, fake_of, giving, kinds, result, texts


class Report(BaseModel):
    degrees: int


TURNS = ([call("look")], ["It is cold."], ['{"degrees":7}'])


def finalized(here: Engine, **options: Any) -> Any:
    return result(chat(here, "hi", response_format=Report, structured_finalize=True, **options))


def test_tools_first_then_the_schema() -> None:
    """The first requests have tools and no format, the last has the format and no tools."""
    here = engine(*TURNS, tools=[giving(7)])

    done = finalized(here)

    asked = [([tool.name for tool in one.tools], one.response_format is not None) for one in fake_of(here).requests]
    assert asked == [(["look"], False), (["look"], False), ([], True)]
    assert done.final_response.parsed(Report) == Report(degrees=7)
    assert (done.halted_reason, len(done.steps)) == ("completed", 3)


def test_tools_of_the_call_are_left_out_too() -> None:
    """F-20: not only those of the engine."""
    here = engine(*TURNS)

    finalized(here, tools=[giving(7)], tool_choice="auto")

    assert (fake_of(here).requests[-1].tools, fake_of(here).requests[-1].tool_choice) == ((), None)


@pytest.mark.parametrize(
    ("options", "last"),
    [
        ({}, f"user: {NUDGE}"),
        ({"structured_finalize_nudge": "As JSON."}, "user: As JSON."),
        ({"structured_finalize_nudge": ""}, "assistant: It is cold."),
    ],
)
def test_a_nudge_asks_for_the_last_answer(options: dict[str, Any], last: str) -> None:
    """Its words are the caller's; an empty one is no message."""
    here = engine(*TURNS, tools=[giving(7)])

    finalized(here, **options)

    assert texts(fake_of(here).requests[-1].messages)[-1] == last


def test_there_is_one_end() -> None:
    """One stream, whose steps count through."""
    seen = events(stream(engine(*TURNS, tools=[giving(7)]), "hi", response_format=Report, structured_finalize=True))

    assert kinds(seen, "step_completed", "chat_completed") == ["step_completed"] * 3 + ["chat_completed"]


def at_once(step: StepResult) -> bool:
    """Halt after the first step."""
    return True


@pytest.mark.parametrize("options", [{"max_turns": 1}, {"halt_when": at_once}])
def test_a_first_pass_that_was_stopped_is_finalized_too(options: dict[str, Any]) -> None:
    """The last answer is not one of the turns."""
    done = finalized(engine(TURNS[0], TURNS[2], tools=[giving(7)]), **options)

    assert (done.halted_reason, len(done.steps)) == ("completed", 2)


@pytest.mark.parametrize(
    ("turn", "halted"),
    [([error("authentication_failed")], "error"), ([call("pay")], "manual_tool_calls")],
)
def test_a_first_pass_that_did_not_end_is_the_result(turn: Any, halted: str) -> None:
    """Nobody is asked to sum up what is not there."""
    here = engine(turn, tools=[giving(7, "pay", manual=True)])

    assert finalized(here).halted_reason == halted
    assert len(fake_of(here).requests) == 1


class LosingItsKey(Fake):
    """An adapter whose key is taken away before the last answer."""

    def preflight(self, request: Request, call: Any, /) -> None:
        if request.response_format is not None and len(request.messages) > 1:
            raise EngineError("missing_key", "There is no API key.")


def test_a_last_pass_that_cannot_be_sent_keeps_the_first() -> None:
    """F-20: the same on both paths."""
    here = Engine(adapter=LosingItsKey(scripts=TURNS), model="m", tools=[giving(7)])

    done = finalized(here)

    assert (done.halted_reason, len(done.steps)) == ("error", 3)
    assert "assistant: It is cold." in texts(done.thread.messages)


class OneOrTheOther(Fake):
    """An adapter that cannot have tools and a format in one request."""

    def combines_tools_and_format(self, request: Request) -> bool:
        return request.model != "fake-2"


@pytest.mark.parametrize(
    ("model", "options", "requests"),
    [("fake-1", {}, 2), ("fake-2", {}, 3), ("fake-2", {"structured_finalize": False}, 2), ("fake-2", {"tools": []}, 3)],
)
def test_it_happens_by_itself_where_the_model_cannot_combine(model: str, options: dict[str, Any], requests: int) -> None:
    """Unless the caller says otherwise."""
    here = Engine(adapter=OneOrTheOther(scripts=TURNS), model=model, tools=[giving(7)])

    result(chat(here, "hi", response_format=Report, **options))

    assert len(fake_of(here).requests) == requests


def test_without_tools_there_is_nothing_to_combine() -> None:
    """One request is enough."""
    here = Engine(adapter=OneOrTheOther(scripts=[TURNS[2]]), model="fake-2")

    assert result(chat(here, "hi", response_format=Report)).final_response.parsed(Report) == Report(degrees=7)  # type: ignore[union-attr]


@pytest.mark.parametrize("options", [{}, {"response_format": "json_object"}])
def test_without_a_schema_there_is_no_second_pass(options: dict[str, Any]) -> None:
    """The option alone asks for nothing."""
    here = engine(["a"])

    result(chat(here, "hi", structured_finalize=True, **options))

    assert len(fake_of(here).requests) == 1
