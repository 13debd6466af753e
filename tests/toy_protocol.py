"""A protocol small enough to read at a glance, and a server of it in virtual time.

| frame | means |
|---|---|
| `{"id": ..., "model": ...}` | who answers |
| `{"say": ...}`, `{"think": ...}` | some text, some reasoning |
| `{"call": name, "id": ...}`, `{"args": ...}` | a call begins; some of its arguments |
| `{"usage": {...}}` | what it costs |
| `{"finish": reason}` | the answer is whole, the end marker follows |
| `{"error": {...}}` | it failed |
| `[END]` | the end marker |
"""

from typing import Any

from pydantic_core import to_json
from reactivex import Observable
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import CompositeDisposable, Disposable
from reactivex.notification import Notification, OnCompleted, OnError, OnNext
from reactivex.testing import Recorded, TestScheduler

from allm_rx.abc.message_decoder import MessageDecoder
from allm_rx.data.events import Event
from allm_rx.data.failures import Failure
from allm_rx.data.policies import Timeouts
from allm_rx.data.usage import Usage
from allm_rx.operators.exchange import exchange
from allm_rx.wire.failures import ErrorAnswer
from allm_rx.wire.http import ResponseHead, WireRequest
from allm_rx.wire.shapes import as_object
from allm_rx.wire.sse import SseDecoder, SseRecord

STREAM = ResponseHead(200, {"content-type": "text/event-stream"})
JSON = ResponseHead(200, {"content-type": "application/json; charset=utf-8"})
REQUEST = WireRequest("POST", "http://toy.test/v1")
END = b"data: [END]\n\n"


class ToyDecoder(MessageDecoder):
    """One answer of the toy protocol."""

    def __init__(self, head: ResponseHead | None = None, **options: Any) -> None:
        super().__init__(provider="toy", request_id="ours", provider_request_id=head and head.request_id, **options)
        self.reason: Any = None
        self.call = ""

    def frame(self, data: dict[str, Any], event: str) -> None:
        match data:
            case {"model": model}:
                self.seen(data.get("id"), model)
            case {"say": text}:
                self.run(text)
            case {"think": text}:
                self.run(text, reasoning=True)
            case {"call": name}:
                self.call = self.new_call_id(data.get("id"))
                self.call_started(self.call, name)
            case {"args": text} if self.call:
                self.call_delta(self.call, text)
            case {"usage": usage}:
                self.report_usage(Usage.model_validate(usage))
            case {"finish": reason}:
                self.finishing, self.reason = True, reason
            case {"error": error}:
                self.error(self.failure_in(error))
            case _:
                return

    def body(self, data: dict[str, Any]) -> None:
        self.run(data["say"])
        self.complete("stop", "stop")

    def end(self) -> None:
        if self.finishing:
            self.complete(self.reason, self.reason)
        else:
            self.interrupted("its end marker")

    def marker(self, data: bytes) -> bool:
        if data != b"[END]":
            return False
        self.complete(self.reason or "stop", self.reason)
        return True

    def failure(self, answer: ErrorAnswer) -> Failure:
        return Failure(
            kind="AdapterError",
            reason="rate_limited" if answer.status == 429 else "server_error",
            message=as_object(answer.data).get("message", answer.text),
            status=answer.status,
            retry_after=answer.head.retry_after() if answer.head else None,
        )


def frame(**fields: Any) -> bytes:
    """One frame on the wire."""
    return b"data: " + to_json(fields) + b"\n\n"


def frames(*fields: dict[str, Any], end: bytes = END) -> bytes:
    """A whole body."""
    return b"".join(frame(**each) for each in fields) + end


def decoded(*pieces: bytes, decoder: MessageDecoder | None = None) -> list[Event]:
    """The events of a body that came in these pieces."""
    decoder, sse = decoder or ToyDecoder(), SseDecoder()
    events: list[Event] = []
    for piece in pieces:
        for record in sse.feed(piece):
            events += decoder.feed(record)
    for record in sse.finish():
        events += decoder.feed(record)
    return [*events, *decoder.finish()]


def record(**fields: Any) -> SseRecord:
    """One frame as it reaches the decoder."""
    return SseRecord(to_json(fields))


class Server:
    """A transport whose answer is written down: each item with its second, counted from the request."""

    def __init__(self, items: list[tuple[float, Notification[Any]]]) -> None:
        self.scheduler = TestScheduler()
        self.requests: list[WireRequest] = []
        self.connections: list[tuple[float, float]] = []
        """When each connection was opened and closed."""
        self._items = items

    def open(self, request: WireRequest, /) -> Observable[ResponseHead | bytes]:
        def subscribe(observer: ObserverBase[Any], scheduler: SchedulerBase | None = None) -> DisposableBase:
            opened = self.now
            self.requests.append(request)

            def accept(scheduler: SchedulerBase, state: Any = None) -> None:
                state.accept(observer)

            coming = [self.scheduler.schedule_relative(second, accept, what) for second, what in self._items]
            return CompositeDisposable(*coming, Disposable(lambda: self.connections.append((opened, self.now))))

        return Observable(subscribe)

    @property
    def now(self) -> float:
        """The virtual second."""
        return round(self.scheduler.clock, 6)

    @property
    def timers(self) -> int:
        """How many actions are still to come."""
        return sum(not item.is_cancelled() for item, _ in self.scheduler._queue.items)  # type: ignore[attr-defined]

    def stream(self, *, idle: float | None = None, **options: Any) -> Observable[Event]:
        """The events of an exchange with this server."""
        return exchange(self, lambda: REQUEST, ToyDecoder, timeouts=Timeouts(idle=idle), **options)

    def seen(self, *, idle: float | None = None, disposed: float = 1000, **options: Any) -> list[Recorded[Any]]:
        """What a subscriber at second 200 sees."""
        stream = self.stream(idle=idle, **options)
        return self.scheduler.start(lambda: stream, disposed=disposed).messages


def answer(*pieces: tuple[float, Any], end: float | None = None, broken: tuple[float, Exception] | None = None) -> Server:
    """A server that gives those items at those seconds, then ends or breaks."""
    items: list[tuple[float, Notification[Any]]] = [(second, OnNext(item)) for second, item in pieces]
    if end is not None:
        items.append((end, OnCompleted()))
    if broken is not None:
        items.append((broken[0], OnError(broken[1])))
    return Server(items)
