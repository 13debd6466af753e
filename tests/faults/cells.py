"""One cell of the matrix: a provider with one fault, a way to deal with it, and what came of it, in one line."""

from collections.abc import Callable, Generator
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
from tests.loopback import KEY, PATIENCE, Authority

Mode = Literal["off", "retry", "restart", "fallback", "fallback, restart"]
MODES: tuple[Mode, ...] = ("off", "retry", "restart", "fallback", "fallback, restart")

PIECES = ("Hel", "lo ", "you")
AUTHORITY = Authority()

_TWICE = RetryPolicy(max_attempts=2, base_delay=0, jitter=0)
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


def outcome(protocol: str, trouble: Trouble, mode: Mode) -> str:
    """Ask a troubled provider, and give in one line what came.

    Finish reason or failure; text kept; requests that the troubled provider saw; restarts, and requests that another saw,
    where there are any. The stream has obeyed the grammar, and left nothing behind.
    """
    # The other provider heals whatever the first one's trouble is.
    with assert_no_leaks(), ProviderServer(Answer(chunks=PIECES)) as other, _provider(protocol, trouble) as (url, server):
        engine = _engine(protocol, url, retry=_POLICIES[mode], timeouts=trouble.timeouts)
        stream: Observable[Event] = stream_generate(engine, "Hi")
        if mode.startswith("fallback"):
            second = _engine(protocol, other.base_url(protocol), retry=False, timeouts=None)
            stream = stream.pipe(lx.fallback(_another(second), restart=mode.endswith("restart")))
        events = lx.run(stream.pipe(ops.to_list()), timeout=PATIENCE)
        return _line(events, len(server.requests), len(other.requests))


@dataclass(frozen=True)
class ResetBehind:
    """The connection is reset behind so many records."""

    after: int

    def apply(self, plan: Plan, /) -> Plan:
        """Cut at the end of a record; see `Fault`."""
        frames = tuple(plan.frames)
        sent = sum(len(frame.data) for frame in frames[: self.after])
        return Cut(sent, "reset").apply(replace(plan, frames=frames))


def record_count(protocol: str) -> int:
    """Give how many records the answer here has."""
    frames: list[Frame] = []

    class Counting:
        def apply(self, plan: Plan, /) -> Plan:
            frames.extend(plan.frames)
            return replace(plan, frames=frames)

    outcome(protocol, Trouble((Counting(),)), "off")
    return len(frames)


def _engine(protocol: str, url: str, **options: Any) -> Engine:
    provider = BY_NAME[protocol]
    return Engine(adapter=provider.adapter(base_url=url, api_key=KEY), model=provider.model, **options)


def _another(engine: Engine) -> Callable[[], Observable[Event]]:
    return lambda: stream_generate(engine, "Hi")


@contextmanager
def _provider(protocol: str, trouble: Trouble) -> Generator[tuple[str, ProviderServer]]:
    script = [Answer(chunks=PIECES, faults=trouble.faults), Answer(chunks=PIECES)]
    tls = AUTHORITY.server() if trouble.where == "certificate" else None
    with ProviderServer(script, ssl=tls) as server, refused() as nowhere:
        url = server.base_url(protocol)
        yield (url.replace(server.url, nowhere) if trouble.where == "port" else url), server


def _line(events: list[Event], requests: int, others: int) -> str:
    assert_grammar(events)
    fold = ResponseFold()
    for event in events:
        fold.apply(event)
    response = fold.response()
    text = response.output_text
    words = [response.finish_reason or "None"]
    if response.error is not None:
        words = [response.error.reason]
        if "timeout" in response.error.details:
            words.append(str(response.error.details["timeout"]))
    words += [repr(_shortened(text)), f"x{requests}"]
    if restarts := sum(event.type == "message_restarted" for event in events):
        words.append(f"restarts {restarts}")
    if others:
        words.append(f"other x{others}")
    return " ".join(words)


def _shortened(text: str) -> str:
    """Write what a fault says without end as what it is made of."""
    if " and so on" in text:
        return f"{text.partition(' and so on')[0]} and so on..."
    count = text.count("x")
    return text.replace("x" * count, f"x*{count}") if count > 1 else text
