"""Tools and the choice among them, as `tools` and `toolConfig`.

Rule 1: a tool that the provider runs is a group of its own, sent as it is; the functions of the application are one group.
Rule 2: the modes of this protocol speak of functions only, so a choice that shuts out hosted tools leaves them out.
Rule 3: a strict tool asks for mode VALIDATED, which holds calls to their schemas and leaves the model free to call or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.adapters.gemini.generate_content.options import is_third
from allm_rx.adapters.gemini.generate_content.schema import gemini_schema, has_arguments
from allm_rx.data.requests import AllowedTools
from allm_rx.data.tools import ProviderTool

if TYPE_CHECKING:
    from collections.abc import Collection

    from allm_rx.adapters.gemini.generate_content.options import Service
    from allm_rx.data.requests import Request
    from allm_rx.data.tools import Tool

Wire = dict[str, Any]


def encode_tools(request: Request, service: Service) -> Wire:
    """Give the fields `tools` and `toolConfig`, as far as there is something to say."""
    functions = request.function_tools
    hosted = [dict(tool.spec) for tool in request.tools if isinstance(tool, ProviderTool) and _is_open(tool.name, request)]
    groups: list[Wire] = [{"functionDeclarations": [_declaration(tool) for tool in functions]}] if functions else []
    config: Wire = {}
    if functions and (calling := _calling(request, [tool.name for tool in functions])):
        config["functionCallingConfig"] = calling
    if functions and hosted and is_third(request.model) and not service.vertex:
        config["includeServerSideToolInvocations"] = True
    groups += hosted
    fields: Wire = {"tools": groups} if groups else {}
    return {**fields, "toolConfig": config} if config else fields


def _is_open(name: str, request: Request) -> bool:
    """Tell whether the choice leaves a tool of the provider's to the model."""
    choice = request.tool_choice
    return name in choice.names if isinstance(choice, AllowedTools) else choice != "none"


def _declaration(tool: Tool) -> Wire:
    wire: Wire = {"name": tool.name}
    if tool.description:
        wire["description"] = tool.description
    if has_arguments(tool.parameters):
        wire["parametersJsonSchema"] = gemini_schema(tool.parameters)
    return wire


def _calling(request: Request, functions: Collection[str]) -> Wire | None:
    strict = any(tool.strict for tool in request.function_tools)
    match request.tool_choice:
        case None:
            return {"mode": "VALIDATED"} if strict else None
        case "auto":
            return {"mode": "VALIDATED" if strict else "AUTO"}
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case AllowedTools(names=names, mode=mode):
            allowed = [name for name in names if name in functions]
            if not allowed:
                return {"mode": "NONE"}
            return {"mode": "ANY" if mode == "required" else "VALIDATED", "allowedFunctionNames": allowed}
        case name:
            return {"mode": "ANY", "allowedFunctionNames": [name]}
