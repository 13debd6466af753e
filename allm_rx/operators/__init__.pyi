"""The names of this package as type checkers see them; a test compares them with `__init__.py`.

It names `execution` too, which is above: a stub is read by checkers only, and imports nothing.
"""

from allm_rx.execution.as_operators import chat, generate, switch_generate
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
    "chat",
    "collect_chat",
    "collect_response",
    "collect_session",
    "collect_step",
    "elements",
    "fallback",
    "fields",
    "from_aiter",
    "generate",
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
    "switch_generate",
    "text",
    "throttle_latest",
    "timeout_total",
    "timeouts",
    "to_aiter",
    "tool_calls",
    "usage",
    "validate_grammar",
]
