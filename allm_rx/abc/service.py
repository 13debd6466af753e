"""A provider's service over HTTP: where it is, who asks, and what both mean for an adapter.

Rule 1: a key leaves this module as a `SecretStr` only, and is looked up at each subscription.
Rule 2: an adapter belongs to its process; copies are the adapter itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr

from allm_rx.abc.emitter import Facts
from allm_rx.errors import EngineError
from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.transport import Transport
    from allm_rx.wire.http import ResponseHead

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class HttpService:
    """What adapters that speak HTTP have in common; each adds its protocol."""

    api_key: str | SecretStr | None = None
    """The key; None takes it at each subscription from where keys are kept, see `key_variables`."""
    base_url: str = ""
    """Where the service is, as the vendor's own package wants it."""
    headers: Mapping[str, str | SecretStr] = field(default_factory=dict[str, "str | SecretStr"])
    """Further headers; they win over the adapter's own."""
    transport: Transport | None = None
    """What sends requests; None takes the runtime's HTTP client."""
    provider: str = ""
    """The name in events, errors and key look-ups."""
    key_variables: tuple[str, ...] | None = ()
    """Environment variables that may hold the key, the likeliest first; None takes the vendor's own."""
    record_limit: int = 64 * 2**20
    """Bytes that one record of a stream, or a whole JSON answer, may have: pictures come as one line. More is an `error`."""
    answer_limit: int = 2**30
    """Bytes that a whole stream may have, as a million tokens take a quarter of it. More is an `error`."""

    def __post_init__(self) -> None:
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", SecretStr(self.api_key))

    def _key(self, call: Call) -> SecretStr | None:
        """Give the key to send; None for a server on this machine, which needs none.

        Raises:
            EngineError: `missing_key`, there is none.
        """
        given = SecretStr(self.api_key) if isinstance(self.api_key, str) else self.api_key
        try:
            return call.key(self.provider, self._variables, given)
        except EngineError:
            if self._needs_key:
                raise
            return None

    @property
    def _variables(self) -> tuple[str, ...]:
        return self.key_variables or ()

    @property
    def _needs_key(self) -> bool:
        return urlsplit(self.base_url).hostname not in _LOOPBACK

    def _facts(self, call: Call, head: ResponseHead | None, sent: Iterable[SecretStr | None]) -> Facts:
        """Give what a decoder knows of an answer before it begins.

        Args:
            call: the call.
            head: the answer's head, when there was one.
            sent: the keys that were sent: they must not appear in an error, nor what the caller hid in headers.
        """
        hidden = (*sent, *self.headers.values())
        return Facts(
            provider=self.provider,
            request_id=call.request_id,
            provider_request_id=head.request_id if head is not None else None,
            include_raw_chunks=call.include_raw_chunks,
            secrets=tuple(value.get_secret_value() for value in hidden if isinstance(value, SecretStr)),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(provider={self.provider!r}, base_url={redact(self.base_url)!r})"

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
