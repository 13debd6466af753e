"""What a server saw: requests, connections, disconnects, bytes; written on its thread, read and awaited from any.

Rule 1: whoever waits is woken by what happened; a clock is looked at only where time itself is waited for.
Rule 2: a disconnect is the client's when the server did nothing to bring it about.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from allm_rx.testing.protocols import Received


class Connections(NamedTuple):
    """How many connections there were and are."""

    opened: int
    """Since the server started."""
    open: int
    """Now."""


class Disconnect(NamedTuple):
    """A connection that the client closed."""

    at: float
    """When the server saw it, by `time.monotonic`."""
    connection: int
    """Which connection, 0 for the first one."""
    request: int | None
    """The request whose answer was still under way; None when the connection was idle."""


@dataclass(slots=True)
class Connection:
    """One connection, as far as the server has to remember it."""

    number: int
    request: int | None = None
    """The request that is being answered."""
    ours: bool = False
    """Whether the server ends it."""


class Ledger:
    """The book that the server keeps."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Received] = []
        self._disconnects: list[Disconnect] = []
        self._opened = 0
        self._open = 0
        self._answering = 0
        self._bytes = 0
        self._blocked: dict[object, float] = {}

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests in the order they came."""
        with self._changed:
            return tuple(self._requests)

    @property
    def disconnects(self) -> tuple[Disconnect, ...]:
        """The disconnects by clients in the order they were seen."""
        with self._changed:
            return tuple(self._disconnects)

    @property
    def connections(self) -> Connections:
        """How many connections there were and are."""
        with self._changed:
            return Connections(self._opened, self._open)

    @property
    def answering(self) -> int:
        """How many answers are under way."""
        return self._answering

    @property
    def bytes_sent(self) -> int:
        """Bytes of bodies that were handed to the system or wait in the server's own small buffers."""
        return self._bytes

    @property
    def blocked(self) -> float:
        """Seconds since a client began to hold back the write that it holds back longest; 0 when none does."""
        with self._changed:
            return max((time.monotonic() - since for since in self._blocked.values()), default=0.0)

    def wait(self, happened: Callable[[], bool], timeout: float, what: str) -> None:
        """Return when `happened` gives true, asked again at every change.

        Raises:
            TimeoutError: it did not within `timeout` seconds; the message says what was there instead.
        """
        with self._changed:
            if not self._changed.wait_for(happened, timeout):
                raise self._timeout(timeout, what)

    def wait_blocked(self, seconds: float, timeout: float) -> None:
        """Return when a client has held back a write for so many seconds.

        Raises:
            TimeoutError: none has within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while (blocked := self.blocked) == 0 or blocked < seconds:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._timeout(timeout, f"a write held back for {seconds} s")
                self._changed.wait(min(left, seconds - blocked) if blocked else left)

    def opened(self) -> Connection:
        """Note a new connection."""
        with self._changed:
            connection = Connection(self._opened)
            self._opened += 1
            self._open += 1
            self._changed.notify_all()
        return connection

    def lost(self, connection: Connection) -> None:
        """Note that a connection is gone."""
        now = time.monotonic()
        with self._changed:
            self._open -= 1
            if not connection.ours:
                self._disconnects.append(Disconnect(now, connection.number, connection.request))
            self._changed.notify_all()

    def received(self, make: Callable[[int], Received]) -> Received:
        """Note a request, made with its number."""
        with self._changed:
            request = make(len(self._requests))
            self._requests.append(request)
            self._changed.notify_all()
        return request

    def sent(self, count: int) -> None:
        """Note bytes of a body."""
        with self._changed:
            self._bytes += count
            self._changed.notify_all()

    @contextmanager
    def answer(self) -> Generator[None]:
        """Note that an answer is under way."""
        with self._changed:
            self._answering += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    @contextmanager
    def blocking(self) -> Generator[None]:
        """Note that a write waits for the client."""
        key = object()
        with self._changed:
            self._blocked[key] = time.monotonic()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                del self._blocked[key]
                self._changed.notify_all()

    def _timeout(self, seconds: float, what: str) -> TimeoutError:
        return TimeoutError(
            f"The provider server did not see {what} within {seconds} s: it saw {len(self._requests)} requests, "
            f"{len(self._disconnects)} disconnects, {self._open} of {self._opened} connections open, {self._bytes} bytes sent."
        )
