"""Errors of Anthropic as failures, in place of an answer and inside a stream.

Rule 1: the generic reader knows the words and phrases; only what no other vendor has is here.
Rule 2: a limit that is used up tells when it is lifted, also where `retry-after` is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

from allm_rx.wire.failures import complaint, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import JsonValue

    from allm_rx.data.failures import Failure
    from allm_rx.wire.http import ResponseHead

_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")


def anthropic_failure(
    provider: str,
    status: int | None,
    data: Any,
    *,
    text: str,
    head: ResponseHead | None,
    safe: Callable[[str], str],
) -> Failure:
    """Give the failure that an answer or an `error` event of Anthropic's kind stands for.

    Args:
        provider: name for the message.
        status: HTTP status, or None for an error inside a stream.
        data: the JSON of the answer, or None when it is none.
        text: the body as safe text, for pages of proxies.
        head: the answer's head, for retry hints and ids.
        safe: takes keys and control characters out of a text.
    """
    told = complaint(data, text)
    found = failure(provider, told, status=status, head=head, safe=safe, details=_details(data, safe))
    if told.request_id:  # the body names the request to Anthropic, a header may be that of a gateway
        found = found.model_copy(update={"provider_request_id": safe(told.request_id)})
    if found.retry_after is None and found.reason == "rate_limited" and head is not None:
        return found.model_copy(update={"retry_after": _until_reset(head.headers)})
    return found


def _details(data: Any, safe: Callable[[str], str]) -> dict[str, JsonValue]:
    """Give what newer errors tell in detail, such as a code that is finer than the type."""
    error = _object(_object(data).get("error"))
    code = _object(error.get("details")).get("error_code")
    return {"error_code": safe(code)} if isinstance(code, str) else {}


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Give the seconds until the limits that are used up are lifted, by the server's own clock."""
    now = _date(headers.get("date", ""))
    if now is None:
        return None
    waits = [
        max(0.0, (reset - now).total_seconds())
        for limit in _LIMITS
        if headers.get(f"anthropic-ratelimit-{limit}-remaining") == "0"
        and (reset := _time(headers.get(f"anthropic-ratelimit-{limit}-reset", ""))) is not None
    ]
    return max(waits, default=None)


def _date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):  # what its parser does to nonsense
        return None


def _time(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
