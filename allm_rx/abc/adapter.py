"""The seam between a provider's protocol and everything that is the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from allm_rx.data.policies import Timeouts
from allm_rx.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr
    from reactivex import Observable

    from allm_rx.abc.keys import Keys
    from allm_rx.abc.transport import Transport
    from allm_rx.data.events import Event
    from allm_rx.data.requests import Request

T = TypeVar("T")


class Host(Protocol):
    """What the runtime lends to adapters, so that they need not know where it comes from."""

    @property
    def keys(self) -> Keys:
        """Where keys are looked up."""
        ...

    @property
    def transport(self) -> Transport:
        """The HTTP client, for adapters that were given none."""
        ...

    def deliver(self, source: Observable[T], /) -> Observable[T]:
        """Give the same stream at its edge: subscribed on its owning loop, delivered where the subscriber lives."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Everything about one call that is not part of the request, resolved once and never looked up again."""

    host: Host
    request_id: str
    """Ours, the same through all steps of a call."""
    api_key: SecretStr | None = None
    """The call's own key; it wins over all others."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    include_raw_chunks: bool = False
    """Whether the provider's own frames are wanted as `raw_chunk` events."""
    session_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """For tools; adapters have no use for it."""

    def key(self, provider: str, variables: Sequence[str], given: SecretStr | None) -> SecretStr:
        """Give the key to send: the call's, else the adapter's, else what the runtime knows.

        Raises:
            EngineError: `missing_key`, there is none; the message names what to set.
        """
        for candidate in (self.api_key, given):
            if candidate is not None and candidate.get_secret_value():
                return candidate
        found = self.host.keys.find(provider, variables)
        if found is None:
            names = " or ".join(variables) or "no variable"
            raise EngineError(
                "missing_key",
                f"There is no API key for {provider!r}: set {names}, or pass `api_key=` to the adapter or the call.",
                provider=provider,
                request_id=self.request_id,
            )
        return found


class Adapter(Protocol):
    """One provider's protocol, as a stream of events.

    Guarantees of every adapter, checked by `allm_rx.testing.conformance`:

    - The stream obeys the grammar of `operators.validate_grammar`; one terminal, and it is last.
    - Failures of provider, account or network are one `error` event followed by completion, never `on_error`.
    - Usage is reported once it is known, also when the stream fails.
    - A stream that ends without the provider's own end is an `error`, never a success.
    - Nothing is sent before `subscribe`; disposing closes the connection and leaves nothing behind.
    """

    @property
    def provider(self) -> str:
        """The provider's name, as it appears in events, errors and key look-ups."""
        ...

    def preflight(self, request: Request, call: Call, /) -> None:
        """Accept a request that this adapter can send.

        Raises:
            EngineError: `missing_key`.
            ValidationError: a part, tool or option that the protocol cannot express, with its path.
        """
        ...

    def stream(self, request: Request, call: Call, /) -> Observable[Event]:
        """Send the request on subscription and give the answer's events.

        Emits: see the guarantees above.
        """
        ...
