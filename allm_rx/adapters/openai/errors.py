"""Errors of OpenAI and of everything that speaks its protocols, as failures.

Rule 1: one reader for all of them: what a vendor adds is looked for everywhere, never asked for by name.
Rule 2: what a gateway passes on counts more than what it says itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allm_rx.wire.failures import Complaint, complaint, failure, seconds_in
from allm_rx.wire.partial_json import loads
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import JsonValue

    from allm_rx.data.failures import Failure
    from allm_rx.wire.failures import ErrorAnswer
    from allm_rx.wire.http import ResponseHead


def openai_failure(answer: ErrorAnswer) -> Failure:
    """Give the failure that an answer of OpenAI's kind stands for."""
    told = complaint(answer.data, answer.text)
    error = _error_object(answer.data)
    metadata = as_object(error.get("metadata"))
    raw = metadata.get("raw")
    if raw:
        told = told.joined(_passed_on(raw))
    reasons = metadata.get("reasons")
    words = (*(("content_filter",) if reasons else ()), *_header_words(answer.head), *told.words)
    told = Complaint(told.message, told.code, told.kind, words, told.number, told.request_id)
    return failure(answer, told, details=_details(error, metadata, reasons, answer.safe), until_reset=_until_reset)


def _error_object(data: Any) -> dict[str, Any]:
    if isinstance(data, list) and data:
        data = cast("list[Any]", data)[0]
    body = as_object(data)
    return as_object(body.get("error")) or body


def _passed_on(raw: Any) -> Complaint:
    """Read what OpenRouter got from the provider behind it: JSON, text of JSON, or text."""
    if not isinstance(raw, str):
        return complaint(raw)
    try:
        return complaint(loads(raw), raw)
    except ValueError:
        return complaint(None, raw)


def _header_words(head: ResponseHead | None) -> tuple[str, ...]:
    named = head.headers.get("x-amzn-errortype") if head is not None else None  # Bedrock: `ThrottlingException:http://...`
    return (named.partition(":")[0].lower(),) if named else ()


def _details(error: dict[str, Any], metadata: dict[str, Any], reasons: Any, safe: Callable[[str], str]) -> dict[str, JsonValue]:
    given = {
        "param": error.get("param"),
        "upstream": metadata.get("provider_name"),
        "failed_generation": error.get("failed_generation"),  # Groq: the call that the model got wrong
    }
    details: dict[str, JsonValue] = {key: safe(text) for key, text in given.items() if text and isinstance(text, str)}
    if isinstance(reasons, list):
        details["reasons"] = [safe(str(reason)) for reason in cast("list[Any]", reasons)]
    return details


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Give the seconds until the limits that are used up are lifted."""
    waits = [
        seconds
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
        and (seconds := seconds_in(headers.get(f"x-ratelimit-reset-{what}", ""))) is not None
    ]
    return max(waits, default=None)
