"""What an answer consumed, under the names that the servers use.

Rule 1: numbers are reported as they are on the wire, also where they do not add up (xAI leaves reasoning out of the output,
Azure reports more cached tokens than there were).
Rule 2: what we have no name for stays in `extra`, details with a dotted name, so that sums over several answers work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.usage import Usage

if TYPE_CHECKING:
    from pydantic import JsonValue

_DETAILS = ("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details")

_MOST = 1e15  # JSON has numbers that no float can hold

# Ours, then theirs: the first that is a number is taken.
_COUNTS: dict[str, tuple[str, ...]] = {
    "input_tokens": ("prompt_tokens", "input_tokens"),
    "output_tokens": ("completion_tokens", "output_tokens"),
    "cached_input_tokens": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "cache_read_input_tokens",
    ),
    "cache_write_input_tokens": (
        "prompt_tokens_details.cache_write_tokens",
        "input_tokens_details.cache_write_tokens",
        "cache_creation_input_tokens",
    ),
    "reasoning_tokens": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "reasoning_tokens",
    ),
    "total_tokens": ("total_tokens",),
}
_COSTS: dict[str, tuple[str, ...]] = {
    "input_cost": ("cost.input_tokens_cost",),
    "output_cost": ("cost.output_tokens_cost",),
    "total_cost": ("cost", "cost.total_cost"),
}


def usage_of(raw: dict[str, Any]) -> Usage:
    """Give the usage that a `usage` object reports."""
    flat = _flat(raw)
    fields: dict[str, Any] = {}
    for wanted, read in ((_COUNTS, _count), (_COSTS, _amount)):
        for name, sources in wanted.items():
            for source in sources:
                if source in flat and (number := read(flat[source])) is not None:
                    fields[name] = number
                    del flat[source]
                    break
    # Servers fill their details with zeros for what a model cannot do.
    extra = {name: value for name, value in flat.items() if value and name not in _DETAILS}
    return Usage(**fields, extra=cast("dict[str, JsonValue]", extra))


def _flat(raw: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, dict):
            for inner, item in cast("dict[str, Any]", value).items():
                flat[f"{name}.{inner}"] = item
        else:
            flat[name] = value
    return flat


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if value == value // 1 else None


def _amount(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < _MOST else None
