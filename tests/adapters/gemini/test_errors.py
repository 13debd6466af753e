"""Refusals of Google's services, and what they mean."""

import json
from typing import Any

import pytest

from allm_rx.adapters.gemini.errors import google_failure
from allm_rx.data.failures import Failure
from allm_rx.data.policies import RetryPolicy
from allm_rx.wire.failures import ErrorAnswer
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.redaction import printable, redact

NONSENSE: dict[str, Any] = {"error": {"details": [1, {"violations": 3, "fieldViolations": None, "retryDelay": 4}]}}
GOOGLE = "type.googleapis.com/google.rpc."


def failure(status: int | None, body: Any, **headers: str) -> Failure:
    data, text = (None, body) if isinstance(body, str) else (body, json.dumps(body))
    head = None if status is None else ResponseHead(status, {name.replace("_", "-"): value for name, value in headers.items()})
    return google_failure(ErrorAnswer("lake", status, data, text, head, lambda said: printable(redact(said), 2000)))


def google(code: int, status: str, message: str = "No.", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def info(reason: str) -> dict[str, Any]:
    return {"@type": f"{GOOGLE}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def quota(**violation: str) -> dict[str, Any]:
    return {"@type": f"{GOOGLE}QuotaFailure", "violations": [violation]}


def retry(delay: str) -> dict[str, Any]:
    return {"@type": f"{GOOGLE}RetryInfo", "retryDelay": delay}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, google(400, "INVALID_ARGUMENT"), "invalid_request"),
        (400, google(400, "INVALID_ARGUMENT", "API key not valid.", info("API_KEY_INVALID")), "authentication_failed"),
        (400, google(400, "INVALID_ARGUMENT", "API key expired.", info("API_KEY_INVALID")), "authentication_failed"),
        (400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), "permission_denied"),
        (
            400,
            google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."),
            "context_length_exceeded",
        ),
        (401, google(401, "UNAUTHENTICATED", "Expired.", info("ACCESS_TOKEN_EXPIRED")), "authentication_failed"),
        (403, google(403, "PERMISSION_DENIED", "No.", info("SERVICE_DISABLED")), "permission_denied"),
        (403, google(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers."), "permission_denied"),
        (404, google(404, "NOT_FOUND", "models/m is not found for API version v1beta"), "not_found"),
        (429, google(429, "RESOURCE_EXHAUSTED"), "rate_limited"),
        (429, google(429, "RESOURCE_EXHAUSTED", "No.", quota(quotaId="TokensPerMinute", quotaValue="9")), "rate_limited"),
        (429, google(429, "RESOURCE_EXHAUSTED", "No.", quota(quotaId="RequestsPerDayPerProject")), "quota_exceeded"),
        (429, google(429, "RESOURCE_EXHAUSTED", "No.", quota(quotaId="FreeTier", quotaValue="0")), "quota_exceeded"),
        (500, google(500, "INTERNAL"), "server_error"),
        (503, google(503, "UNAVAILABLE", "The model is overloaded."), "overloaded"),
        (504, google(504, "DEADLINE_EXCEEDED"), "timeout"),
        (429, [google(429, "RESOURCE_EXHAUSTED", "No.", quota(quotaId="PerDay"))], "quota_exceeded"),
        (None, google(503, "UNAVAILABLE"), "overloaded"),
        (None, google(429, "RESOURCE_EXHAUSTED"), "rate_limited"),
        (None, google(500, "INTERNAL"), "server_error"),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", "server_error"),
        (400, {"error": "bad"}, "invalid_request"),
        (400, NONSENSE, "invalid_request"),
        (400, [], "invalid_request"),
    ],
)
def test_reason_is_that_of_the_details(status: int | None, body: Any, reason: str) -> None:
    """The status names a class of errors, the typed details what happened, and nonsense is still an error."""
    assert failure(status, body).reason == reason


def test_failure_tells_what_the_provider_said() -> None:
    """Message, code, class and reason are on the failure, with what to do."""
    told = failure(400, google(400, "INVALID_ARGUMENT", "API key not valid.", info("API_KEY_INVALID")))

    assert told.message == "lake answered 400: API key not valid. Check the API key, and that it belongs to this `base_url`."
    assert (told.status, told.code) == (400, "400")
    assert told.details == {"type": "INVALID_ARGUMENT", "reason": "API_KEY_INVALID"}


def test_fields_that_are_wrong_are_named() -> None:
    """A request can be mended where its mistakes have places."""
    wrong = {"@type": f"{GOOGLE}BadRequest", "fieldViolations": [{"field": "contents[1].parts", "description": "empty"}]}

    assert failure(400, google(400, "INVALID_ARGUMENT", "No.", wrong)).details["fields"] == "contents[1].parts"


def test_quota_is_named() -> None:
    """Which limit was reached is told."""
    assert failure(429, google(429, "RESOURCE_EXHAUSTED", "No.", quota(quotaId="PerMinute"))).details["quota"] == "PerMinute"


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (google(429, "RESOURCE_EXHAUSTED", "Please retry in 48.9s.", retry("48s")), {}, 48.0),
        (google(429, "RESOURCE_EXHAUSTED", "No.", retry("0.5s")), {}, 0.5),
        (google(429, "RESOURCE_EXHAUSTED", "No.", retry("48s")), {"retry_after": "3"}, 3.0),
        (google(429, "RESOURCE_EXHAUSTED", "Please retry in 48.9s."), {}, 48.9),
        (google(429, "RESOURCE_EXHAUSTED"), {}, None),
        ([google(429, "RESOURCE_EXHAUSTED", "No.", retry("7s"))], {}, 7.0),
    ],
)
def test_wait_is_that_of_the_header_or_the_details(body: Any, headers: dict[str, str], seconds: float | None) -> None:
    """A header wins, then the typed delay, then the words of the message."""
    assert failure(429, body, **headers).retry_after == seconds


def test_quota_per_day_is_not_tried_again() -> None:
    """Waiting some seconds does not bring the day to its end."""
    body = google(429, "RESOURCE_EXHAUSTED", "No.", quota(quotaId="PerDay"), retry("2s"))

    assert not RetryPolicy().allows(failure(429, body))


def test_key_in_a_message_is_not_repeated() -> None:
    """What the provider repeats of a key stays hidden."""
    body = google(400, "INVALID_ARGUMENT", "Consumer 'api_key:AIzaSyLakeLakeLake' is suspended.")

    assert "AIzaSyLake" not in failure(400, body).model_dump_json()
