"""LLM calls as reactive streams: one engine, any provider, and the answer is a cold Observable of typed events.

Rule 1: this is the whole public face, at most 60 names; vendors, operators and the testing kit have modules of their own.
Rule 2: a name is imported when it is first used (PEP 562), so `import allm_rx` costs next to nothing.
Rule 3: a new name takes one line in each of the three lists, which a test compares.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allm_rx import errors, operators, sessions
    from allm_rx.abc.stores import SessionStore
    from allm_rx.abc.tools import AskUser, Halt, ToolContext
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
    from allm_rx.execution.calls import chat, generate, step, stream, stream_generate, stream_step
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.tools import tool
    from allm_rx.sessions.stores import MemoryStore, SqliteStore

__all__ = [
    "AskUser",
    "AudioPart",
    "ChatResult",
    "Engine",
    "Failure",
    "FilePart",
    "Halt",
    "ImagePart",
    "MemoryStore",
    "Message",
    "ProviderPart",
    "ReasoningPart",
    "Request",
    "Response",
    "RetryPolicy",
    "Session",
    "SessionStore",
    "SourcePart",
    "SqliteStore",
    "StepResult",
    "TextPart",
    "Thread",
    "Timeouts",
    "Tool",
    "ToolCall",
    "ToolContext",
    "ToolResultPart",
    "Turn",
    "Usage",
    "assistant",
    "chat",
    "errors",
    "events",
    "generate",
    "json_schema",
    "operators",
    "provider_tool",
    "sessions",
    "step",
    "stream",
    "stream_generate",
    "stream_step",
    "system",
    "tool",
    "tool_result",
    "user",
]

_HOMES = {
    "AskUser": "allm_rx.abc.tools",
    "AudioPart": "allm_rx.data.parts",
    "ChatResult": "allm_rx.data.results",
    "Engine": "allm_rx.runtime.engine",
    "Failure": "allm_rx.data.failures",
    "FilePart": "allm_rx.data.parts",
    "Halt": "allm_rx.abc.tools",
    "ImagePart": "allm_rx.data.parts",
    "MemoryStore": "allm_rx.sessions.stores",
    "Message": "allm_rx.data.messages",
    "ProviderPart": "allm_rx.data.parts",
    "ReasoningPart": "allm_rx.data.parts",
    "Request": "allm_rx.data.requests",
    "Response": "allm_rx.data.responses",
    "RetryPolicy": "allm_rx.data.policies",
    "Session": "allm_rx.data.sessions",
    "SessionStore": "allm_rx.abc.stores",
    "SourcePart": "allm_rx.data.parts",
    "SqliteStore": "allm_rx.sessions.stores",
    "StepResult": "allm_rx.data.results",
    "TextPart": "allm_rx.data.parts",
    "Thread": "allm_rx.data.threads",
    "Timeouts": "allm_rx.data.policies",
    "Tool": "allm_rx.data.tools",
    "ToolCall": "allm_rx.data.parts",
    "ToolContext": "allm_rx.abc.tools",
    "ToolResultPart": "allm_rx.data.parts",
    "Turn": "allm_rx.data.sessions",
    "Usage": "allm_rx.data.usage",
    "assistant": "allm_rx.data.messages",
    "chat": "allm_rx.execution.calls",
    "errors": "allm_rx",
    "events": "allm_rx.data",
    "generate": "allm_rx.execution.calls",
    "json_schema": "allm_rx.data.requests",
    "operators": "allm_rx",
    "provider_tool": "allm_rx.data.tools",
    "sessions": "allm_rx",
    "step": "allm_rx.execution.calls",
    "stream": "allm_rx.execution.calls",
    "stream_generate": "allm_rx.execution.calls",
    "stream_step": "allm_rx.execution.calls",
    "system": "allm_rx.data.messages",
    "tool": "allm_rx.runtime.tools",
    "tool_result": "allm_rx.data.messages",
    "user": "allm_rx.data.messages",
}
"""Where each name lives; a module lives in its package."""

_MODULES = frozenset({"errors", "events", "operators", "sessions"})
"""The names that are modules."""


if not TYPE_CHECKING:  # else any misspelt name would pass as `Any`

    def __getattr__(name: str) -> Any:
        """Import what was asked for, and keep it."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}: see `{__name__}.__all__`.")
        found = import_module(f"{home}.{name}") if name in _MODULES else getattr(import_module(home), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
