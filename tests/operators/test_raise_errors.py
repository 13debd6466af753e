"""Failures as exceptions."""

from typing import Any

import pytest
import reactivex as rx

from allm_rx import operators as lx
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.testing.marbles import OVERLOADED, events, expect, observe

WELL = Response()
FAILED = Response(error=OVERLOADED, finish_reason="error")
CHAT = ChatResult(thread=Thread(), halted_reason="completed")
FAILED_CHAT = ChatResult(thread=Thread(), halted_reason="error", error=OVERLOADED)
SESSION = Session(id="1")


def test_events_pass_until_one_is_an_error() -> None:
    """Everything before the error arrives, and in its place the exception."""
    seen = observe(events("s-a-b-(e,|)").pipe(lx.raise_errors()))

    assert seen == expect("s-a-b-#", error=OVERLOADED.exception())


def test_a_stream_without_error_passes_whole() -> None:
    """Nothing is changed."""
    assert observe(events("s-a-(d,|)").pipe(lx.raise_errors())) == expect("s-a-(d,|)")


@pytest.mark.parametrize(
    "failed",
    [
        FAILED,
        FAILED_CHAT,
        StepResult(thread=Thread(), response=FAILED),
        Turn(session=SESSION, result=FAILED_CHAT),
        Turn(session=SESSION, result=StepResult(thread=Thread(), response=FAILED)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_result_that_failed_becomes_its_exception(failed: Any) -> None:
    """Responses, steps, chats and turns carry failures too."""
    seen = observe(events("-x|", {"x": failed}).pipe(lx.raise_errors()))

    assert seen == expect("-#", error=OVERLOADED.exception())


@pytest.mark.parametrize(
    "good",
    [WELL, CHAT, StepResult(thread=Thread(), response=WELL), Turn(session=SESSION, result=CHAT), None, 3, "text"],
    ids=lambda value: type(value).__name__,
)
def test_whatever_did_not_fail_passes(good: Any) -> None:
    """A result without error is an item like any other."""
    assert lx.run(rx.of(good).pipe(lx.raise_errors())) is good
