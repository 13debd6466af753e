"""What cannot be reached, in words that say what to do."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from reactivex import operators as ops

from allm_rx.errors import AdapterError, AllmError, StreamError
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import ResetBeforeHead, refused
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from allm_rx.transport.failures import unreachable
from allm_rx.wire.http import WireRequest

URL = "https://api.example.com/v1/messages?key=sk-secret-123456789"


def failure_at(url: str, *, connect_timeout: float | None = None) -> AllmError:
    """Ask at a URL, and give how that failed."""

    async def main() -> AllmError:
        stream = AiohttpTransport().open(WireRequest("POST", url, {}, b"{}", connect_timeout))
        try:
            await stream.pipe(ops.to_list())
        except AllmError as error:
            return error
        raise AssertionError("it was answered")

    return asyncio.run(main())


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_refused_connection() -> None:
    """Nobody listens: the address is named, and the question whether the server runs."""
    with refused() as url:
        error = failure_at(f"{url}/v1")

    assert isinstance(error, AdapterError)
    assert error.reason == "network_error"
    assert error.message == f"Nothing answers at {url} (Connection refused): is the server running? Check `base_url`."
    assert "should_retry" not in error.details


def test_an_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name nobody knows: the host is named, without the rest of the URL."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    error = failure_at("https://api.exmaple.com/v1?key=secret")

    assert error.reason == "network_error"
    assert error.message == "The host 'api.exmaple.com' is unknown: check `base_url` and the network."


def test_a_connection_that_takes_too_long(silent: str) -> None:
    """Connecting includes TLS: a server that never greets is given up on, with the limit and its name."""
    error = failure_at(f"https://{silent}/v1", connect_timeout=0.05)

    assert error.reason == "timeout"
    assert error.message.startswith(f"Connecting to https://{silent} took over 0.05 s: raise `timeouts.connect`")
    assert (error.details["timeout"], error.details["seconds"]) == ("connect", 0.05)


def test_a_connection_that_is_reset_before_the_answer() -> None:
    """A server that hangs up without a word: sending again is the advice."""
    with ProviderServer(Answer("Hi"), faults=[ResetBeforeHead()]) as server:
        error = failure_at(f"{server.base_url('openai-chat')}/chat/completions")

    assert error.reason == "network_error"
    assert "closed the connection before it answered" in error.message


def test_a_server_that_speaks_no_tls() -> None:
    """`https:` where `http:` is meant does not look like a certificate that lacks an authority only."""
    with ProviderServer(Answer("Hi")) as server:
        error = failure_at(server.base_url("openai-chat").replace("http:", "https:"))

    assert error.reason == "network_error"
    assert "check `base_url`" in error.message


@pytest.mark.parametrize("url", ["not a url", "ftp://example.com/v1", "http://"])
def test_an_address_that_is_none(url: str) -> None:
    """A `base_url` with a typo is told as such, and is not tried again."""
    error = failure_at(url)

    assert error.reason == "network_error"
    assert "check `base_url`" in error.message
    assert error.details["should_retry"] is False


def test_a_header_that_cannot_be_sent() -> None:
    """A line end inside a header is refused before the request goes out, without showing its value."""
    with ProviderServer(Answer("Hi")) as server:

        async def main() -> None:
            request = WireRequest("POST", server.url, {"authorization": "Bearer sk-half\n-and-half"}, b"{}")
            await AiohttpTransport().open(request)

        with pytest.raises(AdapterError, match="check `base_url` and `headers`") as caught:
            asyncio.run(main())

        assert "half" not in repr(caught.value)
        assert server.requests == ()


def test_a_break_after_the_head_is_another_error() -> None:
    """Once the answer began, it is incomplete; a retry would pay twice, so it is no `network_error`."""
    error = unreachable(aiohttp.ClientPayloadError("cut"), WireRequest("POST", URL), head_seen=True)

    assert isinstance(error, StreamError)
    assert error.reason == "stream_interrupted"


@pytest.mark.parametrize("head_seen", [True, False])
@pytest.mark.parametrize(
    "raised",
    [
        aiohttp.ClientOSError(104, f"reset while reading {URL}"),
        aiohttp.ServerDisconnectedError(f"at {URL}"),
        aiohttp.InvalidURL(URL),
        ValueError(f"bad header: Bearer sk-secret-123456789 at {URL}"),
        TimeoutError(URL),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_no_key_is_in_any_of_them(raised: Exception, *, head_seen: bool) -> None:
    """Whatever aiohttp says, neither the query nor a key is repeated."""
    error = unreachable(raised, WireRequest("POST", URL), head_seen=head_seen)

    assert "sk-secret" not in f"{error!r} {error} {error.details}"
