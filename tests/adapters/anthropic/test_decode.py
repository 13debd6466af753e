"""What the decoder makes of answers of the Messages API."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.anthropic.messages.decode import MessagesDecoder
from allm_rx.data.events import (
    Error,
    MessageCompleted,
    MessageStarted,
    RawChunk,
    ReasoningCompleted,
    ReasoningDelta,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
    ToolResultReceived,
)
from allm_rx.data.parts import SourcePart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseDecoder, SseRecord
from tests.adapters.anthropic.messages_frames import (
    RECORDINGS,
    STOP,
    answer,
    begin,
    delta,
    end,
    events_of,
    hold_to_grammar,
    read,
    start,
    stop,
    text,
    tool,
    whole,
)

BODIES = {path.stem: path.read_bytes() for path in sorted(RECORDINGS.glob("*.sse"))}
OURS = "anthropic.messages"


def test_plain_stream_is_started_deltas_completed() -> None:
    """A plain answer begins, tells its prompt, grows, settles, tells its usage and ends."""
    events = read(BODIES["text"])

    early = Usage(
        input_tokens=2060,
        output_tokens=1,
        cached_input_tokens=2048,
        cache_write_input_tokens=0,
        extra={"service_tier": "standard"},
    )
    sentence = "The lamp turns 🌊 sløwly."
    assert events[:-1] == [
        MessageStarted("msg_lighthouse", "quay", "claude-harbour-5"),
        RawChunk("usage", early),
        TextDelta("block-0", "The lamp"),
        TextDelta("block-0", " turns 🌊 sløwly"),
        TextDelta("block-0", "."),
        TextCompleted("block-0", sentence),
        RawChunk("usage", early.replace(output_tokens=9)),
    ]
    assert isinstance(events[-1], MessageCompleted)
    assert events[-1].message.content == (TextPart(text=sentence),)
    assert (events[-1].finish_reason, events[-1].raw_finish_reason) == ("stop", "end_turn")


def test_thoughts_and_calls_come_in_order_with_what_signs_them() -> None:
    """Thinking keeps its signature, hidden thinking its data, and calls grow under their own ids."""
    events = [event for event in read(BODIES["thinking_tools"]) if not isinstance(event, (RawChunk, TextDelta))]

    thought = "Two ports, so two calls — first Bergen."
    signed: dict[str, Any] = {OURS: {"signature": "c2lnbmVkLWJ5LXRoZS1oYXJib3VyLW1hc3Rlcg=="}}
    hidden: dict[str, Any] = {OURS: {"type": "redacted_thinking", "data": "aGlkZGVuLWluLXRoZS1ob2xk"}}
    direct: dict[str, Any] = {OURS: {"caller": {"type": "direct"}}}
    raw = '{"port": "Bergen", "days": 2}'
    assert events[1:-1] == [
        ReasoningDelta("block-0", "Two ports, "),
        ReasoningDelta("block-0", "so two calls — first Bergen."),
        ReasoningCompleted("block-0", thought, signed),
        ReasoningCompleted("block-1", "", hidden),
        TextCompleted("block-2", "I will ask both ports."),
        ToolCallStarted("toolu_bergen", "tide"),
        ToolCallDelta("toolu_bergen", '{"port": "Ber'),
        ToolCallDelta("toolu_bergen", 'gen", "days": 2}'),
        ToolCallCompleted("toolu_bergen", "tide", {"port": "Bergen", "days": 2}, raw, provider_data=direct),
        ToolCallStarted("toolu_clock", "clock"),
        ToolCallCompleted("toolu_clock", "clock", {}, ""),
    ]


def test_search_is_a_call_and_a_result_of_the_provider() -> None:
    """A server tool's call and result are told as such, cited sources come before their text, and all is kept whole."""
    message = read(BODIES["search"])[-1]

    assert isinstance(message, MessageCompleted)
    call, result, source, cited, rest = message.message.content
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResultPart)
    assert (call.provider_executed, call.arguments) == (True, {"query": "tide Bergen"})
    assert (result.id, result.name, result.provider_executed) == ("srvtoolu_tides", "web_search", True)
    assert result.text == "Tides at Bergen\nhttps://tides.example/bergen"
    block: Any = result.provider_data[OURS]
    assert block["content"][0]["encrypted_content"] == "ZW5jcnlwdGVk"
    assert source == SourcePart(
        url="https://tides.example/bergen",
        title="Tides at Bergen",
        quote="Low water is at noon.",
        block_id="block-2",
        provider_data={OURS: {"type": "web_search_result_location"}},
    )
    assert isinstance(cited, TextPart)
    citations: Any = cited.provider_data[OURS]
    assert (cited.text, citations["citations"][0]["encrypted_index"]) == ("Low water is at noon", "ZW5jcnlwdGVkLWluZGV4")
    assert rest == TextPart(text=".")


