"""Refusals of OpenAI and of everything that speaks its protocols."""

import json
from typing import Any

import pytest

from allm_rx.adapters.openai.errors import openai_failure
from allm_rx.data.failures import Failure
from allm_rx.wire.failures import ErrorAnswer
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.redaction import printable, redact


def failure(status: int | None, body: Any, **headers: str) -> Failure:
    data, text = (None, body) if isinstance(body, str) else (body, json.dumps(body))
    head = None if status is None else ResponseHead(status, {name.replace("_", "-"): value for name, value in headers.items()})
    return openai_failure(ErrorAnswer("lake", status, data, text, head, lambda said: printable(redact(said), 2000)))


def openai(message: str, kind: str | None = None, code: str | int | None = None, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        # OpenAI
        (401, openai("Incorrect API key provided", "invalid_request_error", "invalid_api_key"), "authentication_failed"),
        (403, openai("Country not supported", "request_forbidden", "unsupported_country_region_territory"), "permission_denied"),
        (404, openai("The model does not exist", "invalid_request_error", "model_not_found"), "not_found"),
        (400, openai("The model does not exist", "invalid_request_error", "model_not_found"), "not_found"),
        (429, openai("Rate limit reached", "requests", "rate_limit_exceeded"), "rate_limited"),
        (429, openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), "quota_exceeded"),
        (400, openai("Too long", "invalid_request_error", "context_length_exceeded"), "context_length_exceeded"),
        (400, openai("Use 'max_completion_tokens'", "invalid_request_error", "unsupported_parameter"), "invalid_request"),
        (400, openai("Rejected by safety", "invalid_request_error", "content_policy_violation"), "content_filter"),
        (500, openai("We had an error", "server_error"), "server_error"),
        (503, openai("The engine is currently overloaded", "server_error"), "overloaded"),
        (503, openai("Slow down", "server_error", "slow_down"), "overloaded"),
        # Azure
        (400, openai("The response was filtered", None, "content_filter", innererror={"code": "X"}), "content_filter"),
        (400, openai("Filtered", None, "x", innererror={"code": "ResponsibleAIPolicyViolation"}), "content_filter"),
        (401, openai("Access denied", None, "401"), "authentication_failed"),
        (429, {"error": {"code": "RateLimitReached", "message": "m", "details": "d"}}, "rate_limited"),
        (404, openai("No such deployment", None, "DeploymentNotFound"), "not_found"),
        # xAI
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided."}, "authentication_failed"),
        (400, {"code": "x", "error": "This model's maximum prompt length is 10"}, "context_length_exceeded"),
        # Mistral
        (401, {"detail": "Invalid API Key"}, "authentication_failed"),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]}, "invalid_request"),
        (400, {"object": "error", "message": "bad", "type": "invalid_request_error", "code": None}, "invalid_request"),
        (429, {"object": "error", "message": "m", "type": "service_tier_capacity_exceeded"}, "overloaded"),
        # vLLM
        (400, {"object": "error", "message": "maximum context length is 10", "code": 400}, "context_length_exceeded"),
        (404, {"object": "error", "message": "no model", "type": "NotFoundError", "code": 404}, "not_found"),
        # llama.cpp
        (400, openai("too large", "exceed_context_size_error", 400, n_ctx=10), "context_length_exceeded"),
        (503, openai("Loading model", "unavailable_error", 503), "overloaded"),
        # Ollama
        (401, openai("Unauthorized", "api_error"), "authentication_failed"),
        (404, {"error": "model 'x' not found"}, "not_found"),
        (400, openai("prompt too long; exceeded max context length", "invalid_request_error"), "context_length_exceeded"),
        # OpenRouter
        (402, openai("This request requires more credits", None, 402), "quota_exceeded"),
        (403, openai("flagged", None, 403, metadata={"reasons": ["violence"]}), "content_filter"),
        # Perplexity, DeepSeek, Groq, Moonshot, Qwen
        (400, openai("too long", "too_many_prompt_tokens", 400), "context_length_exceeded"),
        (402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), "quota_exceeded"),
        (413, openai("Request too large on tokens per minute", "tokens", "rate_limit_exceeded"), "rate_limited"),
        (413, openai("Request too large", "invalid_request_error", "request_too_large"), "invalid_request"),
        (498, openai("Flex tier capacity exceeded"), "overloaded"),
        (429, openai("m", "engine_overloaded_error"), "overloaded"),
        (400, openai("m", "data_inspection_failed", "data_inspection_failed"), "content_filter"),
        # Cohere, Bedrock, Google
        (400, {"message": "TOO_MANY_TOKENS: too many tokens in prompt"}, "context_length_exceeded"),
        (400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}], "authentication_failed"),
        (429, [{"error": {"code": 429, "message": "check your quota", "status": "RESOURCE_EXHAUSTED"}}], "rate_limited"),
        # Proxies
        (502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "server_error"),
        (524, "", "server_error"),
        (504, "upstream request timeout", "timeout"),
        (408, None, "timeout"),
        (405, "Method Not Allowed", "invalid_request"),
        (409, {}, "invalid_request"),
        (307, "", "unknown"),
    ],
)
def test_refusal_has_its_reason(status: int, body: Any, reason: str) -> None:
    """A status and a body of any shape give the reason that says who has to act."""
    assert (failure(status, body).reason, failure(status, body).status) == (reason, status)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (openai("The server had an error", "server_error"), "server_error"),
        (openai("Tool choice is required", "invalid_request_error", "tool_use_failed", status_code=400), "invalid_request"),
        (openai("m", None, 429), "rate_limited"),
        (openai("m", None, "503"), "overloaded"),
        (openai("failed to decode, try again, increasing context size or reducing parallel"), "server_error"),
        (openai("The model is overloaded"), "overloaded"),
        (openai("m", "invalid_request_error"), "invalid_request"),
        ({"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}}, "overloaded"),
    ],
)
def test_error_in_a_stream_has_its_reason(body: Any, reason: str) -> None:
    """Inside a stream type and code stand in for the status, which is not told as one."""
    assert (failure(None, body).reason, failure(None, body).status) == (reason, None)


