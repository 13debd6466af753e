"""Ask a second time when the first answer is slow to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.disposable import CompositeDisposable, SerialDisposable

from allm_rx.abc.flow import timers_of
from allm_rx.operators.racing import Race

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.events import Event


def hedge(*, after: float = 0.8, scheduler: SchedulerBase | None = None) -> Callable[[Observable[Event]], Observable[Event]]:
    """Subscribe to the source once more when it has no output in time, and go on with the one whose output comes first.

        s---------------a-(d,|)
             s-a-b-(d,|)
        [    hedge(after=5)   ]
        -------(s,a)-b-(d,|)

    Against the rare answer that is slow to begin, at the price of a second request for those that are: choose `after` so that
    one in twenty takes longer. The loser is left before the winner's first content is given, so one connection stays; what it
    is known to have used is added to the usage that is reported.

    Args:
        after: seconds.
        scheduler: for the timer; by default it runs where the subscription's events arrive: on its loop, or in virtual time.

    Emits: the winner's events, on the source's thread; `message_started` comes with the first content. A failure loses to an
    answer that is under way; one that comes before the second request was made is the end. Costs one timer.

    Raises:
        ValueError: `after` is negative.
    """
    if after < 0:
        raise ValueError(f"`after` is {after}, and nobody can ask before the beginning.")

    def hedging(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], given: SchedulerBase | None = None) -> DisposableBase:
            race, timers, timer = Race(observer, given), timers_of(scheduler or given), SerialDisposable()

            def ask_again() -> None:
                if race.open:
                    race.enter(source)

            race.begin([source])
            if race.open:
                timer.disposable = timers.schedule_relative(after, race.turns.ring(ask_again, race.fail))
            return CompositeDisposable(race, timer)

        return Observable(subscribe)

    return hedging
