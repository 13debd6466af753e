"""Real exchanges, kept: record through any transport, save as JSON, and answer from the file ever after.

    recorder = Recorder(AiohttpTransport())
    engine = Engine(adapter=OpenAIChat(transport=recorder), model="gpt-4o-mini")
    generate(engine, "Hi").run()
    save("hi.json", recorder.exchanges)

    engine = Engine(adapter=OpenAIChat(transport=Replay(load("hi.json")), api_key="none"), model="gpt-4o-mini")

Rule 1: no secret of a header or a URL is ever stored, not even in memory.
Rule 2: bodies are stored exactly, in the pieces they came in; what the prompt says is in the file.
Rule 3: a file reads well: bytes that are text are text.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr
from reactivex import Observable
from reactivex.disposable import CompositeDisposable, Disposable

from allm_rx.abc.flow import clock_of
from allm_rx.data.failures import Failure
from allm_rx.errors import SubscriberError, ValidationError
from allm_rx.transport.replay import Exchange, Piece
from allm_rx.wire.http import ResponseHead, WireRequest
from allm_rx.wire.redaction import REDACTED, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase

    from allm_rx.abc.transport import Transport

_FORMAT = "allm_rx exchanges 1"

_SECRET_WORDS = ("authorization", "cookie", "key", "secret", "token")
"""A header whose name has one of these is not stored, whatever its value looks like."""
_PLAIN_WORDS = ("ratelimit",)
"""Unless it also has one of these: counts of tokens are no secret."""


class Recorder:
    """A transport that keeps what passes through another one.

    It changes nothing: not what is sent, not what arrives, nor when.
    """

    def __init__(self, transport: Transport) -> None:
        """Record what passes through `transport`."""
        self._transport = transport
        self._tapes: list[_Tape] = []
        self._lock = threading.Lock()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What was recorded so far, in the order of the requests; one under way looks like one that was left."""
        with self._lock:
            return tuple(tape.exchange() for tape in self._tapes)

    def open(self, request: WireRequest, /) -> Observable[ResponseHead | bytes]:
        """Open the other transport, and keep what it gives."""

        def subscribe(observer: ObserverBase[ResponseHead | bytes], scheduler: SchedulerBase | None = None) -> DisposableBase:
            tape = _Tape(request, time.monotonic if scheduler is None else clock_of(scheduler))
            with self._lock:
                self._tapes.append(tape)

            def on_next(item: ResponseHead | bytes) -> None:
                tape.take(item)
                observer.on_next(item)

            def on_error(error: Exception) -> None:
                # What a subscriber raised ended its own subscription; the answer itself was not broken.
                tape.end("left") if isinstance(error, SubscriberError) else tape.end("failed", error)
                observer.on_error(error)

            def on_completed() -> None:
                tape.end("completed")
                observer.on_completed()

            source = self._transport.open(request).subscribe(on_next, on_error, on_completed, scheduler=scheduler)
            return CompositeDisposable(source, Disposable(lambda: tape.end("left")))

        return Observable(subscribe)


def save(path: str | Path, exchanges: Iterable[Exchange]) -> None:
    """Write exchanges as JSON.

    Raises:
        OSError: the file cannot be written.
    """
    data = {"format": _FORMAT, "exchanges": [_dumped(exchange) for exchange in exchanges]}
    Path(path).write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(path: str | Path) -> tuple[Exchange, ...]:
    """Read the exchanges that `save` wrote, for a `Replay`.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is something else.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            raise KeyError(data["format"])
        return tuple(_loaded(item) for item in data["exchanges"])
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ValueError(f"{str(path)!r} holds no recorded exchanges ({error!r}): write it with `recordings.save`.") from None


class _Tape:
    """One exchange while it lasts."""

    def __init__(self, request: WireRequest, clock: Callable[[], float]) -> None:
        self._request = WireRequest(request.method, redact(request.url), _harmless(request.headers), request.body)
        self._clock = clock
        self._started = clock()
        self._head: ResponseHead | None = None
        self._head_at = 0.0
        self._pieces: list[Piece] = []
        self._ending: Literal["completed", "failed", "left"] | None = None
        self._ended_at = 0.0
        self._failure: Failure | None = None

    def take(self, item: ResponseHead | bytes) -> None:
        at = self._clock() - self._started
        if isinstance(item, bytes):
            self._pieces.append(Piece(at, item))
        else:
            self._head, self._head_at = ResponseHead(item.status, _harmless(item.headers)), at

    def end(self, ending: Literal["completed", "failed", "left"], error: Exception | None = None) -> None:
        if self._ending is None:
            self._ending = ending
            self._ended_at = self._clock() - self._started
            self._failure = None if error is None else Failure.of(error)

    def exchange(self) -> Exchange:
        return Exchange(
            request=self._request,
            head=self._head,
            head_at=self._head_at,
            pieces=tuple(self._pieces),
            ending=self._ending or "left",
            ended_at=self._ended_at if self._ending else self._clock() - self._started,
            failure=self._failure,
        )


def _harmless(headers: Mapping[str, str | SecretStr]) -> dict[str, str]:
    return {name: REDACTED if _secret(name, value) else redact(str(value)) for name, value in headers.items()}


def _secret(name: str, value: str | SecretStr) -> bool:
    lower = name.lower()
    named = any(word in lower for word in _SECRET_WORDS) and not any(word in lower for word in _PLAIN_WORDS)
    return named or isinstance(value, SecretStr)


def _dumped(exchange: Exchange) -> dict[str, Any]:
    request, head = exchange.request, exchange.head
    data: dict[str, Any] = {
        "request": {
            "method": request.method,
            "url": redact(request.url),
            "headers": _harmless(request.headers),
            **_dumped_bytes(request.body),
        },
        "head": head and {"at": exchange.head_at, "status": head.status, "headers": _harmless(head.headers)},
        "pieces": [{"at": piece.at, **_dumped_bytes(piece.data)} for piece in exchange.pieces],
        "ending": {"at": exchange.ended_at, "kind": exchange.ending},
    }
    if exchange.failure is not None:
        data["ending"]["failure"] = exchange.failure.model_dump(mode="json", exclude_defaults=True)
    return data


def _loaded(data: Mapping[str, Any]) -> Exchange:
    request, head, ending = data["request"], data["head"], data["ending"]
    failure = ending.get("failure")
    return Exchange(
        request=WireRequest(request["method"], request["url"], request["headers"], _loaded_bytes(request)),
        head=head and ResponseHead(head["status"], head["headers"]),
        head_at=head["at"] if head else 0.0,
        pieces=tuple(Piece(piece["at"], _loaded_bytes(piece)) for piece in data["pieces"]),
        ending=ending["kind"],
        ended_at=ending["at"],
        failure=failure and Failure.model_validate(failure),
    )


def _dumped_bytes(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _loaded_bytes(data: Mapping[str, Any]) -> bytes:
    return data["text"].encode() if "text" in data else base64.b64decode(data["base64"])
