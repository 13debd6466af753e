"""Anthropic's Messages API, and every service that speaks it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from allm_rx.adapters.anthropic.auth import API_VERSION, KEY_VARIABLES, Auth, auth_headers
from allm_rx.adapters.anthropic.messages.answers import answers_by_tool
from allm_rx.adapters.anthropic.messages.check import check
from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.adapters.anthropic.messages.encode import encode
from allm_rx.operators.http_adapter import HttpAdapter
from allm_rx.wire.answers import ANSWER_TOOL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr
    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.emitter import Facts
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request
    from allm_rx.wire.http import WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class Anthropic(HttpAdapter):
    """The Messages API, as a stream of events.

    ```python
    Anthropic()                                                 # key from ANTHROPIC_API_KEY
    Anthropic(betas=["context-management-2025-06-27"])          # with features that have to be asked for
    Anthropic(base_url="https://llm.example.com", api_key=key)  # any other service of this protocol
    ```
    """

    base_url: str = field(default_factory=lambda: os.environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com")
    """As in Anthropic's own package: everything before `/v1/messages`; by default what `ANTHROPIC_BASE_URL` says."""
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
        HttpAdapter.__post_init__(self)
        if isinstance(self.betas, str):
            object.__setattr__(self, "betas", (self.betas,))

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that can be sent; see `Adapter.preflight`."""
        check(request, api_version=self.api_version, provider=self.provider)
        self._key(call)

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription; see `Adapter.stream` for the guarantees."""

        def encoded(key: SecretStr | None) -> WireRequest:
            return encode(
                request,
                base_url=self.base_url,
                auth=auth_headers(key, auth=self.auth, api_version=self.api_version, betas=self.betas),
                headers=self.headers,
                connect_timeout=call.timeouts.connect,
            )

        def decoder(facts: Facts) -> MessagesDecoder:
            answer_tool = ANSWER_TOOL if answers_by_tool(request) else None
            return MessagesDecoder(answer_tool=answer_tool, **facts)

        return self._answer(call, encoded, decoder)

    @property
    def _variables(self) -> tuple[str, ...]:
        return KEY_VARIABLES[self.auth] if self.key_variables is None else self.key_variables
