"""Every recorded answer, served over a real socket and read through the whole pipeline; none without `ALLM_RX_FIXTURES`."""

from collections.abc import Callable
from typing import Any

import pytest
from reactivex import operators as ops

from allm_rx import Engine, stream_generate
from allm_rx import operators as lx
from allm_rx.adapters import Anthropic, Gemini, OpenAI, OpenAIChat
from allm_rx.data.events import Event
from allm_rx.testing.answers import Recording
from allm_rx.testing.faults import Cut, Drip
from allm_rx.testing.provider_server import ProviderServer
from tests.fixture_cases import Case, check, check_prefix, fold, load_cases, record_ends, reframings

ADAPTERS: dict[str, tuple[str, Callable[..., Any]]] = {
    "openai-chat": ("openai-chat", OpenAIChat),
    "openai-compatible": ("openai-chat", OpenAIChat),
    "openai-responses": ("openai", OpenAI),
    "anthropic": ("anthropic", Anthropic),
    "gemini": ("gemini", Gemini),
}
"""For each folder of recordings the server's protocol and the adapter."""

CASES = load_cases(*ADAPTERS)
STREAMS = [case for case in CASES if case.form == "sse"]
SMALL = [case for case in STREAMS if len(case.body) < 4_000]


def served(case: Case, *bodies: bytes, faults: tuple[Any, ...] = ()) -> list[list[Event]]:
    """Serve bodies one after the other and give the events of each."""
    protocol, make = ADAPTERS[case.protocol]
    answers = [Recording(body, case.head.status, case.head.headers, faults=faults) for body in bodies]
    with ProviderServer(answers) as server:
        engine = Engine(adapter=make(base_url=server.base_url(protocol), api_key="sk-recorded"), model="m", retry=False)
        return [lx.run(stream_generate(engine, "hi").pipe(ops.to_list())) for _ in bodies]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_recorded_answer_holds_every_fact(case: Case) -> None:
    """Status, headers and body as they were recorded give every fact of the case."""
    (events,) = served(case, case.body)

    check(case, events)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_a_recorded_answer_in_another_frame_holds_every_fact(case: Case) -> None:
    """Other line ends, comments, a byte order mark or a missing end marker change no fact."""
    frames = {
        name: body
        for name, body in reframings(case.body).items()
        if not (name == "no-done" and case.expect["raw_finish_reason"] is None and not case.expect["error"])
    }

    for events in served(case, *frames.values()):
        check(case, events)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_recorded_answer_that_drips_holds_every_fact(case: Case) -> None:
    """A body that comes byte by byte gives every fact."""
    (events,) = served(case, case.body, faults=(Drip(),))

    check(case, events)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_recorded_answer_that_is_cut_is_no_success(case: Case) -> None:
    """A connection that ends behind any record gives what came, and an error unless the end was seen."""
    (events,) = served(case, case.body)
    whole = fold(events)

    for at in record_ends(case.body)[:-1]:
        (cut,) = served(case, case.body, faults=(Cut(at),))
        check_prefix(case, cut, whole)
