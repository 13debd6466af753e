"""The spans around the parts of a call, with the facts that tell them apart.

Rule 1: spans nest as the calls do: a chat holds its steps, a step its provider request and its tools.
Rule 2: the spans of one call share its `request_id`; no fact is content or a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.runtime.telemetry import begun, observed

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.abc.telemetry import SpanName
    from allm_rx.data.events import Event
    from allm_rx.data.parts import ToolCall
    from allm_rx.execution.resolve import Resolved
    from allm_rx.runtime.telemetry import OpenSpan, Retried


def request_span(resolved: Resolved, build: Callable[[Retried | None], Observable[Event]]) -> Observable[Event]:
    """Give one provider request in its span `stream`, which is told of its retries."""
    span = observed("stream", _facts(resolved))
    return build(None) if span is None else span.watch(build)


def spanned(name: SpanName, resolved: Resolved, events: Observable[Event], **more: Any) -> Observable[Event]:
    """Give the events of a part of a call in its span; `more` are facts of that part."""
    span = observed(name, {**_facts(resolved), **more})
    return events if span is None else span.watch(lambda retried: events)


def tool_span(resolved: Resolved, call: ToolCall) -> OpenSpan | None:
    """Begin the span of a tool that runs; None while nobody observes."""
    return begun("tool", {**_facts(resolved), "tool_name": call.name, "tool_call_id": call.id})


def _facts(resolved: Resolved) -> dict[str, Any]:
    return {
        "request_id": resolved.call.request_id,
        "provider": resolved.adapter.provider,
        "model": resolved.request.model,
    }
