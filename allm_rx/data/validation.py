"""What must hold before a request may be sent: every problem at once, with its path.

Field types are checked when a model is built; here is what only the whole shows.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from allm_rx.data.messages import Message
from allm_rx.data.requests import AllowedTools, Request
from allm_rx.data.sessions import Session
from allm_rx.data.threads import Thread, unanswered
from allm_rx.data.tools import ProviderTool, Tool
from allm_rx.errors import Issue, ValidationError

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED_TOOL_NAMES = frozenset({"auto", "none", "required"})
"""Words of `tool_choice` that a tool's name would collide with."""


def check_request(request: Request) -> None:
    """Accept a request that may be sent.

    Raises:
        ValidationError: `invalid_request`, with all issues and their paths.
    """
    issues = [*_messages(request.messages), *_tools(request.tools), *_choice(request), *_numbers(request)]
    if issues:
        raise ValidationError.of("invalid_request", *issues)


def check_thread(thread: Thread) -> None:
    """Accept a thread that may be sent; an empty one is fine.

    Raises:
        ValidationError: `invalid_thread`, with all issues and their paths.
    """
    issues = list(_linkage(thread.messages))
    if issues:
        raise ValidationError.of("invalid_thread", *issues)


def check_session(session: Session) -> None:
    """Accept a session whose status fits what it holds.

    Raises:
        ValidationError: `invalid_session`, with all issues and their paths.
    """
    issues: list[Issue] = []
    if session.status == "awaiting_user" and not session.pending_questions:
        issues.append(Issue(("pending_questions",), "required_for_status", "status 'awaiting_user' needs a question"))
    if session.status == "awaiting_tools" and not session.pending_tool_calls:
        issues.append(Issue(("pending_tool_calls",), "required_for_status", "status 'awaiting_tools' needs pending calls"))
    if session.status == "error" and (session.last_halt is None or session.last_halt.failure is None):
        issues.append(Issue(("last_halt", "failure"), "required_for_status", "status 'error' needs the failure"))
    if issues:
        raise ValidationError.of("invalid_session", *issues)


def check_tools(tools: Sequence[Tool | ProviderTool]) -> None:
    """Accept tools that may be offered together.

    Raises:
        ValidationError: `invalid_tool`, with all issues and their paths.
    """
    issues = list(_tools(tools))
    if issues:
        raise ValidationError.of("invalid_tool", *issues)


def _messages(messages: Sequence[Message]) -> Iterator[Issue]:
    if not messages:
        yield Issue(("messages",), "empty", "there is no message: pass a text or at least one message")
        return
    for index, message in enumerate(messages):
        if message.role == "tool" and not message.tool_results:
            path = ("messages", index, "tool_call_id")
            yield Issue(path, "required", "a tool message answers a call: set `tool_call_id`, or use `tool_result(...)`")
        if message.role != "assistant" and message.tool_calls:
            path = ("messages", index, "content")
            yield Issue(path, "invalid_part_type", f"a {message.role} message cannot call tools; an assistant message can")
        ids = Counter(call.id for call in message.tool_calls)
        for call_id in (call_id for call_id, count in ids.items() if count > 1):
            path = ("messages", index, "content")
            yield Issue(path, "duplicate_id", f"two tool calls of the message have the id {call_id!r}: make them unique")
    yield from _linkage(messages)


def _linkage(messages: Sequence[Message]) -> Iterator[Issue]:
    """Every tool message answers a call before it, once; every call has an answer."""
    open_ids: set[str] = set()
    answered: set[str] = set()
    for index, message in enumerate(messages):
        if message.role == "assistant":
            open_ids = {call.id for call in message.tool_calls}
            answered = set()
        for result in message.tool_results:
            path = ("messages", index, "tool_call_id")
            if result.id in answered:
                yield Issue(path, "duplicate_answer", f"the call {result.id!r} is answered twice: keep one result")
            elif result.id not in open_ids:
                yield Issue(path, "unknown_call", f"no assistant message before it made the call {result.id!r}")
            answered.add(result.id)
    for index, call in unanswered(messages):
        yield Issue(
            ("messages", index, "content"),
            "unanswered_call",
            f"the call {call.id!r} of tool {call.name!r} has no result: add `tool_result({call.id!r}, ...)` after it",
        )


def _tools(tools: Sequence[Tool | ProviderTool]) -> Iterator[Issue]:
    for index, tool in enumerate(tools):
        if isinstance(tool, ProviderTool):
            continue
        path = ("tools", index, "name")
        if not tool.name:
            yield Issue(path, "empty", "a tool needs a name")
        elif tool.name in RESERVED_TOOL_NAMES:
            yield Issue(path, "reserved_tool_name", f"{tool.name!r} is a word of `tool_choice`: choose another name")
        elif not _TOOL_NAME.fullmatch(tool.name):
            yield Issue(path, "invalid_format", f"{tool.name!r} is no tool name: use 1 to 64 of A-Z a-z 0-9 _ -")
        if tool.parameters.get("type", "object") != "object":
            shown = tool.parameters.get("type")
            yield Issue(("tools", index, "parameters"), "not_an_object", f"the schema's type is {shown!r}: use 'object'")
    for name, count in Counter(tool.name for tool in tools).items():
        if count > 1:
            yield Issue(("tools",), "duplicate_name", f"{count} tools are called {name!r}: names must be unique")


def _choice(request: Request) -> Iterator[Issue]:
    choice = request.tool_choice
    names = choice.names if isinstance(choice, AllowedTools) else (choice,) if isinstance(choice, str) else ()
    known = {tool.name for tool in request.tools}
    for name in names:
        if name not in RESERVED_TOOL_NAMES and name not in known:
            offered = ", ".join(sorted(known)) or "no tools"
            yield Issue(("tool_choice",), "unknown_tool", f"{name!r} is not among the request's tools ({offered})")
    if choice == "required" and not request.tools:
        yield Issue(("tool_choice",), "unknown_tool", "'required' needs at least one tool")


def _numbers(request: Request) -> Iterator[Issue]:
    if request.temperature is not None and not 0 <= request.temperature <= 2:
        yield Issue(("temperature",), "out_of_range", f"{request.temperature} is out of range: use 0 to 2")
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        yield Issue(("top_p",), "out_of_range", f"{request.top_p} is out of range: use 0 to 1")
    if request.max_tokens is not None and request.max_tokens <= 0:
        yield Issue(("max_tokens",), "must_be_positive", f"{request.max_tokens} is no limit: use 1 or more")
