"""Every recorded answer of OpenAI's Chat Completions API and of compatible servers; none without `ALLM_RX_FIXTURES`."""

import pytest

from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
from allm_rx.adapters.openai.chat_completions.encode import encode_body
from allm_rx.data.requests import Request
from allm_rx.wire.http import ResponseHead
from tests.adapters.openai.chat_history import QUIRKS, equivalent, load_request
from tests.fixture_cases import Case, bytewise, check, check_prefix, decode, fold, load_cases, record_ends, reframings

CASES = load_cases("openai-chat", "openai-compatible")
STREAMS = [case for case in CASES if case.form == "sse"]
HISTORIES = [case for case in CASES if case.request]


def make(head: ResponseHead) -> ChatDecoder:
    return ChatDecoder(provider="recorded", provider_request_id=head.request_id)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_holds_every_fact(case: Case) -> None:
    """The whole body gives every fact of the case."""
    check(case, decode(case, make))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_does_not_depend_on_its_pieces(case: Case) -> None:
    """A body that comes byte by byte gives the same events."""
    assert decode(case, make, bytewise(case.body)) == decode(case, make)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_answer_does_not_depend_on_its_frames(case: Case) -> None:
    """Line ends, spaces, comments, unknown events and a missing end marker change no fact."""
    for name, body in reframings(case.body).items():
        if name == "no-done" and case.expect["raw_finish_reason"] is None and not case.expect["error"]:
            continue  # without a finish reason the marker is the only end there is
        check(case, decode(case, make, [body]))


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_cut_answer_is_no_success(case: Case) -> None:
    """A body cut after any record gives what there was of it, and an error unless its end was seen."""
    whole = fold(decode(case, make))

    for at in record_ends(case.body):
        check_prefix(case, decode(case, make, [case.body[:at]]), whole)


@pytest.mark.parametrize("case", HISTORIES, ids=str)
def test_accepted_request_is_written_again(case: Case) -> None:
    """A request that a provider accepted, read into our data and through JSON, gives an equivalent body."""
    assert case.request is not None
    request = load_request(case.request)

    again = Request.model_validate_json(request.model_dump_json())

    assert equivalent(encode_body(again, QUIRKS.get(case.name, QUIRKS[""]))) == equivalent(case.request)
