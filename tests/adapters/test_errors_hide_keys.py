"""No text of a failure holds the key, however a server echoes it."""

from typing import Any

import pytest

from allm_rx.data.failures import Failure
from allm_rx.testing.answers import ErrorAnswer, Recording
from tests.adapters.error_answers import EVERY, PLAIN, broken, failure_of
from tests.adapters.providers import PROVIDERS, Provider

KEY = "harbour-master-77"
"""No shape gives this key away; only its value does."""


def echoing(name: str) -> dict[str, Any]:
    """Give an error that repeats the key wherever there is room for it."""
    body = PLAIN[name](f"The key {KEY} is wrong, said {KEY}.", KEY)
    return {**body, "request_id": KEY, "error": {**body["error"], "code": KEY, "param": KEY}}


def told(failure: Failure) -> str:
    """Give everything that a failure may be shown as."""
    exception = failure.exception()
    return f"{failure!r} {failure.model_dump_json()} {exception} {exception!r} {exception.details}"


@pytest.mark.parametrize("name", EVERY)
def test_refusal_never_repeats_the_key(name: str) -> None:
    """A server that echoes the key in its refusal, head and body, does not get it into our failure."""
    answer = ErrorAnswer(401, echoing(name), headers={"x-request-id": KEY, "request-id": KEY, "cf-ray": KEY})

    assert KEY not in told(failure_of(name, answer, api_key=KEY))


@pytest.mark.parametrize("name", EVERY)
def test_page_never_repeats_the_key(name: str) -> None:
    """Nor does a proxy that shows the request it got."""
    assert KEY not in told(failure_of(name, ErrorAnswer(502, f"<html><title>You sent {KEY}</title></html>"), api_key=KEY))


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_error_in_a_stream_never_repeats_the_key(provider: Provider) -> None:
    """Nor does a stream that breaks off with it, be it in an error or in a record that is no JSON."""
    error = {"type": "error", **echoing(provider.name)} if provider.name != "gemini" else echoing(provider.name)
    nonsense = Recording(broken(provider.name, b"data: ", {}).body + f"data: {{{KEY}\n\n".encode())

    assert KEY not in told(failure_of(provider.name, broken(provider.name, b"data: ", error), api_key=KEY))
    assert KEY not in told(failure_of(provider.name, nonsense, api_key=KEY))