@pytest.mark.parametrize("name", sorted(BODIES))
def test_events_do_not_depend_on_a_cut(name: str) -> None:
    """A body that comes in two reads, cut at any byte, gives the events of one read."""
    body = BODIES[name]
    events = read(body)

    assert [at for at in range(len(body)) if read(body[:at], body[at:]) != events] == []


@pytest.mark.parametrize("name", sorted(BODIES))
def test_events_do_not_depend_on_bytes(name: str) -> None:
    """A body that comes byte by byte gives the events of one read."""
    body = BODIES[name]

    assert read(*(body[at : at + 1] for at in range(len(body)))) == read(body)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_body_that_ends_early_is_no_success(name: str) -> None:
    """A body cut at any byte before the end of `message_stop` or of the error is an error of its own."""
    body = BODIES[name]
    last = body.rindex(b"data: ")

    ends = {type(read(body[:at])[-1]) for at in range(0, last, 7)}

    assert ends == {Error}


# Usage.


def test_usage_counts_the_whole_prompt() -> None:
    """The parts of the prompt exclude each other on the wire; ours is their sum."""
    response = answer(
        start(input_tokens=3, cache_creation_input_tokens=100, cache_read_input_tokens=2000, output_tokens=1),
        *end(usage={"output_tokens": 5, "output_tokens_details": {"thinking_tokens": 4}}),
    )

    assert response.usage == Usage(
        input_tokens=2103, output_tokens=5, cached_input_tokens=2000, cache_write_input_tokens=100, reasoning_tokens=4
    )


@pytest.mark.parametrize(("early", "late"), [(0, 50), (50, 0), (50, None)])
def test_unknown_prompt_is_not_zero(early: int, late: int | None) -> None:
    """A gateway's zero or null does not hide the number that the other report has."""
    response = answer(start(input_tokens=early, output_tokens=1), *end(usage={"input_tokens": late, "output_tokens": 2}))

    assert (response.usage.input_tokens, response.usage.output_tokens) == (50, 2)


def test_usage_of_other_kinds_is_kept_by_name() -> None:
    """What has no name of ours stays under the provider's, details with a dot, so that answers add up."""
    usage = {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0}, "output_tokens": 1}

    response = answer(start(), *end(usage=usage))

    assert (response.usage + response.usage).extra == {"server_tool_use.web_search_requests": 4}


def test_usage_is_known_when_the_stream_fails() -> None:
    """What the prompt cost is told although the answer broke."""
    response = answer(start(input_tokens=9, output_tokens=1), *text(0, "Hi"))

    assert response.error is not None
    assert response.usage.input_tokens == 9


# How it ends.


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "other"),
        ("compaction", "other"),
        ("a_new_one", "other"),
        (None, "other"),
    ],
)
def test_stop_reason_is_one_of_ours(raw: str | None, ours: str) -> None:
    """Every stop reason has a finish reason, and the provider's word stays beside it."""
    response = answer(start(), *text(0, "Hi"), *end(raw))

    assert (response.finish_reason, response.raw_finish_reason) == (ours, raw)


@pytest.mark.parametrize("raw", ["end_turn", None])
def test_calls_are_to_be_run_whatever_the_stop_reason_says(raw: str | None) -> None:
    """A plain stop, or none at all, with calls of the application is `tool_calls`."""
    response = answer(start(), *tool(0, "toolu_1", "look", '{"at": 1}'), *end(raw))

    assert response.finish_reason == "tool_calls"


def test_refusal_tells_why() -> None:
    """The details of a refusal are kept with the message, and the text before it stays."""
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}

    response = answer(start(), *text(0, "Well"), *end("refusal", stop_details=details))

    assert response.output_text == "Well"
    assert response.message.provider_data == {OURS: {"stop_details": details}}


