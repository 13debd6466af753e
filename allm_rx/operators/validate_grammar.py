"""Hold a stream to the grammar of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable

from allm_rx.errors import StreamError
from allm_rx.reducers.grammar import Grammar

if TYPE_CHECKING:
    from collections.abc import Callable

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.data.events import Event
    from allm_rx.reducers.grammar import Violation


def validate_grammar() -> Callable[[Observable[Event]], Observable[Event]]:
    """Let a well-formed stream pass, and end any other at its first event that breaks a rule.

        s-a-(d,|)          s-a-d-b-|
        [       validate_grammar()       ]
        s-a-(d,|)          s-a-d-#

    For those who write adapters and for tests: it costs about a microsecond per event. The rules are those of
    `reducers.grammar`, on all four levels: one answer, a step, a chat, an operation of a session.

    Emits: the source's events, on the source's thread; then, in place of an event or a completion that breaks a rule,
    `on_error` with `StreamError` `malformed_stream`, whose `details` hold `rule`, `event` and `position`.
    """

    def validating(source: Observable[Event]) -> Observable[Event]:
        def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
            grammar = Grammar()

            def on_next(event: Event) -> None:
                violation = grammar.apply(event)
                if violation is None:
                    observer.on_next(event)
                else:
                    observer.on_error(malformed(violation, event.type, grammar.count))

            def on_completed() -> None:
                violation = grammar.finish()
                if violation is None:
                    observer.on_completed()
                else:
                    observer.on_error(malformed(violation, None, grammar.count + 1))

            return source.subscribe(on_next, observer.on_error, on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return validating


def malformed(violation: Violation, event: str | None, position: int) -> StreamError:
    """Give the error for a violation.

    Args:
        violation: the rule and how it was broken.
        event: type of the event that broke it; None when it was the end of the stream.
        position: which event it was, from 1.
    """
    what = f"Event {position}, {event}," if event else f"The end of the stream after {position - 1} events"
    return StreamError(
        "malformed_stream",
        f"{what} breaks the grammar: {violation.message}. Mend the source of these events.",
        details={"rule": violation.rule, "event": event, "position": position},
    )
