"""Errors of Anthropic as failures, in place of an answer and inside a stream.

Rule 1: the generic reader knows the words and phrases; only what no other vendor has is here.
Rule 2: a limit that is used up tells when it is lifted, also where `retry-after` is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from allm_rx.wire.failures import complaint, failure
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from allm_rx.data.failures import Failure
    from allm_rx.wire.failures import ErrorAnswer

_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")


def anthropic_failure(answer: ErrorAnswer) -> Failure:
    """Give the failure that an answer or an `error` event of Anthropic's kind stands for."""
    told = complaint(answer.data, answer.text)
    found = failure(answer, told, details=_details(answer), until_reset=_until_reset)
    if not told.request_id:
        return found
    # The body names the request to Anthropic, a header may be that of a gateway.
    return found.model_copy(update={"provider_request_id": answer.safe(told.request_id)})


def _details(answer: ErrorAnswer) -> dict[str, JsonValue]:
    """Give what newer errors tell in detail, such as a code that is finer than the type."""
    error = as_object(as_object(answer.data).get("error"))
    code = as_object(error.get("details")).get("error_code")
    return {"error_code": answer.safe(code)} if isinstance(code, str) else {}


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
