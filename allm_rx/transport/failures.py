"""What can go wrong below HTTP, in words that say what to do."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from allm_rx.errors import AdapterError, AllmError, StreamError
from allm_rx.wire.redaction import redact

if TYPE_CHECKING:
    from allm_rx.wire.http import WireRequest


def unreachable(error: Exception, request: WireRequest, *, head_seen: bool) -> AllmError:
    """Give the error for what aiohttp raised; neither URL query nor headers appear in it."""
    parts = urlsplit(request.url)
    where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    details: dict[str, Any] = {"cause": redact(f"{type(error).__name__}: {error}")[:500]}
    if head_seen:
        return StreamError(
            "stream_interrupted",
            f"The connection to {where} broke while the answer was read ({_words(error)}). The answer is incomplete.",
            details=details,
        )
    if isinstance(error, TimeoutError):
        return AdapterError(
            "timeout",
            f"Connecting to {where} took over {request.connect_timeout} s: raise `timeouts.connect`, or check the network.",
            details={**details, "timeout": "connect", "seconds": request.connect_timeout},
        )
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError)):
        return AdapterError(
            "network_error",
            f"The TLS certificate of {where} is not trusted ({_words(error)}): "
            "check `base_url`, or pass `transport=AiohttpTransport(ssl=...)` with your own authority.",
            details={**details, "should_retry": False},
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(error.__cause__, socket.gaierror):
        message = f"The host {parts.hostname!r} is unknown: check `base_url` and the network."
    elif isinstance(error, aiohttp.ClientConnectorError):
        message = f"Nothing answers at {where} ({_words(error)}): is the server running? Check `base_url`."
    elif isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError)):
        message = f"The request to {where} cannot be sent ({_words(error)}): check `base_url` and `headers`."
        details["should_retry"] = False
    else:
        message = f"{where} closed the connection before it answered ({_words(error)}): send the request again."
    return AdapterError("network_error", message, details=details)


def _words(error: Exception) -> str:
    reason = getattr(error, "os_error", None) or error
    text = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
    if isinstance(reason, OSError) and not isinstance(reason, ssl.SSLError) and reason.errno:
        text = os.strerror(reason.errno)  # asyncio's own words repeat the address in place of what happened
    return redact(text)[:200]
