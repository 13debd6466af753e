"""JSON from models that have no structured output of their own: they give their answer as the input of a tool.

Rule 1: only where the model cannot do it natively; the tool is ours, and no caller sees it.
Rule 2: what it is called with is the text of the answer, as it streams; an answer by it is a plain `stop`.
Rule 3: it is forced, and with tools of the caller's beside it one of them all is: such a model cannot think meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.adapters.anthropic.messages.options import version_of
from allm_rx.adapters.anthropic.schemas import closed_schema
from allm_rx.data.requests import AllowedTools, JsonSchema

if TYPE_CHECKING:
    from allm_rx.adapters.anthropic.messages.wire import Wire
    from allm_rx.data.requests import Request

ANSWER_TOOL = "answer_as_json"
"""Name of the tool that takes the answer."""

_NATIVE = (4, 1)
"""The version from which on models have structured output, by Anthropic's page on it; unknown ones are taken to be new."""


def answers_by_tool(request: Request) -> bool:
    """Tell whether the answer has to come as the input of a tool."""
    version = version_of(request.model)
    return isinstance(request.response_format, JsonSchema) and version is not None and version < _NATIVE


def with_answer_tool(request: Request, tools: list[Wire], choice: Wire | None) -> tuple[list[Wire], Wire | None]:
    """Give the tools and the choice of a request whose answer comes by a tool; others as they are."""
    wanted = request.response_format
    if not isinstance(wanted, JsonSchema) or not answers_by_tool(request):
        return tools, choice
    description = wanted.description or "Give your final answer by calling this tool, once."
    answer: Wire = {"name": ANSWER_TOOL, "description": description, "input_schema": closed_schema(wanted.json_schema)}
    if not tools or request.tool_choice == "none":
        return [*tools, answer], {"type": "tool", "name": ANSWER_TOOL}
    if isinstance(request.tool_choice, AllowedTools) or request.tool_choice in (None, "auto", "required"):
        return [*tools, answer], {"type": "any"}
    return [*tools, answer], choice
