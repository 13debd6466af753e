"""JSON from models that have no structured output of their own: they give their answer as the input of a tool.

Rule 1: only where the model cannot do it natively; what holds of such answers everywhere, `wire.answers` says.
Rule 2: such a model cannot think meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.adapters.anthropic.messages.options import version_of
from allm_rx.adapters.anthropic.schemas import closed_schema
from allm_rx.data.requests import JsonSchema
from allm_rx.wire.answers import ANSWER_TOOL, answering_choice, described

if TYPE_CHECKING:
    from allm_rx.adapters.anthropic.messages.wire import Wire
    from allm_rx.data.requests import Request

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
    answer: Wire = {"name": ANSWER_TOOL, "description": described(wanted), "input_schema": closed_schema(wanted.json_schema)}
    match answering_choice(request.tool_choice, tools):
        case "required":
            choice = {"type": "any"}
        case name:
            choice = {"type": "tool", "name": name}
    return [*tools, answer], choice
