"""Every recorded answer and request of the four protocols, at their vendors and elsewhere; none without `ALLM_RX_FIXTURES`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from allm_rx.adapters.anthropic.messages.check import check as check_messages
from allm_rx.adapters.anthropic.messages.encode import encode_body as encode_messages
from allm_rx.adapters.gemini.generate_content.encode import encode_body as encode_content
from allm_rx.adapters.gemini.generate_content.options import Service
from allm_rx.adapters.openai.chat_completions.encode import encode_body as encode_chat
from allm_rx.adapters.openai.responses.encode import encode_body as encode_response
from allm_rx.data.events import Error, Event
from allm_rx.data.requests import Request
from tests.adapters.anthropic import messages_history
from tests.adapters.anthropic.messages_frames import hold_to_grammar
from tests.adapters.gemini import history as gemini_history
from tests.adapters.openai import chat_history
from tests.adapters.openai_responses import history as responses_history
from tests.adapters.providers import BY_NAME
from tests.fixture_cases import Case, bytewise, check, check_prefix, decode, fold, load_cases, record_ends, reframings

Body = dict[str, Any]


@dataclass(frozen=True)
class Protocol:
    """How the recordings of one folder are read."""

    provider: str
    """As in `BY_NAME`."""
    load: Callable[[Case, Body], Request]
    """Read a body into our data."""
    encode: Callable[[Case, Request], Body]
    """Write it again."""
    equivalent: Callable[[Body], Body]
    """Take away what may differ between two bodies that mean the same."""


def gemini_request(case: Case, body: Body) -> Request:
    return gemini_history.load_request(body, case.expect.get("model") or "gemini-2.5-flash")


def checked_messages(case: Case, request: Request) -> Body:
    check_messages(request, api_version="2023-06-01", provider=case.protocol)
    return encode_messages(request)


def compatible_chat(case: Case, request: Request) -> Body:
    return encode_chat(request, chat_history.QUIRKS.get(case.name, chat_history.QUIRKS[""]))


MESSAGES = Protocol(
    "anthropic", lambda _, body: messages_history.load_request(body), checked_messages, messages_history.equivalent
)
CONTENT = Protocol("gemini", gemini_request, lambda _, request: encode_content(request, Service()), gemini_history.equivalent)
CHAT = Protocol("openai-chat", lambda _, body: chat_history.load_request(body), compatible_chat, chat_history.equivalent)
RESPONSES = Protocol(
    "openai",
    lambda _, body: responses_history.load_request(body),
    lambda _, request: encode_response(request),
    responses_history.equivalent,
)

FOLDERS = {
    "anthropic": MESSAGES,
    "gemini": CONTENT,
    "openai-chat": CHAT,
    "openai-compatible": CHAT,
    "openai-responses": RESPONSES,
}

CASES = load_cases(*FOLDERS)
STREAMS = [case for case in CASES if case.form == "sse"]
HISTORIES = [case for case in CASES if case.request]


def read(case: Case, *pieces: bytes) -> list[Event]:
    """The events of an answer, by default of one that comes in one piece."""
    decoder = BY_NAME[FOLDERS[case.protocol].provider].decoder
    return decode(case, lambda head: decoder(provider="recorded", provider_request_id=head.request_id), pieces or None)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_holds_every_fact(case: Case) -> None:
    """The whole body gives every fact of the case, in events of the grammar."""
    events = read(case)

    check(case, events)
    hold_to_grammar(events)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_does_not_depend_on_its_pieces(case: Case) -> None:
    """A body that comes byte by byte gives the same events."""
    assert read(case, *bytewise(case.body)) == read(case)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_answer_does_not_depend_on_its_frames(case: Case) -> None:
    """Line ends, spaces, comments, unknown events and a missing end marker change no fact."""
    for name, body in reframings(case.body).items():
        if name == "no-done" and case.expect["raw_finish_reason"] is None and not case.expect["error"] and b"[DONE]" in case.body:
            continue  # without a finish reason the marker is the only end there is
        check(case, read(case, body))


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_cut_answer_is_no_success(case: Case) -> None:
    """A body cut after any record gives what there was of it, and an error unless its end was seen."""
    whole = fold(read(case))

    for at in record_ends(case.body):
        check_prefix(case, read(case, case.body[:at]), whole)


@pytest.mark.parametrize("case", [case for case in STREAMS if FOLDERS[case.protocol] is MESSAGES], ids=str)
def test_cut_answer_of_the_messages_api_is_an_error(case: Case) -> None:
    """Its end marker is its only end, and its last record."""
    assert {type(read(case, case.body[:at])[-1]) for at in record_ends(case.body)} <= {Error}


@pytest.mark.parametrize("case", HISTORIES, ids=str)
def test_accepted_request_is_written_again(case: Case) -> None:
    """A request that a provider accepted, read into our data and through JSON, gives an equivalent body."""
    assert case.request is not None
    protocol = FOLDERS[case.protocol]
    request = Request.model_validate_json(protocol.load(case, case.request).model_dump_json())

    assert protocol.equivalent(protocol.encode(case, request)) == protocol.equivalent(case.request)
