"""How an answer begins, grows and ends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.openai.responses.decode import ResponsesDecoder
from allm_rx.data.events import (
    Error,
    MessageCompleted,
    MessageStarted,
    RawChunk,
    ReasoningCompleted,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
)
from allm_rx.data.failures import Failure
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.openai_responses.frames import (
    RECORDINGS,
    added,
    answer,
    completed,
    created,
    done,
    ev,
    events_of,
    read,
    said,
    text,
    whole,
)
from tests.fixture_cases import check_grammar, fold
from tests.strategies import json_values

BODIES = {path.stem: path.read_bytes() for path in sorted(RECORDINGS.glob("*.sse"))}
BROKEN: dict[str, Any] = {"type": "error", "code": "server_error", "message": "the mast broke", "param": None}


def test_plain_stream_is_started_deltas_completed() -> None:
    """A plain answer begins, grows, settles, tells its usage and ends."""
    events = read(BODIES["text"])

    assert events[0] == MessageStarted("resp_lake", "lake", "gpt-lake-1")
    assert [event.delta for event in events if isinstance(event, TextDelta)] == [
        *("The", " lake", " is", " çalm", " 🌊", " today", ".")
    ]
    assert isinstance(events[-3], TextCompleted)
    assert (events[-3].id, events[-3].text) == ("text-0.0", "The lake is çalm 🌊 today.")
    assert events[-2] == RawChunk(
        "usage", Usage(input_tokens=40, output_tokens=7, cached_input_tokens=32, reasoning_tokens=0, total_tokens=47)
    )
    assert isinstance(events[-1], MessageCompleted)
    assert (events[-1].finish_reason, events[-1].raw_finish_reason) == ("stop", "completed")


def test_thoughts_talk_and_calls_come_in_order() -> None:
    """An answer that thinks, talks and calls has its parts in the order of the wire."""
    events = read(BODIES["tools"])

    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert [part.type for part in last.message.content] == ["reasoning", "reasoning", "text", "tool_call", "tool_call"]
    assert last.finish_reason == "tool_calls"
    calls = [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta, ToolCallCompleted))]
    assert calls[:4] == [
        ToolCallStarted("call_a", "sail"),
        ToolCallDelta("call_a", '{"to":'),
        ToolCallDelta("call_a", '"nörth"}'),
        ToolCallCompleted(
            "call_a",
            "sail",
            {"to": "nörth"},
            '{"to":"nörth"}',
            provider_data={"openai.responses": {"id": "fc_a", "type": "function_call", "status": "completed"}},
        ),
    ]


@pytest.mark.parametrize("name", sorted(BODIES))
def test_stream_and_whole_body_say_the_same(name: str) -> None:
    """The final response, had it come as one JSON body, is the same answer."""
    final = json.loads(BODIES[name].rpartition(b"data: ")[2])["response"]
    streamed = fold(read(BODIES[name]))

    at_once = whole(final)

    assert at_once.finish_reason == streamed.finish_reason
    assert at_once.usage == streamed.usage
    if name == "tools":  # what it thought is encrypted anew each time it is shown
        assert at_once.message.tool_calls == streamed.message.tool_calls
    elif name != "failed":
        assert at_once.message == streamed.message


@pytest.mark.parametrize(
    ("status", "details", "reason", "raw"),
    [
        ("completed", None, "stop", "completed"),
        ("incomplete", {"reason": "max_output_tokens"}, "length", "incomplete:max_output_tokens"),
        ("incomplete", {"reason": "content_filter"}, "content_filter", "incomplete:content_filter"),
        ("incomplete", {"reason": "tide"}, "other", "incomplete:tide"),
        ("incomplete", None, "other", "incomplete"),
        ("cancelled", None, "other", "cancelled"),
    ],
)
def test_finish_reason_is_one_of_ours_and_keeps_theirs(status: str, details: Any, reason: str, raw: str) -> None:
    """Every end of a server maps to the closed set, and its words stay beside it."""
    end = ev(status, response={"status": status, "incomplete_details": details, "output": []})

    response = answer(created(), text("Hi"), end)

    assert (response.finish_reason, response.raw_finish_reason, response.error) == (reason, raw, None)
    assert response.output_text == "Hi"


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_whole_answer_that_is_not_done_is_no_success(status: str) -> None:
    """A response that is made in the background is not taken for an empty answer."""
    response = whole({"object": "response", "status": status, "output": []})

    assert (response.finish_reason, response.raw_finish_reason) == ("other", status)


def test_body_without_its_end_is_an_interruption_that_keeps_the_text() -> None:
    """A body that just ends is a failure, whatever it said before."""
    response = answer(created(), text("half"), done(0, "message", content=[{"type": "output_text", "text": "half"}]))

    assert response.output_text == "half"
    assert response.error is not None
    assert (response.error.kind, response.error.reason) == ("StreamError", "stream_interrupted")


def test_stream_may_begin_in_the_middle() -> None:
    """A resumed stream has no `response.created`; its texts are read all the same."""
    response = answer(text("lf", index=3), completed(id="resp_1", model="m"))

    assert (response.output_text, response.finish_reason) == ("lf", "stop")


def test_queued_answer_names_itself() -> None:
    """The ids of a resumed stream may come with another event than `response.created`."""
    events = events_of(ev("queued", response={"id": "resp_1", "model": "m", "status": "queued"}), completed())

    assert events[0] == MessageStarted("resp_1", "lake", "m")


def test_end_without_a_response_is_an_end() -> None:
    """The event's name alone says how it ended."""
    response = answer(text("Hi"), {"type": "response.completed"})

    assert (response.output_text, response.finish_reason, response.raw_finish_reason) == ("Hi", "stop", "completed")


