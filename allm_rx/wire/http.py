"""One exchange with a provider, as values: what is sent, and the head of what comes back.

Rule 1: the repr of a request shows neither keys nor the prompt; only `plain_headers` gives a key away, to the transport.
Rule 2: header names of an answer are lower case; a header that makes no sense is as good as absent.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from pydantic import SecretStr

_SECRET_HEADERS = frozenset({"authorization", "api-key", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"})

# The one that support asks for comes first; `cf-ray` is Cloudflare's and says only which door was used.
_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-ds-trace-id",
    "mistral-correlation-id",
    "x-generation-id",
    "x-amzn-requestid",
    "cf-ray",
)


@dataclass(frozen=True, slots=True, repr=False)
class WireRequest:
    """An HTTP request, ready to be sent."""

    method: str
    url: str
    headers: "Mapping[str, str | SecretStr]" = field(default_factory=dict[str, "str | SecretStr"])
    """Keys are `SecretStr`."""
    body: bytes = b""
    connect_timeout: float | None = None
    """Seconds to wait for a connection; None leaves it to the transport."""

    def plain_headers(self) -> dict[str, str]:
        """Give the headers as they are sent, keys in clear: not for logs, errors or attributes."""
        return {name: value if isinstance(value, str) else value.get_secret_value() for name, value in self.headers.items()}

    def __repr__(self) -> str:
        headers = {name: _shown(name, value) for name, value in self.headers.items()}
        timeout = "" if self.connect_timeout is None else f", connect_timeout={self.connect_timeout}"
        return f"WireRequest({self.method} {redact(self.url)}, headers={headers}, body=<{len(self.body)} bytes>{timeout})"


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status and headers of an answer, before its body."""

    status: int
    headers: Mapping[str, str]
    """Given in any case, kept in lower case."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", {name.lower(): value for name, value in self.headers.items()})

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty when the server does not say."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def should_retry(self) -> bool | None:
        """The server's verdict `x-should-retry`, which wins over the status; None when it gives none."""
        return {"true": True, "false": False}.get(self.headers.get("x-should-retry", "").strip().lower())

    @property
    def request_id(self) -> str | None:
        """The provider's id of this exchange, for a question to its support."""
        return next((value for name in _REQUEST_IDS if (value := self.headers.get(name, "").strip())), None)

    def retry_after(self, now: float | None = None) -> float | None:
        """Give the seconds to wait before asking again, or None when the server does not say.

        Args:
            now: Seconds since the epoch, for a server that names a date instead of a duration; None takes its own `date` for
                now, since its clock need not agree with ours, or else our clock.
        """
        # Azure sends `retry-after-ms: 0` beside a `retry-after: 1` that means it.
        if milliseconds := _number(self.headers.get("retry-after-ms", "")):
            return milliseconds / 1000
        text = self.headers.get("retry-after", "")
        seconds = _number(text)
        if seconds is None and (then := _date(text)) is not None:
            if now is None:
                now = _date(self.headers.get("date", "")) or time.time()
            seconds = max(0.0, then - now)
        return seconds


def _shown(name: str, value: "str | SecretStr") -> str:
    if not isinstance(value, str) or name.lower() in _SECRET_HEADERS:
        return "**********"
    return redact(value)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):  # what its parser does to nonsense
        return None
    if date.tzinfo is None:  # HTTP dates are always GMT, also when an old form does not say so
        date = date.replace(tzinfo=UTC)
    return date.timestamp()
