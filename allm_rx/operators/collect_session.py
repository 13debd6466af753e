"""A session's turn from its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.operators.reduce_with import reduce_with
from allm_rx.reducers.session import SessionFold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.sessions import Turn


def collect_session() -> Callable[[Observable[Event]], Observable[Turn]]:
    """Give one `Turn` when the stream of a session's operation completes.

        S-s-a-b-d-(T,|)
        [ collect_session() ]
        ----------(T,|)

    A stream that was left early gives the started session with status `cancelled`, its partial text in `result`.

    Emits: one `Turn`, on the source's thread, then completion.
    """
    return reduce_with(SessionFold, SessionFold.turn)
