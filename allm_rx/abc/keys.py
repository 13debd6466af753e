"""Where API keys come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr


class Keys(Protocol):
    """A place that knows keys. Nothing keeps what it gives: it is asked again at every subscription."""

    def find(self, provider: str, variables: Sequence[str], /) -> SecretStr | None:
        """Give the key of a provider, or None.

        Args:
            provider: the provider's name, such as `openai`.
            variables: environment variables that may hold the key, the likeliest first.
        """
        ...
