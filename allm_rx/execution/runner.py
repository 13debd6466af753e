"""One generation folded into its response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.execution.spans import spanned
from allm_rx.execution.stream_runner import events, prepared
from allm_rx.operators.collect_response import collect_response
from allm_rx.runtime.delivery import deliver

if TYPE_CHECKING:
    from allm_rx.data.responses import Response
    from allm_rx.execution.resolve import Input
    from allm_rx.operators.run import RunnableObservable
    from allm_rx.runtime.engine import Engine
    from allm_rx.runtime.options import Options


def run(engine: Engine, request: Input, options: Options) -> RunnableObservable[Response]:
    """Give the response of one generation: one `reduce` over the unfiltered events.

    Raises:
        UsageError: pre-flight refuses the call; nothing was opened.

    Emits: see `allm_rx.generate`.
    """
    resolved = prepared(engine, request, options, function="generate")
    return deliver(spanned("generate", resolved, events(resolved)).pipe(collect_response()))
