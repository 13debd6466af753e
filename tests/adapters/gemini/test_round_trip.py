"""What the model sent goes back as it came, through our data and through JSON."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from allm_rx.adapters.gemini.generate_content.decode import GenerateContentDecoder
from allm_rx.adapters.gemini.generate_content.encode import encode_body
from allm_rx.adapters.gemini.generate_content.options import Service
from allm_rx.data.messages import Message, tool_result, user
from allm_rx.data.requests import Request
from allm_rx.wire.http import ResponseHead
from tests.adapters.gemini.accepted import accepted
from tests.adapters.gemini.frames import BODIES, chunk, read
from tests.fixture_cases import Case, decode, fold, load_cases

THIRD = "gemini-3-pro-preview"
CASES = [case for case in load_cases("gemini") if case.form != "error"]

PARTS: list[dict[str, Any]] = [
    {"text": "Let me see.", "thoughtSignature": "c2lnMQ=="},
    {"text": "Hm.", "thought": True, "thoughtSignature": "c2lnMg=="},
    {"executableCode": {"language": "PYTHON", "code": "print(1)", "id": "x"}, "thoughtSignature": "c2lnMw=="},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n", "id": "x"}},
    {"toolCall": {"toolType": "URL_CONTEXT", "args": {"urls": ["https://x"]}, "id": "t"}, "thoughtSignature": "c2lnNA=="},
    {"toolResponse": {"toolType": "URL_CONTEXT", "response": {"ok": True}, "id": "t"}, "thoughtSignature": "c2lnNQ=="},
    {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "c2lnNg=="},
    {"functionCall": {"id": "f1", "name": "look", "args": {"at": "sea", "n": [1, 2.5, None]}}, "thoughtSignature": "c2lnNw=="},
    {"functionCall": {"name": "row", "args": {}}},
    {"audioTranscription": {"text": "splash"}},
    {"text": "", "thoughtSignature": "c2lnOA=="},
]


def again(message: Message) -> dict[str, Any]:
    """Give the body of the request that goes on with a message."""
    results = (tool_result(call.id, "calm") for call in message.tool_calls)
    return encode_body(Request(messages=(user("Go"), message, *results), model=THIRD), Service())


def saved(message: Message) -> Message:
    return Message.model_validate_json(message.model_dump_json())


def signatures(value: Any) -> Iterator[str]:
    """Give all signatures in JSON, in order."""
    found = json.dumps(value).split('"thoughtSignature": "')[1:]
    return (piece.partition('"')[0] for piece in found)


def test_every_part_comes_back_in_its_place() -> None:
    """An answer that has everything is repeated part for part, signature for signature."""
    events = GenerateContentDecoder(provider="lake").whole(json.dumps(chunk(*PARTS, finish="STOP")).encode())

    body = again(saved(fold(events).message))

    assert body["contents"][1] == {"role": "model", "parts": PARTS}
    accepted(body)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_saved_answer_is_sent_as_the_live_one(name: str) -> None:
    """A message that went through JSON gives the same request, byte for byte."""
    message = fold(read(BODIES[name])).message

    assert json.dumps(again(saved(message))) == json.dumps(again(message))


@pytest.mark.parametrize("name", ["thoughts", "tools", "partial_arguments", "search"])
def test_no_signature_is_lost(name: str) -> None:
    """Whatever was signed in a stream is signed in the next request."""
    received = [sign for record in BODIES[name].split(b"data: ")[1:] for sign in signatures(json.loads(record))]

    assert received
    assert list(signatures(again(saved(fold(read(BODIES[name])).message)))) == received


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_answer_can_be_answered(case: Case) -> None:
    """Every recorded answer goes back into a request that Google's own package takes, with all of its signatures."""

    def make(head: ResponseHead) -> GenerateContentDecoder:
        return GenerateContentDecoder(provider="lake", provider_request_id=head.request_id)

    message = fold(decode(case, make)).message

    body = again(saved(message))

    assert body == again(message)
    assert list(signatures(body)) == list(signatures(message.model_dump(mode="json")))
    accepted(body)
