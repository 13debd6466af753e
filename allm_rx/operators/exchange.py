"""One request and its answer: bytes of a transport in, events of a decoder out.

Rule 1: failures of key, network and provider become one `error` event, so they arrive in band.
Rule 2: after the terminal the body is still read to its end, for a moment, so that the connection is used again.
Rule 3: an answer whose end marker never comes is complete one second after its finish reason, or when the connection ends.
Rule 4: the decoder is guarded, the subscriber is not: a defect of ours is told as what it is, and theirs goes up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reactivex.abc import DisposableBase, ObserverBase

from allm_rx.abc.flow import demand_of, timers_of
from allm_rx.data.events import Event, MessageCompleted
from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.operators.lean import Lean
from allm_rx.operators.watch import Watch
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.sse import RecordTooLarge, SseDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reactivex import Observable
    from reactivex.abc import SchedulerBase

    from allm_rx.abc.decoder import Decoder
    from allm_rx.abc.transport import Transport
    from allm_rx.data.policies import Timeouts
    from allm_rx.wire.http import WireRequest

_GRACE = 1.0
"""Seconds for the end marker after a finish reason, and for the body's end after the terminal."""
_RECORD_LIMIT = 64 * 2**20
"""Bytes of one record or of a whole JSON body: pictures come as one line."""
_ANSWER_LIMIT = 2**30
"""Bytes of a whole stream, whose text is kept by whoever folds it."""
_REFUSAL_LIMIT = 2**20
"""Bytes that are read of the body of a refusal."""
_WHOLE = frozenset({"application/json", "text/html"})
"""Content types that are no stream; a web page is what a wrong address gives, and is told as no JSON."""


def exchange(
    transport: Transport,
    request: Callable[[], WireRequest],
    decoder: Callable[[ResponseHead | None], Decoder],
    *,
    timeouts: Timeouts,
    record_limit: int = _RECORD_LIMIT,
    answer_limit: int = _ANSWER_LIMIT,
) -> Observable[Event]:
    """Send a request on subscription and decode its answer.

    Args:
        transport: sends it.
        request: makes it, once per subscription; what it raises of `AllmError` becomes the `error` event.
        decoder: makes the decoder, from the answer's head; None when there was none.
        timeouts: `idle` is watched here, because only bytes tell that a provider lives.
        record_limit: bytes of one record; more is an `error` event.
        answer_limit: bytes of a whole stream; more is an `error` event, behind what was read.

    Emits: the decoder's events, on the transport's thread; `error` for everything that fails before or below it.
    """

    def subscribe(observer: ObserverBase[Event], scheduler: SchedulerBase | None = None) -> DisposableBase:
        running = _Exchange(observer, scheduler, decoder, timeouts.idle, (record_limit, answer_limit))
        running.start(transport, request)
        return running

    return Lean(subscribe)


