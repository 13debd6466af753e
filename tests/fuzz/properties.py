"""What holds of any bytes at all, each property once: tests draw the bytes, and `guided` searches for them."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic_core import from_json

from allm_rx import Message, Request, Response, Session, Thread, ToolCall, Usage, assistant, system, tool_result, user
from allm_rx.abc.decoder import Decoder
from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.parts import ImagePart, ReasoningPart, SourcePart, TextPart
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.errors import ValidationError
from allm_rx.testing.assertions import assert_grammar
from allm_rx.wire.http import ResponseHead
from allm_rx.wire.partial_json import PartialJson, parse_object
from allm_rx.wire.sse import RecordTooLarge, SseDecoder
from allm_rx.wire.template import TextTemplate
from tests.adapters.providers import BY_NAME, PROVIDERS
from tests.fixture_cases import fold
from tests.fuzz.mutations import LONG

LIMIT = 2 * LONG
NAMES = [provider.name for provider in PROVIDERS]

# What comes over the wire.


def made(protocol: str, *, raw: bool = False) -> Any:
    return BY_NAME[protocol].decoder(provider=protocol, include_raw_chunks=raw)


def streamed(decoder: Decoder, body: bytes, size: int, limit: int = LIMIT) -> Iterator[ev.Event]:
    """Read a body in pieces, as the exchange does."""
    sse = SseDecoder(limit)
    try:
        for start in range(0, len(body), size):
            for record in sse.feed(body[start : start + size]):
                assert len(record.data) <= limit
                yield from decoder.feed(record)
        for record in sse.finish():
            yield from decoder.feed(record)
    except RecordTooLarge as error:
        yield from decoder.fail(Failure(kind="StreamError", reason="record_too_large", message=str(error)))
        return
    yield from decoder.finish()


def assert_sound(events: list[ev.Event]) -> None:
    """Well-formed, one terminal, which is typed, and all of it can be written down and folded."""
    assert_grammar(events)
    terminals = [type(event) in (ev.Error, ev.MessageCompleted) for event in events]
    assert terminals == [False] * (len(events) - 1) + [True]
    for event in events:
        ev.dumps(event)
    fold(events).model_dump_json()


def stream_is_sound(protocol: str, body: bytes, size: int, *, raw: bool = False) -> None:
    """Whatever comes is an answer or one error."""
    assert_sound(list(streamed(made(protocol, raw=raw), body, size)))


def cuts_do_not_matter(protocol: str, body: bytes, size: int) -> None:
    """The same bytes give the same events, however they came."""
    pieces, whole = list(streamed(made(protocol), body, size)), list(streamed(made(protocol), body, len(body) or 1))

    assert repr(pieces) == repr(whole)  # as text, since no NaN equals another


def refusal_is_one_error(protocol: str, status: int, body: bytes) -> None:
    """It has its status, whatever it says."""
    events = list(made(protocol).refuse(ResponseHead(status, {}), body))

    assert_sound(events)
    assert isinstance(events[-1], ev.Error)
    assert events[-1].failure.status == status


def whole_body_is_sound(protocol: str, body: bytes) -> None:
    """What comes in place of a stream is an answer or one error."""
    assert_sound(list(made(protocol).whole(body)))


# Records that repeat.

PATH = ("choices", 0, "delta", "content")


def template_is_exact(first: bytes, second: bytes) -> None:
    """A record that is read without being parsed means what it means when it is."""
    try:
        frame: Any = from_json(first)
        text: Any = frame["choices"][0]["delta"]["content"]
    except (ValueError, LookupError, TypeError):
        return
    template = TextTemplate()
    if isinstance(text, str):
        template.learn(first, "", PATH, text, print)
    if not template.prefix or not second.startswith(template.prefix) or not second.endswith(template.suffix):
        return
    said = template.text_of(second, "")

    if said is not None:
        meant = copy.deepcopy(frame)
        meant["choices"][0]["delta"]["content"] = said
        assert from_json(second) == meant


# Arguments.


def partial_json_is_calm(text: str, size: int) -> None:
    """It never raises, shows what can be written down, and ends with what the text says, if that can be read."""
    growing = PartialJson()
    for start in range(0, len(text), size):
        growing.feed(text[start : start + size])
        json.dumps(growing.value)
    last, meant = growing.finish(), parse_object(text)

    assert isinstance(meant, str) or not meant or last == meant


def arguments_are_an_object_or_a_complaint(text: str) -> None:
    """What is shown of them is short."""
    told = parse_object(text)

    assert isinstance(told, dict) or len(told) < 1000


# What was saved.

CALL = ToolCall(
    id="c1", name="weather", arguments={"place": "Oslo", "days": [1, 2.5, None]}, provider_data={"gemini": {"s": "x"}}
)
ANSWER = Message(
    role="assistant",
    content=(ReasoningPart(text="Hm."), TextPart(text="Let me look."), SourcePart(url="https://example.org"), CALL),
    provider_data={"anthropic.messages": {"id": "m"}},
)
THREAD = Thread(
    messages=(
        system("Be brief."),
        user(["What is this?", ImagePart(data=b"\x89PNG", media_type="image/png")]),
        ANSWER,
        tool_result("c1", "calm", name="weather"),
        assistant("Calm."),
    )
)
RESPONSE = Response(id="r", message=ANSWER, finish_reason="tool_calls", usage=Usage(input_tokens=3, output_tokens=4))
STEP = StepResult(index=0, thread=THREAD, response=RESPONSE)
DOCUMENTS: dict[str, tuple[Any, Callable[[bytes], Any]]] = {
    "thread": (THREAD, Thread.model_validate_json),
    "message": (ANSWER, Message.model_validate_json),
    "session": (Session(id="s", thread=THREAD, context={"user": "u"}), Session.model_validate_json),
    "request": (Request(messages=THREAD.messages[:2], model="m", max_tokens=5), Request.model_validate_json),
    "response": (RESPONSE, Response.model_validate_json),
    "chat": (ChatResult(thread=THREAD, steps=(STEP,), halted_reason="completed"), ChatResult.model_validate_json),
}
EVENTS = (
    ev.TextDelta("b", "Hi"),
    ev.ToolCallCompleted(id="c", name="f", arguments={"a": 1}, raw_arguments='{"a":1}'),
    ev.MessageCompleted(message=ANSWER, finish_reason="stop"),
    ev.RawChunk(kind="usage", data=Usage(input_tokens=3)),
)


def written(name: str) -> bytes:
    document: Any = DOCUMENTS[name][0]
    return document.model_dump_json().encode()


def loaded(load: Callable[[bytes], Any], text: bytes) -> Any:
    """Give what was read, or None when it was refused as what it is."""
    try:
        return load(text)
    except ValidationError:
        return None


def document_is_one_or_refused(name: str, text: bytes) -> None:
    """What can be read can also be written, and read again as the same."""
    load = DOCUMENTS[name][1]
    document = loaded(load, text)

    if document is not None:
        assert repr(load(document.model_dump_json().encode())) == repr(document)  # as text, since no NaN equals another


def event_is_one_or_refused(text: bytes) -> None:
    """What can be read can also be written, and read again as the same."""
    event = loaded(ev.loads, text)

    if event is not None:
        assert repr(ev.loads(ev.dumps(event))) == repr(event)
