"""What adapters of services over HTTP do alike: the answer to a request that is encoded with the key when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allm_rx.abc.service import HttpService
from allm_rx.operators.exchange import exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr
    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.decoder import Decoder
    from allm_rx.abc.emitter import Facts
    from allm_rx.data.events import Event
    from allm_rx.wire.http import ResponseHead, WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class HttpAdapter(HttpService):
    """A service over HTTP that answers; each adapter adds how it encodes, and what decodes."""

    def _answer(
        self, call: Call, encode: Callable[[SecretStr | None], WireRequest], decode: Callable[[Facts], Decoder]
    ) -> Observable[Event]:
        """Send a request on subscription and give the answer's events where the subscriber lives.

        Args:
            call: the call.
            encode: gives the request with a key, once per subscription.
            decode: makes the decoder from what is known of an answer before it begins.

        Emits: see `Adapter`.
        """
        sent: set[SecretStr | None] = set()

        def request() -> WireRequest:
            key = self._key(call)
            sent.add(key)
            return encode(key)

        def decoder(head: ResponseHead | None) -> Decoder:
            return decode(self._facts(call, head, sent))

        transport = self.transport or call.host.transport
        limits = {"record_limit": self.record_limit, "answer_limit": self.answer_limit}
        stream = exchange(transport, request, decoder, timeouts=call.timeouts, **limits)
        return call.host.deliver(stream)
