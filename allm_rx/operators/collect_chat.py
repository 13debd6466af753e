"""The result of a chat from its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.operators.reduce_with import reduce_with
from allm_rx.reducers.chat import ChatFold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.results import ChatResult
    from allm_rx.data.threads import Thread


def collect_chat(thread: Thread | None = None) -> Callable[[Observable[Event]], Observable[ChatResult]]:
    """Give one `ChatResult` when the stream completes.

        s-a-b-d-(c,|)
        [ collect_chat() ]
        --------(R,|)

    A stream that was left early gives what there is of it, with `halted_reason` `cancelled` and a thread that can be sent
    again.

    Args:
        thread: the conversation before the chat, for one that is left before its first step is complete.

    Emits: one `ChatResult`, on the source's thread, then completion.
    """
    return reduce_with(lambda: ChatFold(thread), ChatFold.result)
