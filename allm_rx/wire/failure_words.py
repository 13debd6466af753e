"""The words of providers' errors, and which reason of ours each stands for; see `failures` for how they are weighed.

Rule 1: `TELLING` words name one cause and mean it under any status; `GENERAL` ones are used under many.
Rule 2: a phrase counts only under the statuses of its row: None is an error inside a stream.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allm_rx.errors import AdapterReason


def _table(rows: dict[AdapterReason, str]) -> dict[str, AdapterReason]:
    return {word: reason for reason, words in rows.items() for word in words.split()}


TELLING: dict[str, AdapterReason] = _table(
    {
        "authentication_failed": """
            api_key_invalid authentication_error authenticationerror invalid_api_key invalid_authentication
            invalid_authentication_error invalid_iam_token unauthenticated unauthorized
            """,
        "permission_denied": """
            access_denied accessdenied forbidden permission_denied permission_error permissiondenied
            unsupported_country_region_territory
            """,
        "quota_exceeded": """
            arrearage billing_error billing_hard_limit_reached billing_not_active exceeded_current_quota_error
            insufficient_balance insufficient_credits insufficient_quota insufficient_user_quota payment_required
            """,
        "not_found": """
            deploymentnotfound model_not_found modelnotfound not_found not_found_error notfound notfounderror
            resource_not_found_error unknown_model
            """,
        "rate_limited": """
            rate_limit rate_limit_error rate_limit_exceeded rate_limit_reached_error rate_limited ratelimiterror
            ratelimitreached resource_exhausted throttling throttling.allocationquota throttling.ratequota
            throttlingexception too_many_requests toomanyrequests
            """,
        "overloaded": """
            capacity_exceeded engine_overloaded engine_overloaded_error model_overloaded overloaded overloaded_error
            service_tier_capacity_exceeded service_unavailable service_unavailable_error serviceunavailable slow_down
            unavailable unavailable_error
            """,
        "context_length_exceeded": """
            context_length_exceeded context_window_exceeded contextwindowexceedederror exceed_context_size_error
            model_context_window_exceeded prompt_too_long tokens_limit_reached too_many_prompt_tokens too_many_tokens
            """,
        "content_filter": """
            bio_policy content_filter content_filtered content_policy_violation contentfilter cyber_policy
            data_inspection_failed datainspectionfailed image_content_policy_violation invalid_prompt
            moderation_blocked responsibleaipolicyviolation
            """,
        "timeout": """
            deadline_exceeded gateway_timeout request_timeout timeout timeout_error vector_store_timeout
            """,
    }
)

GENERAL: dict[str, AdapterReason] = _table(
    {
        "invalid_request": """
            bad_request badrequesterror failed_precondition invalid_argument invalid_request invalid_request_error
            json_validate_failed out_of_range request_too_large tool_use_failed unprocessable_entity validation_error
            """,
        "server_error": """
            api_error internal internal_error internal_server_error internalservererror server_error
            """,
    }
)

STATUSES: dict[int, AdapterReason] = {
    401: "authentication_failed",
    402: "quota_exceeded",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    429: "rate_limited",
    451: "permission_denied",
    498: "overloaded",  # Groq: no capacity in the flex tier
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

# A status of 500 is among them, because gateways pass a client's mistake on as a failure of theirs.
_REFUSED = frozenset({None, 400, 413, 422, 500})

Phrase = tuple[re.Pattern[str], frozenset[int | None], "AdapterReason"]


def _phrase(reason: AdapterReason, statuses: frozenset[int | None], pattern: str) -> Phrase:
    return re.compile(pattern, re.IGNORECASE), statuses, reason


PHRASES: tuple[Phrase, ...] = (
    _phrase(
        "context_length_exceeded",
        _REFUSED,
        r"maximum (?:context|prompt|input) length|exceed\w* (?:\w+ ){0,4}context (?:length|window|size|limit)"
        r"|context (?:length|window|size) (?:\w+ ){0,4}exceed|prompt (?:is )?too long|prompt exceeds max length"
        r"|input is too long|input length should be|input tokens? exceeded|input token count .{0,40}exceeds"
        r"|exceeded model token limit|too many tokens in (?:the )?(?:prompt|input)|context overflow"
        r"|reduce the length of (?:the |your )?(?:messages|prompt|input)|tokens .{0,20}must be <=",
    ),
    _phrase(
        "authentication_failed",
        frozenset({None, 400, 403}),
        r"(?:incorrect|invalid|malformed|no valid|expired) api[ _-]?key|api[ _-]?key (?:is )?(?:not valid|invalid|expired)"
        r"|missing authentication|unregistered callers",
    ),
    _phrase(
        "quota_exceeded",
        frozenset({None, 400, 403, 429}),
        r"insufficient (?:account )?(?:balance|credit|funds|quota)|requires more credits|credit balance is too low"
        r"|(?:doesn't|does not|don't) have any credits",
    ),
    _phrase("content_filter", frozenset({None, 400, 403}), r"content management policy|input was flagged"),
    _phrase("rate_limited", frozenset({None, 413, 500}), r"rate.?limit|too many requests"),
    _phrase(
        "overloaded",
        frozenset({None, 500}),
        r"overloaded|(?:at|over|no) capacity|loading model|model is loading",
    ),
    _phrase("timeout", frozenset({None, 500}), r"timed out|deadline exceeded"),
)
"""Pattern, the statuses under which it counts, and its reason; the first that fits is taken."""

ADVICE: dict[AdapterReason, str] = {
    "authentication_failed": "Check the API key, and that it belongs to this `base_url`.",
    "permission_denied": "Ask for access, or use another model or key.",
    "quota_exceeded": "Check the account's plan and billing; waiting does not help.",
    "not_found": "Check the model's name and `base_url`.",
    "rate_limited": "Wait before the next request, or send fewer.",
    "overloaded": "Try again later.",
    "invalid_request": "Change the request.",
    "context_length_exceeded": "Shorten the messages, or use a model with a larger context.",
    "content_filter": "Change the content that was refused.",
    "timeout": "Try again.",
    "server_error": "Try again.",
    "unknown": "Check `base_url`.",
}
"""What the caller can do about each reason."""
