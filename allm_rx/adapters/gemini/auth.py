"""Who is asking: an API key at AI Studio, a token that soon expires at Vertex AI.

Rule 1: both travel in a header, never in the URL: URLs end up in logs.
Rule 2: a token is asked for at every request, because it lasts an hour and an adapter lives longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import SecretStr

from allm_rx.errors import AdapterError, EngineError

if TYPE_CHECKING:
    from allm_rx.abc.adapter import Call

KEY_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
"""Environment variables that may hold an API key."""

Token = str | SecretStr | Callable[[], str | SecretStr]
"""An access token, or what gives one; a callable is called on the library's loop, so it must be quick."""


def access_token(token: Token | None, call: Call, *, provider: str) -> SecretStr:
    """Give the token to send: the call's own key, or the adapter's token.

    Raises:
        EngineError: `missing_key`, there is none.
        AdapterError: `authentication_failed`, the function that was to give one raised.
    """
    if call.api_key is not None and call.api_key.get_secret_value():
        return call.api_key
    given = _called(token, provider) if callable(token) else token
    found = SecretStr(given) if isinstance(given, str) else given
    if found is None or not found.get_secret_value():
        raise EngineError(
            "missing_key",
            f"There is no access token for {provider!r} on Vertex AI: pass `access_token=`, be it a token or what gives one.",
            provider=provider,
            request_id=call.request_id,
        )
    return found


def _called(token: Callable[[], str | SecretStr], provider: str) -> str | SecretStr:
    try:
        return token()
    except Exception as error:  # noqa: BLE001 - only its class is told, and no cause is kept: its text may hold the token
        raise AdapterError(
            "authentication_failed",
            f"The function that gives the access token raised {type(error).__name__}: mend it, or log in again.",
            provider=provider,
        ) from None
