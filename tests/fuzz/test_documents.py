"""Whatever is loaded as a session, thread, request, response or event is one, or a `ValidationError`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allm_rx import Message, Request, Response, Session, Thread, ToolCall, Usage, assistant, system, tool_result, user
from allm_rx.data import events as ev
from allm_rx.data.parts import ImagePart, ReasoningPart, SourcePart, TextPart
from allm_rx.data.results import ChatResult, StepResult
from allm_rx.errors import ValidationError
from allm_rx.wire.partial_json import PartialJson, parse_object
from tests.fuzz.mutations import DEEP, LONG, ODD, UNHURRIED, damaged, values

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


@pytest.mark.parametrize("name", DOCUMENTS)
@given(data=st.data())
@settings(max_examples=80, suppress_health_check=UNHURRIED)
def test_a_damaged_document_is_one_or_a_validation_error(name: str, data: st.DataObject) -> None:
    """What can still be read can also be written, and read again as the same."""
    text = data.draw(damaged(written(name)))
    load = DOCUMENTS[name][1]

    document = loaded(load, text)

    if document is not None:
        assert load(document.model_dump_json().encode()) == document


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:20]))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_value_in_turn_is_odd(name: str, odd: bytes) -> None:
    """Each value of a document, tried with everything odd, is taken or refused."""
    text = written(name)
    every = 1 if len(odd) < 1000 else 9  # the long ones take long

    for start, end in values(text)[::every]:
        document = loaded(DOCUMENTS[name][1], text[:start] + odd + text[end:])
        if document is not None:
            document.model_dump_json()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=UNHURRIED)
def test_a_damaged_event_is_one_or_a_validation_error(event: ev.Event, data: st.DataObject) -> None:
    """What can still be read can also be written."""
    read = loaded(ev.loads, data.draw(damaged(ev.dumps(event).encode())))

    if read is not None:
        ev.dumps(read)


@pytest.mark.parametrize("load", [ev.loads, *(load for _, load in DOCUMENTS.values())])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"messages":[', b'{"content":['])
def test_depth_is_a_validation_error(load: Callable[[bytes], Any], opening: bytes) -> None:
    """Ten thousand levels are refused, not a crash."""
    assert loaded(load, opening * DEEP) is None


@pytest.mark.parametrize("depth", [100, 1_000, DEEP])
@pytest.mark.parametrize("place", ["context", "metadata"])
def test_deep_values_of_ones_own_are_written_or_refused(place: str, depth: int) -> None:
    """What a caller nests is written and read as it is, or refused as what it is."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    try:
        session = Session(id="s", thread=THREAD, **{place: {"deep": value}})
        text = session.model_dump_json()
    except (ValidationError, ValueError):
        return

    assert loaded(Session.model_validate_json, text.encode()) in (None, session)


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    """As everywhere in JSON."""
    assert Message.model_validate_json('{"role":"user","role":"assistant","content":"Hi"}').role == "assistant"


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd[:20]))
def test_odd_arguments_are_an_object_or_a_complaint(odd: bytes) -> None:
    """Arguments of a tool call never raise, as they grow or when they are whole, and what is shown of them is short."""
    text = f'{{"a": {odd.decode("utf-8", "surrogateescape")}}}'
    growing = PartialJson()
    growing.feed(text[: len(text) // 2])
    growing.feed(text[len(text) // 2 :])

    growing.finish()
    told = parse_object(text)

    assert isinstance(told, dict) or len(told) < 1000
    json.dumps(growing.value)


@given(text=st.text(st.characters()), size=st.integers(1, 9))
def test_partial_json_never_raises(text: str, size: int) -> None:
    """Whatever a model writes, half characters included."""
    growing = PartialJson()

    for start in range(0, len(text), size):
        growing.feed(text[start : start + size])

    growing.finish()


def test_long_arguments_cost_linear_work() -> None:
    """A million characters in small pieces are parsed a few hundred times, not once per piece."""
    growing = PartialJson()
    seen: set[int] = set()

    growing.feed('{"a": "')
    for _ in range(LONG // 100):
        growing.feed("x" * 100)
        seen.add(id(growing.value))

    assert len(growing.finish()["a"]) == LONG
