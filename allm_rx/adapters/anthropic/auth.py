"""Who asks, and in which version of the API: the headers of every request to Anthropic.

Rule 1: a key leaves this module as a `SecretStr` only.
Rule 2: versions are dates, so a later one compares greater.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Sequence

Auth = Literal["x-api-key", "bearer"]
"""The header of the key: `x-api-key`, or `Authorization: Bearer` as OAuth tokens and the newest clients have it."""

KEY_VARIABLES: dict[Auth, tuple[str, ...]] = {
    "x-api-key": ("ANTHROPIC_API_KEY",),
    "bearer": ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"),
}
"""Environment variables that may hold the key, the likeliest first."""

API_VERSION = "2023-06-01"
"""The version that is asked for unless told otherwise."""

NO_SAMPLING = "2026-10-21"
"""From this version on `temperature`, `top_p` and `top_k` are refused, whatever their value."""


def takes_sampling(api_version: str) -> bool:
    """Tell whether a version of the API takes sampling parameters."""
    return api_version < NO_SAMPLING


def auth_headers(key: SecretStr | None, *, auth: Auth, api_version: str, betas: Sequence[str]) -> dict[str, str | SecretStr]:
    """Give the headers that say who asks and for what.

    Args:
        key: the API key, or an OAuth token; None for a server without.
        auth: how it is sent.
        api_version: the version of the API.
        betas: names of features that have to be asked for.
    """
    headers: dict[str, str | SecretStr] = {"anthropic-version": api_version}
    if betas:
        headers["anthropic-beta"] = ",".join(dict.fromkeys(betas))
    if key is None:
        return headers
    match auth:
        case "x-api-key":
            headers["x-api-key"] = key
        case "bearer":
            headers["authorization"] = SecretStr(f"Bearer {key.get_secret_value()}")
    return headers
