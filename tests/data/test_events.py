"""Events: the union is the contract's table, and every event survives JSON."""

import copy
import dataclasses
import pickle
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allm_rx.data import events
from allm_rx.data.parts import TextPart
from allm_rx.data.usage import Usage
from allm_rx.errors import ValidationError
from tests.strategies import EVENTS, damaged
from tests.strategies import events as any_event

TABLE = {
    "message_started": "message_id provider model request_id provider_request_id",
    "text_delta": "id delta",
    "text_completed": "id text provider_data",
    "reasoning_delta": "id delta",
    "reasoning_completed": "id text provider_data",
    "tool_call_started": "id name provider_executed",
    "tool_call_delta": "id arguments_delta",
    "tool_call_completed": "id name arguments raw_arguments error provider_executed provider_data",
    "tool_result_received": "id name content is_error provider_data",
    "source_added": "part",
    "media_completed": "id part",
    "provider_item": "part",
    "raw_chunk": "kind data",
    "message_completed": "message finish_reason raw_finish_reason",
    "message_restarted": "attempt failure",
    "error": "failure",
    "tool_execution_started": "id name arguments",
    "tool_execution_progress": "id name value",
    "tool_execution_completed": "id name outcome",
    "tool_result_encoded": "id content",
    "ask_user_requested": "tool_call_id tool_name question options",
    "tool_halt": "tool_call_id reason result",
    "step_completed": "index result",
    "chat_completed": "result",
    "session_started": "session",
    "session_completed": "turn",
}
"""Every kind of event, and its fields in order."""

CONTENT = {
    "text_delta",
    "text_completed",
    "reasoning_delta",
    "reasoning_completed",
    "tool_call_started",
    "tool_call_delta",
    "tool_call_completed",
    "tool_result_received",
    "source_added",
    "media_completed",
    "provider_item",
}

every_kind = pytest.mark.parametrize("kind", TABLE)


def test_the_union_is_closed_and_complete() -> None:
    """The kinds are those of the contract, and the union is those of the kinds."""
    assert set(events.KINDS) == set(TABLE)
    assert set(get_args(events.Event)) == set(events.KINDS.values())


def test_content_events_are_those_of_the_contract() -> None:
    """What comes "before output" comes before the first of these."""
    assert {cls.type for cls in get_args(events.ContentEvent)} == CONTENT
    assert frozenset(get_args(events.ContentEvent)) == events.CONTENT_EVENTS


@every_kind
def test_the_fields_are_those_of_the_table(kind: str) -> None:
    """In order, so that events can be made and matched by position."""
    cls = events.KINDS[kind]

    assert [field.name for field in dataclasses.fields(cls)] == TABLE[kind].split()
    assert cls.__match_args__ == tuple(TABLE[kind].split())


@every_kind
def test_the_class_is_named_after_the_kind(kind: str) -> None:
    """Who reads a log finds the class."""
    assert events.KINDS[kind].__name__ == kind.title().replace("_", "")


@every_kind
def test_events_have_slots(kind: str) -> None:
    """There is one per token, so it has no dict."""
    assert events.KINDS[kind].__slots__ == tuple(TABLE[kind].split())


def test_the_kind_is_of_the_class() -> None:
    """`type` costs nothing per event, and is no argument."""
    assert events.TextDelta.type == events.TextDelta("a", "b").type == "text_delta"


def test_dicts_are_not_shared_between_events() -> None:
    """Each event has its own provider data."""
    assert events.TextCompleted("a", "x").provider_data is not events.TextCompleted("a", "x").provider_data


@every_kind
@given(data=st.data())
@settings(max_examples=40)
def test_json_round_trip_is_exact(kind: str, data: st.DataObject) -> None:
    """What was written is what is read, as one line."""
    event = data.draw(EVENTS[kind])

    text = events.dumps(event)

    assert events.loads(text) == events.loads(text.encode()) == event
    assert "\n" not in text


@every_kind
@given(data=st.data())
@settings(max_examples=15)
def test_pickle_and_copies_are_equal(kind: str, data: st.DataObject) -> None:
    """An event crosses a process border whole."""
    event = data.draw(EVENTS[kind])

    assert pickle.loads(pickle.dumps(event)) == event
    assert copy.copy(event) == event
    assert copy.deepcopy(event) == event


@every_kind
@given(data=st.data())
@settings(max_examples=15)
def test_equal_events_have_equal_hashes(kind: str, data: st.DataObject) -> None:
    """Events can be keys, as type checkers believe of anything frozen."""
    event = data.draw(EVENTS[kind])

    assert hash(events.loads(events.dumps(event))) == hash(event)


