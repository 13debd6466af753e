"""Every recorded answer of the Responses API, at OpenAI and elsewhere; none without `ALLM_RX_FIXTURES`."""

import pytest

from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.wire.http import ResponseHead
from tests.fixture_cases import Case, bytewise, check, check_prefix, decode, fold, load_cases, record_ends, reframings

CASES = load_cases("openai-responses")
STREAMS = [case for case in CASES if case.form == "sse"]
HISTORIES = [case for case in CASES if case.request]


def make(head: ResponseHead) -> ResponsesDecoder:
    return ResponsesDecoder(provider="recorded", provider_request_id=head.request_id)


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
    """Line ends, spaces, comments and unknown events change no fact."""
    for body in reframings(case.body).values():
        check(case, decode(case, make, [body]))


@pytest.mark.parametrize("case", STREAMS, ids=str)
def test_cut_answer_is_no_success(case: Case) -> None:
    """A body cut after any record gives what there was of it, and an error unless its end was seen."""
    whole = fold(decode(case, make))

    for at in record_ends(case.body):
        check_prefix(case, decode(case, make, [case.body[:at]]), whole)
