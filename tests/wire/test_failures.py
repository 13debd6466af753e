"""What errors of any provider say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.errors import AdapterError
from allm_rx.wire.failure_words import ADVICE
from allm_rx.wire.failures import ErrorAnswer, complaint, failure, reason_for, reason_for_status, seconds_in, wait_in

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "status", "detail", "details", "loc"]), inner)
    ),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1.5s", 1.5),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        ("2 minutes", 120.0),
        ("1 day", 86400.0),
        ("soon", None),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    """All units that providers write, put together."""
    assert seconds_in(text) == pytest.approx(seconds)


def test_what_is_no_duration_is_none() -> None:
    """A word is no number."""
    assert seconds_in("soon") is None


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 20s. Visit our site.", 20.0),
        ("Please retry in 48.939935699s.", 48.939935699),
        ("Please retry after 10 seconds.", 10.0),
        ("Please try again in 250ms.", 0.25),
        ("failed, try again, increasing context size", None),
        ("Retry 3 times", None),
    ],
)
def test_wait_is_read_from_a_message(message: str, seconds: float | None) -> None:
    """A duration counts only where the message asks to wait for it."""
    assert wait_in(message) == seconds


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "authentication_failed"), (418, "invalid_request"), (599, "server_error"), (529, "overloaded"), (302, "unknown")],
)
def test_every_status_has_a_reason(status: int, reason: str) -> None:
    """Known statuses have their own, others that of their class."""
    assert reason_for_status(status) == reason


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens.",
        "prompt is too long: 9 tokens > 8 maximum",
        "input length and `max_tokens` exceed context limit: 9 + 1 > 8",
        "The input token count (9) exceeds the maximum number of tokens allowed (8).",
        "the request exceeds the available context size, try increasing it",
        "Your input exceeds the context window of this model.",
        "Range of input length should be [1, 98304]",
        "Input Tokens Exceeded",
        "Please reduce the length of the messages or completion.",
        "Your request exceeded model token limit: 262144",
    ],
)
def test_prompt_that_is_too_long_is_recognised_by_its_message(message: str) -> None:
    """Where there is no word for it, the sentence tells."""
    assert reason_for(400, complaint({"message": message})) == "context_length_exceeded"


def test_telling_word_beats_the_status() -> None:
    """A word that names one cause counts under any status."""
    assert reason_for(500, complaint({"error": {"code": "insufficient_quota"}})) == "quota_exceeded"


def test_status_beats_a_general_word() -> None:
    """A word that is used for everything says nothing."""
    assert reason_for(401, complaint({"error": {"type": "api_error"}})) == "authentication_failed"


def test_reason_of_a_typed_detail_counts() -> None:
    """Google names the cause in a list of details."""
    body = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "m", "details": [{"reason": "API_KEY_INVALID"}]}}

    assert reason_for(400, complaint(body)) == "authentication_failed"


def test_message_deep_inside_is_found_and_bottomless_ones_are_not_followed() -> None:
    """Errors are wrapped, but not for ever."""
    wrapped: Any = {"detail": {"error": {"message": "the cause"}}}
    bottomless: Any = "x"
    for _ in range(200):
        bottomless = {"error": bottomless}

    assert complaint(wrapped).message == "the cause"
    assert complaint(bottomless).message == ""


@given(JSON, st.none() | st.integers(300, 599))
def test_any_json_is_a_failure_of_ours(data: Any, status: int | None) -> None:
    """Whatever a server says, the failure has a reason of the closed list, advice, and an exact JSON form."""
    told = failure(ErrorAnswer("lake", status, data, "", None, lambda text: text), complaint(data))

    assert told.reason in AdapterError.reasons
    assert told.message.endswith(ADVICE[told.reason])  # type: ignore[index]
    assert type(told).model_validate_json(told.model_dump_json()) == told
