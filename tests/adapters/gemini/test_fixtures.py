"""Every recorded answer and request of Gemini, at AI Studio and Vertex AI; none without `ALLM_RX_FIXTURES`."""

import pytest

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.adapters.gemini.generate_content.encode import encode_body
from allm_rx.adapters.gemini.generate_content.options import Service
from allm_rx.data.requests import Request
from allm_rx.wire.http import ResponseHead
from tests.adapters.gemini.history import equivalent, load_request
from tests.fixture_cases import Case, bytewise, check, check_prefix, decode, fold, load_cases, record_ends, reframings

CASES = load_cases("gemini")
STREAMS = [case for case in CASES if case.form == "sse"]
HISTORIES = [case for case in CASES if case.request]


def make(head: ResponseHead) -> GenerateContentDecoder:
    return GenerateContentDecoder(provider="recorded", provider_request_id=head.request_id)


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


@pytest.mark.parametrize("case", HISTORIES, ids=str)
def test_accepted_request_is_written_again(case: Case) -> None:
    """A request that the provider accepted, read into our data and through JSON, gives an equivalent body."""
    assert case.request is not None
    request = load_request(case.request, case.expect.get("model") or "gemini-2.5-flash")

    again = Request.model_validate_json(request.model_dump_json())

    assert equivalent(encode_body(again, Service())) == equivalent(case.request)
