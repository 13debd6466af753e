"""Laying one JSON object over another, deeply: the newer wins, and lists are values."""

from collections.abc import Mapping
from typing import Any, cast


def merged(base: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Give both objects as one; neither is changed."""
    result = dict(base)
    for name, value in newer.items():
        before = result.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            value = merged(cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", value))
        result[name] = value
    return result
