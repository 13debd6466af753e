"""JSON Schemas, as far as all vendors read them alike: each holds its models to a subset of its own.

Rule: pure and total; a schema comes from a caller, and may be none.
"""

from __future__ import annotations

from typing import Any

from allm_rx.wire.shapes import as_object

Schema = dict[str, Any]

UNSAYABLE = frozenset(
    {
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "patternProperties",
        "then",
        "unevaluatedProperties",
    }
)
"""Keywords without which other values fit, and which no vendor's subset has."""


def target_of(reference: Any, root: Schema) -> Schema | None:
    """Give the schema that a reference leads to; None for one that leads nowhere, or out of `root`."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    node: Any = root
    for step in filter(None, reference.removeprefix("#").split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or name not in node:
            return None
        node = as_object(node)[name]
    return as_object(node) if isinstance(node, dict) else None
