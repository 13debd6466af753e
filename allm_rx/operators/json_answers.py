"""Answers that are JSON, read while they are written; what `partial`, `fields` and `elements` are made of.

Rule 1: an answer is read once, piece by piece, and judged as a whole when it is complete.
Rule 2: what calls tools is no answer, and of several answers the last one counts: a chat may think aloud before it answers.
Rule 3: a stream that ends well has given an answer that fits; any other ends with `on_error`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from reactivex import Observable

from allm_rx.data.events import Error, Event, MessageCompleted, MessageRestarted, MessageStarted, TextCompleted, TextDelta
from allm_rx.data.responses import Response
from allm_rx.errors import AdapterError, StreamError
from allm_rx.wire.redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pydantic
    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """Makes items of the text of one answer."""

    def feed(self, piece: str, /) -> Iterable[T_co]:
        """Take more of the text; give what is known with it.

        Raises:
            AdapterError: `malformed_response`, it does not fit.
        """
        ...

    def finish(self, response: Response, /) -> Iterable[T_co]:
        """Take the whole answer; give what is known with it.

        Raises:
            AdapterError: `malformed_response`, it does not fit.
        """
        ...


def read_answers(make: Callable[[], Reader[T]]) -> Callable[[Observable[Event]], Observable[T]]:
    """Read the answers of a stream, each with a reader of its own."""

    def reading(source: Observable[Event]) -> Observable[T]:
        def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
            answers = _Answers(observer, make)
            return source.subscribe(answers.on_next, observer.on_error, answers.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return reading


class _Answers:
    """One subscription."""

    def __init__(self, observer: ObserverBase[Any], make: Callable[[], Reader[Any]]) -> None:
        self._observer = observer
        self._make = make
        self._started = MessageStarted()
        self._unfit: Exception | None = None
        self._begin()

    def _begin(self) -> None:
        self._reader = self._make()
        self._blocks: set[str] = set()

    def on_next(self, event: Event) -> None:
        match event:
            case TextDelta(id=block, delta=delta):
                self._blocks.add(block)
                self._push(self._reader.feed, delta)
            case TextCompleted(id=block, text=text) if block not in self._blocks:
                self._blocks.add(block)
                self._push(self._reader.feed, text)
            case MessageStarted():
                self._started = event
                self._begin()
            case MessageRestarted():
                self._begin()
            case MessageCompleted():
                self._judge(event)
                self._begin()
            case Error(failure=failure):
                self._observer.on_error(failure.exception())
            case _:
                pass

    def on_completed(self) -> None:
        if self._blocks:
            what = "The stream ended before its answer was whole: wait for its end, or read `lx.text()` where a part will do."
            self._observer.on_error(StreamError("stream_interrupted", what))
        elif self._unfit is not None:
            self._observer.on_error(self._unfit)
        else:
            self._observer.on_completed()

    def _judge(self, event: MessageCompleted) -> None:
        self._unfit = None
        if event.finish_reason == "tool_calls":
            return
        if not self._blocks:
            self._push(self._reader.feed, event.message.text)
        started = self._started
        response = Response(
            provider=started.provider,
            request_id=started.request_id,
            provider_request_id=started.provider_request_id,
            message=event.message,
            finish_reason=event.finish_reason,
        )
        try:
            items = tuple(self._reader.finish(response))
        except Exception as error:  # noqa: BLE001 - told when no better answer follows
            self._unfit = error
            return
        for item in items:
            self._observer.on_next(item)

    def _push(self, read: Callable[[str], Iterable[Any]], piece: str) -> None:
        items: Iterator[Any] | None = None
        while True:
            try:
                items = iter(read(piece)) if items is None else items
                item = next(items)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - a reader that raises ends the stream, as in every operator
                if isinstance(error, AdapterError):
                    error.provider = self._started.provider
                    error.request_id = self._started.request_id
                    error.provider_request_id = self._started.provider_request_id
                self._observer.on_error(error)
                return
            self._observer.on_next(item)


def unfit(what: str, name: str, error: pydantic.ValidationError, text: str) -> AdapterError:
    """Give the error of a value that does not fit.

    Args:
        what: which value it is.
        name: what it should be.
        error: what pydantic says.
        text: the value as it was written.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(key) for key in first["loc"])
    message = f"{what} does not fit {name}: {f'{where}: ' if where else ''}{first['msg']}. It is {printable(text)}."
    return AdapterError("malformed_response", message)
