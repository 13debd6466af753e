"""What both directions of the Messages API share.

Rule: what is kept of a block for the next turn is its own words, under `provider_data["anthropic.messages"]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, cast

from allm_rx.data.usage import Usage
from allm_rx.wire.shapes import as_integer, as_object
from allm_rx.wire.text import repair_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import JsonValue

    from allm_rx.data.messages import Message
    from allm_rx.data.parts import Part
    from allm_rx.data.responses import FinishReason

DIALECT: Final[Literal["anthropic.messages"]] = "anthropic.messages"
"""Our key in `provider_data`."""

Wire = dict[str, Any]
"""JSON of the API."""

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Theirs and ours; any other (`pause_turn`, `compaction`, words that are yet to come) is `other`."""

_PROMPT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def own(part: Part | Message) -> dict[str, JsonValue]:
    """Give what this protocol keeps with a part or a message; foreign keys are not looked at."""
    return as_object(part.provider_data.get(DIALECT))


def kept(data: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Give `provider_data` that keeps something for the next turn; nothing keeps nothing."""
    return {DIALECT: repair_json(dict(data))} if data else {}


def newer_usage(raw: Wire, report: Any) -> Wire:
    """Give a usage object with a later report of the same answer on top.

    Reports are cumulative. Gateways fill numbers they do not know with null or, for the prompt, with zero.
    """
    known = {
        name: value
        for name, value in as_object(report).items()
        if value is not None and not (value == 0 and name in _PROMPT and raw.get(name))
    }
    return {**raw, **repair_json(known)}


def usage_of(raw: Wire) -> Usage:
    """Give the usage that an object reports; its parts of the prompt exclude each other, ours includes them all."""
    counts = {name: as_integer(raw.get(name)) for name in (*_PROMPT, "output_tokens")}
    prompt = [count for name in _PROMPT if (count := counts[name]) is not None]
    details = as_object(raw.get("output_tokens_details"))
    known = {*counts, "output_tokens_details"}
    return Usage(
        input_tokens=sum(prompt) if prompt else None,
        output_tokens=counts["output_tokens"],
        cached_input_tokens=counts["cache_read_input_tokens"],
        cache_write_input_tokens=counts["cache_creation_input_tokens"],
        reasoning_tokens=as_integer(details.get("thinking_tokens")),
        extra={name: value for name, value in _flat(raw) if value and name.partition(".")[0] not in known},
    )


def _flat(raw: Wire) -> Iterator[tuple[str, Any]]:
    """Give details under a dotted name, so that those of several answers add up."""
    for name, value in raw.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", item) for inner, item in cast("Wire", value).items())
        else:
            yield name, value
