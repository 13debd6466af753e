"""The other end of an adapter under test, and ways to ask it something."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import pytest
from reactivex import operators as ops

from allm_rx.abc.adapter import Call
from allm_rx.data.events import Event, TextDelta
from allm_rx.data.messages import user
from allm_rx.data.requests import Request
from allm_rx.execution.calls import stream_generate
from allm_rx.operators.run import run
from allm_rx.reducers.response import ResponseFold
from allm_rx.runtime.engine import Engine
from allm_rx.runtime.host import HOST
from allm_rx.testing.assertions import assert_grammar, assert_no_leaks
from allm_rx.testing.conformance.recording import Recording
from allm_rx.testing.provider_server import ProviderServer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from reactivex import Observable

    from allm_rx.abc.adapter import Adapter
    from allm_rx.data.responses import Response
    from allm_rx.testing.answers import Answer, AnyAnswer
    from allm_rx.testing.faults import Fault

T = TypeVar("T")

KEY = "5d1f0c93be-conformance"
"""The key that adapters under test are given; nothing about it looks like a key, so only who knows it can hide it."""

PATIENCE = 30.0
"""Seconds until something that should have happened counts as not happening; far more than a busy machine needs."""


class Provider(Protocol):
    """The other end, as far as tests ask for it."""

    @property
    def adapter(self) -> Adapter:
        """The adapter under test, pointed at this end."""
        ...

    @property
    def asked(self) -> int:
        """How many requests came."""
        ...

    @property
    def left(self) -> int:
        """How many requests were left before their answer was whole."""
        ...

    def wait_asked(self, count: int = 1, /) -> None:
        """Return when so many requests came."""
        ...

    def wait_left(self, count: int = 1, /) -> None:
        """Return when so many requests were left."""
        ...


class ServedProvider:
    """A provider server, as the other end."""

    def __init__(self, server: ProviderServer, adapter: Adapter) -> None:
        """Join a running server with the adapter that is pointed at it."""
        self.server = server
        self.adapter = adapter

    @property
    def asked(self) -> int:
        """How many requests came; see `Provider`."""
        return len(self.server.requests)

    @property
    def left(self) -> int:
        """How many connections were closed while their answer was under way; see `Provider`."""
        return sum(closed.request is not None for closed in self.server.closed_by_client)

    def wait_asked(self, count: int = 1, /) -> None:
        """Return when so many requests came; see `Provider`."""
        self.server.wait_requests(count, PATIENCE)

    def wait_left(self, count: int = 1, /) -> None:
        """Return when the server saw so many connections closed; see `Provider`."""
        self.server.wait_until(lambda _: self.left >= count, PATIENCE)


class Subject:
    """What is under test, and how it is asked; the base of all suites."""

    protocol: ClassVar[str] = ""
    """What the provider server calls the protocol that the adapter speaks, such as `openai-chat`."""
    model: ClassVar[str] = "test-model"
    """A model name that the adapter accepts."""

    def adapter(self, base_url: str, api_key: str) -> Adapter:
        """Make the adapter; to be given by the subclass.

        Args:
            base_url: where the provider is; the adapter takes it as the vendor's own package would.
            api_key: the key to send.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `adapter(base_url, api_key)`: define it.")

    @contextmanager
    def answering(self, *answers: AnyAnswer, faults: Sequence[Fault] = ()) -> Generator[Provider]:
        """Give a provider that gives one answer to everything, or several answers in turn.

        The default serves them on loopback; a suite for an adapter without a wire replaces this.
        """
        with ProviderServer(answers[0] if len(answers) == 1 else list(answers), faults=faults) as server:
            yield ServedProvider(server, self.adapter(server.base_url(self.protocol), KEY))

    @pytest.fixture(autouse=True)
    def nothing_left_behind(self) -> Iterator[None]:
        """Hold every test to leaving no thread, task or socket."""
        with assert_no_leaks(patience=PATIENCE):
            yield

    def recorded(self, answer: Answer) -> Recording:
        """Ask for an answer on loopback, and give what the server wrote."""
        with ProviderServer(answer) as server:
            adapter = self.adapter(server.base_url(self.protocol), KEY)
            everything(adapter.stream(self.request(), Call(host=HOST, request_id="r")))
            (request,) = server.requests
        return Recording(self.protocol, answer, request)

    def request(self) -> Request:
        """Give a plain question."""
        return Request(messages=(user("Say something."),), model=self.model)

    def engine(self, provider: Provider, **fields: Any) -> Engine:
        """Give an engine that tries once, so that what fails is told as it came."""
        return Engine(adapter=provider.adapter, model=self.model, retry=False, **fields)

    def stream(self, provider: Provider, **options: Any) -> Observable[Event]:
        """Give a question to the provider, not asked yet."""
        return stream_generate(self.engine(provider), "Say something.", **options)

    def events(self, provider: Provider, **options: Any) -> list[Event]:
        """Ask, wait for the whole answer, and hold it to the grammar."""
        found = everything(self.stream(provider, **options))
        assert_grammar(found)
        return found


def everything(stream: Observable[T]) -> list[T]:
    """Wait for all of a stream, without a loop of one's own."""
    return run(stream.pipe(ops.to_list()), timeout=PATIENCE)


def response_of(events: Iterable[Event]) -> Response:
    """Give what events add up to."""
    fold = ResponseFold()
    for event in events:
        fold.apply(event)
    return fold.response()


def text_of(events: Iterable[Event]) -> str:
    """Give what the pieces of text add up to."""
    return "".join(event.delta for event in events if isinstance(event, TextDelta))
