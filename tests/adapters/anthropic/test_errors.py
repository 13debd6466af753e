"""Refusals of Anthropic, and errors inside its streams."""

import json
from typing import Any

import pytest

from allm_rx.adapters.anthropic.errors import anthropic_failure
from allm_rx.data.failures import Failure
from allm_rx.data.policies import RetryPolicy
from allm_rx.wire.failures import ErrorAnswer
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.redaction import printable, redact


def failure(status: int | None, body: Any, **headers: str) -> Failure:
    data, text = (None, body) if isinstance(body, str) else (body, json.dumps(body))
    head = None if status is None else ResponseHead(status, {name.replace("_", "-"): value for name, value in headers.items()})
    return anthropic_failure(ErrorAnswer("quay", status, data, text, head, lambda said: printable(redact(said), 2000)))


def said(kind: str, message: str = "m", **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, said("authentication_error", "invalid x-api-key"), "authentication_failed"),
        (403, said("permission_error"), "permission_denied"),
        (402, said("billing_error"), "quota_exceeded"),
        (400, said("invalid_request_error", "Your credit balance is too low to access the API."), "quota_exceeded"),
        (404, said("not_found_error", "model: quay-1"), "not_found"),
        (413, said("request_too_large"), "invalid_request"),
        (400, said("invalid_request_error", "max_tokens: Field required"), "invalid_request"),
        (400, said("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), "context_length_exceeded"),
        (400, said("invalid_request_error", "input length and `max_tokens` exceed context limit: 9"), "context_length_exceeded"),
        (429, said("rate_limit_error"), "rate_limited"),
        (500, said("api_error"), "server_error"),
        (504, said("timeout_error"), "timeout"),
        (529, said("overloaded_error"), "overloaded"),
        (503, {"message": "Service Unavailable"}, "overloaded"),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>", "server_error"),
    ],
)
def test_refusal_has_its_reason(status: int, body: Any, reason: str) -> None:
    """A status and a body of any shape give the reason that says who has to act."""
    assert (failure(status, body).reason, failure(status, body).status) == (reason, status)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limited"),
        ("api_error", "server_error"),
        ("timeout_error", "timeout"),
        ("invalid_request_error", "invalid_request"),
        ("of_the_future", "server_error"),
    ],
)
def test_error_in_a_stream_has_its_reason(kind: str, reason: str) -> None:
    """Inside a stream the type stands in for the status, which is not told as one."""
    assert (failure(None, said(kind)).reason, failure(None, said(kind)).status) == (reason, None)


def test_message_says_what_and_what_to_do() -> None:
    """Who answered what, in its words, and the next step; the type is the code."""
    found = failure(404, said("not_found_error", "model: quay-1"))

    assert found.message == "quay answered 404: model: quay-1. Check the model's name and `base_url`."
    assert found.code == "not_found_error"


def test_finer_code_is_a_detail() -> None:
    """What newer errors tell more exactly than by their type is kept."""
    body = said("invalid_request_error", details={"error_code": "image_dimensions_too_large", "max": 8000})

    assert failure(400, body).details["error_code"] == "image_dimensions_too_large"


def test_body_names_the_request() -> None:
    """The id in the body is the provider's own; a header may be a gateway's, and is better than nothing."""
    named = {**said("api_error"), "request_id": "req_body"}

    assert failure(500, named, request_id="req_head").provider_request_id == "req_body"
    assert failure(500, said("api_error"), request_id="req_head").provider_request_id == "req_head"


def test_retry_hints_are_read() -> None:
    """The server says when to come back, and whether it helps at all."""
    found = failure(429, said("rate_limit_error"), retry_after="17", x_should_retry="false")

    assert found.retry_after == 17
    assert not RetryPolicy().allows(found)


RESETS = {
    "date": "Wed, 01 Jan 2031 00:00:00 GMT",
    "anthropic_ratelimit_requests_remaining": "0",
    "anthropic_ratelimit_requests_reset": "2031-01-01T00:00:30Z",
    "anthropic_ratelimit_input_tokens_remaining": "0",
    "anthropic_ratelimit_input_tokens_reset": "2031-01-01T00:01:00Z",
    "anthropic_ratelimit_output_tokens_remaining": "5",
    "anthropic_ratelimit_output_tokens_reset": "2031-01-01T01:00:00Z",
}


def test_limits_that_are_used_up_say_when_they_are_lifted() -> None:
    """Without `retry-after` the latest reset of a limit at zero counts, by the server's clock."""
    assert failure(429, said("rate_limit_error"), **RESETS).retry_after == 60
    assert failure(429, said("rate_limit_error"), **RESETS, retry_after="5").retry_after == 5
    assert failure(500, said("api_error"), **RESETS).retry_after is None


@pytest.mark.parametrize("change", [{"date": "noon"}, {"anthropic_ratelimit_requests_reset": "soon"}])
def test_nonsense_in_limits_is_ignored(change: dict[str, str]) -> None:
    """A header that cannot be read is as good as absent."""
    only = {name: value for name, value in RESETS.items() if "tokens" not in name}

    assert failure(429, said("rate_limit_error"), **{**only, **change}).retry_after is None


def test_keys_are_taken_out() -> None:
    """A key that the provider repeats is not shown."""
    found = failure(401, said("authentication_error", "bad key sk-ant-api03-abcdef"))

    assert "abcdef" not in found.model_dump_json()