class _Exchange(ObserverBase["ResponseHead | bytes"], DisposableBase):
    """The state of one subscription."""

    __slots__ = (
        "_answer_limit",
        "_body",
        "_connection",
        "_decoder",
        "_demand",
        "_given",
        "_grace",
        "_head",
        "_idle",
        "_limit",
        "_make",
        "_observer",
        "_off",
        "_over",
        "_size",
        "_sse",
        "_timers",
    )

    def __init__(
        self,
        observer: ObserverBase[Event],
        scheduler: SchedulerBase | None,
        make_decoder: Callable[[ResponseHead | None], Decoder],
        idle: float | None,
        limits: tuple[int, int],
    ) -> None:
        self._observer = observer
        self._given = scheduler
        self._timers = timers_of(scheduler)
        self._demand = demand_of(scheduler)
        self._make = make_decoder
        self._limit, self._answer_limit = limits
        self._connection: DisposableBase | None = None
        self._decoder: Decoder | None = None
        self._sse: SseDecoder | None = None
        self._head: ResponseHead | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._over = False
        """Whether the terminal event was given."""
        self._off = False
        """Whether the subscriber hears nothing any more."""
        self._grace: Watch | None = None
        self._idle = Watch(self._timers, idle, self._too_quiet, self._demand)

    def start(self, transport: Transport, request: Callable[[], WireRequest]) -> None:
        try:
            answer = transport.open(request())
            connection = answer.subscribe(self, scheduler=self._given)
        except Exception as error:  # noqa: BLE001 - see rules 1 and 4
            self.on_error(error)
            return
        if self._off:  # it was over within `subscribe`
            connection.dispose()
        else:
            self._connection = connection

    def dispose(self) -> None:
        self._off = True
        self._stop()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.dispose()

    def _stop(self) -> None:
        self._over = True
        self._idle.stop()
        if self._grace is not None:
            self._grace.stop()

    # From the transport.

    def on_next(self, value: ResponseHead | bytes) -> None:
        self._idle.touch()
        if type(value) is bytes:
            if self._sse is not None:
                self._records(value)
            else:
                self._keep(value)
        elif isinstance(value, ResponseHead):
            self._begin(value)
        if self._demand is not None:
            self._idle.look()
            if self._grace is not None:
                self._grace.look()

    def _begin(self, head: ResponseHead) -> None:
        self._idle.start()
        self._head = head
        try:
            self._decoder = self._make(head)
        except Exception as defect:  # noqa: BLE001 - see rule 4
            self._defect(defect)
            return
        if 300 <= head.status < 400:
            self._fail(_redirected(head))
        elif _is_success(head) and head.content_type not in _WHOLE:
            self._sse = SseDecoder(self._limit)

    def _records(self, piece: bytes) -> None:
        decoder, sse = self._decoder, self._sse
        if decoder is None or sse is None or self._over:
            return
        try:
            events = decoder.feed_all(sse.feed(piece))
        except RecordTooLarge as error:  # what came before it is still with the decoder, and given with the error
            self._fail(Failure(kind="StreamError", reason="record_too_large", message=str(error)))
            return
        except Exception as defect:  # noqa: BLE001 - see rule 4
            self._defect(defect)
            return
        on_next = self._observer.on_next
        for event in events:
            on_next(event)
            if self._off:
                return
        self._size += len(piece)
        if self._over:
            return
        if decoder.ended:
            self._terminated(events[-1] if events else None)
        elif self._size > self._answer_limit:
            self._fail(_too_large(self._answer_limit))
        elif decoder.finishing and self._grace is None:
            self._wait(self._no_marker)

    def _keep(self, piece: bytes) -> None:
        head, decoder = self._head, self._decoder
        if self._over or head is None or decoder is None:
            return
        self._body.append(piece)
        self._size += len(piece)
        if not _is_success(head):
            if self._size >= _REFUSAL_LIMIT:
                self._end_with(self._refusal)
        elif self._size > self._limit:
            self._fail(_too_large(self._limit))

    def on_completed(self) -> None:
        if self._over:
            self._complete()
        elif self._head is None:
            message = "The connection ended before an answer came: send the request again."
            self._fail(Failure(kind="StreamError", reason="stream_interrupted", message=message))
        else:
            self._end_with(self._rest)

    def on_error(self, error: Exception) -> None:
        if self._over:  # the terminal was given; how the connection ends is of no interest
            self._complete()
        elif isinstance(error, AllmError):
            self._cut(Failure.of(error))
        else:
            self._defect(error)

    # From timers.

    def _too_quiet(self, seconds: float) -> None:
        message = f"No byte came for {seconds:g} s: send the request again, or raise `timeouts.idle`."
        details = {"timeout": "idle", "seconds": seconds}
        self._cut(Failure(kind="AdapterError", reason="timeout", message=message, details=details))

    def _no_marker(self, seconds: float) -> None:
        del seconds
        if self._decoder is not None:
            self._end_with(self._decoder.settle)

    def _no_end(self, seconds: float) -> None:
        del seconds
        self._complete()

    # To the subscriber.

    def _terminated(self, terminal: Event | None) -> None:
        """The terminal is out: wait for the body's end after an answer, leave at once after an error."""
        self._stop()
        if type(terminal) is MessageCompleted:
            self._wait(self._no_end)
        else:
            self._complete()

    def _wait(self, then: Callable[[float], None]) -> None:
        self._grace = Watch(self._timers, _GRACE, then, self._demand)
        self._grace.start()

    def _cut(self, failure: Failure) -> None:
        """No more will come: what there is may be enough."""
        if self._decoder is not None and self._decoder.finishing:
            self._end_with(self._rest)
        elif self._head is not None and not _is_success(self._head):
            self._end_with(self._refusal)
        else:
            self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        self._end_with(lambda: (self._decoder or self._make(None)).fail(failure))

    def _defect(self, error: Exception) -> None:
        if not self._off:
            self.dispose()
            self._observer.on_error(error)

    def _complete(self) -> None:
        if not self._off:
            self.dispose()
            self._observer.on_completed()

    def _end_with(self, last: Callable[[], Sequence[Event]]) -> None:
        """Give the last events, complete, and leave."""
        if self._over:
            return
        try:
            events = last()
        except Exception as defect:  # noqa: BLE001 - see rule 4
            self._defect(defect)
            return
        self._stop()
        try:
            for event in events:
                self._observer.on_next(event)
                if self._off:
                    return
            self._complete()
        finally:
            self.dispose()

    # From the decoder.

    def _rest(self) -> Sequence[Event]:
        decoder, sse, head = self._decoder, self._sse, self._head
        if decoder is None or head is None:
            return ()
        if sse is None:
            return decoder.whole(b"".join(self._body)) if _is_success(head) else self._refusal()
        events: list[Event] = []
        for record in sse.finish():
            events += decoder.feed(record)
        return [*events, *decoder.finish()]

    def _refusal(self) -> Sequence[Event]:
        decoder, head = self._decoder, self._head
        return () if decoder is None or head is None else decoder.refuse(head, b"".join(self._body))


def _too_large(limit: int) -> Failure:
    message = f"The answer is larger than {limit} bytes and was not read further: ask for less."
    return Failure(kind="StreamError", reason="record_too_large", message=message)


def _is_success(head: ResponseHead) -> bool:
    return 200 <= head.status < 300


def _redirected(head: ResponseHead) -> Failure:
    """Name where it leads, without path and query: they may hold what only the other host should see."""
    target = ""
    try:
        parts = urlsplit(head.headers.get("location", ""))
        if parts.hostname:
            target = f" to {parts.scheme or 'https'}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    except ValueError:  # no address at all
        target = ""
    return Failure(
        kind="AdapterError",
        reason="not_found",
        status=head.status,
        message=f"The server answered {head.status}, a redirect{target}. Redirects are not followed, since they would carry the "
        "key to another host: set `base_url` to the address where the API is.",
    )
