"""The events that end a stream which is left on purpose: what there is, in the grammar of its kind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self

from pydantic_core import to_json

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.parts import TextPart, ToolCall
from allm_rx.data.results import ToolOutcome
from allm_rx.data.sessions import Session
from allm_rx.reducers.chat import ChatFold
from allm_rx.reducers.response import ResponseFold
from allm_rx.reducers.session import SessionFold
from allm_rx.reducers.step import NOT_EXECUTED, StepFold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from allm_rx.data.threads import Thread

StreamKind = Literal["generate", "step", "chat", "session"]

_LEFT = Failure(
    kind="ToolError",
    reason="not_executed",
    message="The call was cancelled before its tool had answered.",
)
