"""Streams of events as marble diagrams, in virtual time.

    from allm_rx import operators as lx
    from allm_rx.testing.marbles import events, expect, observe

    def test_text_gives_the_pieces() -> None:
        pieces = observe(events("s-a-b-(d,|)").pipe(lx.text()))

        assert pieces == expect("--a-b-|", {"a": "a", "b": "b"})

| in a diagram | means |
|---|---|
| `-` | a second passes; so it does with each character of everything else but a space |
| `s` | `message_started` |
| `d` | `message_completed` with all that the diagram said before it, finish reason `stop` |
| `e` | an `error` event: the provider is overloaded |
| `r` | `message_restarted`, its attempts counted from 2 |
| `u` | usage: one token in, one out |
| any other letter or word | a `text_delta` of it |
| `|` | completion |
| `#` | `on_error` |
| `(a,b,|)` | at once, at the time of the parenthesis; the commas are needed |

Rule 1: a lookup gives meaning to further elements, or another meaning to these; there the values may be anything.
Rule 2: a diagram that RxPY would read as something else is a `ValueError`, such as `(e|)`, which it takes for one element.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

from reactivex import Observable
from reactivex.disposable import CompositeDisposable
from reactivex.notification import OnNext
from reactivex.observable.marbles import parse
from reactivex.scheduler import VirtualTimeScheduler
from reactivex.testing import Recorded, TestScheduler

from allm_rx.data.events import KINDS, Error, Event, MessageCompleted, MessageRestarted, MessageStarted, RawChunk, TextDelta
from allm_rx.data.failures import Failure
from allm_rx.data.usage import Usage
from allm_rx.errors import UsageError
from allm_rx.reducers.response import ResponseFold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
    from reactivex.notification import Notification

T = TypeVar("T")

SUBSCRIBED = 200.0
"""The virtual second at which `observe` subscribes, and at which a diagram begins for `expect`."""
DISPOSED = 1000.0
"""The virtual second at which `observe` disposes what has not ended."""

STARTED = MessageStarted(message_id="msg-1", provider="marbles", model="marbles-1")
"""What `s` stands for."""
OVERLOADED = Failure(
    kind="AdapterError",
    reason="overloaded",
    status=529,
    provider="marbles",
    message="The provider is overloaded: send the request again later.",
)
"""Why `e` failed, and what `r` restarted for."""
USAGE = Usage(input_tokens=1, output_tokens=1, total_tokens=2)
"""What `u` reports."""
BLOCK = "text-0"
"""The content block of all text."""

_GROUP = re.compile(r"\(([^()]*)\)")


def events(
    diagram: str,
    lookup: Mapping[str, Any] | None = None,
    *,
    error: Exception | None = None,
    timespan: float = 1.0,
) -> Observable[Event]:
    """Draw a cold stream; each subscription begins anew at its first character.

    Args:
        diagram: see the table above.
        lookup: elements with a meaning of their own.
        error: what `#` stands for.
        timespan: seconds per character.

    Raises:
        ValueError: the diagram is malformed.
        UsageError: on the stream: `unknown_scheduler`, it was subscribed without virtual time.
    """
    return cast("Observable[Event]", _cold(_read(diagram, lookup, error, timespan)))


def expect(
    diagram: str,
    lookup: Mapping[str, Any] | None = None,
    *,
    error: Exception | None = None,
    timespan: float = 1.0,
    subscribed: float = SUBSCRIBED,
) -> list[Recorded[Any]]:
    """Give what `observe` records of a stream that behaves as drawn; a diagram ends without `|` where that never ends.

    Raises:
        ValueError: the diagram is malformed.
    """
    return [Recorded(cast("int", round(subscribed + time, 6)), what) for time, what in _read(diagram, lookup, error, timespan)]


def observe(source: Observable[Any] | Callable[[], Observable[Any]], *, disposed: float = DISPOSED) -> list[Recorded[Any]]:
    """Subscribe in virtual time and give what came, each with its second.

    Args:
        source: the stream, or what makes it, called at second 100.
        disposed: the second at which the subscription is left.
    """
    create = source if callable(source) else lambda: source
    return TestScheduler().start(create, subscribed=SUBSCRIBED, disposed=disposed).messages


def items(source: Observable[T], *, disposed: float = DISPOSED) -> list[T]:
    """Subscribe in virtual time and give what came, without seconds and end."""
    seen = [one.value for one in observe(source, disposed=disposed)]
    return [what.value for what in seen if isinstance(what, OnNext)]


def _read(
    diagram: str, lookup: Mapping[str, Any] | None, error: Exception | None, timespan: float
) -> list[tuple[float, Notification[Any]]]:
    _check(diagram)
    values = lookup or {}
    fold, attempt = ResponseFold(), 1
    read: list[tuple[float, Notification[Any]]] = []
    for time, what in parse(diagram, timespan=timespan, error=error, raise_stopped=True):
        if isinstance(what, OnNext):
            element = str(what.value)  # RxPY reads digits as numbers
            attempt += element == "r"
            event = values[element] if element in values else _default(element, fold, attempt)
            what = OnNext(event)
            if type(event) in _EVENTS:
                fold.apply(event)
            if type(event) is MessageCompleted:
                fold, attempt = ResponseFold(), 1
        read.append((cast("float", time), what))
    return read


_EVENTS = frozenset(KINDS.values())


def _default(element: str, fold: ResponseFold, attempt: int) -> Event:
    match element:
        case "s":
            return STARTED
        case "d":
            return MessageCompleted(fold.builder.build(), "stop", "stop")
        case "e":
            return Error(OVERLOADED)
        case "r":
            return MessageRestarted(attempt, OVERLOADED)
        case "u":
            return RawChunk("usage", USAGE)
        case _:
            return TextDelta(BLOCK, element)


def _check(diagram: str) -> None:
    plain = diagram.replace(" ", "")
    for group in _GROUP.findall(plain):
        if any(len(element) > 1 and ("|" in element or "#" in element) for element in group.split(",")):
            better = ",".join(part for part in re.split(r"([|#])|,", group) if part)
            raise ValueError(f"The group '({group})' in {diagram!r} lacks a comma: write '({better})'.")
    if "(" in (rest := _GROUP.sub("", plain)) or ")" in rest:
        raise ValueError(f"A parenthesis in {diagram!r} has no partner, or is inside another.")


def _cold(what: list[tuple[float, Notification[Any]]]) -> Observable[Any]:
    def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None = None) -> DisposableBase:
        if not isinstance(scheduler, VirtualTimeScheduler):
            raise UsageError(
                "unknown_scheduler", "A marble diagram lives in virtual time: use `observe`, or subscribe with a `TestScheduler`."
            )
        return CompositeDisposable(*(_scheduled(scheduler, time, one, observer) for time, one in what))

    return Observable(subscribe)


def _scheduled(scheduler: SchedulerBase, seconds: float, what: Notification[Any], observer: ObserverBase[Any]) -> DisposableBase:
    def act(scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        what.accept(observer)

    return scheduler.schedule_relative(seconds, act)
