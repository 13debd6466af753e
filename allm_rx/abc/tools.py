"""The seam between the model's tool calls and the functions that answer them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import JsonValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allm_rx.data.parts import ToolCall
    from allm_rx.data.tools import Tool

RESERVED_HALTS = frozenset(
    {
        "ask_user",
        "tool_error",
        "manual_tool_calls",
        "completed",
        "length",
        "content_filter",
        "other",
        "interrupted",
        "error",
        "halt_when",
        "usage_limit",
        "max_turns",
        "cancelled",
    }
)
"""Reasons the chat loop gives itself; a handler's `Halt` cannot have one of them."""


@dataclass(frozen=True, slots=True)
class AskUser:
    """What a handler returns to ask the user: the chat halts with `ask_user` and goes on with `result.resume(answer)`."""

    question: str
    options: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Hints for the interface, such as choices; passed through untouched."""


@dataclass(frozen=True, slots=True)
class Halt:
    """What a handler returns to end the chat: its result is encoded for the model, and the chat halts with the reason."""

    reason: str
    """A word of the application's own."""
    result: Any = None


def _nobody_listens(value: Any) -> None:
    del value


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a handler may know of the call; a parameter annotated with this class receives it.

    A test of a handler makes its own: `ToolContext(tool_call=ToolCall(id="1", name="look_up"))`.
    """

    tool_call: ToolCall
    request_id: str = ""
    """Ours, the same through all steps of a call."""
    session_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Engine, session and call context, merged."""
    engine: Any = None
    """The engine of the call."""
    progress: Callable[[Any], None] = _nobody_listens
    """Report to subscribers, from any thread: a `tool_execution_progress` event. What comes after the end is dropped."""
    is_cancelled: Callable[[], bool] = _never

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: look at it in long loops of a thread."""
        return self.is_cancelled()


class Handled(Protocol):
    """A tool with what runs it, such as a function under `@tool`."""

    @property
    def spec(self) -> Tool:
        """The tool as the model sees it."""
        ...

    def bind(self, arguments: Mapping[str, Any], context: ToolContext, /) -> Callable[[], Any]:
        """Give the call of the handler, its arguments validated.

        What the call gives is a value, an awaitable or an `Observable`.

        Raises:
            ToolError: `invalid_arguments`; the message tells the model what is wrong.
        """
        ...

    @property
    def blocking(self) -> bool:
        """Whether the call may block, and so belongs on a thread of its own."""
        ...


ToolExecutor = Callable[["ToolCall", Callable[[], Any]], Any]
"""Runs a handler in its own way: given the call and what runs it, gives what a handler may give, or a future of it."""

ToolResultEncoder = Callable[[Any], Any]
"""Writes a tool's value for the model: as text, or as text and media parts."""
