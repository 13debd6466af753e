"""OpenAI's Responses API, and every server that speaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allm_rx.adapters.openai.responses.check import check
from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.adapters.openai.responses.encode import encode
from allm_rx.adapters.openai.responses.hosted import client_side
from allm_rx.adapters.openai.service import OpenAIService

if TYPE_CHECKING:
    from pydantic import SecretStr
    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.emitter import Facts
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request
    from allm_rx.wire.http import WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class OpenAI(OpenAIService):
    """The Responses API, as a stream of events.

    ```python
    OpenAI()                                                           # OpenAI, key from OPENAI_API_KEY
    OpenAI(base_url="https://RES.openai.azure.com/openai/v1", api_key=key)
    OpenAI(base_url="http://localhost:1234/v1")                        # a server on this machine
    ```

    Nothing is stored at the provider: each request carries the whole conversation, and what the model thought comes along
    encrypted. `provider_options` go into the body last: `{"store": True}` has the provider keep the answer,
    `{"previous_response_id": ...}` goes on from a kept one, and `{"include": [...]}` replaces the list that asks for thoughts.
    """

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that can be sent; see `Adapter.preflight`."""
        check(request, provider=self.provider)
        self._key(call)

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription; see `Adapter.stream` for the guarantees."""

        def encoded(key: SecretStr | None) -> WireRequest:
            return encode(request, base_url=self.base_url, key=key, headers=self.headers, connect_timeout=call.timeouts.connect)

        def decoder(facts: Facts) -> ResponsesDecoder:
            return ResponsesDecoder(client=client_side(request.tools), **facts)

        return self._answer(call, encoded, decoder)
