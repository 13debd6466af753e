"""Anthropic's Messages API, and every service that speaks it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import SecretStr

from allm_rx.adapters.anthropic.auth import API_VERSION, KEY_VARIABLES, Auth, auth_headers, needs_key
from allm_rx.adapters.anthropic.messages.check import check
from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.adapters.anthropic.messages.encode import encode
from allm_rx.errors import EngineError
from allm_rx.operators.exchange import exchange
from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.transport import Transport
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request
    from allm_rx.wire.http import ResponseHead, WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Anthropic:
    """The Messages API, as a stream of events.

    ```python
    Anthropic()                                                 # key from ANTHROPIC_API_KEY
    Anthropic(betas=["context-management-2025-06-27"])          # with features that have to be asked for
    Anthropic(base_url="https://llm.example.com", api_key=key)  # any other service of this protocol
    ```
    """

    api_key: str | SecretStr | None = None
    """The key; None takes it at each subscription from where keys are kept, see `key_variables`."""
    base_url: str = field(default_factory=lambda: os.environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com")
    """As in Anthropic's own package: everything before `/v1/messages`; by default what `ANTHROPIC_BASE_URL` says."""
    headers: Mapping[str, str | SecretStr] = field(default_factory=dict[str, "str | SecretStr"])
    """Further headers; they win over the adapter's own."""
    transport: Transport | None = None
    """What sends requests; None takes the runtime's HTTP client."""
    api_version: str = API_VERSION
    """The version of the API. From 2026-10-21 on it takes no temperature, no `top_p` and no `top_k`."""
    betas: Sequence[str] = ()
    """Names of features that have to be asked for, sent as `anthropic-beta`."""
    auth: Auth = "x-api-key"
    """How the key is sent: `bearer` is for OAuth tokens and for gateways that want it."""
    provider: str = "anthropic"
    """The name in events, errors and key look-ups."""
    key_variables: tuple[str, ...] | None = None
    """Environment variables that may hold the key; None takes Anthropic's."""

    def __post_init__(self) -> None:
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", SecretStr(self.api_key))
        if isinstance(self.betas, str):
            object.__setattr__(self, "betas", (self.betas,))

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that can be sent; see `Adapter.preflight`."""
        check(request, api_version=self.api_version, provider=self.provider)
        self._key(call)

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription; see `Adapter.stream` for the guarantees."""

        def wire() -> WireRequest:
            return encode(
                request,
                base_url=self.base_url,
                auth=auth_headers(self._key(call), auth=self.auth, api_version=self.api_version, betas=self.betas),
                headers=self.headers,
                connect_timeout=call.timeouts.connect,
            )

        def decoder(head: ResponseHead | None) -> MessagesDecoder:
            return MessagesDecoder(
                provider=self.provider,
                request_id=call.request_id,
                provider_request_id=head.request_id if head is not None else None,
                include_raw_chunks=call.include_raw_chunks,
                secrets=self._secrets(call),
            )

        transport = self.transport or call.host.transport
        return call.host.deliver(exchange(transport, wire, decoder, timeouts=call.timeouts))

    def _key(self, call: Call) -> SecretStr | None:
        given = SecretStr(self.api_key) if isinstance(self.api_key, str) else self.api_key
        variables = KEY_VARIABLES[self.auth] if self.key_variables is None else self.key_variables
        try:
            return call.key(self.provider, variables, given)
        except EngineError:
            if needs_key(self.base_url):
                raise
            return None

    def _secrets(self, call: Call) -> tuple[str, ...]:
        """Give what must not appear in an error: the key, and whatever the caller put into headers as a secret."""
        try:
            key = self._key(call)
        except EngineError:  # taken away since the request was sent; the failure to tell is another one
            key = None
        hidden = (key, *self.headers.values())
        return tuple(value.get_secret_value() for value in hidden if isinstance(value, SecretStr))

    def __repr__(self) -> str:
        return f"Anthropic(provider={self.provider!r}, base_url={redact(self.base_url)!r})"

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