def test_container_is_kept_for_the_next_turn() -> None:
    """The container that code runs in is kept with the message."""
    container = {"id": "container_1", "expires_at": "2030-01-01T00:00:00Z"}

    response = answer(start(), *text(0, "Well"), *end("tool_use", container=container))

    assert response.message.provider_data == {OURS: {"container": container}}


def test_stop_reason_alone_is_no_end() -> None:
    """A body that ends between the stop reason and `message_stop` was cut; nothing of it is lost."""
    response = answer(start(), *text(0, "Hi"), end()[0])

    assert response.error is not None
    assert (response.error.kind, response.error.reason) == ("StreamError", "stream_interrupted")
    assert "message_stop" in response.error.message
    assert response.output_text == "Hi"


def test_awaited_end_marker_can_be_done_without() -> None:
    """When the connection stays open after the stop reason and nothing comes, the answer settles as complete."""
    decoder = MessagesDecoder(provider="quay")
    for frame in (start(), *text(0, "Hi"), end()[0]):
        decoder.feed(SseRecord(json.dumps(frame).encode()))

    assert decoder.finishing
    (completed,) = decoder.settle()
    assert isinstance(completed, MessageCompleted)
    assert completed.finish_reason == "stop"
    assert decoder.settle() == []


def test_unfinished_answer_does_not_settle() -> None:
    """Without a stop reason there is nothing to settle for."""
    decoder = MessagesDecoder(provider="quay")
    decoder.feed(SseRecord(json.dumps(start()).encode()))

    assert isinstance(decoder.settle()[-1], Error)


def test_what_follows_the_end_is_ignored() -> None:
    """Nothing comes after the terminal."""
    assert events_of(start(), *end(), *text(0, "more"), STOP)[-1:] == events_of(start(), *end())[-1:]


WORDS = [f"word{number} " for number in range(9)]
SAID = "".join(WORDS)


@pytest.mark.parametrize(
    "between",
    [
        text(0)[:1],
        [stop(0)],
        [stop(0), *text(0)[:1]],
        [start("msg_2")],
        [end("max_tokens")[0]],
    ],
    ids=["started-again", "stopped", "stopped-and-started", "another-message", "ended"],
)
def test_repeating_records_belong_to_the_block_that_is_open(between: list[dict[str, Any]]) -> None:
    """Records alike but for their text are of the open block, also where a broken stream reuses its index."""
    first, again = text(0, *WORDS)[:-1], text(0, *WORDS)[1:-1]

    events = events_of(start("msg_1"), *first, *between, *again, *end())

    last = events[-1]
    assert isinstance(last, MessageCompleted)
    kept = [SAID] if between == [start("msg_2")] else [SAID, SAID]
    assert [part.text for part in last.message.content if isinstance(part, TextPart)] == kept
    assert [event.delta for event in events if isinstance(event, TextDelta)] == WORDS * 2


def test_repeating_thoughts_are_no_text() -> None:
    """Thoughts and text take the same short way to different blocks."""
    thoughts = [delta(0, "thinking_delta", thinking=word) for word in WORDS]

    response = answer(start(), begin(0, "thinking", thinking=""), *thoughts, stop(0), *text(1, *WORDS), *end())

    assert (response.reasoning, response.output_text) == (SAID, SAID)


# Messages that begin twice.


def test_second_message_drops_what_was_open() -> None:
    """Under another id the message begins again: open text and thoughts are void, what was whole stays."""
    events = events_of(
        start("msg_1"),
        *text(0, "Kept."),
        begin(1, "thinking", thinking="Hm"),
        *text(2, "Void")[:-1],
        start("msg_2"),
        *text(0, "New."),
        *end(),
    )

    assert [event for event in events if isinstance(event, (TextCompleted, ReasoningCompleted))] == [
        TextCompleted("block-0", "Kept."),
        ReasoningCompleted("block-1", ""),
        TextCompleted("block-2", ""),
        TextCompleted("block-3", "New."),
    ]
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert last.message.content == (TextPart(text="Kept."), TextPart(text="New."))


