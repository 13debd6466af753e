"""Errors of Google's services, as failures.

Rule 1: the status names a class of errors; what happened is in the typed `details`, and they decide.
Rule 2: a quota per minute heals by waiting, one per day does not: the first is `rate_limited`, the other `quota_exceeded`.
Rule 3: an answer that gave up is an error too: its `finishReason` says why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from allm_rx.data.failures import Failure
from allm_rx.wire.failures import complaint, failure, seconds_in
from allm_rx.wire.shapes import as_object, as_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from allm_rx.errors import AdapterReason
    from allm_rx.wire.failures import ErrorAnswer

GAVE_UP: dict[str, AdapterReason] = {
    "MALFORMED_FUNCTION_CALL": "malformed_response",
    "MALFORMED_RESPONSE": "malformed_response",
    "MISSING_THOUGHT_SIGNATURE": "invalid_request",
    "TOO_MANY_TOOL_CALLS": "server_error",
    "UNEXPECTED_TOOL_CALL": "malformed_response",
}
"""Finish reasons of answers that failed, and what each stands for."""

_ADVICE = {
    "MALFORMED_FUNCTION_CALL": "The model wrote a call that makes no sense. Try again, or simplify the tool's parameters.",
    "MALFORMED_RESPONSE": "The model wrote something that makes no sense. Try again.",
    "MISSING_THOUGHT_SIGNATURE": "Send its earlier messages back with their `provider_data`.",
    "TOO_MANY_TOOL_CALLS": "The model called tools without end. Try again, or offer fewer tools.",
    "UNEXPECTED_TOOL_CALL": "The model called a tool that it was not offered. Try again, or pass the tools it has called before.",
}

_NEVER_HEALS = "insufficient_quota"
_WRONG_PLACE = "unsupported_country_region_territory"


def google_failure(answer: ErrorAnswer) -> Failure:
    """Give the failure that an error of Google's kind stands for; its JSON may be in a list of one."""
    told = complaint(answer.data, answer.text)
    details = list(_details(answer.data))
    words = tuple(_telling(told.message, details))
    notes: dict[str, JsonValue] = {key: answer.safe(value) for key, value in _notes(details).items()}
    found = failure(answer, replace(told, words=(*words, *told.words)), details=notes)
    delay = next((seconds_in(given) for detail in details if isinstance(given := detail.get("retryDelay"), str)), None)
    if delay is None or (answer.head is not None and answer.head.retry_after() is not None):
        return found
    return found.model_copy(update={"retry_after": delay})


def gave_up(provider: str, finish_reason: str, message: str) -> Failure:
    """Give the failure of an answer whose finish reason is one of `GAVE_UP`.

    Args:
        provider: name for the message.
        finish_reason: the provider's word.
        message: what it says about it, safe to show; may be empty.
    """
    said = f": {message}" if message else ""
    stop = "" if said.endswith((".", "!", "?", "…")) else "."
    reason = GAVE_UP[finish_reason.upper()]
    notes: dict[str, JsonValue] = {"finish_message": message} if message else {}
    return Failure(
        kind="AdapterError",
        reason=reason,
        message=f"{provider} ended the answer with {finish_reason}{said}{stop} {_ADVICE[finish_reason.upper()]}",
        code=finish_reason,
        details=notes,
    )


def _details(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, list) and data:
        data = cast("list[Any]", data)[0]
    return as_objects(as_object(as_object(data).get("error")).get("details"))


def _violations(details: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (violation for detail in details for violation in as_objects(detail.get("violations")))


def _telling(message: str, details: list[dict[str, Any]]) -> Iterator[str]:
    """Give words of ours for what only Google's own say."""
    for violation in _violations(details):
        if "PerDay" in str(violation.get("quotaId")) or str(violation.get("quotaValue")) == "0":
            yield _NEVER_HEALS
    if "location is not supported" in message:
        yield _WRONG_PLACE


def _notes(details: list[dict[str, Any]]) -> dict[str, str]:
    """Give what helps to mend a request: the reason, the fields that are wrong, and the quota that is used up."""
    wrong = (field for detail in details for field in as_objects(detail.get("fieldViolations")))
    notes = {
        "reason": [detail.get("reason") for detail in details],
        "fields": [field.get("field") for field in wrong],
        "quota": [violation.get("quotaId") for violation in _violations(details)],
    }
    return {name: ", ".join(told) for name, values in notes.items() if (told := [v for v in values if isinstance(v, str)])}
