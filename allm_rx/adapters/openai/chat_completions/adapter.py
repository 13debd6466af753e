"""OpenAI's Chat Completions API, and every server that speaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allm_rx.adapters.openai.chat_completions.answers import answer_by_tool
from allm_rx.adapters.openai.chat_completions.check import check
from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.adapters.openai.chat_completions.encode import encode
from allm_rx.adapters.openai.chat_completions.options import Quirks, quirks_of
from allm_rx.adapters.openai.service import OpenAIService
from allm_rx.wire.answers import ANSWER_TOOL

if TYPE_CHECKING:
    from pydantic import SecretStr
    from reactivex import Observable

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.emitter import Facts
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request
    from allm_rx.wire.http import WireRequest


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class OpenAIChat(OpenAIService):
    """The Chat Completions API, as a stream of events.

    ```python
    OpenAIChat()                                                    # OpenAI, key from OPENAI_API_KEY
    OpenAIChat(base_url="http://localhost:11434/v1")                # a server on this machine
    OpenAIChat(base_url="https://llm.example.com/v1", api_key=key)  # any other
    ```
    """

    quirks: Quirks | None = None
    """How the service differs from OpenAI; None takes what is known of the host of `base_url`."""

    def __post_init__(self) -> None:
        OpenAIService.__post_init__(self)
        if self.quirks is None:
            object.__setattr__(self, "quirks", quirks_of(self.base_url))

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that can be sent; see `Adapter.preflight`."""
        check(request, quirks=self._ways, provider=self.provider)
        self._key(call)

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription; see `Adapter.stream` for the guarantees."""

        def encoded(key: SecretStr | None) -> WireRequest:
            return encode(
                request,
                quirks=self._ways,
                base_url=self.base_url,
                key=key,
                headers=self.headers,
                connect_timeout=call.timeouts.connect,
            )

        def decoder(facts: Facts) -> ChatDecoder:
            answer_tool = ANSWER_TOOL if answer_by_tool(request, self._ways) is not None else None
            return ChatDecoder(think_tags=self._ways.think_tags, answer_tool=answer_tool, **facts)

        return self._answer(call, encoded, decoder)

    @property
    def _ways(self) -> Quirks:
        return self.quirks or Quirks()

    @property
    def _needs_key(self) -> bool:
        return not self._ways.auth_optional