def test_message_says_what_and_what_to_do() -> None:
    """Who answered what, in its words, and the next step."""
    assert failure(404, openai("The model `x` does not exist", None, "model_not_found")).message == (
        "lake answered 404: The model `x` does not exist. Check the model's name and `base_url`."
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html><head><title>502 Bad Gateway</title></head></html>", "lake answered 502: 502 Bad Gateway."),
        ("<h1>Down</h1><script>x</script>", "lake answered 502: Down."),
        ("gone fishing\n", "lake answered 502: gone fishing."),
        ("", "lake answered 502 without an explanation."),
        ({"error": {"code": 1}}, 'lake answered 502: {"error": {"code": 1}}.'),
        (
            {"detail": [{"loc": ["body", 0], "msg": "bad"}, {"loc": ["b"], "msg": "worse"}]},
            "lake answered 502: body.0: bad; b: worse.",
        ),
        ({"error": "Bad Gateway", "message": "no route"}, "lake answered 502: Bad Gateway: no route."),
        ({"errors": [{"message": "first"}]}, "lake answered 502: first."),
    ],
)
def test_message_is_found_in_any_shape(body: Any, said: str) -> None:
    """JSON, pages, plain text and nothing at all."""
    assert failure(502, body).message == f"{said} Try again."


TOO_LONG = {"message": "prompt is too long: 9 tokens > 8 maximum"}


@pytest.mark.parametrize("raw", [TOO_LONG, json.dumps({"error": TOO_LONG}), "prompt is too long"])
def test_gateway_passes_the_cause_on(raw: Any) -> None:
    """What the provider behind a gateway said decides, as JSON, as text of JSON or as text."""
    body = openai("Provider returned error", None, 400, metadata={"provider_name": "House", "raw": raw})

    told = failure(400, body)

    assert told.reason == "context_length_exceeded"
    assert "Provider returned error: prompt is too long" in told.message
    assert told.details["upstream"] == "House"


def test_word_of_the_provider_is_the_code() -> None:
    """The code if there is one, else the type; numbers as text."""
    assert failure(400, openai("m", "kind", "word")).code == "word"
    assert failure(400, openai("m", "kind", 400)).code == "400"
    assert failure(400, openai("m", "kind")).code == "kind"
    assert failure(400, {"detail": "m"}).code is None


def test_details_tell_what_is_known() -> None:
    """Type, parameter, the model's failed call, and the server's verdict on a retry."""
    body = openai("m", "invalid_request_error", "c", failed_generation="<f>")
    body["error"]["param"] = "messages"

    assert failure(400, body, x_should_retry="false").details == {
        "type": "invalid_request_error",
        "should_retry": False,
        "param": "messages",
        "failed_generation": "<f>",
    }


USED_UP = {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "1m30s"}


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry_after": "7"}, "m", 7.0),
        ({"retry_after_ms": "0", "retry_after": "1"}, "m", 1.0),
        ({"retry_after_ms": "250"}, "m", 0.25),
        ({}, "Please try again in 6m0.5s.", 360.5),
        ({"retry_after": "7"}, "Please try again in 20s.", 7.0),
        (
            {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "1m30s", "x_ratelimit_reset_requests": "2h"},
            "m",
            90.0,
        ),
        ({}, "m", None),
    ],
)
def test_wait_is_found(headers: dict[str, str], message: str, seconds: float | None) -> None:
    """The header first, then the text, then the limits that are used up."""
    assert failure(429, openai(message), **headers).retry_after == seconds


def test_ids_are_kept() -> None:
    """The id for a question to the provider's support, from the head or the body."""
    assert failure(500, openai("m"), x_request_id="req_9").provider_request_id == "req_9"
    assert failure(500, {**openai("m"), "request_id": "b-9"}).provider_request_id == "b-9"


def test_error_type_of_bedrock_is_a_header() -> None:
    """What the body does not say, a header may."""
    told = failure(400, {"message": "m"}, x_amzn_errortype="ThrottlingException:http://x/")

    assert told.reason == "rate_limited"


def test_nothing_secret_is_shown() -> None:
    """Keys that a provider repeats are taken out of every field."""
    secret = "sk-lake-0123456789"
    body = openai(
        f"bad {secret}", secret, secret, failed_generation=secret, metadata={"provider_name": secret, "reasons": [secret]}
    )

    assert secret not in failure(400, body).model_dump_json()
