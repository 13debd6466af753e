"""What must hold before a request may be sent: every problem at once, with its path.

Field types are checked when a model is built; here is what only the whole shows.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from allm_rx.data.messages import Message
from allm_rx.data.parts import ToolCall
from allm_rx.data.requests import AllowedTools, Request
from allm_rx.data.sessions import Session
from allm_rx.data.threads import Thread, unanswered
from allm_rx.data.tools import ProviderTool, Tool
from allm_rx.data.translation import shown
from allm_rx.errors import Issue, ValidationError

_LISTED = 80
"""Characters of a list of names that a message shows."""
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED_TOOL_NAMES = frozenset({"auto", "none", "required"})
"""Words of `tool_choice` that a tool's name would collide with."""


def check_request(request: Request) -> None:
    """Accept a request that may be sent.

    Raises:
        ValidationError: `invalid_request`, with all issues and their paths.
    """
    issues = [*_messages(request.messages), *_tools(request.tools), *_choice(request), *_numbers(request)]
    if not request.messages:
        issues.insert(0, Issue(("messages",), "empty", "there is no message: pass a text or at least one message"))
    if issues:
        raise ValidationError.of("invalid_request", *issues)


def check_thread(thread: Thread) -> None:
    """Accept a thread that may be sent; an empty one is fine.

    Raises:
        ValidationError: `invalid_thread`, with all issues and their paths.
    """
    issues = list(_messages(thread.messages))
    if issues:
        raise ValidationError.of("invalid_thread", *issues)


def check_session(session: Session) -> None:
    """Accept a session whose status fits what it holds, and whose thread can be sent once the pending calls are answered.

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
    pending = frozenset(call.id for call in session.pending_tool_calls)
    found = _messages(session.thread.messages, pending=pending)
    issues += [Issue(("thread", *issue.path), issue.code, issue.message) for issue in found]
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


def _messages(messages: Sequence[Message], *, pending: Collection[str] = ()) -> Iterator[Issue]:
    """Each message may be what it is, and all of them fit together; `pending` are calls that may stay unanswered."""
    for index, message in enumerate(messages):
        path = ("messages", index, "content")
        if message.role == "tool" and not message.tool_results:
            what = "a tool message answers a call: set `tool_call_id`, or use `tool_result(...)`"
            yield Issue(("messages", index, "tool_call_id"), "required", what)
        if message.role != "tool" and message.tool_results:
            what = f"a {message.role} message cannot hold results of tools: put them in a tool message, with `tool_result(...)`"
            yield Issue(path, "invalid_part_type", what)
        calls = message.tool_calls
        if message.role != "assistant" and calls:
            what = f"a {message.role} message cannot call tools: put the calls in an assistant message"
            yield Issue(path, "invalid_part_type", what)
        if len(calls) > 1:
            yield from _repeated(calls, path)
    yield from _linkage(messages, pending)


def _repeated(calls: Sequence[ToolCall], path: tuple[str | int, ...]) -> Iterator[Issue]:
    for call_id, count in Counter(call.id for call in calls).items():
        if count > 1:
            what = f"{count} tool calls of the message have the id {shown(call_id)}: make them unique"
            yield Issue(path, "duplicate_id", what)


def _linkage(messages: Sequence[Message], pending: Collection[str]) -> Iterator[Issue]:
    """Every tool message answers a call before it, once; every call has an answer."""
    open_ids: set[str] = set()
    answered: set[str] = set()
    last = -1
    for index, message in enumerate(messages):
        if message.role == "assistant":
            last = index
            open_ids = {call.id for call in message.tool_calls}
            answered = set()
        for result in message.tool_results if message.role == "tool" else ():
            path = ("messages", index, "tool_call_id")
            if result.id in answered:
                what = f"the call {shown(result.id)} is answered twice: keep one result"
                yield Issue(path, "duplicate_answer", what)
            elif result.id not in open_ids:
                what = f"the assistant message before it made no call {shown(result.id)}: use the `id` of one of its calls"
                yield Issue(path, "unknown_call", what)
            answered.add(result.id)
    for index, call in unanswered(messages):
        if index == last and call.id in pending:
            continue
        call_id = shown(call.id)
        what = f"the call {call_id} of tool {shown(call.name)} has no result: add `tool_result({call_id}, ...)` after it"
        yield Issue(("messages", index, "content"), "unanswered_call", what)


def _tools(tools: Sequence[Tool | ProviderTool]) -> Iterator[Issue]:
    if not tools:
        return
    for index, tool in enumerate(tools):
        if isinstance(tool, ProviderTool):
            continue
        path = ("tools", index, "name")
        if not tool.name:
            yield Issue(path, "empty", "a tool needs a name: give it one")
        elif tool.name in RESERVED_TOOL_NAMES:
            yield Issue(path, "reserved_tool_name", f"{tool.name!r} is a word of `tool_choice`: choose another name")
        elif not _TOOL_NAME.fullmatch(tool.name):
            yield Issue(path, "invalid_format", f"{shown(tool.name)} is no tool name: use 1 to 64 of A-Z a-z 0-9 _ -")
        if tool.parameters.get("type", "object") != "object":
            what = f"the schema's type is {shown(tool.parameters['type'])}: use 'object'"
            yield Issue(("tools", index, "parameters"), "not_an_object", what)
    # A tool of the provider without a name of its own may come several times: one entry per MCP server, say.
    names = Counter(tool.name for tool in tools if isinstance(tool, Tool) or "name" in tool.spec)
    for name, count in names.items():
        if count > 1:
            yield Issue(("tools",), "duplicate_name", f"{count} tools are called {shown(name)}: make the names unique")


def _choice(request: Request) -> Iterator[Issue]:
    choice = request.tool_choice
    known = {tool.name for tool in request.tools}
    offered = ", ".join(sorted(known)) or "there are none"
    offered = offered if len(offered) <= _LISTED else f"{offered[:_LISTED]}..."
    if isinstance(choice, AllowedTools):
        for index, name in enumerate(choice.names):
            if name not in known:
                what = f"{shown(name)} is not among the request's tools: use some of them ({offered})"
                yield Issue(("tool_choice", "names", index), "unknown_tool", what)
    elif choice == "required" and not known:
        yield Issue(("tool_choice",), "unknown_tool", "'required' needs a tool to call: pass `tools`")
    elif choice is not None and choice not in RESERVED_TOOL_NAMES and choice not in known:
        what = f"{shown(choice)} is not among the request's tools: use one of them ({offered}), 'auto', 'none' or 'required'"
        yield Issue(("tool_choice",), "unknown_tool", what)


def _numbers(request: Request) -> Iterator[Issue]:
    if request.temperature is not None and not 0 <= request.temperature <= 2:
        yield Issue(("temperature",), "out_of_range", f"{request.temperature} is out of range: use 0 to 2")
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        yield Issue(("top_p",), "out_of_range", f"{request.top_p} is out of range: use 0 to 1")
    if request.max_tokens is not None and request.max_tokens <= 0:
        yield Issue(("max_tokens",), "must_be_positive", f"{request.max_tokens} is no limit: use 1 or more")
