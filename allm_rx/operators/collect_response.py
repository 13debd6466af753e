"""A whole answer from its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.operators.reduce_with import reduce_with
from allm_rx.reducers.response import ResponseFold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.responses import Response


def collect_response() -> Callable[[Observable[Event]], Observable[Response]]:
    """Give one `Response` when the stream completes.

        s-a-b-(d,|)
        [ collect_response() ]
        ------(R,|)

    A failed answer gives a response too, with its partial text and `error` set; a stream without a terminal gives what
    came, with `finish_reason` None. The fold belongs to one subscription.

    Emits: one `Response`, on the source's thread, then completion.
    """
    return reduce_with(ResponseFold, ResponseFold.response)