def test_an_event_is_one_line_of_json() -> None:
    """The kind comes first, then the fields in order."""
    event = events.MessageStarted("m1", "openai", model="gpt-x")

    assert events.dumps(event) == (
        '{"type":"message_started","message_id":"m1","provider":"openai","model":"gpt-x",'
        '"request_id":null,"provider_request_id":null}'
    )


def test_defaults_may_be_left_out() -> None:
    """An older file without a newer field loads."""
    assert events.loads('{"type":"tool_call_started","id":"a","name":"f"}') == events.ToolCallStarted("a", "f")


def test_usage_is_a_usage_again() -> None:
    """The one raw chunk that everybody reads has its class."""
    event = events.RawChunk("usage", Usage(input_tokens=3))

    assert events.loads(events.dumps(event)) == event


def test_a_frame_of_the_provider_stays_json() -> None:
    """It is not taken for usage, whatever it looks like."""
    event = events.RawChunk("chunk", {"input_tokens": 3, "big": 10**30, "inf": float("inf")})

    assert events.loads(events.dumps(event)) == event


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ((1, {2, 3}), [1, [2, 3]]),
        (b"\xff", "_w=="),
        (int, "<class 'int'>"),
        ("\ud83d", r"'\ud83d'"),
        (TextPart(text="a"), {"provider_data": {}, "type": "text", "text": "a"}),
        ({"inf": float("-inf")}, {"inf": float("-inf")}),
    ],
)
def test_what_a_program_put_in_is_written_somehow(value: object, read: object) -> None:
    """A log of events never fails for what a tool reported."""
    progress = events.loads(events.dumps(events.ToolExecutionProgress("a", "f", value)))
    halt = events.loads(events.dumps(events.ToolHalt("a", "enough", value)))

    assert progress == events.ToolExecutionProgress("a", "f", read)
    assert halt == events.ToolHalt("a", "enough", read)


def test_not_a_number_is_written_as_one() -> None:
    """It is not turned into nothing."""
    event: Any = events.loads(events.dumps(events.RawChunk("chunk", float("nan"))))

    assert event.data != event.data


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("", (), "json_invalid"),
        ("{", (), "json_invalid"),
        ("\ud83d", (), "json_invalid"),
        (b"\xff\xff", (), "json_invalid"),
        ("[]", (), "dict_type"),
        ("{}", ("type",), "unknown"),
        ('{"type":"text"}', ("type",), "unknown"),
        ('{"type":["text_delta"]}', ("type",), "unknown"),
        ('{"type":"text_delta","id":"a"}', ("delta",), "missing"),
        ('{"type":"text_delta","id":"a","delta":5}', ("delta",), "string_type"),
        ('{"type":"text_delta","id":"a","delta":"b","colour":1}', ("colour",), "extra_forbidden"),
        ('{"type":"error","failure":{"kind":"ToolError","reason":"x","message":""}}', ("failure", "reason"), "value_error"),
        ('{"type":"raw_chunk","kind":"usage","data":5}', ("data",), "model_type"),
        ('{"type":"raw_chunk","kind":"usage","data":{"input_tokens":"x"}}', ("data", "input_tokens"), "int_parsing"),
        ('{"type":"tool_result_encoded","id":"a","content":[{"type":"text","text":4}]}', ("content", 0, "text"), "string_type"),
        ('{"type":"media_completed","id":"a","part":{"type":"file"}}', ("part",), "union_tag_invalid"),
        ('{"type":"message_completed","message":{"role":"x"}}', ("message", "role"), "literal_error"),
    ],
)
def test_what_is_no_event_says_where(text: str | bytes, path: tuple[str | int, ...], code: str) -> None:
    """A validation error with path and code, and nothing else."""
    with pytest.raises(ValidationError) as caught:
        events.loads(text)

    assert [(issue.path, issue.code) for issue in caught.value.errors] == [(path, code)]


def test_an_unknown_kind_says_which_there_are() -> None:
    """And is not quoted at length."""
    with pytest.raises(ValidationError) as caught:
        events.loads('{"type":"' + "x" * 500 + '"}')

    assert "x" * 81 not in str(caught.value)
    assert "is no event: use one of ask_user_requested, chat_completed, error," in str(caught.value)


@given(st.text(st.characters()) | st.binary())
def test_garbage_is_a_validation_error(text: str | bytes) -> None:
    """Whatever is read, nothing else is raised."""
    with pytest.raises(ValidationError):
        events.loads(text)


@given(damaged(any_event.map(events.dumps)))
@settings(max_examples=200)
def test_a_damaged_event_is_an_event_or_a_validation_error(text: str) -> None:
    """A broken line is told as one, or it is still an event."""
    try:
        event = events.loads(text)
    except ValidationError:
        return

    assert events.loads(events.dumps(event)) == event
