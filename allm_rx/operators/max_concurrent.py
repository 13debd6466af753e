"""Many streams, a few at a time, their items in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from reactivex import Observable

from allm_rx.operators.inner_streams import InnerStreams

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")
In = TypeVar("In")


@overload
def max_concurrent(
    n: int, project: None = None, *, ordered: bool = True
) -> Callable[[Observable[Observable[T]]], Observable[T]]: ...


@overload
def max_concurrent(
    n: int, project: Callable[[In], Observable[T]], *, ordered: bool = True
) -> Callable[[Observable[In]], Observable[T]]: ...


def max_concurrent(
    n: int, project: Callable[[Any], Observable[Any]] | None = None, *, ordered: bool = True
) -> Callable[[Observable[Any]], Observable[Any]]:
    """Subscribe to inner streams, at most `n` at a time; those that wait begin as others end.

        a-b-c-|
        [ max_concurrent(2, ask) ]
        ------A-(B,C)-|

    For a list of prompts: `prompts.pipe(lx.max_concurrent(4, lambda prompt: generate(engine, prompt)))`. With `ordered` all
    items of one stream come before those of the next, though they run at the same time; what comes early waits, an error in
    its turn. Without it they come as they come; `ops.merge(max_concurrent=n)` does the same, but holds a lock meanwhile.

    Args:
        n: how many run at the same time.
        project: makes the stream of an item when its time has come; None when the items are streams.
        ordered: whether the order of the source is kept.

    Emits: the inner streams' items, on their threads, one at a time. What `project` raises, and an inner error, end it with
    `on_error`; a failed answer is an item and does not. Holds the streams that wait, and, ordered, the items that came early.

    Raises:
        ValueError: `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"`n` is {n}, and at least 1 stream runs at a time.")

    def limiting(source: Observable[Any]) -> Observable[Any]:
        def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None = None) -> DisposableBase:
            return InnerStreams(observer, n, project, scheduler, ordered=ordered).start(source)

        return Observable(subscribe)

    return limiting
