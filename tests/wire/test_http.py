from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from allm_rx.wire.http import ResponseHead, WireRequest

NINE = 1_760_000_400.0  # Thu, 09 Oct 2025 09:00:00 GMT


def test_a_request_shows_neither_keys_nor_prompt() -> None:
    """The repr tells where it goes and how large it is, and nothing that is private."""
    request = WireRequest(
        "POST",
        "https://host/v1/chat?key=xyz&alt=sse",
        {
            "Authorization": SecretStr("Bearer xyz"),
            "X-Api-Key": "xyz",
            "cookie": "session=xyz",
            "x-note": "uses sk-proj-xyz",
            "accept": "text/event-stream",
        },
        b'{"prompt": "private"}',
        connect_timeout=2.5,
    )

    assert repr(request) == (
        "WireRequest(POST https://host/v1/chat?key=[REDACTED]&alt=sse, "
        "headers={'Authorization': '**********', 'X-Api-Key': '**********', 'cookie': '**********', "
        "'x-note': 'uses [REDACTED]', 'accept': 'text/event-stream'}, body=<21 bytes>, connect_timeout=2.5)"
    )


def test_a_request_may_be_short() -> None:
    """Method and URL are enough."""
    request = WireRequest("GET", "https://host/v1/models")

    assert (request.headers, request.body, request.connect_timeout) == ({}, b"", None)
    assert repr(request) == "WireRequest(GET https://host/v1/models, headers={}, body=<0 bytes>)"


def test_the_transport_gets_the_keys() -> None:
    """Only when asked, headers come in clear."""
    request = WireRequest("GET", "https://host", MappingProxyType({"x-api-key": SecretStr("xyz"), "accept": "*/*"}))

    assert request.plain_headers() == {"x-api-key": "xyz", "accept": "*/*"}


def test_header_names_are_lower_case() -> None:
    """A header is found however the server wrote it."""
    assert ResponseHead(200, {"X-Request-ID": "R1", "date": "now"}).headers == {"x-request-id": "R1", "date": "now"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/event-stream", "text/event-stream"),
        ("Text/Event-Stream; charset=utf-8", "text/event-stream"),
        (" application/json ;x=y", "application/json"),
        ("", ""),
    ],
)
def test_the_content_type_is_the_media_type(header: str, expected: str) -> None:
    """Parameters and case do not matter."""
    assert ResponseHead(200, {"Content-Type": header}).content_type == expected


def test_a_content_type_may_be_absent() -> None:
    """A server that does not say gives an empty type."""
    assert ResponseHead(200, {}).content_type == ""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250.5", "retry-after": "9"}, 0.2505),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"Retry-After": "20"}, 20.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 3 "}, 3.0),
        ({"retry-after": "Thu, 09 Oct 2025 09:00:30 GMT"}, 30.0),
        ({"retry-after": "Thursday, 09-Oct-25 09:00:30 GMT"}, 30.0),
        ({"retry-after": "Thu Oct  9 09:00:30 2025"}, 30.0),
        ({"retry-after": "Thu, 09 Oct 2025 08:00:00 GMT"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Thu, 99 Oct 2025 08:00:00 GMT"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_the_server_says_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds unless zero, then seconds, then a date; nonsense is no answer."""
    assert ResponseHead(429, headers).retry_after(NINE) == seconds


def test_a_date_is_read_by_the_clock_that_wrote_it() -> None:
    """A server whose clock is wrong still asks for half a minute."""
    headers = {"date": "Thu, 01 Jan 1998 00:00:00 GMT", "retry-after": "Thu, 01 Jan 1998 00:00:30 GMT"}

    assert ResponseHead(429, headers).retry_after() == 30.0


def test_a_date_without_any_clock_is_read_by_ours() -> None:
    """A date that has passed means no wait."""
    assert ResponseHead(429, {"retry-after": "Thu, 01 Jan 1998 00:00:30 GMT"}).retry_after() == 0.0


@given(st.text())
def test_no_header_makes_waiting_raise(text: str) -> None:
    """Whatever a server sends, the answer is a duration or none."""
    seconds = ResponseHead(429, {"retry-after-ms": text, "retry-after": text, "date": text}).retry_after()

    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({"x-should-retry": "true"}, True),
        ({"X-Should-Retry": "False"}, False),
        ({"x-should-retry": "maybe"}, None),
        ({}, None),
    ],
)
def test_the_server_may_decide_about_retries(headers: dict[str, str], verdict: bool | None) -> None:
    """Its word is true, false or nothing."""
    assert ResponseHead(500, headers).should_retry is verdict


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"x-request-id": "a", "request-id": "b", "cf-ray": "c"}, "a"),
        ({"cf-ray": "c", "request-id": "b"}, "b"),
        ({"apim-request-id": "a", "x-ds-trace-id": "b"}, "a"),
        ({"x-ds-trace-id": "a", "mistral-correlation-id": "b"}, "a"),
        ({"mistral-correlation-id": "a", "x-generation-id": "b"}, "a"),
        ({"x-generation-id": "a", "x-amzn-RequestId": "b"}, "a"),
        ({"x-amzn-RequestId": "a", "CF-RAY": "b"}, "a"),
        ({"CF-RAY": "a"}, "a"),
        ({"x-request-id": "", "cf-ray": "a"}, "a"),
        ({"date": "now"}, None),
    ],
)
def test_an_answer_has_an_id_for_support(headers: dict[str, str], request_id: str | None) -> None:
    """The provider's own id wins over the one of what stands in front of it."""
    assert ResponseHead(200, headers).request_id == request_id