def test_second_message_drops_an_open_call() -> None:
    """A call that was still growing is completed as one that is not run, and is no part of the message."""
    events = events_of(start("msg_1"), *tool(0, "toolu_1", "look", '{"a')[:-1], start("msg_2"), *text(0, "New."), *end())

    (call,) = [event for event in events if isinstance(event, ToolCallCompleted)]
    assert call.error is not None
    assert "does not count" in call.error
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert (last.message.content, last.finish_reason) == ((TextPart(text="New."),), "stop")


def test_second_message_drops_what_has_not_shown() -> None:
    """Blocks that said nothing yet leave no trace, be they text, thoughts or items."""
    hidden = [begin(0, "text", text=""), begin(1, "thinking", thinking=""), begin(2, "compaction"), begin(3, "x_tool_result")]

    events = events_of(start("msg_1"), *hidden, start("msg_2"), *text(0, "New."), *end())

    kinds = [type(event) for event in events if not isinstance(event, (MessageStarted, MessageCompleted))]
    assert kinds == [ToolResultReceived, TextDelta, TextCompleted]


def test_second_message_counts_anew() -> None:
    """Usage and stop reason of the message that was given up are not those of the answer."""
    response = answer(
        start("msg_1", input_tokens=5, cache_read_input_tokens=100, output_tokens=1),
        end("max_tokens")[0],
        start("msg_2", input_tokens=7, output_tokens=1),
        *text(0, "New."),
        *end("end_turn", usage={"output_tokens": 3}),
    )

    assert (response.finish_reason, response.usage.input_tokens, response.usage.output_tokens) == ("stop", 7, 3)


@pytest.mark.parametrize("again", ["msg_1", None])
def test_repeated_start_changes_nothing(again: str | None) -> None:
    """The same start twice, or one without an id, goes on with what is open."""
    response = answer(start("msg_1"), *text(0, "Hel")[:-1], start(again), delta(0, "text_delta", text="lo"), stop(0), *end())

    assert response.output_text == "Hello"


# Errors.


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded", "details": None}},
        {"error": {"type": "overloaded_error", "message": "Overloaded"}},
    ],
)
def test_error_frame_is_the_end(frame: dict[str, Any]) -> None:
    """An error in the stream ends the answer, and what came before it stays."""
    response = answer(start(), *text(0, "Hel")[:-1], frame, *end())

    assert response.error is not None
    assert (response.error.reason, response.error.status, response.output_text) == ("overloaded", None, "Hel")
    assert response.error.provider_request_id == frame.get("request_id")


def test_flat_error_is_known_by_its_event() -> None:
    """A gateway's error object without a wrapper is one by the name of its event."""
    decoder = MessagesDecoder(provider="quay")

    (error,) = decoder.feed(SseRecord(b'{"type": "rate_limit_error", "message": "Slow down"}', "error"))

    assert isinstance(error, Error)
    assert error.failure.reason == "rate_limited"


@pytest.mark.parametrize("body", [b"data: <html>\n\n", b"data: {]\n\n"])
def test_frame_that_is_no_json_is_told(body: bytes) -> None:
    """Something else than JSON is an error that shows it."""
    (error,) = read(body)

    assert isinstance(error, Error)
    assert error.failure.reason == "malformed_response"
    assert body[6:-2].decode() in error.failure.message


def test_half_characters_are_joined_and_lone_ones_replaced() -> None:
    """Text whose characters are torn between two deltas is whole; what cannot be whole is replaced."""
    frames = [start(), *text(0, "a \ud83c", "\udf0a b \ud83c"), *end()]

    assert answer(*frames).output_text == "a 🌊 b \ufffd"


# Answers that come whole.


def test_whole_body_gives_the_same_message() -> None:
    """An answer that came as one body has the same parts, usage and reason as the streamed one."""
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "text", "text": "Hi", "citations": [{"type": "page_location", "document_index": 0}]},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}},
    ]
    usage: dict[str, Any] = {"input_tokens": 3, "output_tokens": 4}
    body = {
        "id": "msg_1",
        "type": "message",
        "model": "claude-quay-5",
        "content": blocks,
        "stop_reason": "tool_use",
        "usage": usage,
    }

    response = whole(body)

    streamed = answer(
        start(**usage),
        begin(0, "thinking", thinking="Hm"),
        delta(0, "signature_delta", signature="c2ln"),
        stop(0),
        begin(1, "text", text=""),
        delta(1, "citations_delta", citation={"type": "page_location", "document_index": 0}),
        *text(1, "Hi")[1:],
        begin(2, "tool_use", id="toolu_1", name="look", input={"at": 1}),
        stop(2),
        *end("tool_use"),
    )
    assert response == streamed


