"""A service that speaks one of OpenAI's protocols: where it is, who asks, and what both mean for an adapter.

Rule 1: a key leaves this module as a `SecretStr` only, and is looked up at each subscription.
Rule 2: an adapter belongs to its process; copies are the adapter itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr

from allm_rx.errors import EngineError
from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from allm_rx.abc.adapter import Call
    from allm_rx.abc.transport import Transport

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "host.docker.internal"})


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class OpenAIService:
    """What adapters of OpenAI's protocols have in common."""

    api_key: str | SecretStr | None = None
    """The key; None takes it at each subscription from where keys are kept, see `key_variables`."""
    base_url: str = field(default_factory=lambda: os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1")
    """As in OpenAI's own package; by default what `OPENAI_BASE_URL` says, else OpenAI."""
    headers: Mapping[str, str | SecretStr] = field(default_factory=dict[str, "str | SecretStr"])
    """Further headers, such as `OpenAI-Organization`; they win over the adapter's own."""
    transport: Transport | None = None
    """What sends requests; None takes the runtime's HTTP client."""
    provider: str = "openai"
    """The name in events, errors and key look-ups."""
    key_variables: tuple[str, ...] = ("OPENAI_API_KEY",)
    """Environment variables that may hold the key."""

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
            return call.key(self.provider, self.key_variables, given)
        except EngineError:
            if self._needs_key:
                raise
            return None

    @property
    def _needs_key(self) -> bool:
        return urlsplit(self.base_url).hostname not in _LOOPBACK

    def _secrets(self, sent: Iterable[SecretStr | None]) -> tuple[str, ...]:
        """Give what must not appear in an error: keys that were sent, and whatever the caller put into headers as a secret."""
        hidden = (*sent, *self.headers.values())
        return tuple(value.get_secret_value() for value in hidden if isinstance(value, SecretStr))

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
