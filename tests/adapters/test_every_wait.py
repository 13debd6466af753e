"""How long to wait, and whether to try again, at every provider."""

import pytest

from allm_rx.testing.answers import ErrorAnswer
from tests.adapters.error_answers import EVERY, OPENAI, PLAIN, detail, each, failure_of, google

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

HINTS: list[tuple[tuple[str, ...], dict[str, str], str, float | None]] = [
    # Who says it, the headers, the message, and the seconds to wait.
    (EVERY, {"retry-after-ms": "250"}, "m", 0.25),
    (EVERY, {"retry-after-ms": "0", "retry-after": "1"}, "m", 1.0),
    (EVERY, {"retry-after": "7"}, "m", 7.0),
    (EVERY, {"retry-after": "1.5"}, "m", 1.5),
    (EVERY, {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": DATE}, "m", 30.0),
    (EVERY, {"retry-after": "soon"}, "m", None),
    (EVERY, {}, "Rate limit reached. Please try again in 20s.", 20.0),
    (EVERY, {"retry-after": "7"}, "Please try again in 20s.", 7.0),
    (EVERY, {}, "m", None),
    (OPENAI, {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, "m", 360.0),
    (OPENAI, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms"}, "m", 0.012),
    (
        ("anthropic",),
        {
            "date": DATE,
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2026-10-21T07:28:09Z",
        },
        "m",
        9.0,
    ),
]
"""How vendors say how long to wait."""

LIMITED = {"anthropic": "rate_limit_error", "gemini": "RESOURCE_EXHAUSTED", "openai": "requests", "openai-chat": "requests"}


@pytest.mark.parametrize(("name", "headers", "message", "seconds"), each(HINTS))
def test_wait_is_told(name: str, headers: dict[str, str], message: str, seconds: float | None) -> None:
    """Milliseconds, seconds, dates, limits that are used up, or the message: whatever says it is read."""
    failure = failure_of(name, ErrorAnswer(429, PLAIN[name](message, LIMITED[name]), headers=headers))

    assert (failure.reason, failure.retry_after) == ("rate_limited", seconds)


def test_wait_of_google_is_in_its_details() -> None:
    """A typed detail says the delay; a header would win."""
    body = google("Slower.", "RESOURCE_EXHAUSTED", 429, detail("RetryInfo", retryDelay="48.5s"))

    assert failure_of("gemini", ErrorAnswer(429, body)).retry_after == 48.5
    assert failure_of("gemini", ErrorAnswer(429, body, headers={"retry-after": "2"})).retry_after == 2.0


@pytest.mark.parametrize("name", EVERY)
def test_verdict_on_a_retry_is_kept(name: str) -> None:
    """`x-should-retry` wins over the status, so it has to be known."""
    failure = failure_of(name, ErrorAnswer(500, PLAIN[name]("m", ""), headers={"x-should-retry": "false"}))

    assert failure.details["should_retry"] is False
