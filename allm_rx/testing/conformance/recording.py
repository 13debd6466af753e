"""What a protocol of the provider server writes for an answer, to be played without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allm_rx.data.failures import Failure
from allm_rx.runtime.host import HOST
from allm_rx.testing.planning import planned
from allm_rx.testing.protocols import protocols
from allm_rx.transport.replay import Exchange, Piece
from allm_rx.wire.http import ResponseHead, WireRequest

if TYPE_CHECKING:
    from reactivex import Observable

    from allm_rx.abc.keys import Keys
    from allm_rx.abc.transport import Transport
    from allm_rx.testing.answers import Answer
    from allm_rx.testing.protocols import Received

_BROKEN = Failure(kind="StreamError", reason="stream_interrupted", message="The connection broke.")


class Recording:
    """An answer as bytes."""

    def __init__(self, protocol: str, answer: Answer, request: Received) -> None:
        """Write an answer to a request in a protocol."""
        known = next(one for one in protocols() if one.name == protocol)
        plan = planned(answer, known, request)
        frames = list(plan.frames)
        content = [len(frame.data) for frame in frames if frame.kind == "content"]
        self.head = ResponseHead(plan.status, plan.headers)
        self.body = b"".join(frame.data for frame in frames)
        self.records = len(content)
        """How many records come before anything of the answer's end."""
        self.content = sum(content)
        """How many bytes come before anything of the answer's end."""

    def exchange(self, body: bytes, *, broken: bool) -> Exchange:
        """Give the exchange in which only a part of the body comes.

        Args:
            body: the part that comes.
            broken: whether the connection breaks then; else the body ends as HTTP wants it.
        """
        return Exchange(
            request=WireRequest("POST", "https://provider.invalid"),
            head=self.head,
            pieces=(Piece(0.0, body),) if body else (),
            ending="failed" if broken else "completed",
            failure=_BROKEN if broken else None,
        )


class Replaying:
    """A host whose network is a recording; see `abc.adapter.Host`."""

    keys: Keys = HOST.keys

    def __init__(self, transport: Transport) -> None:
        """Lend a transport that replays."""
        self.transport = transport

    def deliver(self, source: Observable[Any], /) -> Observable[Any]:
        """Give the stream at its edge; see `abc.adapter.Host`."""
        return HOST.deliver(source)
