"""One request and its answer: bytes of a transport in, events of a decoder out.

Rule 1: failures of key, network and provider become one `error` event, so they arrive in band.
Rule 2: after the terminal the body is still read to its end, for a moment, so that the connection is used again.
Rule 3: an answer whose end marker never comes is complete one second after its finish reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reactivex import Observable
from reactivex.disposable import SerialDisposable
from reactivex.scheduler import ImmediateScheduler

from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.operators.watch import Watch
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.sse import RecordTooLarge, SseDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.decoder import Decoder
    from allm_rx.abc.transport import Transport
    from allm_rx.data.events import Event
    from allm_rx.data.policies import Timeouts
    from allm_rx.wire.http import WireRequest
    from allm_rx.wire.sse import SseRecord

_GRACE = 1.0
"""Seconds for the end marker after a finish reason, and for the body's end after the end marker."""
_RECORD_LIMIT = 64 * 2**20
"""Bytes of one record or of a whole JSON body: pictures come as one line."""
_REFUSAL_LIMIT = 2**20
"""Bytes that are kept of the body of a refusal."""


def exchange(
    transport: Transport,
    request: Callable[[], WireRequest],
    decoder: Callable[[ResponseHead | None], Decoder],
    *,
    timeouts: Timeouts,
    record_limit: int = _RECORD_LIMIT,
) -> Observable[Event]:
    """Send a request on subscription and decode its answer.

    Args:
        transport: sends it.
        request: makes it, once per subscription; what it raises of `AllmError` becomes the `error` event.
        decoder: makes the decoder, from the answer's head; None when there was none.
        timeouts: `idle` is watched here, because only bytes tell that a provider lives.
        record_limit: bytes of one record; more is an `error` event.

    Emits: the decoder's events; `error` for everything that fails before or below it.
    """

    def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        running = _Exchange(observer, scheduler or ImmediateScheduler.singleton(), decoder, timeouts.idle, record_limit)
        running.start(transport, request)
        return running.subscription

    return Observable(subscribe)


class _Exchange:
    """The state of one subscription."""

    def __init__(
        self,
        observer: ObserverBase[Event],
        scheduler: SchedulerBase,
        make_decoder: Callable[[ResponseHead | None], Decoder],
        idle: float | None,
        limit: int,
    ) -> None:
        self.subscription = SerialDisposable()
        self._observer = observer
        self._scheduler = scheduler
        self._make = make_decoder
        self._limit = limit
        self._decoder: Decoder | None = None
        self._sse: SseDecoder | None = None
        self._head: ResponseHead | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._over = False
        self._grace: DisposableBase | None = None
        self._idle = Watch(scheduler, idle, self._too_quiet)

    def start(self, transport: Transport, request: Callable[[], WireRequest]) -> None:
        try:
            wire = request()
        except AllmError as error:
            self._fail(Failure.of(error))
            return
        source = transport.open(wire)
        self.subscription.disposable = source.subscribe(self._take, self._broken, self._ended, scheduler=self._scheduler)
        if self._over:
            self._leave()

    # From the transport.

    def _take(self, item: ResponseHead | bytes) -> None:
        self._idle.touch()
        if type(item) is bytes:
            if self._sse is not None:
                self._records(item)
            else:
                self._keep(item)
        elif isinstance(item, ResponseHead):
            self._begin(item)
        self._idle.look()

    def _begin(self, head: ResponseHead) -> None:
        self._idle.start()
        self._head = head
        self._decoder = self._make(head)
        if 200 <= head.status < 300 and head.content_type != "application/json":
            self._sse = SseDecoder(self._limit)

    def _records(self, piece: bytes) -> None:
        decoder, sse = self._decoder, self._sse
        if decoder is None or sse is None or self._over:
            return
        try:
            records: Iterable[SseRecord] = sse.feed(piece)
            for record in records:
                self._emit(decoder.feed(record))
                if decoder.ended or self._over:
                    break
        except RecordTooLarge as error:
            self._fail(Failure(kind="StreamError", reason="record_too_large", message=str(error)))
            return
        if decoder.ended:
            self._terminated()
        elif decoder.finishing and self._grace is None:
            self._grace = self._scheduler.schedule_relative(_GRACE, self._no_marker)

    def _keep(self, piece: bytes) -> None:
        limit = self._limit if self._head is None or self._head.status < 300 else _REFUSAL_LIMIT
        if self._size < limit:
            self._body.append(piece)
            self._size += len(piece)
        elif limit == self._limit:
            message = f"The answer is larger than {limit} bytes and was not read further: ask for less."
            self._fail(Failure(kind="StreamError", reason="record_too_large", message=message))

    def _ended(self) -> None:
        decoder, head = self._decoder, self._head
        if self._over or decoder is None or head is None:
            self._complete()
            return
        if self._sse is not None:
            try:
                for record in self._sse.finish():
                    self._emit(decoder.feed(record))
            except RecordTooLarge as error:
                self._fail(Failure(kind="StreamError", reason="record_too_large", message=str(error)))
                return
            self._emit(decoder.finish())
        elif 200 <= head.status < 300:
            self._emit(decoder.whole(b"".join(self._body)))
        else:
            self._emit(decoder.refuse(head, b"".join(self._body)))
        self._complete()

    def _broken(self, error: Exception) -> None:
        if self._over:  # the terminal was given; how the connection ends is of no interest
            self._complete()
        elif isinstance(error, AllmError):
            self._fail(Failure.of(error))
        else:
            self._stop()
            self._observer.on_error(error)

    # From timers.

    def _too_quiet(self, seconds: float) -> None:
        message = f"No byte came for {seconds:g} s: send the request again, or raise `timeouts.idle`."
        details = {"timeout": "idle", "seconds": seconds}
        self._fail(Failure(kind="AdapterError", reason="timeout", message=message, details=details))

    def _no_marker(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        if self._decoder is not None and not self._over:
            self._emit(self._decoder.finish())
            self._complete()
            self._leave()

    def _no_end(self, scheduler: SchedulerBase, state: object = None) -> None:
        del scheduler, state
        self._complete()
        self._leave()

    # To the subscriber.

    def _emit(self, events: Sequence[Event]) -> None:
        on_next = self._observer.on_next
        for event in events:
            on_next(event)

    def _terminated(self) -> None:
        """The terminal is out: wait for the body's end after an answer, leave at once after an error."""
        self._stop()
        if self._succeeded():
            self._grace = self._scheduler.schedule_relative(_GRACE, self._no_end)
        else:
            self._complete()
            self._leave()

    def _succeeded(self) -> bool:
        return self._decoder is not None and self._decoder.finishing

    def _fail(self, failure: Failure) -> None:
        if self._over:
            return
        decoder = self._decoder or self._make(None)
        self._emit(decoder.fail(failure))
        self._complete()
        self._leave()

    def _complete(self) -> None:
        self._stop()
        self._observer.on_completed()

    def _stop(self) -> None:
        self._over = True
        self._idle.stop()
        if self._grace is not None:
            self._grace.dispose()
            self._grace = None

    def _leave(self) -> None:
        self.subscription.dispose()
