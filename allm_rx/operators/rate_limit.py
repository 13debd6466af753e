"""Begin no more often than a provider allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.abc.flow import timers_of
from allm_rx.data.events import KINDS, Event
from allm_rx.data.responses import Response
from allm_rx.operators.tally import Tally
from allm_rx.operators.waiting_line import WaitingLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.usage import Usage

T = TypeVar("T")

_EVENTS = frozenset(KINDS.values())


def rate_limit(
    requests: int | None = None, tokens: int | None = None, *, per: float = 60.0, scheduler: SchedulerBase | None = None
) -> Callable[[Observable[T]], Observable[T]]:
    """Delay subscriptions so that no more than so many begin in any stretch of time.

        limit = lx.rate_limit(2, per=6)      first.pipe(limit), second.pipe(limit), third.pipe(limit)
        s-a-(d,|)
        s-b-(d,|)
        ------s-c-(d,|)

    One limiter is for all that it is piped to, from whatever thread: keep it where the key is kept. Who waits is served in
    order. It counts subscriptions: behind `stream_generate` these are requests, without their retries; a chat is one.

    Args:
        requests: how many may begin; None does not count them.
        tokens: how many may be used. What a request uses is known when its usage is reported, so it begins when less than
            this was used of late, and those that run at the same time may use more.
        per: seconds of the stretch.
        scheduler: for the clock and the timers; by default those of each subscription: its loop, or virtual time.

    Emits: the source's items, on the source's thread; it is subscribed on the scheduler's when it had to wait. Disposing
    gives up the place in the line. Costs one timer for the first who waits, and remembers the beginnings of one stretch.

    Raises:
        ValueError: there is no limit, or one is less than 1, or `per` is not more than 0.
    """
    if (requests is None and tokens is None) or min(requests or 1, tokens or 1) < 1 or 0 in (requests, tokens) or per <= 0:
        raise ValueError(f"rate_limit({requests}, {tokens}, per={per}) allows nothing, or everything: give numbers from 1.")
    line = WaitingLine(requests, tokens, per)

    def limiting(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], given: SchedulerBase | None = None) -> DisposableBase:
            inner = SerialDisposable()

            def begin(charge: Callable[[int], None]) -> None:
                counted = observer.on_next if tokens is None else _counting(observer.on_next, charge)
                inner.disposable = source.subscribe(counted, observer.on_error, observer.on_completed, scheduler=given)

            place = line.join(begin, observer.on_error, timers_of(scheduler or given))
            return CompositeDisposable(place, inner)

        return Observable(subscribe)

    return limiting


def _counting(on_next: Callable[[T], None], charge: Callable[[int], None]) -> Callable[[T], None]:
    """Give an `on_next` that charges what items say was used."""
    tally, charged = Tally(), 0

    def counted(item: T) -> None:
        nonlocal charged
        if type(item) in _EVENTS:
            used = _tokens(tally.total) if tally.apply(cast("Event", item)) else charged
        else:
            used = _tokens(item.usage) if isinstance(item, Response) else charged
        if used > charged:
            charge(used - charged)
            charged = used
        on_next(item)

    return counted


def _tokens(usage: Usage) -> int:
    if usage.total_tokens is not None:
        return usage.total_tokens
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)
