"""The tables of the guides, made from the code they describe; `python -m tests.docs.tables` writes them into the pages."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import get_args

from allm_rx import errors, operators
from allm_rx.data import events
from allm_rx.data.policies import RetryPolicy
from tests.docs.pages import ROOT

REASONS: dict[type[errors.AllmError], tuple[str, ...]] = {
    errors.UsageError: get_args(errors.UsageReason),
    errors.EngineError: get_args(errors.EngineReason),
    errors.ValidationError: get_args(errors.ValidationReason),
    errors.SessionError: get_args(errors.SessionReason),
    errors.AdapterError: get_args(errors.AdapterReason),
    errors.StreamError: get_args(errors.StreamReason),
    errors.ToolError: get_args(errors.ToolReason),
}
"""The reasons of each class, in the order the code gives them."""

MEANINGS = {
    ("UsageError", "wrong_thread"): "The call would wait for its own thread, or a GUI is used off its thread.",
    ("UsageError", "no_event_loop"): (
        "The scheduler's loop is closed, its GUI is not there, or a transport is subscribed without a loop."
    ),
    ("UsageError", "unknown_scheduler"): "Nothing is known that wakes the scheduler's thread.",
    ("EngineError", "missing_adapter"): "The engine has no adapter.",
    ("EngineError", "missing_stream_adapter"): "The engine's adapter has no `stream`.",
    ("EngineError", "missing_model"): "Neither call, request nor engine names a model.",
    ("EngineError", "missing_key"): "No key was found; the message names the variable.",
    ("EngineError", "unknown_model_prefix"): "No adapter is registered for the vendor; the message names the nearest.",
    ("EngineError", "virtual_time"): "A real connection was subscribed in virtual time.",
    ("ValidationError", "invalid_request"): "An input or an option is wrong; `errors` lists everything that is.",
    ("ValidationError", "invalid_message"): "A message or a part is wrong.",
    ("ValidationError", "invalid_tool"): "A tool's name, schema or signature is wrong.",
    ("ValidationError", "invalid_thread"): "Calls of the model are not answered, or messages are out of order.",
    ("ValidationError", "invalid_session"): "What was loaded is no session.",
    ("ValidationError", "unsupported_capability"): "The model or the protocol cannot take a part, a tool or an option.",
    ("SessionError", "wrong_status"): "The session does not allow this operation now; the message names those it does.",
    ("SessionError", "unknown_tool_call_id"): "A result or an answer is for a call that nobody made.",
    ("SessionError", "stale_write"): "Somebody else saved the session in the meantime.",
    ("AdapterError", "authentication_failed"): "The provider does not accept the key.",
    ("AdapterError", "permission_denied"): "The key may not use this model or feature.",
    ("AdapterError", "not_found"): "There is no such model, or nothing at the address.",
    ("AdapterError", "rate_limited"): "Too many requests or tokens; `retry_after` says how long to wait, if the provider did.",
    ("AdapterError", "quota_exceeded"): "The account is used up; waiting does not help.",
    ("AdapterError", "overloaded"): "The provider has no capacity now.",
    ("AdapterError", "invalid_request"): "The provider refuses the request as it is.",
    ("AdapterError", "context_length_exceeded"): "The messages are too long for the model.",
    ("AdapterError", "content_filter"): "The provider refuses the content.",
    ("AdapterError", "timeout"): "One of the `Timeouts` ran out, or the provider's own did; `details` names which.",
    ("AdapterError", "network_error"): "The provider could not be reached, or the connection broke.",
    ("AdapterError", "server_error"): "The provider failed.",
    ("AdapterError", "malformed_response"): "What came is not what the protocol promises, or does not fit the asked schema.",
    ("AdapterError", "no_scripted_response"): "A `Fake` was asked more often than it has scripts.",
    ("AdapterError", "unknown"): "A failure that fits none of the others.",
    ("StreamError", "stream_interrupted"): "The bytes ended before the answer did.",
    ("StreamError", "malformed_stream"): "The bytes make no sense as a stream.",
    ("StreamError", "record_too_large"): "One record, or a whole body, is larger than the limit.",
    ("StreamError", "cancelled"): "The stream was cancelled from outside.",
    ("ToolError", "invalid_arguments"): "The model's arguments do not fit; the handler was not run.",
    ("ToolError", "unknown_tool"): "The model called a tool that was not offered.",
    ("ToolError", "handler_raised"): "The handler raised.",
    ("ToolError", "timeout"): "The handler took longer than `tool_timeout`.",
    ("ToolError", "invalid_return"): "The handler returned what it may not, such as a reserved halt reason.",
    ("ToolError", "encoding_failed"): "The result cannot be put into words for the model.",
    ("ToolError", "not_executed"): "The call was left unanswered because the chat ended before it ran.",
}
"""When each reason is given; a reason without a meaning here fails the test of the tables."""


def errors_table() -> Iterator[str]:
    """Give the rows of the guide on errors."""
    retried = RetryPolicy().retry_on
    yield "| class | reason | when | sent again by default |"
    yield "|---|---|---|---|"
    for cls, reasons in REASONS.items():
        for reason in reasons:
            again = "before output" if cls in (errors.AdapterError, errors.StreamError) and reason in retried else ""
            yield f"| `{cls.__name__}` | `{reason}` | {MEANINGS[cls.__name__, reason]} | {again} |"


def events_table() -> Iterator[str]:
    """Give the rows of the guide on events."""
    yield "| `type` | class | fields | what happened |"
    yield "|---|---|---|---|"
    for kind, cls in events.KINDS.items():
        names = ", ".join(f"`{field.name}`" for field in fields(cls))
        what = (cls.__doc__ or "").partition("\n")[0]
        mark = " \\*" if cls in events.CONTENT_EVENTS else ""
        yield f"| `{kind}`{mark} | `{cls.__name__}` | {names} | {what} |"


GROUPS = {
    "views of an answer": ["text", "sentences", "reasoning", "tool_calls", "usage", "snapshots", "partial", "fields", "elements"],
    "whole results": ["collect_response", "collect_step", "collect_chat", "collect_session", "reduce_with", "raise_errors"],
    "pace": ["throttle_latest", "smooth", "on_overflow"],
    "time": ["cancel_on", "timeout_total", "timeouts", "retry_backoff"],
    "several models": ["fallback", "race_first", "hedge"],
    "load": ["rate_limit", "max_concurrent", "single_flight"],
    "requests": ["generate", "switch_generate", "chat"],
    "bridges and tests": ["run", "to_aiter", "from_aiter", "validate_grammar"],
}
"""What operators are for; one without a place here fails the test of the tables."""


def operators_table() -> Iterator[str]:
    """Give the rows of the guide on operators."""
    yield "| for | operator | what it does |"
    yield "|---|---|---|"
    for group, names in GROUPS.items():
        for name in names:
            operator = getattr(operators, name)
            what = (operator.__doc__ or "").partition("\n")[0]
            yield f"| {group} | `lx.{name}({_parameters(operator)})` | {what} |"


def _parameters(function: Callable[..., object]) -> str:
    """Give what a caller may pass, but for the scheduler, which all take that know time."""
    shown: list[str] = []
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name != "scheduler"]
    named = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    for one in parameters:
        if named and one is named[0] and not any(other.kind is one.VAR_POSITIONAL for other in parameters):
            shown.append("*")
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        plain = isinstance(one.default, (int, float, str, type(None)))
        default = "" if one.default is one.empty else f"={one.default!r}" if plain else "=..."
        shown.append(f"{stars}{one.name}{default}")
    return ", ".join(shown)


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "errors": errors_table,
    "events": events_table,
    "operators": operators_table,
}
"""The tables by the guide they are in."""


def filled(text: str, table: str) -> str:
    """Give a page with its table made anew.

    Raises:
        ValueError: the page has no place for it.
    """
    begin, end = f"<!-- table of {table}, made by tests/docs/tables.py -->\n\n", "\n<!-- end of table -->\n"
    new, count = re.subn(
        f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: begin + "\n".join(TABLES[table]()) + "\n" + end, text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"The page needs one place for the table of {table}: {begin!r} and {end!r}.")
    return new


def main() -> None:
    """Write all tables into their pages."""
    for table in TABLES:
        page = ROOT / "docs" / "guides" / f"{table}.md"
        page.write_text(filled(page.read_text("utf-8"), table), "utf-8")


if __name__ == "__main__":
    main()
