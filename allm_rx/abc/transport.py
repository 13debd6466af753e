"""The seam between bytes and everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from reactivex import Observable

    from allm_rx.wire.http import ResponseHead, WireRequest


class Transport(Protocol):
    """Sends a request and gives the answer's bytes.

    Guarantees: nothing is sent before `subscribe`; every subscription is a request of its own; disposing closes the
    connection at once and no item follows on the owning loop; a body read to its end gives the connection back for
    reuse; reading pauses while the subscription's demand is absent; keys appear in no error.
    """

    def open(self, request: WireRequest, /) -> Observable[ResponseHead | bytes]:
        """Give the answer: its head first, then its body in pieces of any size, then completion.

        Emits: one `ResponseHead`, whatever its status, then `bytes`, never empty.

        Raises: on the stream, as `on_error`: `AdapterError` `network_error` or `timeout` when there is no head,
        `StreamError` `stream_interrupted` when the body breaks off.
        """
        ...
