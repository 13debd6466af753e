"""Where a key may go: to the address that was configured, over TLS that was verified, and nowhere else."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from allm_rx import Engine, stream_generate
from allm_rx.data.events import Error
from allm_rx.data.failures import Failure
from allm_rx.errors import AllmError
from allm_rx.testing.answers import Answer
from allm_rx.testing.faults import Redirect
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.loopback import Authority, everything
from tests.security.secrets import KEY

NAMES = [provider.name for provider in PROVIDERS]
SPLITS = ["a\r\nx-evil: 1", "a\nx-evil: 1", "a\rx-evil: 1", "a\r\n\r\nGET /evil HTTP/1.1\r\n\r\n", "a\x00b"]


def failure_of(protocol: str, base_url: str, **adapter: Any) -> Failure:
    """Ask, and give why that failed; what is refused before it is sent counts too."""
    try:
        made = BY_NAME[protocol].adapter(base_url=base_url, **{"api_key": KEY, **adapter})
        last = everything(stream_generate(Engine(adapter=made, model="m", retry=False), "Hi"))[-1]
    except AllmError as error:
        return Failure.of(error)
    assert isinstance(last, Error), f"it ended with {last}"
    return last.failure


@contextmanager
def proxy() -> Generator[tuple[str, list[bytes]]]:
    """Listen as a proxy that refuses whatever it is asked, and keep what it was sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                heard.append(client.recv(65_536))
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        thread.join()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("protocol", NAMES)
def test_no_redirect_is_followed(protocol: str, status: int) -> None:
    """The other host gets no request, so no key; not even on the same machine."""
    with ProviderServer(Answer("Hi")) as other:
        target = f"{other.base_url(protocol)}/elsewhere"
        with ProviderServer(Answer("Hi"), faults=[Redirect(target, status)]) as server:
            failure = failure_of(protocol, server.base_url(protocol))

            assert (len(server.requests), len(other.requests), other.connections.opened) == (1, 0, 0)
    assert (failure.reason, failure.status) == ("not_found", status)


@pytest.mark.parametrize("protocol", NAMES)
def test_tls_is_verified_unless_it_is_turned_off(protocol: str) -> None:
    """A certificate that nobody vouches for gets no request; `ssl=False` is the only way around."""
    with ProviderServer(Answer("Hi"), ssl=Authority().server()) as server:
        failure = failure_of(protocol, server.base_url(protocol))

        assert (failure.reason, len(server.requests)) == ("network_error", 0)
        assert "TLS certificate" in failure.message


@pytest.mark.parametrize("protocol", NAMES)
def test_a_certificate_is_for_its_host_only(protocol: str) -> None:
    """One that is trusted, but another host's, gets no request."""
    authority = Authority()
    theirs, ours = authority.server("example.org"), authority.trusted()
    with ProviderServer(Answer("Hi"), ssl=theirs) as server:
        failure = failure_of(protocol, server.base_url(protocol), transport=AiohttpTransport(ssl=ours))

        assert (failure.reason, len(server.requests)) == ("network_error", 0)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("protocol", NAMES)
def test_a_proxy_of_the_environment_sees_no_key(protocol: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For `https:` it is asked for a tunnel to the host, and told nothing else."""
    with proxy() as (url, heard):
        monkeypatch.setenv(name, url)
        failure = failure_of(protocol, "https://provider.invalid/v1")

    assert heard[0].startswith(b"CONNECT provider.invalid:443 HTTP/1.1\r\n")
    assert KEY.encode() not in heard[0]
    assert failure.kind == "AdapterError"


@pytest.mark.parametrize("protocol", NAMES)
def test_the_password_of_a_proxy_is_not_told(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that cannot be reached is an error without its credentials."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{KEY}@127.0.0.1:9")

    failure = failure_of(protocol, "https://provider.invalid/v1", api_key="another-key")

    assert KEY not in repr(failure)


@pytest.mark.parametrize("protocol", NAMES)
def test_a_netrc_file_is_left_alone(protocol: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials for the host in `.netrc` are not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # the environment is looked at
    with ProviderServer(Answer("Hi")) as server:
        made = BY_NAME[protocol].adapter(base_url=server.base_url(protocol), api_key=KEY)
        everything(stream_generate(Engine(adapter=made, model="m", retry=False), "Hi"))

        values = list(server.requests[0].headers.values())
    assert [value for value in values if value.startswith("Basic")] == []
    assert any(KEY in value for value in values)


@pytest.mark.parametrize("value", SPLITS)
@pytest.mark.parametrize("where", ["key", "header value", "header name"])
@pytest.mark.parametrize("protocol", NAMES)
def test_no_header_can_be_slipped_in(protocol: str, where: str, value: str) -> None:
    """A line break in a key or a header sends nothing, and the key is not told."""
    given: dict[str, Any] = {
        "key": {"api_key": KEY + value},
        "header value": {"headers": {"x-note": value}},
        "header name": {"headers": {value: "x"}},
    }[where]
    with ProviderServer(Answer("Hi")) as server:
        failure = failure_of(protocol, server.base_url(protocol), **given)

        assert len(server.requests) == 0
    assert failure.kind in ("AdapterError", "ValidationError", "EngineError")
    assert KEY not in repr(failure)
