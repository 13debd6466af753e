"""Every failure of a provider, over a real socket: the reason says who has to act."""

import json
from typing import Any

import pytest

from allm_rx.data.events import Error, TextDelta
from allm_rx.testing.answers import ErrorAnswer
from tests.adapters.error_answers import (
    EVERY,
    OPENAI,
    PLAIN,
    anthropic,
    broken,
    detail,
    each,
    events_of,
    failure_of,
    google,
    openai,
)
from tests.adapters.providers import BY_NAME

IDS = {"anthropic": "req_0", "gemini": None, "openai": "req_0", "openai-chat": "req_0"}
"""The provider's own id of a request; Gemini has none for a refusal."""

STATUSES = {
    400: "invalid_request",
    401: "authentication_failed",
    402: "quota_exceeded",
    403: "permission_denied",
    404: "not_found",
    405: "invalid_request",
    408: "timeout",
    409: "invalid_request",
    413: "invalid_request",
    415: "invalid_request",
    422: "invalid_request",
    429: "rate_limited",
    498: "overloaded",
    500: "server_error",
    502: "server_error",
    503: "overloaded",
    504: "timeout",
    520: "server_error",
    521: "server_error",
    522: "server_error",
    523: "server_error",
    524: "server_error",
    529: "overloaded",
}
"""What a status means where the vendor's word is not known."""

