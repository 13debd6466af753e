"""What recorded answers of the Responses API keep of their items; none without `ALLM_RX_FIXTURES`."""

import json

import pytest

from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.adapters.openai.responses.messages import encode_input
from allm_rx.adapters.openai.responses.wire import own
from allm_rx.data.messages import Message
from allm_rx.data.parts import ReasoningPart, SourcePart, TextPart
from allm_rx.wire.http import ResponseHead
from tests.fixture_cases import Case, decode, fold, load_cases

CASES = load_cases("openai-responses")
STREAMS = [case for case in CASES if case.form == "sse"]


def make(head: ResponseHead) -> ResponsesDecoder:
    return ResponsesDecoder(provider="recorded", provider_request_id=head.request_id)


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
