"""What an error answer says, whatever its shape: the provider's words, and which reason of ours they stand for.

Rule 1: pure and total; any JSON in, a `Complaint`, a reason or a `Failure` out, never an exception.
Rule 2: a telling word (`insufficient_quota`) beats the status, the status beats a general word (`api_error`).
Rule 3: a `Complaint` holds texts as they came; `failure` is where they are made safe to show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from allm_rx.data.failures import Failure
from allm_rx.wire.failure_words import ADVICE, GENERAL, PHRASES, STATUSES, TELLING
from allm_rx.wire.shapes import as_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import JsonValue

    from allm_rx.errors import AdapterReason
    from allm_rx.wire.http import ResponseHead

_DEEPEST = 4
"""How far texts are looked for inside each other."""

_TEXT_KEYS = ("error", "message", "detail", "errors", "msg", "title")
_WORD_KEYS = ("code", "type", "status", "reason", "error_type")
_NUMBER_KEYS = ("code", "status", "status_code", "statusCode")

_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:script|style)\b.*?(?:</(?:script|style)>|$)|<[^>]*(?:>|$)", re.IGNORECASE | re.DOTALL)

_AMOUNT = r"(\d+(?:\.\d+)?)\s*(milliseconds?|ms|hours?|h|minutes?|mins?|m|seconds?|secs?|s|days?|d)(?![a-z])"
_DURATION = re.compile(_AMOUNT, re.IGNORECASE)
_WAIT = re.compile(rf"(?:try again|retry|wait)\s+(?:in\s+|after\s+|for\s+)?((?:{_AMOUNT}\s*)+)", re.IGNORECASE)
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error as it came from a provider."""

    provider: str
    """Name for messages."""
    status: int | None
    """HTTP status, or None for an error inside a stream."""
    data: Any
    """Its JSON, or None when it is none."""
    text: str
    """The body as text that is safe to show, for pages of proxies."""
    head: ResponseHead | None
    """The answer's head, for retry hints and ids."""
    safe: Callable[[str], str]
    """Takes keys and control characters out of a text."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the body of an error says."""

    message: str = ""
    code: str | None = None
    """The provider's own word, or its number as text."""
    kind: str | None = None
    """The provider's class of error, its `type`."""
    words: tuple[str, ...] = ()
    """All its words in lower case, the most telling first."""
    number: int | None = None
    """The HTTP status that the body itself names."""
    request_id: str | None = None

    def joined(self, inner: Complaint) -> Complaint:
        """Give the complaint of a gateway together with the one it passes on; both messages are kept."""
        known = inner.message and inner.message not in self.message
        return Complaint(
            message=f"{self.message}: {inner.message}" if known and self.message else self.message or inner.message,
            code=self.code or inner.code,
            kind=self.kind or inner.kind,
            words=(*inner.words, *self.words),
            number=self.number or inner.number,
            request_id=self.request_id or inner.request_id,
        )


def complaint(data: Any, text: str = "") -> Complaint:
    """Read an error.

    Args:
        data: its JSON, or None when it is none.
        text: the body as text, for pages of proxies.
    """
    if isinstance(data, list) and data:
        data = cast("list[Any]", data)[0]
    if not isinstance(data, dict):
        return Complaint(message=data if isinstance(data, str) else _page(text))
    outer = cast("dict[str, Any]", data)
    inner = as_object(outer.get("error"))
    return Complaint(
        message=_text(outer) or _page(text),
        code=_first(_word(level.get("code")) for level in (inner, outer)),
        kind=_first(_word(level.get("type")) or _word(level.get("status")) for level in (inner, outer)),
        words=tuple(_words(inner, outer)),
        number=_first(_number(level.get(key)) for level in (inner, outer) for key in _NUMBER_KEYS),
        request_id=_first(_word(level.get("request_id")) for level in (outer, inner)),
    )


def reason_for(status: int | None, told: Complaint) -> AdapterReason:
    """Give the reason that a status and a complaint stand for; without a status it is an error inside a stream."""
    for word in told.words:
        if word in TELLING:
            return TELLING[word]
    number = told.number if status is None else status
    for pattern, statuses, reason in PHRASES:
        if number in statuses and pattern.search(told.message):
            return reason
    if number is not None:
        return reason_for_status(number)
    for word in told.words:
        if word in GENERAL:
            return GENERAL[word]
    return "server_error"


