"""A middlebox that others wrote: nginx, started for as long as the tests need it, as strange as they need it.

Rule 1: nothing of the system's own nginx is used but the program: configuration, folder and ports are the test's.
Rule 2: it is given sockets that listen already, as when it replaces itself: no other program can take a port meanwhile, and
connections are accepted from the first moment on.
"""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trustme

from tests.needed import need

PROGRAM = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]))

DOORS = ("http", "https", "another host", "expired")
"""Ways in: without TLS; with a certificate for this host, with one for another, and with one that is no longer valid."""

_MAIN = """
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;

    # What streams want; a way may undo any of it.
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;

    {servers}
}}
"""

_SERVER = """
    server {{
        listen {address} {tls};
        include {folder}/ways;
    }}
"""

_TLS = "ssl; ssl_certificate {folder}/{door}.pem; ssl_certificate_key {folder}/{door}.pem"

_FIXED = """
location = /count { stub_status; }
location = /sorry {
    internal;
    default_type text/html;
    return 200 "<html><head><title>Sorry</title></head><body>Back soon.</body></html>";
}
"""

_WAY = """
location ~ ^/{name}/(?<port>\\d+)(?<rest>/.*)$ {{
    {directives}
    proxy_pass http://127.0.0.1:$port$rest$is_args$args;
}}
"""


class Middlebox:
    """It stands between a client and whatever listens on a port of this machine."""

    def __init__(self, addresses: Mapping[str, str], trust: ssl.SSLContext) -> None:
        self.trust = trust
        """What knows who vouches for its certificates."""
        self._addresses = addresses
        self._asked = 0

    def through(self, way: str, url: str, door: str = "http") -> str:
        """Give the URL that leads to another by a way.

        Args:
            way: one of those it was started with.
            url: the other, on this machine.
            door: one of the `DOORS`; or `https, unasked`, which comes to a door of TLS without it.
        """
        place = url.removeprefix("http://127.0.0.1:")
        scheme = "http" if door in ("http", "https, unasked") else "https"
        return f"{scheme}://{self._addresses[door.partition(',')[0]]}/{way}/{place}"

    @property
    def requests(self) -> int:
        """How many requests it has seen, these questions aside."""
        self._asked += 1
        return int(self._status()[9]) - self._asked

    @property
    def connections(self) -> int:
        """How many connections are open, that of this question aside."""
        self._asked += 1
        return int(self._status()[2]) - 1

    def _status(self) -> list[str]:
        connection = http.client.HTTPConnection(self._addresses["http"], timeout=30)
        try:
            connection.request("GET", "/count", headers={"Connection": "close"})
            return connection.getresponse().read().decode().split()
        finally:
            connection.close()


@contextmanager
def middlebox(ways: Mapping[str, str], folder: Path) -> Generator[Middlebox]:
    """Start it, with ways to whatever is behind it, each named and with directives of its own.

    Skips the test where there is no nginx.

    Raises:
        AssertionError: it does not start, or dies; the message says what it says.
    """
    need("" if PROGRAM else "there is no nginx")
    authority: Any = trustme.CA()
    _write_certificates(authority, folder)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    (folder / "ways").write_text(_FIXED + "".join(_WAY.format(name=name, directives=ways[name]) for name in ways), "utf-8")
    with ExitStack() as opened:
        sockets = {door: opened.enter_context(socket.create_server(("127.0.0.1", 0))) for door in DOORS}
        addresses = {door: "{}:{}".format(*listening.getsockname()) for door, listening in sockets.items()}
        (folder / "main").write_text(_configuration(addresses, folder), "utf-8")
        numbers = [listening.fileno() for listening in sockets.values()]
        process = subprocess.Popen(
            [str(PROGRAM), "-p", folder, "-c", folder / "main", "-e", folder / "error.log"],
            pass_fds=numbers,
            env={"NGINX": "".join(f"{number};" for number in numbers)},
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        opened.close()  # now only it listens, so that it refuses when it is dead
        try:
            yield Middlebox(addresses, trust)
        finally:
            process.terminate()
            _, said = process.communicate()
        assert (process.returncode, said) == (0, ""), (folder / "error.log").read_text("utf-8")


def _configuration(addresses: Mapping[str, str], folder: Path) -> str:
    servers = ""
    for door, address in addresses.items():
        tls = "" if door == "http" else _TLS.format(folder=folder, door=door.replace(" ", "-"))
        servers += _SERVER.format(address=address, tls=tls, folder=folder)
    # Otherwise it would give up the rights of root, and with them those to its own folder.
    return _MAIN.format(user="user root;" if os.name == "posix" and os.geteuid() == 0 else "", folder=folder, servers=servers)


def _write_certificates(authority: Any, folder: Path) -> None:
    past = {"not_before": datetime(2020, 1, 1, tzinfo=UTC), "not_after": datetime(2020, 1, 2, tzinfo=UTC)}
    certificates = {
        "https": authority.issue_cert("127.0.0.1"),
        "another-host": authority.issue_cert("api.example.com"),
        "expired": authority.issue_cert("127.0.0.1", **past),
    }
    for name, certificate in certificates.items():
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
