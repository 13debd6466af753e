"""Tools, and which of them may be called, as the Responses API writes them.

Rule 1: a tool that does not say whether it is strict is not; this API alone would else make its optional arguments required.
Rule 2: a tool of the provider's own is sent as it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.adapters.openai.schemas import strict_schema
from allm_rx.data.requests import AllowedTools
from allm_rx.data.tools import ProviderTool
from allm_rx.wire.shapes import as_word

if TYPE_CHECKING:
    from allm_rx.adapters.openai.responses.wire import Wire
    from allm_rx.data.requests import Request
    from allm_rx.data.tools import Tool

_NAMED_BY = {"custom": "name", "function": "name", "mcp": "server_label"}
"""Types of tools of which there may be several, and the field that tells them apart."""


def encode_tools(request: Request) -> Wire:
    """Give `tools` and `tool_choice`; a choice without tools would be refused, so there is none."""
    if not request.tools:
        return {}
    tools = [dict(tool.spec) if isinstance(tool, ProviderTool) else _tool(tool) for tool in request.tools]
    return {"tools": tools, "tool_choice": _choice(request)}


def _tool(tool: Tool) -> Wire:
    described = {"description": tool.description} if tool.description else {}
    parameters = strict_schema(tool.parameters) if tool.strict else tool.parameters
    return {"type": "function", "name": tool.name, **described, "parameters": parameters, "strict": bool(tool.strict)}


def _choice(request: Request) -> Any:
    match request.tool_choice:
        case None | "auto" | "none" | "required" as word:
            return word
        case AllowedTools(names=names, mode=mode):
            return {"type": "allowed_tools", "mode": mode, "tools": [_reference(name, request) for name in names]}
        case str(name):
            return _reference(name, request)


def _reference(name: str, request: Request) -> Wire:
    tool = next((tool for tool in request.tools if tool.name == name), None)
    if not isinstance(tool, ProviderTool):
        return {"type": "function", "name": name}
    kind = as_word(tool.spec.get("type"))
    field = _NAMED_BY.get(kind)
    return {"type": kind, field: tool.spec.get(field)} if field else {"type": kind}
