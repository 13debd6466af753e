"""Rx vocabulary over events, one operator per file: `from allm_rx import operators as lx`.

Rule 1: an operator lives in the file of its name; what several share is in files of its own, such as `turns`.
Rule 2: operators that make requests live in `execution`, above this package; their names are looked up when they are first
used, and type checkers find them in the stub `__init__.pyi`.
"""

from importlib import import_module
from typing import Any

from allm_rx.operators.cancel_on import cancel_on
from allm_rx.operators.collect_chat import collect_chat
from allm_rx.operators.collect_response import collect_response
from allm_rx.operators.collect_session import collect_session
from allm_rx.operators.collect_step import collect_step
from allm_rx.operators.elements import elements
from allm_rx.operators.fallback import fallback
from allm_rx.operators.fields import fields
from allm_rx.operators.from_aiter import from_aiter
from allm_rx.operators.hedge import hedge
from allm_rx.operators.max_concurrent import max_concurrent
from allm_rx.operators.on_overflow import on_overflow
from allm_rx.operators.partial import partial
from allm_rx.operators.race_first import race_first
from allm_rx.operators.raise_errors import raise_errors
from allm_rx.operators.rate_limit import rate_limit
from allm_rx.operators.reasoning import reasoning
from allm_rx.operators.reduce_with import reduce_with
from allm_rx.operators.retry_backoff import retry_backoff
from allm_rx.operators.run import run
from allm_rx.operators.sentences import sentences
from allm_rx.operators.single_flight import single_flight
from allm_rx.operators.smooth import smooth
from allm_rx.operators.snapshots import snapshots
from allm_rx.operators.text import text
from allm_rx.operators.throttle_latest import throttle_latest
from allm_rx.operators.timeout_total import timeout_total
from allm_rx.operators.timeouts import timeouts
from allm_rx.operators.to_aiter import to_aiter
from allm_rx.operators.tool_calls import tool_calls
from allm_rx.operators.usage import usage
from allm_rx.operators.validate_grammar import validate_grammar

__all__ = [
    "cancel_on",
    "chat",  # pyright: ignore[reportUnsupportedDunderAll] # `__getattr__` finds it
    "collect_chat",
    "collect_response",
    "collect_session",
    "collect_step",
    "elements",
    "fallback",
    "fields",
    "from_aiter",
    "generate",  # pyright: ignore[reportUnsupportedDunderAll] # `__getattr__` finds it
    "hedge",
    "max_concurrent",
    "on_overflow",
    "partial",
    "race_first",
    "raise_errors",
    "rate_limit",
    "reasoning",
    "reduce_with",
    "retry_backoff",
    "run",
    "sentences",
    "single_flight",
    "smooth",
    "snapshots",
    "switch_generate",  # pyright: ignore[reportUnsupportedDunderAll] # `__getattr__` finds it
    "text",
    "throttle_latest",
    "timeout_total",
    "timeouts",
    "to_aiter",
    "tool_calls",
    "usage",
    "validate_grammar",
]

_REQUESTS = "allm_rx.execution.as_operators"
_ASKING = frozenset({"chat", "generate", "switch_generate"})
"""The names that live in that module."""


def __getattr__(name: str) -> Any:
    """Import an operator that makes requests, and keep it."""
    if name not in _ASKING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: see `{__name__}.__all__`.")
    found = getattr(import_module(_REQUESTS), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