def reason_for_status(status: int) -> AdapterReason:
    """Give the reason that an HTTP status stands for when nothing else is known."""
    if status in STATUSES:
        return STATUSES[status]
    return "server_error" if status >= 500 else "invalid_request" if status >= 400 else "unknown"


def seconds_in(duration: str) -> float | None:
    """Give the length of a duration such as `12ms`, `1.5s` or `6m0s`, or None.

    >>> seconds_in("1m30.5s")
    90.5
    """
    pieces = _DURATION.findall(duration)
    if not pieces:
        return None
    return sum(float(number) * _length_of(unit.lower()) for number, unit in pieces)


def _length_of(unit: str) -> float:
    return 0.001 if unit.startswith(("ms", "milli")) else _SECONDS[unit[0]]


def wait_in(message: str) -> float | None:
    """Give the seconds that a message asks to wait, or None.

    >>> wait_in("Rate limit reached. Please try again in 20s.")
    20.0
    """
    found = _WAIT.search(message)
    return seconds_in(found[1]) if found else None


def failure(
    answer: ErrorAnswer,
    told: Complaint,
    *,
    details: Mapping[str, JsonValue] | None = None,
    until_reset: Callable[[Mapping[str, str]], float | None] | None = None,
) -> Failure:
    """Give the failure that a complaint stands for.

    Args:
        answer: the error.
        told: what the provider said in it.
        details: what else is known.
        until_reset: reads from the headers in how many seconds a limit is lifted, where nothing else tells it.
    """
    status, head, safe = answer.status, answer.head, answer.safe
    reason = reason_for(status, told)
    notes: dict[str, JsonValue] = {"type": safe(told.kind)} if told.kind else {}
    if head is not None and head.should_retry is not None:
        notes["should_retry"] = head.should_retry
    said = safe(told.message.strip())
    opening = f"{answer.provider} reported an error" if status is None else f"{answer.provider} answered {status}"
    explained = f"{opening}: {said}" if said else f"{opening} without an explanation"
    stop = "" if explained.endswith((".", "!", "?", "…")) else "."
    wait = head.retry_after() if head is not None else None
    if wait is None:
        wait = wait_in(told.message)
    if wait is None and reason == "rate_limited" and head is not None and until_reset is not None:
        wait = until_reset(head.headers)
    return Failure(
        kind="AdapterError",
        reason=reason,
        message=f"{explained}{stop} {ADVICE[reason]}",
        provider=answer.provider,
        status=status,
        retry_after=wait,
        provider_request_id=safe((head.request_id if head is not None else None) or told.request_id or "") or None,
        code=safe(told.code or told.kind or "") or None,
        details={**notes, **(details or {})},
    )


def _text(value: Any, depth: int = 0) -> str:
    """Find the message: the first text under the keys that hold one, however deep."""
    if isinstance(value, str):
        return value.strip()
    if depth == _DEEPEST:
        return ""
    if isinstance(value, list):
        texts = (_text(item, depth + 1) for item in cast("list[Any]", value))
        return "; ".join(text for text in texts if text)
    if not isinstance(value, dict):
        return ""
    fields = cast("dict[str, Any]", value)
    texts = [(key, text) for key in _TEXT_KEYS if (text := _text(fields.get(key), depth + 1))]
    if not texts:
        return ""
    (key, text), *others = texts
    if "loc" in fields and isinstance(fields["loc"], list):  # FastAPI's validation: what is wrong, and where
        return f"{'.'.join(str(step) for step in cast('list[Any]', fields['loc']))}: {text}"
    if key == "error" and isinstance(fields["error"], str) and others and others[0][1] not in text:
        return f"{text}: {others[0][1]}"  # Spring and its like: `error` is the name of the status
    return text


def _page(text: str) -> str:
    """Give what a body that is no JSON says: the title of a page, or its text."""
    if not text.lstrip().startswith("<"):
        return text.strip()
    title = _TITLE.search(text)
    return " ".join((title[1] if title and title[1].strip() else _MARKUP.sub(" ", text)).split())


def _words(*levels: dict[str, Any]) -> Iterator[str]:
    for level in levels:
        for key in _WORD_KEYS:
            if (word := _word(level.get(key))) and not word.isdigit():
                yield word.lower()
        for key in ("innererror", "details"):  # Azure's inner error; the typed details of Google's errors
            nested = level.get(key)
            for item in cast("list[Any]", nested) if isinstance(nested, list) else (nested,):
                if isinstance(item, dict):
                    yield from _words(cast("dict[str, Any]", item))


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) or None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) == len("404"):
        value = int(value)
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _first(values: Iterator[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
