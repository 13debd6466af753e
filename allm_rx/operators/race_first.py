"""Ask several at once, and hear the first that has something to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.operators.attempts import Alternative, stream_of
from allm_rx.operators.racing import Race

if TYPE_CHECKING:
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.events import Event


def race_first(*sources: Alternative) -> Observable[Event]:
    """Subscribe to all streams, and go on with the one whose output comes first.

        s------a-b-(d,|)
        s---x-y-(d,|)
        -(e,|)
        [ race_first(one, two, three) ]
        ----(s,x)-y-(d,|)

    `rx.amb` would hear the first event, which is a start or a failure. Here content wins, or an empty answer that is whole;
    a failure loses. The losers are left before the winner's first content is given, so one connection stays; what they are
    known to have used is added to the usage that is reported, and what they have written is paid for all the same.

    Args:
        sources: streams, or functions that make one at the subscription; what such a function raises of `AllmError` is a
            failure like any other.

    Emits: the winner's events, on the thread of its source; `message_started` comes with the first content. When all fail,
    the `error` of the first stream in the list that has one. What comes by `on_error` is no failure of a provider and passes
    at once. Costs one request per stream.

    Raises:
        ValueError: there is no stream.
    """
    if not sources:
        raise ValueError("race_first(...) takes at least one stream.")
    streams = [stream_of(source) for source in sources]

    def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        race = Race(observer, scheduler)
        race.begin(streams)
        return race

    return Observable(subscribe)