def test_marker_after_the_end_is_tolerated() -> None:
    """Gateways add `[DONE]`; it changes nothing."""
    decoder = ResponsesDecoder(provider="lake")
    decoder.feed(SseRecord(json.dumps(completed(said("Hi"))).encode()))

    assert decoder.feed(SseRecord(b"[DONE]")) == []
    assert decoder.finish() == []


def test_marker_without_an_end_is_an_interruption() -> None:
    """`[DONE]` is no end of this protocol: nobody waits for more, and nothing is taken for whole."""
    decoder = ResponsesDecoder(provider="lake")

    (event,) = decoder.feed(SseRecord(b"[DONE]"))

    assert isinstance(event, Error)
    assert event.failure.reason == "stream_interrupted"


def test_events_are_told_apart_without_event_lines() -> None:
    """`type` is enough, and where it is missing the `event:` line is."""
    decoder = ResponsesDecoder(provider="lake")
    events = decoder.feed(SseRecord(b'{"output_index":0,"content_index":0,"delta":"Hi"}', "response.output_text.delta"))

    assert events[-1] == TextDelta("text-0.0", "Hi")


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "response.tide.turned", "output_index": 0},
        {"type": "response.web_search_call.searching", "output_index": 7},
        {"type": "keepalive"},
        {"type": "response.reasoning_part.added", "output_index": 0, "part": {"type": "reasoning_text", "text": ""}},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": None},
        {"type": "response.output_item.added"},
        {},
        7,
    ],
)
def test_frame_that_says_nothing_changes_nothing(frame: Any) -> None:
    """News of other vendors, and of progress, are passed over."""
    assert answer(created(), text("Hi"), frame, completed()).output_text == "Hi"


def test_raw_frames_are_given_when_asked_for() -> None:
    """What is not modelled is still there to be seen."""
    events = events_of(created(), ev("tide.turned", level=2), completed(), include_raw_chunks=True)

    assert RawChunk("response.tide.turned", {"type": "response.tide.turned", "level": 2}) in events


def test_usage_is_told_once_with_what_only_the_server_counts() -> None:
    """What has no name here is kept under its own."""
    usage = {"input_tokens": 5, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}, "num_sources_used": 3}

    events = events_of(created(), text("Hi"), completed(usage=usage))

    assert [event.data for event in events if isinstance(event, RawChunk)] == [
        Usage(input_tokens=5, output_tokens=2, cached_input_tokens=4, extra={"num_sources_used": 3})
    ]


