"""LLM calls as reactive streams: one engine, any provider, and the answer is a cold Observable of typed events.

Rule 1: this is the whole public face, at most 60 names; vendors, operators and the testing kit have modules of their own.
Rule 2: a name is imported when it is first used (PEP 562), so `import allm_rx` costs next to nothing.
Rule 3: a new name takes one line in each of the three lists, which a test compares.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allm_rx import errors, operators
    from allm_rx.data import events
    from allm_rx.data.failures import Failure
    from allm_rx.data.messages import Message, assistant, system, tool_result, user
    from allm_rx.data.parts import (
        AudioPart,
        FilePart,
        ImagePart,
        ProviderPart,
        ReasoningPart,
        SourcePart,
        TextPart,
        ToolCall,
        ToolResultPart,
    )
    from allm_rx.data.policies import RetryPolicy, Timeouts
    from allm_rx.data.requests import Request, json_schema
    from allm_rx.data.responses import Response
    from allm_rx.data.results import ChatResult, StepResult
    from allm_rx.data.sessions import Session, Turn
    from allm_rx.data.threads import Thread
    from allm_rx.data.tools import Tool, provider_tool
    from allm_rx.data.usage import Usage
    from allm_rx.execution.calls import generate, stream_generate
    from allm_rx.runtime.engine import Engine

__all__ = [
    "AudioPart",
    "ChatResult",
    "Engine",
    "Failure",
    "FilePart",
    "ImagePart",
    "Message",
    "ProviderPart",
    "ReasoningPart",
    "Request",
    "Response",
    "RetryPolicy",
    "Session",
    "SourcePart",
    "StepResult",
    "TextPart",
    "Thread",
    "Timeouts",
    "Tool",
    "ToolCall",
    "ToolResultPart",
    "Turn",
    "Usage",
    "assistant",
    "errors",
    "events",
    "generate",
    "json_schema",
    "operators",
    "provider_tool",
    "stream_generate",
    "system",
    "tool_result",
    "user",
]

_HOMES = {
    "AudioPart": "allm_rx.data.parts",
    "ChatResult": "allm_rx.data.results",
    "Engine": "allm_rx.runtime.engine",
    "Failure": "allm_rx.data.failures",
    "FilePart": "allm_rx.data.parts",
    "ImagePart": "allm_rx.data.parts",
    "Message": "allm_rx.data.messages",
    "ProviderPart": "allm_rx.data.parts",
    "ReasoningPart": "allm_rx.data.parts",
    "Request": "allm_rx.data.requests",
    "Response": "allm_rx.data.responses",
    "RetryPolicy": "allm_rx.data.policies",
    "Session": "allm_rx.data.sessions",
    "SourcePart": "allm_rx.data.parts",
    "StepResult": "allm_rx.data.results",
    "TextPart": "allm_rx.data.parts",
    "Thread": "allm_rx.data.threads",
    "Timeouts": "allm_rx.data.policies",
    "Tool": "allm_rx.data.tools",
    "ToolCall": "allm_rx.data.parts",
    "ToolResultPart": "allm_rx.data.parts",
    "Turn": "allm_rx.data.sessions",
    "Usage": "allm_rx.data.usage",
    "assistant": "allm_rx.data.messages",
    "errors": "allm_rx",
    "events": "allm_rx.data",
    "generate": "allm_rx.execution.calls",
    "json_schema": "allm_rx.data.requests",
    "operators": "allm_rx",
    "provider_tool": "allm_rx.data.tools",
    "stream_generate": "allm_rx.execution.calls",
    "system": "allm_rx.data.messages",
    "tool_result": "allm_rx.data.messages",
    "user": "allm_rx.data.messages",
}
"""Where each name lives; a module lives in its package."""

_MODULES = frozenset({"errors", "events", "operators"})
"""The names that are modules."""


def __getattr__(name: str) -> Any:
    """Import what was asked for, and keep it."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: it offers {', '.join(__all__)}.")
    found = import_module(f"{home}.{name}") if name in _MODULES else getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
