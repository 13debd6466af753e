"""Claims about failures: each is one event that says who has to act, with all the provider said that helps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from allm_rx.data.events import Error, MessageCompleted
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.conformance.provider import KEY, ServedProvider, Subject, text_of
from allm_rx.testing.faults import ErrorBody, ErrorFrame, Garbage, HtmlPage, Redirect, ResetBeforeHead, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allm_rx.data.failures import Failure
    from allm_rx.testing.answers import AnyAnswer
    from allm_rx.testing.conformance.provider import Provider
    from allm_rx.testing.faults import Fault

REASONS = {
    400: "invalid_request",
    401: "authentication_failed",
    403: "permission_denied",
    404: "not_found",
    429: "rate_limited",
    500: "server_error",
    503: "overloaded",
    529: "overloaded",
}

_NOW = datetime(2025, 6, 15, 12, 0, 0, tzinfo=UTC)

WAITS: dict[str, tuple[dict[str, str], float]] = {
    "seconds": ({"Retry-After": "7"}, 7.0),
    "fraction": ({"Retry-After": "0.5"}, 0.5),
    "milliseconds": ({"retry-after-ms": "1500"}, 1.5),
    "milliseconds first": ({"retry-after-ms": "1500", "Retry-After": "7"}, 1.5),
    "date": (
        {
            "Date": format_datetime(_NOW, usegmt=True),
            "Retry-After": format_datetime(_NOW + timedelta(seconds=90), usegmt=True),
        },
        90.0,
    ),
    "date in the past": (
        {
            "Date": format_datetime(_NOW, usegmt=True),
            "Retry-After": format_datetime(_NOW - timedelta(seconds=90), usegmt=True),
        },
        0.0,
    ),
}
"""Each way to say how long to wait, and the seconds it means."""


class FailureConformance(Subject):
    """Errors of provider, account and network are mapped, and arrive in band."""

    @pytest.mark.parametrize("status", REASONS)
    def test_each_status_has_its_reason(self, status: int) -> None:
        """The status, the reason it stands for, the provider and our request id, in one failure."""
        with self.answering(ErrorAnswer(status)) as provider:
            failure = self._failure(provider, request_id="request-1")

        assert (failure.kind, failure.reason, failure.status) == ("AdapterError", REASONS[status], status)
        assert (failure.provider, failure.request_id) == (provider.adapter.provider, "request-1")
        assert str(status) in failure.message

    @pytest.mark.parametrize("spelling", WAITS)
    def test_each_spelling_of_a_wait(self, spelling: str) -> None:
        """Seconds, milliseconds and dates all become seconds."""
        headers, seconds = WAITS[spelling]
        with self.answering(ErrorAnswer(429, headers=headers)) as provider:
            failure = self._failure(provider)

        assert failure.retry_after == seconds

    def test_what_the_provider_said_is_told(self) -> None:
        """Its own words are in the message; its id of the request is beside them where it gives one."""
        with self.answering(ErrorAnswer(400, headers={"x-request-id": "theirs-7"})) as provider:
            failure = self._failure(provider)

        assert failure.provider_request_id is not None
        assert len(failure.message) > len("400")

    def test_a_page_of_a_proxy_is_not_quoted_as_markup(self) -> None:
        """A gateway's HTML with an error status is that error, in readable words."""
        failure = self._failure_with(HtmlPage(502))

        assert (failure.reason, failure.status) == ("server_error", 502)
        assert "<" not in failure.message
        assert "Bad Gateway" in failure.message

    def test_a_page_in_place_of_an_answer_is_malformed(self) -> None:
        """HTML with a success is what a wrong address gives; it is no empty answer."""
        failure = self._failure_with(HtmlPage(200))

        assert (failure.kind, failure.reason) == ("AdapterError", "malformed_response")

    def test_a_redirect_is_not_followed_and_says_so(self) -> None:
        """The key goes to no other host; the message names where it would have gone, and what to do."""
        with self.answering(Answer("Hi")) as other:
            assert isinstance(other, ServedProvider)
            failure = self._failure_with(Redirect(f"{other.server.url}/elsewhere?token=x"))

            assert other.asked == 0
        assert failure.status == 307
        assert "not followed" in failure.message
        assert other.server.url in failure.message
        assert "token" not in failure.message

    def test_an_error_that_comes_with_a_success(self) -> None:
        """A body that is the provider's error is one, whatever the status says."""
        failure = self._failure_with(ErrorBody("The server had an error."))

        assert failure.kind == "AdapterError"
        assert "The server had an error." in failure.message

    def test_an_error_inside_a_stream_keeps_the_text_before_it(self) -> None:
        """A provider that fails in mid-answer is told after what it said."""
        answer = Answer(chunks=["Hel", "lo"])
        with self.answering(answer, faults=[ErrorFrame(after=self.recorded(answer).records, message="It broke.")]) as provider:
            events = self.events(provider)

        assert text_of(events) == "Hello"
        assert not any(isinstance(event, MessageCompleted) for event in events)
        assert isinstance(events[-1], Error)
        assert (events[-1].failure.kind, "It broke." in events[-1].failure.message) == ("AdapterError", True)

    def test_a_record_that_is_no_json_is_malformed(self) -> None:
        """It is told with its beginning, after the text that came."""
        answer = Answer(chunks=["Hel", "lo"])
        with self.answering(answer, faults=[Garbage(at=self.recorded(answer).records)]) as provider:
            events = self.events(provider)

        assert text_of(events) == "Hello"
        assert isinstance(events[-1], Error)
        assert (events[-1].failure.kind, events[-1].failure.reason) == ("AdapterError", "malformed_response")
        assert "{not json" in events[-1].failure.message

    def test_a_refused_connection(self) -> None:
        """A server that does not run is named with its address."""
        with refused() as url:
            provider = _Unreachable(self.adapter(f"{url}/v1", KEY))
            failure = self._failure(provider)

        assert (failure.kind, failure.reason, failure.status) == ("AdapterError", "network_error", None)
        assert url in failure.message
        assert failure.provider == provider.adapter.provider

    def test_a_connection_that_is_reset_before_the_answer(self) -> None:
        """A server that hangs up is a failure of the network."""
        assert self._failure_with(ResetBeforeHead()).reason == "network_error"

    def _failure(self, provider: Provider, **options: Any) -> Failure:
        """Ask, and give why that failed."""
        last = self.events(provider, **options)[-1]
        assert isinstance(last, Error), f"it ended with {last}"
        return last.failure

    def _failure_with(self, *faults: Fault, answers: Sequence[AnyAnswer] = (Answer("Hello."),)) -> Failure:
        """Ask a provider with faults, and give why that failed."""
        with self.answering(*answers, faults=faults) as provider:
            return self._failure(provider)


class _Unreachable:
    """The other end when there is none."""

    asked = 0
    left = 0

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter

    def wait_asked(self, count: int = 1, /) -> None:
        raise NotImplementedError

    def wait_left(self, count: int = 1, /) -> None:
        raise NotImplementedError
