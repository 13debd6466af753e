"""Every recorded answer of the Messages API; none without `ALLM_RX_FIXTURES`."""

import pytest

from allm_rx.adapters.anthropic.messages.check import check as check_request
from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.adapters.anthropic.messages.encode import encode_body
from allm_rx.data.requests import Request
from allm_rx.wire.http import ResponseHead
from tests.adapters.anthropic.messages_frames import hold_to_grammar
from tests.adapters.anthropic.messages_history import equivalent, load_request
from tests.fixture_cases import Case, bytewise, check, check_prefix, decode, fold, load_cases, record_ends, reframings

CASES = load_cases("anthropic")
STREAMS = [case for case in CASES if case.form == "sse"]
HISTORIES = [case for case in CASES if case.request]


def make(head: ResponseHead) -> MessagesDecoder:
    return MessagesDecoder(provider="anthropic", provider_request_id=head.request_id)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_holds_every_fact(case: Case) -> None:
    """The whole body gives every fact of the case."""
    events = decode(case, make)

    check(case, events)
    hold_to_grammar(events)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_answer_does_not_depend_on_its_pieces(case: Case) -> None:
    """A body that comes byte by byte gives the same events."""
    assert decode(case, make, bytewise(case.body)) == decode(case, make)


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_answer_does_not_depend_on_its_frames(case: Case) -> None:
    """Line ends, spaces, comments and unknown events change no fact."""
    for body in reframings(case.body).values():
        check(case, decode(case, make, [body]))


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_cut_answer_is_no_success(case: Case) -> None:
    """A body cut after any record gives what there was of it, and says that it is not whole."""
    whole = fold(decode(case, make))

    for at in record_ends(case.body):
        events = decode(case, make, [case.body[:at]])

        check_prefix(case, events, whole)
        assert fold(events).finish_reason == "error"


@pytest.mark.parametrize("case", HISTORIES, ids=str)
def test_accepted_request_is_written_again(case: Case) -> None:
    """A request that the provider accepted, read into our data and through JSON, gives an equivalent body."""
    assert case.request is not None
    request = Request.model_validate_json(load_request(case.request).model_dump_json())

    check_request(request, api_version="2023-06-01", provider="anthropic")
    assert equivalent(encode_body(request)) == equivalent(case.request)
