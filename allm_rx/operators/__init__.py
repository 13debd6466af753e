"""Rx vocabulary over events, one operator per file: `from allm_rx import operators as lx`."""

from allm_rx.operators.cancel_on import cancel_on
from allm_rx.operators.collect_chat import collect_chat
from allm_rx.operators.collect_response import collect_response
from allm_rx.operators.collect_session import collect_session
from allm_rx.operators.collect_step import collect_step
from allm_rx.operators.from_aiter import from_aiter
from allm_rx.operators.raise_errors import raise_errors
from allm_rx.operators.reduce_with import reduce_with
from allm_rx.operators.retry_backoff import retry_backoff
from allm_rx.operators.run import run
from allm_rx.operators.snapshots import snapshots
from allm_rx.operators.text import text
from allm_rx.operators.timeouts import timeouts
from allm_rx.operators.to_aiter import to_aiter
from allm_rx.operators.validate_grammar import validate_grammar

__all__ = [
    "cancel_on",
    "collect_chat",
    "collect_response",
    "collect_session",
    "collect_step",
    "from_aiter",
    "raise_errors",
    "reduce_with",
    "retry_backoff",
    "run",
    "snapshots",
    "text",
    "timeouts",
    "to_aiter",
    "validate_grammar",
]
