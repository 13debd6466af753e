"""The events of one generation: the source, observed and filtered, and nothing else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from reactivex import operators as ops

from allm_rx.data.events import Event, RawChunk, ReasoningDelta, TextDelta, ToolCallDelta
from allm_rx.execution.preflight import check_engine, preflight
from allm_rx.execution.resolve import Input, Resolved, resolve
from allm_rx.execution.source import source
from allm_rx.operators.lean import keep
from allm_rx.runtime.delivery import deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options

_LOG = logging.getLogger("allm_rx.stream_runner")


def run(engine: Engine, request: Input, options: Options) -> RunnableObservable[Event]:
    """Give the events of one generation, filtered as asked.

    Raises:
        UsageError: pre-flight refuses the call; nothing was opened.

    Emits: see `allm_rx.stream_generate`.
    """
    resolved = prepared(engine, request, options, function="stream_generate")
    wanted = kept(resolved)
    return deliver(events(resolved), shape=None if wanted is None else keep(wanted))


def prepared(engine: Engine, request: Input, options: Options, *, function: str) -> Resolved:
    """Settle and check one generation; orchestration options have no meaning here and are dropped, each with a log line."""
    check_engine(engine)
    resolved = resolve(engine, request, options, function=function)
    for name in sorted(resolved.orchestration):
        _LOG.debug("%s() drops the option %r: it belongs to `step` and `chat`", function, name)
    preflight(resolved)
    return resolved


def events(resolved: Resolved) -> Observable[Event]:
    """Give the unfiltered events, seen by `on_event` first."""
    stream = source(resolved)
    return stream if resolved.on_event is None else stream.pipe(ops.do_action(resolved.on_event))


def kept(resolved: Resolved) -> Callable[[Event], bool] | None:
    """Give the test an event has to pass, or None when every one does."""
    dropped: set[type] = set()
    if not resolved.emit_text_deltas:
        dropped |= {TextDelta, ReasoningDelta}
    if not resolved.emit_tool_deltas:
        dropped.add(ToolCallDelta)
    raw = resolved.call.include_raw_chunks
    if not dropped:
        return None if raw else _no_frame

    def wanted(event: Event) -> bool:
        kind = type(event)
        return kind not in dropped and (raw or kind is not RawChunk or event.kind == "usage")  # type: ignore[union-attr]

    return wanted


def _no_frame(event: Event) -> bool:
    """Tell whether an event is none of the provider's own frames: what all calls want that say nothing else."""
    return type(event) is not RawChunk or event.kind == "usage"
