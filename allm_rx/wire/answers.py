"""JSON from models that have no structured output of their own: they give their answer as the arguments of a tool.

Rule 1: the tool is ours: no caller sees it, and what it is called with is the text of the answer, as it streams.
Rule 2: it is forced, and with tools of the caller's beside it one of them all is.
Rule 3: who needs it, and in which words it is sent, each protocol knows itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data.requests import AllowedTools
from allm_rx.errors import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from allm_rx.data.messages import Message
    from allm_rx.data.requests import JsonSchema, Request
    from allm_rx.data.responses import FinishReason

ANSWER_TOOL = "answer_as_json"
"""Name of the tool that takes the answer."""


def described(wanted: JsonSchema) -> str:
    """Give what the model is told about the tool."""
    return wanted.description or "Give your final answer by calling this tool, once."


def answering_choice(choice: AllowedTools | str | None, tools: Sequence[object]) -> str:
    """Give the choice of a request whose answer comes by the tool: the tool's name, `required`, or the caller's own tool.

    Args:
        choice: what the caller wants.
        tools: the caller's tools.
    """
    if not tools or choice == "none":
        return ANSWER_TOOL
    if isinstance(choice, AllowedTools) or choice in (None, "auto"):
        return "required"
    return choice


def answered(reason: FinishReason, message: Message) -> FinishReason:
    """Give the finish reason of an answer that may have come by the tool: it is a plain stop when no other call is left."""
    return "stop" if reason == "tool_calls" and not message.tool_calls else reason


def thinks(request: Request) -> bool:
    """Tell whether a request asks for thinking; whoever only wants none of it shown, asks for none."""
    wanted = request.reasoning
    if wanted is None or wanted.effort == "none" or wanted.budget_tokens == 0:
        return False
    return wanted.effort is not None or wanted.budget_tokens is not None or wanted.summary not in (None, "none")


def forces_a_tool(request: Request) -> bool:
    """Tell whether the caller's own choice leaves the model nothing but to call a tool."""
    choice = request.tool_choice
    forced = choice.mode == "required" if isinstance(choice, AllowedTools) else choice not in (None, "auto", "none")
    return forced and bool(request.tools)


def answer_issues(request: Request, who: str) -> Iterator[Issue]:
    """Give what speaks against an answer by the tool, whatever the protocol.

    Args:
        request: one whose answer comes so.
        who: the model or service that answers so.
    """
    if any(tool.name == ANSWER_TOOL for tool in request.tools):
        what = f"{ANSWER_TOOL!r} is what {who} answers with: give your tool another name"
        yield Issue(("tools",), "reserved_tool_name", what)


def thinking_issues(request: Request, who: str, *, by_tool: bool) -> Iterator[Issue]:
    """Give what speaks against thinking, where a model cannot think when it has to call a tool.

    Args:
        request: any.
        who: the model or service that answers.
        by_tool: whether the answer comes by the tool.
    """
    if not thinks(request):
        return
    if forces_a_tool(request):
        what = f"{who} does not think when it has to call a tool ({request.tool_choice!r})"
        what = f"{what}: use 'auto', or leave out the reasoning"
        yield Issue(("tool_choice",), "conflicts_with_reasoning", what)
    if by_tool:
        what = f"{who} answers in JSON through a forced tool and cannot think meanwhile: leave out the reasoning"
        yield Issue(("response_format",), "conflicts_with_reasoning", what)
