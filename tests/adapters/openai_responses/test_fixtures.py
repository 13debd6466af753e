"""Every recorded answer of the Responses API, at OpenAI and elsewhere; none without `ALLM_RX_FIXTURES`."""

import json

import pytest

from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.adapters.openai.responses.encode import encode_body
from allm_rx.adapters.openai.responses.messages import encode_input
from allm_rx.adapters.openai.responses.wire import own
from allm_rx.data.messages import Message
from allm_rx.data.parts import ReasoningPart, SourcePart, TextPart
from allm_rx.data.requests import Request
from allm_rx.wire.http import ResponseHead
from tests.adapters.openai_responses.history import equivalent, load_request
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


@pytest.mark.parametrize("case", [case for case in CASES if case.form != "error"], ids=str)
def test_items_of_the_provider_are_kept_in_their_place(case: Case) -> None:
    """What the provider did by itself is in the message, whole and in order."""
    message = fold(decode(case, make)).message

    parts = [own(part) for part in message.content if not isinstance(part, (ReasoningPart, SourcePart, TextPart))]

    assert [part["type"] for part in parts if part and part["type"] != "function_call"] == case.expect["server_tools"]


@pytest.mark.parametrize("case", [case for case in STREAMS if b"output_item.done" in case.body], ids=str)
def test_answer_is_sent_back_as_it_came(case: Case) -> None:
    """Where the provider keeps answers, the items of the next request are those of the answer."""
    frames = [json.loads(line[5:]) for line in case.body.splitlines() if line.startswith(b"data:") and b"{" in line]
    came = [frame["item"] for frame in frames if frame["type"] == "response.output_item.done"]
    message = fold(decode(case, make)).message.model_dump_json()

    sent = encode_input([Message.model_validate_json(message)], stored=True)

    assert sent == came


@pytest.mark.parametrize("case", HISTORIES, ids=str)
def test_accepted_request_is_written_again(case: Case) -> None:
    """A request that the provider accepted, read into our data and through JSON, gives an equivalent body."""
    assert case.request is not None
    request = load_request(case.request)

    again = Request.model_validate_json(request.model_dump_json())

    assert equivalent(encode_body(again)) == equivalent(case.request)
