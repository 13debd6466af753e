"""One cell of the matrix: a provider with one fault, a way to deal with it, and what came of it, in one line."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from reactivex import Observable
from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.events import Event
from allm_rx.data.policies import RetryPolicy, Timeouts
from allm_rx.execution.calls import stream_generate
from allm_rx.reducers.response import ResponseFold
from allm_rx.runtime.engine import Engine
from allm_rx.testing.answers import Answer
from allm_rx.testing.assertions import assert_grammar, assert_no_leaks
from allm_rx.testing.faults import Cut, Fault, Frame, Plan, refused
from allm_rx.testing.provider_server import ProviderServer
from tests.adapters.providers import BY_NAME
from tests.faults.rows import Mode
from tests.loopback import KEY, PATIENCE, Authority

PIECES = ("Hel", "lo ", "you")

HALF = {"anthropic": 4, "gemini": 2, "openai": 6, "openai-chat": 3}
"""Records until "Hello " has been said."""

KEPT: dict[str, list[str | None]] = {
    "anthropic": [None, None, None, "Hel", "Hello ", "Hello you", "Hello you", "Hello you", "="],
    "gemini": [None, "Hel", "Hello ", "Hello you", "="],
    "openai": [None, None, None, None, None, "Hel", "Hello ", "Hello you", "Hello you", "Hello you", "Hello you", "="],
    "openai-chat": [None, None, "Hel", "Hello ", "Hello you", "=", "=", "="],
}
"""What so many records say, from none: None is no output yet, "=" the whole answer."""

AUTHORITY = Authority()

# A provider that asks for a second is not waited for: that it would have been is told by the failure that comes at once.
_TWICE = RetryPolicy(max_attempts=2, base_delay=0, max_delay=0.5, jitter=0)
_POLICIES: dict[Mode, RetryPolicy | Literal[False]] = {
    "off": False,
    "retry": _TWICE,
    "restart": _TWICE.model_copy(update={"restart": True}),
    "fallback": False,
    "fallback, restart": False,
}


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with the first attempt, or with all."""

    faults: tuple[Fault, ...] = ()
    timeouts: Timeouts | None = None
    where: Literal["answer", "port", "certificate"] = "answer"
    """Faults of an answer are those of the first request only; a closed port and a certificate stay what they are."""
    record_limit: int | None = None


def outcome(protocol: str, trouble: Trouble, mode: Mode) -> str:
    """Ask a troubled provider, and give in one line what came; nothing is left behind."""
    # The other provider heals whatever the first one's trouble is.
    with assert_no_leaks(), ProviderServer(Answer(chunks=PIECES)) as other, _provider(protocol, trouble) as (url, server):
        limit: dict[str, Any] = {"record_limit": trouble.record_limit} if trouble.record_limit else {}
        stream = asking(protocol, url, mode, timeouts=trouble.timeouts, **limit)
        events = answered(stream, asking(protocol, other.base_url(protocol)), mode)
        return line(events, len(server.requests), len(other.requests))


def asking(
    protocol: str, url: str, mode: Mode = "off", *, question: str = "Hi", timeouts: Timeouts | None = None, **adapter: Any
) -> Observable[Event]:
    """Ask at a URL, as often as the way to deal with trouble allows."""
    provider = BY_NAME[protocol]
    made = provider.adapter(base_url=url, api_key=KEY, **adapter)
    return stream_generate(Engine(adapter=made, model=provider.model, retry=_POLICIES[mode], timeouts=timeouts), question)


def answered(stream: Observable[Event], another: Observable[Event], mode: Mode) -> list[Event]:
    """Wait for all that comes, from another provider if the way to deal with trouble is to ask one."""
    if mode.startswith("fallback"):
        stream = stream.pipe(lx.fallback(another, restart=mode.endswith("restart")))
    return lx.run(stream.pipe(ops.to_list()), timeout=PATIENCE)


def line(events: list[Event], requests: int, others: int) -> str:
    """Write down what came.

    Finish reason or failure (and which timeout); text kept; requests that the troubled provider saw; restarts, and requests
    that another saw, where there are any.

    Raises:
        AssertionError: the events break the grammar.
    """
    assert_grammar(events)
    fold = ResponseFold()
    for event in events:
        fold.apply(event)
    response = fold.response()
    words = [response.finish_reason or "None"]
    if response.error is not None:
        words = [response.error.reason]
        if "timeout" in response.error.details:
            words.append(str(response.error.details["timeout"]))
    words += [repr(_shortened(response.output_text)), f"x{requests}"]
    if restarts := sum(event.type == "message_restarted" for event in events):
        words.append(f"restarts {restarts}")
    if others:
        words.append(f"other x{others}")
    return " ".join(words)


@dataclass(frozen=True)
class CutBehind:
    """The connection is reset behind so many records, or closed."""

    after: int
    how: Literal["close", "reset"] = "reset"

    def apply(self, plan: Plan, /) -> Plan:
        """Cut at the end of a record; see `Fault`."""
        frames = tuple(plan.frames)
        sent = sum(len(frame.data) for frame in frames[: self.after])
        return Cut(sent, self.how).apply(replace(plan, frames=frames))


def record_count(protocol: str) -> int:
    """Give how many records the answer here has."""
    frames: list[Frame] = []

    class Counting:
        def apply(self, plan: Plan, /) -> Plan:
            frames.extend(plan.frames)
            return replace(plan, frames=frames)

    outcome(protocol, Trouble((Counting(),)), "off")
    return len(frames)


@contextmanager
def _provider(protocol: str, trouble: Trouble) -> Generator[tuple[str, ProviderServer]]:
    script = [Answer(chunks=PIECES, faults=trouble.faults), Answer(chunks=PIECES)]
    tls = AUTHORITY.server() if trouble.where == "certificate" else None
    with ProviderServer(script, ssl=tls) as server, refused() as nowhere:
        url = server.base_url(protocol)
        yield (url.replace(server.url, nowhere) if trouble.where == "port" else url), server


def _shortened(text: str) -> str:
    """Write what a fault says without end as what it is made of."""
    if " and so on" in text:
        return f"{text.partition(' and so on')[0]} and so on..."
    count = text.count("x")
    return text.replace("x" * count, f"x*{count}") if count > 1 else text