TOLD: list[tuple[tuple[str, ...], int, Any, str, str | None]] = [
    # Who says it, the status, the body, the reason, and the vendor's word.
    (OPENAI, 401, openai("Incorrect API key provided", "x", "invalid_api_key"), "authentication_failed", "invalid_api_key"),
    (
        ("anthropic",),
        401,
        anthropic("invalid x-api-key", "authentication_error"),
        "authentication_failed",
        "authentication_error",
    ),
    (
        ("gemini",),
        400,
        google("API key not valid.", "INVALID_ARGUMENT", 400, detail("ErrorInfo", reason="API_KEY_INVALID")),
        "authentication_failed",
        "400",
    ),
    (("gemini",), 403, google("Unregistered callers.", "PERMISSION_DENIED", 403), "permission_denied", "403"),
    (
        OPENAI,
        400,
        {"code": "invalid-argument", "error": "Incorrect API key provided."},
        "authentication_failed",
        "invalid-argument",
    ),
    (("anthropic",), 403, anthropic("No.", "permission_error"), "permission_denied", "permission_error"),
    (
        OPENAI,
        403,
        openai("No.", "x", "unsupported_country_region_territory"),
        "permission_denied",
        "unsupported_country_region_territory",
    ),
    (("anthropic",), 402, anthropic("Pay.", "billing_error"), "quota_exceeded", "billing_error"),
    (
        OPENAI,
        402,
        openai("Insufficient Balance", "unknown_error", "invalid_request_error"),
        "quota_exceeded",
        "invalid_request_error",
    ),
    (OPENAI, 402, openai("This request requires more credits", None, 402), "quota_exceeded", "402"),
    (
        OPENAI,
        429,
        openai("You exceeded your quota", "insufficient_quota", "insufficient_quota"),
        "quota_exceeded",
        "insufficient_quota",
    ),
    (
        ("gemini",),
        429,
        google("Quota.", "RESOURCE_EXHAUSTED", 429, detail("QuotaFailure", violations=[{"quotaId": "RequestsPerDay"}])),
        "quota_exceeded",
        "429",
    ),
    (OPENAI, 404, openai("No such model", "x", "model_not_found"), "not_found", "model_not_found"),
    (OPENAI, 400, openai("No such model", "x", "model_not_found"), "not_found", "model_not_found"),
    (("anthropic",), 404, anthropic("model: m", "not_found_error"), "not_found", "not_found_error"),
    (("gemini",), 404, google("models/m is not found", "NOT_FOUND", 404), "not_found", "404"),
    (OPENAI, 429, openai("Slower.", "requests", "rate_limit_exceeded"), "rate_limited", "rate_limit_exceeded"),
    (OPENAI, 429, {"error": {"code": "RateLimitReached", "message": "Slower."}}, "rate_limited", "RateLimitReached"),
    (OPENAI, 413, openai("Tokens per minute", "tokens", "rate_limit_exceeded"), "rate_limited", "rate_limit_exceeded"),
    (("anthropic",), 429, anthropic("Slower.", "rate_limit_error"), "rate_limited", "rate_limit_error"),
    (("gemini",), 429, google("Slower.", "RESOURCE_EXHAUSTED", 429), "rate_limited", "429"),
    (("gemini",), 429, [google("Slower.", "RESOURCE_EXHAUSTED", 429)], "rate_limited", "429"),
    (("anthropic",), 529, anthropic("Overloaded", "overloaded_error"), "overloaded", "overloaded_error"),
    (("gemini",), 503, google("Overloaded", "UNAVAILABLE", 503), "overloaded", "503"),
    (OPENAI, 503, openai("The engine is currently overloaded", "server_error"), "overloaded", "server_error"),
    (OPENAI, 503, openai("Loading model", "unavailable_error", 503), "overloaded", "503"),
    (OPENAI, 400, openai("Long.", "x", "context_length_exceeded"), "context_length_exceeded", "context_length_exceeded"),
    (OPENAI, 400, openai("This model's maximum context length is 10 tokens", "x", None), "context_length_exceeded", "x"),
    (OPENAI, 400, openai("Big.", "exceed_context_size_error", 400), "context_length_exceeded", "400"),
    (
        OPENAI,
        400,
        openai("Exceeded max context length", "invalid_request_error"),
        "context_length_exceeded",
        "invalid_request_error",
    ),
    (OPENAI, 400, openai("Long.", "too_many_prompt_tokens", 400), "context_length_exceeded", "400"),
    (OPENAI, 400, {"message": "TOO_MANY_TOKENS: too many tokens in prompt"}, "context_length_exceeded", None),
    (
        ("anthropic",),
        400,
        anthropic("prompt is too long: 9 tokens > 8 maximum", "invalid_request_error"),
        "context_length_exceeded",
        "invalid_request_error",
    ),
    (
        ("anthropic",),
        400,
        anthropic("input length and `max_tokens` exceed context limit: 9", "invalid_request_error"),
        "context_length_exceeded",
        "invalid_request_error",
    ),
    (
        ("gemini",),
        400,
        google("The input token count (9) exceeds the maximum number of tokens allowed (8).", "INVALID_ARGUMENT", 400),
        "context_length_exceeded",
        "400",
    ),
    (("anthropic",), 413, anthropic("Large.", "request_too_large"), "invalid_request", "request_too_large"),
    (OPENAI, 422, {"detail": [{"loc": ["body"], "msg": "Field required", "type": "missing"}]}, "invalid_request", None),
    (OPENAI, 400, openai("Filtered.", None, "content_filter", innererror={"code": "X"}), "content_filter", "content_filter"),
    (OPENAI, 400, openai("No.", "x", "content_policy_violation"), "content_filter", "content_policy_violation"),
    (OPENAI, 400, openai("No.", "x", "invalid_prompt"), "content_filter", "invalid_prompt"),
    (OPENAI, 403, openai("Flagged.", None, 403, metadata={"reasons": ["violence"]}), "content_filter", "403"),
    (("anthropic",), 500, anthropic("Oops.", "api_error"), "server_error", "api_error"),
    (("gemini",), 500, google("Oops.", "INTERNAL", 500), "server_error", "500"),
    (OPENAI, 500, openai("Oops.", "server_error"), "server_error", "server_error"),
    (("anthropic",), 504, anthropic("Slow.", "timeout_error"), "timeout", "timeout_error"),
    (("gemini",), 504, google("Slow.", "DEADLINE_EXCEEDED", 504), "timeout", "504"),
    (EVERY, 502, "<html><head><title>502 Bad Gateway</title></head></html>", "server_error", None),
    (EVERY, 504, "upstream request timeout", "timeout", None),
    (EVERY, 500, "", "server_error", None),
]
"""What vendors and their gateways say, and what it means."""

