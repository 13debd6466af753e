"""Engines in front of a provider server, requests for bare transports, and programs of their own."""

import asyncio
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import reactivex as rx
import trustme
from pydantic import SecretStr
from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.adapters.openai.chat_completions.adapter import OpenAIChat
from allm_rx.data.events import Event
from allm_rx.runtime.engine import Engine
from allm_rx.testing.provider_server import ProviderServer
from allm_rx.wire.http import WireRequest

T = TypeVar("T")

KEY = "sk-loopback-4f1c9a27d3"
ROOT = Path(__file__).resolve().parent.parent

PATIENCE = 30.0
"""Seconds until something that should have happened counts as not happening; far more than a busy machine needs."""


def an_engine(server: ProviderServer, *, timeouts: Any = None, retry: Any = False, **adapter: Any) -> Engine:
    """An engine whose provider is the server; it tries once, so that a failure is told as it came."""
    chat = OpenAIChat(base_url=server.base_url("openai-chat"), api_key=KEY, **adapter)
    return Engine(adapter=chat, model="m", retry=retry, timeouts=timeouts)


def ask(server: ProviderServer, *, url: str | None = None, connect_timeout: float | None = None) -> WireRequest:
    """A streamed question, for a transport without an adapter."""
    return WireRequest(
        "POST",
        url or f"{server.base_url('openai-chat')}/chat/completions",
        {"content-type": "application/json", "authorization": SecretStr(f"Bearer {KEY}")},
        b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}',
        connect_timeout,
    )


def everything(stream: rx.Observable[T]) -> list[T]:
    """Wait for all of a stream, without a loop of one's own."""
    return lx.run(stream.pipe(ops.to_list()), timeout=PATIENCE)


def text_of(events: list[Event]) -> str:
    """What the pieces of text add up to."""
    return "".join(event.delta for event in events if event.type == "text_delta")


async def until(happened: Callable[[], object]) -> None:
    """Let everything else on this loop have its turn until something happened; the test's time limit ends it otherwise."""
    while not happened():  # noqa: ASYNC110 - what is waited for is no event
        await asyncio.sleep(0)  # noqa: TID251 - no time passes, only turns


class Authority:
    """Vouches for servers on loopback, for those who trust it."""

    def __init__(self) -> None:
        self._ca: Any = trustme.CA()

    def server(self, host: str = "127.0.0.1") -> ssl.SSLContext:
        """What a server identifies itself with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host).configure_cert(context)
        return context

    def trusted(self) -> ssl.SSLContext:
        """What a client trusts it with."""
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context


class Seen:
    """A subscriber that remembers, and can be waited for from any thread."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.error: Exception | None = None
        self.completed = False
        self._changed = threading.Condition()

    def on_next(self, item: Any) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def on_error(self, error: Exception) -> None:
        with self._changed:
            self.error = error
            self._changed.notify_all()

    def on_completed(self) -> None:
        with self._changed:
            self.completed = True
            self._changed.notify_all()

    @property
    def types(self) -> list[str]:
        return [item.type for item in self.items]

    def wait(self, happened: Callable[["Seen"], object]) -> None:
        """Return when `happened`, given this subscriber, is true."""
        with self._changed:
            assert self._changed.wait_for(lambda: happened(self), PATIENCE), f"it saw only {self.items} {self.error}"

    def wait_text(self) -> None:
        """Return in mid-answer."""
        self.wait(lambda seen: "text_delta" in seen.types)

    def wait_end(self) -> None:
        """Return when there was a terminal."""
        self.wait(lambda seen: seen.completed or seen.error)


def program(source: str, *arguments: str, strict: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run a program of its own to its end; a strict one makes every warning visible."""
    flags = ["-X", "dev", "-W", "error"] if strict else []
    command = [sys.executable, *flags, "-c", textwrap.dedent(source), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
