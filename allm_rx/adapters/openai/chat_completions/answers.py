"""JSON from services that know no `json_schema` in `response_format`: the answer comes as the arguments of a tool.

Rule 1: the service's quirks say whether it is one of them; what holds of such answers everywhere, `wire.answers` says.
Rule 2: the tool is not marked as strict, since a service that would hold a model to a schema could do so without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.adapters.openai.schemas import strict_schema
from allm_rx.data.requests import JsonSchema
from allm_rx.errors import Issue
from allm_rx.wire.answers import ANSWER_TOOL, answer_issues, described, forces_a_tool, thinking_issues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allm_rx.adapters.openai.chat_completions.options import Quirks
    from allm_rx.data.requests import Request


def answer_by_tool(request: Request, quirks: Quirks) -> JsonSchema | None:
    """Give the form of the answer where it has to come as the arguments of a tool; else None."""
    wanted = request.response_format
    return wanted if isinstance(wanted, JsonSchema) and not quirks.json_schema else None


def answer_tool(wanted: JsonSchema) -> dict[str, Any]:
    """Give the tool that takes the answer."""
    schema = strict_schema(wanted.json_schema) if wanted.strict else wanted.json_schema
    function = {"name": ANSWER_TOOL, "description": described(wanted), "parameters": schema}
    return {"type": "function", "function": function}


def stops_thinking(request: Request, quirks: Quirks) -> bool:
    """Tell whether the service refuses to think in an answer, because it has to call a tool."""
    return not quirks.thinks_when_forced and (forces_a_tool(request) or answer_by_tool(request, quirks) is not None)


def forced_tool_issues(request: Request, quirks: Quirks, provider: str) -> Iterator[Issue]:
    """Give what a forced tool excludes, and what cannot come as its arguments."""
    wanted = answer_by_tool(request, quirks)
    if not quirks.thinks_when_forced:
        yield from thinking_issues(request, provider, by_tool=wanted is not None)
    if wanted is None:
        return
    yield from answer_issues(request, provider)
    if (kind := strict_schema(wanted.json_schema).get("type")) != "object":
        what = f"{provider} answers in JSON through a tool, whose arguments are an object, not {kind or 'a choice'!r}"
        yield Issue(("response_format", "json_schema"), "not_an_object", f"{what}: put the value into a field of one")