def test_whole_body_may_be_empty() -> None:
    """No content at all is an answer."""
    response = whole({"id": "msg_1", "model": "m", "content": [], "stop_reason": "end_turn"})

    assert (response.output_text, response.finish_reason, response.error) == ("", "stop", None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}, "not_found"),
        ({"hello": "world"}, "malformed_response"),
        ([1], "stream_interrupted"),
        ("text", "malformed_response"),
    ],
)
def test_whole_body_that_is_no_message_is_an_error(body: Any, reason: str) -> None:
    """An error in place of a message, and anything else, is told."""
    response = whole(body)

    assert response.error is not None
    assert response.error.reason == reason


# Raw frames, and anything at all.


def test_raw_frames_come_when_asked_for() -> None:
    """With `include_raw_chunks` every frame is also given as it came, none before the start of the message."""
    frames = [{"type": "ping"}, start(), *text(0, "Hi"), *end()]

    events = events_of(*frames, include_raw_chunks=True)

    assert isinstance(events[0], MessageStarted)
    assert [event.data for event in events if isinstance(event, RawChunk) and event.kind != "usage"] == frames


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(
    [
        *("message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta", "content_block_stop"),
        *("error", "ping"),
    ]
)
block_kinds = st.sampled_from(
    [
        *("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_result", "web_search_tool_result"),
        *("compaction", "text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta"),
    ]
)
fields = st.sampled_from(
    [
        *("text", "thinking", "signature", "data", "id", "name", "input", "partial_json", "citation", "citations", "content"),
        *("tool_use_id", "stop_reason", "usage", "model", "index", "input_tokens", "output_tokens", "cited_text", "url"),
    ]
)


@st.composite
def insides(draw: st.DrawFn) -> Any:
    """A block, a delta, a message, or something else."""
    rest = draw(st.dictionaries(fields, json_values, max_size=4))
    return draw(st.just({**rest, "type": draw(block_kinds | json_values)}) | json_values)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, Any]:
    """A frame whose parts are what they should be, or something else."""
    inside, rest = draw(insides()), draw(st.dictionaries(fields, json_values, max_size=2))
    return {
        **rest,
        "type": draw(kinds),
        "index": draw(st.integers(0, 2) | json_values),
        **dict.fromkeys(("message", "content_block", "delta"), inside),
    }


@given(st.lists(frames(), max_size=8))
def test_any_frames_give_events_of_the_grammar(given_frames: list[dict[str, Any]]) -> None:
    """Whatever the frames hold, the events obey the grammar and end with a terminal."""
    decoder = MessagesDecoder(provider="quay")

    events = [event for frame in given_frames for event in decoder.feed(SseRecord(json.dumps(frame).encode()))]
    events += decoder.finish()

    kept = [event for event in events if not isinstance(event, RawChunk)]
    hold_to_grammar(kept)
    assert isinstance(events[-1], (MessageCompleted, Error))


@given(st.binary(max_size=200), st.sampled_from(sorted(BODIES)), st.integers(0, 1000))
def test_any_bytes_give_a_terminal(noise: bytes, name: str, at: int) -> None:
    """Whatever bytes get into a body, the decoder ends with one terminal and raises nothing."""
    body = BODIES[name]
    sse, decoder = SseDecoder(), MessagesDecoder(provider="quay")

    events = [event for record in sse.feed(body[:at] + noise + body[at:]) for event in decoder.feed(record)]
    events += [event for record in sse.finish() for event in decoder.feed(record)]
    events += decoder.finish()

    assert [isinstance(event, (MessageCompleted, Error)) for event in events].count(True) == 1
    assert isinstance(events[-1], (MessageCompleted, Error))


@given(insides())
def test_any_whole_body_gives_a_terminal(body: Any) -> None:
    """Whatever JSON comes in place of a message, the decoder ends with one terminal and raises nothing."""
    events = MessagesDecoder(provider="quay").whole(json.dumps(body).encode())

    assert isinstance(events[-1], (MessageCompleted, Error))
