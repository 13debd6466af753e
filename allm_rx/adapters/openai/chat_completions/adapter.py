"""OpenAI's Chat Completions API, and every server that speaks it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import SecretStr

from allm_rx.adapters.openai.chat_completions.check import check
from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.adapters.openai.chat_completions.encode import encode
from allm_rx.adapters.openai.chat_completions.options import Quirks, quirks_of
from allm_rx.errors import EngineError
from allm_rx.operators.exchange import exchange
from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.transport import Transport
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request
    from allm_rx.wire.http import ResponseHead, WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class OpenAIChat:
    """The Chat Completions API, as a stream of events.

    ```python
    OpenAIChat()                                                    # OpenAI, key from OPENAI_API_KEY
    OpenAIChat(base_url="http://localhost:11434/v1")                # a server on this machine
    OpenAIChat(base_url="https://llm.example.com/v1", api_key=key)  # any other
    ```
    """

    api_key: str | SecretStr | None = None
    """The key; None takes it at each subscription from where keys are kept, see `key_variables`."""
    base_url: str = field(default_factory=lambda: os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1")
    """As in OpenAI's own package: everything before `/chat/completions`; by default what `OPENAI_BASE_URL` says, else OpenAI."""
    headers: Mapping[str, str | SecretStr] = field(default_factory=dict[str, "str | SecretStr"])
    """Further headers, such as `OpenAI-Organization`; they win over the adapter's own."""
    transport: Transport | None = None
    """What sends requests; None takes the runtime's HTTP client."""
    provider: str = "openai"
    """The name in events, errors and key look-ups."""
    key_variables: tuple[str, ...] = ("OPENAI_API_KEY",)
    """Environment variables that may hold the key."""
    quirks: Quirks | None = None
    """How the service differs from OpenAI; None takes what is known of the host of `base_url`."""

    def __post_init__(self) -> None:
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", SecretStr(self.api_key))
        if self.quirks is None:
            object.__setattr__(self, "quirks", quirks_of(self.base_url))

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that can be sent; see `Adapter.preflight`."""
        check(request, quirks=self._ways, provider=self.provider)
        self._key(call)

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription; see `Adapter.stream` for the guarantees."""

        def wire() -> WireRequest:
            return encode(
                request,
                quirks=self._ways,
                base_url=self.base_url,
                key=self._key(call),
                headers=self.headers,
                connect_timeout=call.timeouts.connect,
            )

        def decoder(head: ResponseHead | None) -> ChatDecoder:
            return ChatDecoder(
                provider=self.provider,
                request_id=call.request_id,
                provider_request_id=head.request_id if head is not None else None,
                include_raw_chunks=call.include_raw_chunks,
                secrets=self._secrets(call),
                think_tags=self._ways.think_tags,
            )

        transport = self.transport or call.host.transport
        return call.host.deliver(exchange(transport, wire, decoder, timeouts=call.timeouts))

    @property
    def _ways(self) -> Quirks:
        return self.quirks or Quirks()

    def _key(self, call: Call) -> SecretStr | None:
        given = SecretStr(self.api_key) if isinstance(self.api_key, str) else self.api_key
        try:
            return call.key(self.provider, self.key_variables, given)
        except EngineError:
            if self._ways.auth_optional:
                return None
            raise

    def _secrets(self, call: Call) -> tuple[str, ...]:
        """Give what must not appear in an error: the key, and whatever the caller put into headers as a secret."""
        try:
            key = self._key(call)
        except EngineError:  # taken away since the request was sent; the failure to tell is another one
            key = None
        hidden = (key, *self.headers.values())
        return tuple(value.get_secret_value() for value in hidden if isinstance(value, SecretStr))

    def __repr__(self) -> str:
        return f"OpenAIChat(provider={self.provider!r}, base_url={redact(self.base_url)!r})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: always; an adapter holds a key and a transport.
        """
        raise TypeError("An adapter holds a key and a transport and cannot be pickled: build it in the worker.")

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self