IN_STREAM: list[tuple[str, bytes, Any, str, str | None]] = [
    # Whose stream, how an error record begins, the error, the reason, and the vendor's word.
    ("openai-chat", b"data: ", openai("Oops.", "server_error"), "server_error", "server_error"),
    ("openai-chat", b"data: ", openai("Slower.", None, 429), "rate_limited", "429"),
    ("openai-chat", b"data: ", {"choices": [], **openai("Provider disconnected", None, 502)}, "server_error", "502"),
    (
        "openai-chat",
        b"event: error\ndata: ",
        openai("Bad call", "x", "tool_use_failed", status_code=400),
        "invalid_request",
        "tool_use_failed",
    ),
    ("openai-chat", b"error: ", {"code": 500, "message": "Oops.", "type": "server_error"}, "server_error", "500"),
    (
        "openai",
        b"event: error\ndata: ",
        {"type": "error", "code": "rate_limit_exceeded", "message": "Slower."},
        "rate_limited",
        "rate_limit_exceeded",
    ),
    ("openai", b"data: ", {"type": "error", **openai("Oops.", "server_error", "server_error")}, "server_error", "server_error"),
    *(
        ("openai", b"data: ", {"type": "response.failed", "response": {"error": {"code": code, "message": "No."}}}, reason, code)
        for code, reason in (
            ("server_error", "server_error"),
            ("rate_limit_exceeded", "rate_limited"),
            ("invalid_prompt", "content_filter"),
            ("bio_policy", "content_filter"),
            ("vector_store_timeout", "timeout"),
            ("image_content_policy_violation", "content_filter"),
        )
    ),
    *(
        ("anthropic", b"event: error\ndata: ", anthropic("No.", kind), reason, kind)
        for kind, reason in (
            ("invalid_request_error", "invalid_request"),
            ("authentication_error", "authentication_failed"),
            ("billing_error", "quota_exceeded"),
            ("permission_error", "permission_denied"),
            ("not_found_error", "not_found"),
            ("request_too_large", "invalid_request"),
            ("rate_limit_error", "rate_limited"),
            ("timeout_error", "timeout"),
            ("api_error", "server_error"),
            ("overloaded_error", "overloaded"),
        )
    ),
    ("gemini", b"data: ", google("Oops.", "INTERNAL", 500), "server_error", "500"),
    ("gemini", b"data: ", google("Overloaded", "UNAVAILABLE", 503), "overloaded", "503"),
    ("gemini", b"data: ", google("Slower.", "RESOURCE_EXHAUSTED", 429), "rate_limited", "429"),
    ("gemini", b"", google("Slow.", "DEADLINE_EXCEEDED", 504), "timeout", "504"),
]
"""Errors of streams that have begun, under a status of 200."""


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", EVERY)
def test_status_alone_tells_the_reason(name: str, status: int) -> None:
    """Where the vendor's word is new, the status decides; all facts of the answer are on the failure."""
    failure = failure_of(name, ErrorAnswer(status, PLAIN[name]("It went wrong.", "")))

    assert (failure.kind, failure.reason, failure.status) == ("AdapterError", STATUSES[status], status)
    assert (failure.provider_request_id, failure.request_id) == (IDS[name], "ours")
    assert failure.provider == BY_NAME[name].adapter().provider
    assert f"answered {status}: It went wrong." in failure.message


@pytest.mark.parametrize(("name", "status", "body", "reason", "code"), each(TOLD))
def test_refusal_has_its_reason(name: str, status: int, body: Any, reason: str, code: str | None) -> None:
    """What the vendor or its gateway says decides; its own word is the code."""
    answer = ErrorAnswer(status, body if isinstance(body, str) else json.dumps(body))

    failure = failure_of(name, answer)

    assert (failure.reason, failure.status, failure.code) == (reason, status, code)


@pytest.mark.parametrize(("name", "prefix", "error", "reason", "code"), IN_STREAM)
def test_error_in_a_stream_has_its_reason(name: str, prefix: bytes, error: Any, reason: str, code: str | None) -> None:
    """The text before it stays, and the status of the answer, a success, is not told as one."""
    events = events_of(name, broken(name, prefix, error))

    assert isinstance(terminal := events[-1], Error)
    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["Hel"]
    assert (terminal.failure.reason, terminal.failure.status, terminal.failure.code) == (reason, None, code)
