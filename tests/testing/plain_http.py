"""A client without opinions: it shows what came, byte for byte, and how it ended."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from allm_rx.testing.provider_server import ProviderServer

PATH = "/v1/chat/completions"
ASK: dict[str, Any] = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}


@dataclass
class Got:
    """An answer, and how its body ended."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ending: Literal["end", "close", "reset"]

    @property
    def records(self) -> list[bytes]:
        return self.body.split(b"\n\n")[:-1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """What the chunks of a chat completion say."""
        chunks = [json.loads(record[6:]) for record in self.records if record.startswith(b"data: {")]
        deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)


def post(server: ProviderServer, body: Mapping[str, Any] = ASK, *, path: str = PATH, trust: ssl.SSLContext | None = None) -> Got:
    """Send a request and read what comes."""
    host = server.url.partition("//")[2]
    if trust is None:
        connection = http.client.HTTPConnection(host, timeout=30)
    else:
        connection = http.client.HTTPSConnection(host, timeout=30, context=trust)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        pieces, ending = read(answer)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, headers, b"".join(pieces), ending)
    finally:
        connection.close()


def read(answer: http.client.HTTPResponse) -> tuple[list[bytes], Literal["end", "close", "reset"]]:
    pieces: list[bytes] = []
    try:
        while piece := answer.read1(65536):
            pieces.append(piece)
    except http.client.IncompleteRead as error:
        return [*pieces, error.partial], "close"
    except ConnectionResetError:
        return pieces, "reset"
    return pieces, "end"


def dial(server: ProviderServer, body: Mapping[str, Any] = ASK, *, headers: str = "", path: str = PATH) -> socket.socket:
    """Send a request on a bare socket, and read nothing."""
    host, port = server.url.partition("//")[2].split(":")
    opened = socket.create_connection((host, int(port)), timeout=30)
    data = json.dumps(body).encode()
    opened.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    return opened


def read_until(opened: socket.socket, mark: bytes) -> bytes:
    """Read from a bare socket until something came, or the end."""
    seen = b""
    while mark not in seen:
        piece = opened.recv(65536)
        if not piece:
            return seen
        seen += piece
    return seen


def read_all(server: ProviderServer) -> bytes:
    """Give all the bytes of an answer, HTTP's own included."""
    with dial(server, headers="Connection: close\r\n") as opened:
        pieces: list[bytes] = []
        while piece := opened.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)
