"""Which proxy the environment names for a URL."""

import asyncio
import os
from pathlib import Path

import pytest

from allm_rx.testing.answers import Recording
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.transport.aiohttp_client import AiohttpTransport
from allm_rx.transport.proxies import proxy_for
from tests.loopback import KEY, ask

HTTPS = "https://api.example.com/v1/messages"
HTTP = "http://api.example.com:8080/v1/messages"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine has."""
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def test_without_a_proxy_the_connection_is_direct() -> None:
    """An environment that names none means none."""
    assert proxy_for(HTTPS) is None


@pytest.mark.parametrize(
    ("name", "url", "proxied"),
    [
        ("HTTPS_PROXY", HTTPS, True),
        ("https_proxy", HTTPS, True),
        ("HTTPS_PROXY", HTTP, False),
        ("http_proxy", HTTP, True),
        ("http_proxy", HTTPS, False),
        ("ALL_PROXY", HTTPS, True),
        ("all_proxy", HTTP, True),
    ],
)
def test_each_variable_is_for_its_scheme(monkeypatch: pytest.MonkeyPatch, name: str, url: str, *, proxied: bool) -> None:
    """`HTTPS_PROXY` is for https, `HTTP_PROXY` for http, `ALL_PROXY` for both; case does not matter."""
    monkeypatch.setenv(name, "http://proxy.example:3128")

    assert proxy_for(url) == ("http://proxy.example:3128" if proxied else None)


def test_the_scheme_of_its_own_wins_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALL_PROXY` is only for what no other variable names."""
    monkeypatch.setenv("ALL_PROXY", "http://all.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://https.example")

    assert proxy_for(HTTPS) == "http://https.example"


@pytest.mark.parametrize(
    ("excepted", "proxied"),
    [
        ("api.example.com", False),
        (".example.com", False),
        ("example.com", False),
        ("localhost, api.example.com:443", True),
        ("other.com", True),
        ("*", False),
    ],
)
def test_hosts_can_be_excepted(monkeypatch: pytest.MonkeyPatch, excepted: str, *, proxied: bool) -> None:
    """`NO_PROXY` names hosts and domains that are reached directly."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", excepted)

    assert (proxy_for(HTTPS) is not None) == proxied


def test_a_user_name_in_the_url_does_not_hide_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host alone decides whether it is excepted."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", "api.example.com")

    assert proxy_for("https://user:word@api.example.com/v1") is None


def test_a_request_goes_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy that a variable names gets the request, key included, for the host it is for."""
    with ProviderServer(Recording(b"data: 1\n\n")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        request = ask(proxy, url="http://provider.invalid/v1/chat/completions")

        async def main() -> None:
            await AiohttpTransport().open(request)

        asyncio.run(main())

        assert [received.headers["Host"] for received in proxy.requests] == ["provider.invalid"]


def test_a_netrc_file_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file with passwords for the host neither replaces the key nor makes the request fail."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with ProviderServer(Recording(b"data: 1\n\n")) as server:

        async def main() -> None:
            await AiohttpTransport().open(ask(server))

        asyncio.run(main())

        assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
