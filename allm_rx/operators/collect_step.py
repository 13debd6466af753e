"""The result of a step from its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allm_rx.data.threads import Thread
from allm_rx.operators.reduce_with import reduce_with
from allm_rx.reducers.step import StepFold

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex import Observable

    from allm_rx.data.events import Event
    from allm_rx.data.results import StepResult


def collect_step(thread: Thread | None = None) -> Callable[[Observable[Event]], Observable[StepResult]]:
    """Give one `StepResult` when the stream completes.

        s-a-b-d-(s,|)
        [ collect_step() ]
        --------(R,|)

    A stream that was left early gives what there is of it, with `halted_reason` `cancelled` and a thread that can be sent
    again.

    Args:
        thread: the conversation before the step, for one that is left before its first step is complete.

    Emits: one `StepResult`, on the source's thread, then completion.
    """
    return reduce_with(StepFold, lambda fold: fold.result(thread or Thread()))
