"""What comes of a turn's tool calls: events, results, and what the model is told."""

import asyncio
import json
import threading
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from allm_rx import errors
from allm_rx.abc.tools import RESERVED_HALTS, AskUser, Halt, ToolContext
from allm_rx.adapters.fake import finish
from allm_rx.data import events as ev
from allm_rx.data.parts import ImagePart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.tools import Tool
from allm_rx.execution.calls import chat, step, stream, stream_step
from allm_rx.runtime.tools import tool
from tests.orchestration import after, answering, broken, call, engine, events, giving, kinds, observed, result, texts

RUN = (
    "tool_execution_started",
    "tool_execution_progress",
    "tool_execution_completed",
    "tool_result_encoded",
    "ask_user_requested",
    "tool_halt",
)


def told(result: Any) -> Any:
    """What the model is told of the first tool call."""
    return json.loads(result.steps[0].tool_results[0].text)


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


class Unsayable(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no str")


# What a handler gives.


def test_a_value_is_the_tool_message_and_the_loop_goes_on() -> None:
    """The model reads what the tool gave, and is asked again."""
    done = answering({"temperature": 7})

    assert texts(done.thread.messages) == ["user: hi", "assistant: ", 'tool: {"temperature":7}', "assistant: done"]
    assert done.halted_reason == "completed"


def test_the_events_of_a_run() -> None:
    """Started, completed and encoded, each with its fields, and the last before the step's end."""
    seen = events(stream_step(engine([call("double", number=4)], tools=[double]), "hi"))

    assert [event for event in seen if event.type in RUN] == [
        ev.ToolExecutionStarted("c1", "double", {"number": 4}),
        ev.ToolExecutionCompleted("c1", "double", outcome_of(8)),
        ev.ToolResultEncoded("c1", (TextPart(text="8"),)),
    ]
    assert kinds(seen)[-1] == "step_completed"


def outcome_of(value: Any) -> Any:
    from allm_rx.data.results import ToolOutcome

    return ToolOutcome(kind="value", value=value)
