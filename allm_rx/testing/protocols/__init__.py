"""The seam between scripted answers and the protocols they are written in.

Rule 1: one protocol, one module of this folder, which has an instance of its class under the name `PROTOCOL`.
Rule 2: a protocol is pure; it turns an answer and a request into bytes, and knows no socket.
Rule 3: what it writes must satisfy the vendor's own client.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from allm_rx.testing.answers import Answer
    from allm_rx.testing.faults import Frame


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the server got it."""

    index: int
    """0 for the first one."""
    method: str
    path: str
    """Without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    """Looked up without regard to case. Keys are in here, so they are not shown."""
    body: dict[str, Any]
    """The parsed JSON; empty when the body is no JSON object."""
    raw: bytes = field(repr=False)
    connection: int
    """Which connection it came on, 0 for the first one."""
    at: float
    """When it was there whole, by `time.monotonic`."""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that the request offers to the model."""

    name: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is about, in no protocol's words."""

    text: str
    """What the user said last."""
    tools: tuple[OfferedTool, ...] = ()
    """What may be called."""
    results: tuple[str, ...] = ()
    """What tools gave back since."""


class ProviderProtocol(Protocol):
    """How a provider's API is spelled, seen from the provider."""

    @property
    def name(self) -> str:
        """What the API is called in engine names, such as `openai-chat`."""
        ...

    @property
    def base_path(self) -> str:
        """What follows the host in the `base_url` that clients of this API are given."""
        ...

    def serves(self, path: str, /) -> bool:
        """Tell whether requests to a path are in this protocol."""
        ...

    def streams(self, request: Received, /) -> bool:
        """Tell whether a stream is asked for."""
        ...

    def asked(self, request: Received, /) -> Asked:
        """Read what a request is about."""
        ...

    def headers(self, request: Received, /) -> Mapping[str, str]:
        """Give what heads every answer, such as the provider's id of the request."""
        ...

    def frames(self, answer: Answer, request: Received, /) -> Iterator[Frame]:
        """Write an answer as a stream."""
        ...

    def whole(self, answer: Answer, request: Received, /) -> bytes:
        """Write an answer as one JSON body."""
        ...

    def text_record(self, text: str, request: Received, /) -> bytes:
        """Write a record that carries some more text."""
        ...

    def error_record(self, message: str, /) -> bytes:
        """Write the record that reports an error inside a stream."""
        ...

    def error_body(self, status: int, message: str | None, /) -> bytes:
        """Write the JSON body that comes with an error status; without a message, what the provider usually says."""
        ...


@cache
def protocols() -> tuple[ProviderProtocol, ...]:
    """Give one of every protocol in this folder."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__, f"{__name__}."))
    return tuple(cast("ProviderProtocol", importlib.import_module(name).PROTOCOL) for name in names)
