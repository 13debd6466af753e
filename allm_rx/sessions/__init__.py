"""Layer D: conversations as data that survives a restart.

The engine is an argument of every operation and never stored; a session is saved with `model_dump_json` at any point, or
kept in a store.
"""

from allm_rx.abc.stores import SessionStore, StoredSession
from allm_rx.sessions.operations import (
    reply,
    resume,
    start,
    step,
    stream_reply,
    stream_resume,
    stream_start,
    stream_step,
)
from allm_rx.sessions.results import submit_tool_result, submit_tool_results
from allm_rx.sessions.stores import MemoryStore, SqliteStore

__all__ = [
    "MemoryStore",
    "SessionStore",
    "SqliteStore",
    "StoredSession",
    "reply",
    "resume",
    "start",
    "step",
    "stream_reply",
    "stream_resume",
    "stream_start",
    "stream_step",
    "submit_tool_result",
    "submit_tool_results",
]