@pytest.mark.parametrize(
    "frame",
    [
        BROKEN,
        {"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "the mast broke"}},
        {"error": {"message": "the mast broke", "code": "server_error"}},
    ],
)
def test_error_event_of_any_shape_is_an_error(frame: Any) -> None:
    """Flat, nested, or not of this API: the text until then stays."""
    response = answer(created(), text("Half"), frame)

    assert response.output_text == "Half"
    assert response.error is not None
    assert (response.error.reason, response.error.code) == ("server_error", "server_error")
    assert "the mast broke" in response.error.message
    assert "sequence" not in response.error.message


def test_error_and_failed_are_one_error_with_usage() -> None:
    """What was consumed comes with the second; the error is told once."""
    failed = ev("failed", response={"status": "failed", "usage": {"input_tokens": 9}, "error": {"message": "the mast broke"}})

    events = events_of(created(), text("Half"), BROKEN, failed)

    assert [type(event) for event in events[-2:]] == [RawChunk, Error]
    assert sum(isinstance(event, Error) for event in events) == 1


def test_failed_alone_is_an_error() -> None:
    """The reason is the one that the response names."""
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 20s."}

    response = answer(created(), ev("failed", response={"status": "failed", "error": error, "output": []}))

    assert response.error is not None
    assert (response.error.reason, response.error.retry_after) == ("rate_limited", 20)


def test_error_of_a_response_counts_under_any_status() -> None:
    """A response that names an error did not succeed."""
    response = whole(
        {"object": "response", "status": "cancelled", "error": {"message": "the mast broke"}, "output": [said("Hi")]}
    )

    assert response.error is not None
    assert (response.output_text, "the mast broke" in response.error.message) == ("Hi", True)


def test_failed_without_a_reason_is_an_error() -> None:
    """A server that gives up without a word is not taken for one that answered."""
    response = answer(created(), ev("failed", response={"status": "failed", "error": None}))

    assert response.error is not None
    assert response.error.reason == "server_error"


def test_error_waits_for_what_may_follow_it() -> None:
    """After an error the decoder waits for usage, and for no longer than a moment."""
    decoder = ResponsesDecoder(provider="lake")

    decoder.feed(SseRecord(json.dumps(BROKEN).encode()))

    assert (decoder.finishing, decoder.ended) == (True, False)


def test_end_after_an_error_is_the_error() -> None:
    """A server that fails and completes has failed."""
    assert answer(created(), BROKEN, completed(said("Hi"))).finish_reason == "error"


def test_refused_request_keeps_what_the_provider_said() -> None:
    """A whole body that is an error is one, under any status."""
    response = whole({"error": {"message": "No such ship.", "code": "model_not_found"}})

    assert response.error is not None
    assert (response.error.reason, response.error.code) == ("not_found", "model_not_found")


def test_body_of_something_else_is_malformed() -> None:
    """JSON that is no response says to check the address."""
    response = whole({"status": "ok"})

    assert response.error is not None
    assert response.error.reason == "malformed_response"
    assert "`output`" in response.error.message


def test_connection_that_breaks_tells_usage_first() -> None:
    """What was consumed is told, whatever ended the exchange."""
    decoder = ResponsesDecoder(provider="lake")
    decoder.feed(SseRecord(json.dumps(created(usage={"input_tokens": 5})).encode()))

    events = decoder.fail(Failure(kind="StreamError", reason="stream_interrupted", message="gone"))

    assert [type(event) for event in events] == [RawChunk, Error]


def test_refusal_is_text_that_is_marked() -> None:
    """A refusal is an outcome: its text is the answer, its reason content_filter."""
    part = {"type": "refusal", "refusal": "I will not."}
    events = events_of(
        created(),
        added(0, "message", id="msg_1"),
        ev("refusal.delta", output_index=0, content_index=0, delta="I will"),
        ev("refusal.done", output_index=0, content_index=0, refusal="I will not."),
        done(0, "message", id="msg_1", content=[part]),
        completed(),
    )

    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert (last.message.text, last.finish_reason, last.raw_finish_reason) == ("I will not.", "content_filter", "completed")
    assert last.message.content[0].provider_data["openai.responses"]["refusal"] is True  # type: ignore[index,call-overload]


def test_encrypted_thoughts_are_those_of_the_finished_item() -> None:
    """What comes with the beginning of an item is a stub."""
    events = read(BODIES["tools"])

    kept = [event.provider_data["openai.responses"] for event in events if isinstance(event, ReasoningCompleted)]
    assert kept[0] == {"item_id": "rs_sail"}
    assert isinstance(kept[1], dict)
    assert kept[1]["encrypted_content"] == "dGhvdWdodHM+/w=="


@given(st.lists(json_values, max_size=4))
def test_any_frames_give_events_and_one_end(frames: list[Any]) -> None:
    """Whatever JSON comes, the decoder neither raises nor breaks the grammar."""
    check_grammar(events_of(*frames))


KINDS = st.sampled_from(
    [
        *("output_item.added", "output_item.done", "output_text.delta", "output_text.done", "refusal.delta", "completed"),
        *("content_part.done", "output_text.annotation.added", "reasoning_summary_text.delta", "reasoning_text.done"),
        *("function_call_arguments.delta", "function_call_arguments.done", "custom_tool_call_input.delta", "failed"),
    ]
)
ITEMS = st.sampled_from(
    [
        *("message", "reasoning", "function_call", "custom_tool_call", "web_search_call", "mcp_call", "computer_call"),
        *("code_interpreter_call", "image_generation_call", "shell_call_output", "compaction", ""),
    ]
)
FIELDS = st.sampled_from(["delta", "text", "arguments", "content", "summary", "part", "annotation", "response", "code", "input"])


@given(st.lists(st.tuples(KINDS, ITEMS, st.integers(0, 2), st.dictionaries(FIELDS, json_values, max_size=3)), max_size=8))
def test_any_fields_give_events_and_one_end(given_frames: list[tuple[str, str, int, dict[str, Any]]]) -> None:
    """Events whose fields hold anything are read as far as they make sense."""
    frames = [
        ev(kind, output_index=index, item={"type": item, "name": "f", **fields}, **fields)
        for kind, item, index, fields in given_frames
    ]

    check_grammar(events_of(*frames))
