"""What the decoder makes of answers, in the shapes that servers give them."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.openai.chat_completions.decode import ChatDecoder
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
)
from allm_rx.data.failures import Failure
from allm_rx.data.parts import AudioPart, ImagePart, SourcePart, TextPart
from allm_rx.data.usage import Usage
from allm_rx.wire.sse import SseRecord
from tests.adapters.openai.chat_frames import RECORDINGS, answer, chunk, events_of, read, text, whole
from tests.fixture_cases import check_grammar

BODIES = {path.stem: path.read_bytes() for path in sorted(RECORDINGS.glob("*.sse"))}


def test_plain_stream_is_started_deltas_completed() -> None:
    """A plain answer begins, grows, settles, tells its usage and ends."""
    events = read(BODIES["text"])

    assert events[0] == MessageStarted("chatcmpl-lake", "lake", "gpt-lake-1")
    assert [event.delta for event in events if isinstance(event, TextDelta)] == [
        *("The", " lake", " is", " çalm", " 🌊", " today", ".")
    ]
    assert events[-3] == TextCompleted("text-0", "The lake is çalm 🌊 today.")
    assert events[-2] == RawChunk(
        "usage", Usage(input_tokens=40, output_tokens=7, cached_input_tokens=32, reasoning_tokens=0, total_tokens=47)
    )
    assert isinstance(events[-1], MessageCompleted)
    assert (events[-1].finish_reason, events[-1].raw_finish_reason) == ("stop", "stop")


def test_tool_calls_are_started_deltas_completed() -> None:
    """Parallel calls grow under their own ids and complete in order at the finish reason."""
    events = read(BODIES["tools"])

    calls = [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta, ToolCallCompleted))]
    assert calls == [
        ToolCallStarted("call_a", "sail"),
        ToolCallDelta("call_a", '{"to":'),
        ToolCallDelta("call_a", '"nörth"}'),
        ToolCallStarted("call_b", "anchor"),
        ToolCallDelta("call_b", "{}"),
        ToolCallCompleted("call_a", "sail", {"to": "nörth"}, '{"to":"nörth"}'),
        ToolCallCompleted("call_b", "anchor", {}, "{}"),
    ]


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


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("MAX_TOKENS", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("time_limit", "other"),
    ],
)
def test_finish_reason_is_one_of_ours_and_keeps_theirs(raw: str, reason: str) -> None:
    """Every word of a server maps to the closed set, and stays beside it."""
    response = answer(text("Hi"), chunk(finish=raw))

    assert (response.finish_reason, response.raw_finish_reason) == (reason, raw)


def test_first_finish_reason_counts() -> None:
    """A gateway that says stop after length hides nothing."""
    response = answer(text("Hi"), chunk(finish="length"), chunk(finish="stop"))

    assert (response.finish_reason, response.raw_finish_reason) == ("length", "length")


def test_stop_with_calls_is_tool_calls() -> None:
    """Servers that always say stop do not hide their calls."""
    frame = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}

    assert answer(chunk(frame), chunk(finish="stop")).finish_reason == "tool_calls"


def test_done_without_finish_reason_is_other() -> None:
    """The end marker alone is a natural end."""
    response = answer(text("half"))

    assert (response.finish_reason, response.raw_finish_reason, response.error) == ("other", None, None)


def test_done_without_finish_reason_is_tool_calls_when_there_are_calls() -> None:
    """A server that forgets the finish reason still gets its tools run."""
    frame = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}

    assert answer(chunk(frame)).finish_reason == "tool_calls"


def test_finish_reason_without_done_is_an_end() -> None:
    """Many servers leave the marker out."""
    response = answer(text("Hi"), chunk(finish="stop"), done=False)

    assert (response.finish_reason, response.error) == ("stop", None)


def test_neither_is_an_interruption_that_keeps_the_text() -> None:
    """A body that just ends is a failure, whatever it said before."""
    response = answer(text("half"), done=False)

    assert response.output_text == "half"
    assert response.finish_reason == "error"
    assert response.error is not None
    assert (response.error.kind, response.error.reason) == ("StreamError", "stream_interrupted")


def test_finish_reason_is_not_the_end() -> None:
    """After the finish reason the decoder waits for usage, the marker or an error."""
    decoder = ChatDecoder(provider="lake")

    decoder.feed(SseRecord(b'{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}'))

    assert (decoder.finishing, decoder.ended) == (True, False)


def test_error_after_the_finish_reason_is_an_error() -> None:
    """An upstream that fails late fails."""
    response = answer(text("Hi"), chunk(finish="stop"), {"error": {"code": 502, "message": "upstream died"}})

    assert response.finish_reason == "error"
    assert response.error is not None
    assert (response.error.reason, response.error.status) == ("server_error", None)
    assert response.output_text == "Hi"


def test_error_beside_choices_keeps_what_the_choice_said() -> None:
    """A chunk that fails may still bring text and usage."""
    frame = chunk({"content": "last"}, "error", error={"code": 429, "message": "slow down"}, usage={"total_tokens": 3})

    response = answer(frame)

    assert response.error is not None
    assert response.error.reason == "rate_limited"
    assert (response.output_text, response.usage.total_tokens) == ("last", 3)


def test_error_inside_a_choice_is_an_error() -> None:
    """Gateways put the failure of one provider into its choice."""
    choice = {"index": 0, "message": {"content": ""}, "finish_reason": "error", "error": {"code": 503, "message": "down"}}

    response = whole({"choices": [choice]})

    assert response.error is not None
    assert response.error.reason == "overloaded"


@pytest.mark.parametrize("raw", ["error", "insufficient_system_resource"])
def test_finish_reason_that_means_failure_is_an_error(raw: str) -> None:
    """A server that gives up without a word is not taken for one that answered."""
    response = answer(text("Hi"), chunk(finish=raw))

    assert response.error is not None
    assert response.error.code == raw


@pytest.mark.parametrize(
    "frame",
    [
        {"error": {"message": "the mast broke"}},
        {"error": "the mast broke"},
        {"object": "error", "message": "the mast broke", "code": 500},
        {"type": "error", "message": "the mast broke"},
        [{"error": {"message": "the mast broke", "status": "INTERNAL"}}],
    ],
)
def test_error_frame_of_any_shape_is_an_error(frame: Any) -> None:
    """Every shape of an error in a stream ends it, with the text until then."""
    response = answer(text("Half"), frame)

    assert response.output_text == "Half"
    assert response.error is not None
    assert response.error.reason == "server_error"
    assert "the mast broke" in response.error.message


def test_error_event_with_any_json_is_an_error() -> None:
    """The event's name is enough."""
    events = ChatDecoder(provider="lake").feed(SseRecord(b'{"message":"the mast broke"}', "error"))

    assert isinstance(events[-1], Error)
    assert "the mast broke" in events[-1].failure.message


def test_error_field_with_plain_text_is_an_error_of_the_server() -> None:
    """A line `error: out of memory` is no malformed answer."""
    events = ChatDecoder(provider="lake").feed(SseRecord(b"out of memory", "error"))

    assert isinstance(events[-1], Error)
    assert (events[-1].failure.reason, "out of memory" in events[-1].failure.message) == ("server_error", True)


def test_recorded_error_field_keeps_the_text() -> None:
    """A stream that ends in an `error:` line has failed, and its text stays."""
    events = read(BODIES["error_field"])

    assert isinstance(events[-1], Error)
    assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == "Half a boat"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_is_found_under_every_name(field: str) -> None:
    """Reasoning is a block of its own, before the text."""
    response = answer(chunk({"content": None, field: "Hm"}), chunk({field: "m.", "content": ""}), text("Yes."))

    assert [part.type for part in response.message.content] == ["reasoning", "text"]
    assert (response.reasoning, response.output_text) == ("Hmm.", "Yes.")


def test_reasoning_told_twice_in_one_delta_counts_once() -> None:
    """Gateways repeat the text under several names."""
    delta = {"reasoning": "Hm", "reasoning_content": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}

    assert answer(chunk(delta)).reasoning == "Hm"


def test_reasoning_in_details_alone_is_read() -> None:
    """A server that sends only details has readable reasoning all the same."""
    details = [{"type": "reasoning.text", "text": "Hm", "index": 0}, {"type": "reasoning.summary", "summary": " so"}]

    assert answer(chunk({"reasoning_details": details})).reasoning == "Hm so"


def test_reasoning_details_are_merged_and_kept_with_the_message() -> None:
    """The signature that comes last belongs to the text that came first."""
    last = read(BODIES["reasoning_details"])[-1]

    assert isinstance(last, MessageCompleted)
    assert last.message.provider_data == {
        "openai.chat": {
            "reasoning_details": [
                {
                    "type": "reasoning.text",
                    "format": "house-v1",
                    "index": 0,
                    "text": "Wind from west.",
                    "signature": "c2lnbmF0dXJl+/==",
                }
            ]
        }
    }


def test_reasoning_details_of_other_type_or_index_stay_apart() -> None:
    """An encrypted entry is not glued to a readable one."""
    frames = [
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "xx", "index": 0}]}),
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "b", "index": 1}]}),
    ]

    kept: Any = answer(*frames).message.provider_data["openai.chat"]

    assert [(entry["type"], entry.get("text"), entry.get("data")) for entry in kept["reasoning_details"]] == [
        ("reasoning.text", "a", None),
        ("reasoning.encrypted", None, "xx"),
        ("reasoning.text", "b", None),
    ]


def test_signature_after_the_finish_reason_is_kept() -> None:
    """Some gateways sign at the very end."""
    frames = [
        chunk({"reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]}, "stop"),
        chunk({"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]}),
    ]

    kept: Any = answer(*frames).message.provider_data["openai.chat"]

    assert kept["reasoning_details"][0]["signature"] == "s"


def test_list_content_tells_reasoning_from_text() -> None:
    """Content that is a list has typed parts."""
    events = read(BODIES["list_content"])

    assert [event for event in events if isinstance(event, (ReasoningDelta, TextDelta, ReasoningCompleted))] == [
        ReasoningDelta("reasoning-0", "Count"),
        ReasoningDelta("reasoning-0", " fish."),
        ReasoningCompleted("reasoning-0", "Count fish.", {"openai.chat": {"reasoning": True}}),
        TextDelta("text-1", "Thr"),
        TextDelta("text-1", "ee"),
    ]


def test_list_content_of_any_kind_is_read() -> None:
    """Thinking may be a text, pictures stand in the list, unknown parts are passed over."""
    url = f"data:image/png;base64,{base64.b64encode(b'pixels').decode()}"
    content = [
        {"type": "thinking", "thinking": "Hm"},
        {"type": "text", "text": "See:"},
        {"type": "image_url", "image_url": url},
        {"type": "reference", "reference_ids": [1]},
    ]

    response = answer(chunk({"content": content}), chunk(finish="stop"))

    assert [part.type for part in response.message.content] == ["reasoning", "text", "image"]


def test_think_tags_are_text_unless_asked_for() -> None:
    """An answer about tags is not taken apart."""
    response = answer(text("<think>a</think>b"))

    assert (response.output_text, response.reasoning) == ("<think>a</think>b", "")


@pytest.mark.parametrize("size", range(1, 18))
def test_think_tags_may_be_cut_anywhere(size: int) -> None:
    """Tags are recognised across deltas."""
    said = " <think>a<b</think>c <think>d"
    pieces = [text(said[at : at + size]) for at in range(0, len(said), size)]

    response = answer(*pieces, think_tags="tags")

    assert (response.reasoning, response.output_text) == ("a<b", "c <think>d")


def test_think_tags_may_begin_inside() -> None:
    """A server that puts the first tag into the prompt sends only the second."""
    response = answer(text("a</th"), text("ink>b"), think_tags="inside")

    assert (response.reasoning, response.output_text) == ("a", "b")


def test_what_looked_like_a_tag_is_not_lost() -> None:
    """Text that waits for the rest of a tag comes out at the end, of an interrupted answer too."""
    assert answer(text("<thi"), think_tags="tags").output_text == "<thi"
    assert answer(text("a</th"), done=False, think_tags="inside").reasoning == "a</th"


def test_refusal_is_text_that_is_marked() -> None:
    """A refusal is an outcome: its text is the answer, its reason content_filter."""
    frames = [
        chunk({"role": "assistant", "content": None, "refusal": ""}),
        chunk({"refusal": "I "}),
        chunk({"refusal": "will not."}),
        chunk(finish="stop"),
    ]

    response = answer(*frames)

    assert response.output_text == "I will not."
    assert response.message.content == (TextPart(text="I will not.", provider_data={"openai.chat": {"refusal": True}}),)
    assert (response.finish_reason, response.raw_finish_reason) == ("content_filter", "stop")


def test_usage_in_every_chunk_counts_once() -> None:
    """Running totals are told once, the last ones."""
    frames = [chunk({"content": letter}, usage={"prompt_tokens": 5, "completion_tokens": n}) for n, letter in enumerate("abc")]

    events = events_of(*frames)

    assert [event.data for event in events if isinstance(event, RawChunk)] == [Usage(input_tokens=5, output_tokens=2)]


@pytest.mark.parametrize("later", [None, {}])
def test_empty_usage_wipes_nothing(later: Any) -> None:
    """A null after the numbers is not a report."""
    response = answer(chunk(finish="stop", usage={"total_tokens": 4}), {"choices": [], "usage": later})

    assert response.usage.total_tokens == 4


@pytest.mark.parametrize(
    "frame",
    [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"total_tokens": 4}}]},
        {"choices": [], "x_groq": {"usage": {"total_tokens": 4}}},
    ],
)
def test_usage_is_found_in_odd_places(frame: Any) -> None:
    """Usage may stand in a choice or in a vendor's own field."""
    assert answer(text("Hi"), frame).usage.total_tokens == 4


def test_usage_keeps_what_we_have_no_name_for() -> None:
    """Costs and vendor's counts survive; details get dotted names, so that they can be summed."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 1,
        "total_tokens": 300,
        "completion_tokens_details": {"reasoning_tokens": 290, "audio_tokens": 0},
        "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 3, "image_tokens": 2},
        "cost": 0.25,
        "num_sources_used": 2,
    }

    assert answer(chunk(finish="stop", usage=usage)).usage == Usage(
        input_tokens=9,
        output_tokens=1,
        cached_input_tokens=8,
        cache_write_input_tokens=3,
        reasoning_tokens=290,
        total_tokens=300,
        total_cost=0.25,
        extra={"prompt_tokens_details.image_tokens": 2, "num_sources_used": 2},
    )


def test_usage_is_told_when_the_exchange_breaks() -> None:
    """What was consumed until a network failure is known."""
    decoder = ChatDecoder(provider="lake")
    decoder.feed(SseRecord(b'{"choices":[{"delta":{"content":"x"}}],"usage":{"total_tokens":4}}'))

    events = decoder.fail(Failure(kind="AdapterError", reason="network_error", message="The network is gone."))

    assert events[0] == RawChunk("usage", Usage(total_tokens=4))
    assert isinstance(events[1], Error)


def test_choice_zero_counts_alone() -> None:
    """Chunks of several choices are interleaved; ours is the first."""
    frames: list[dict[str, Any]] = [
        {"choices": [{"index": 1, "delta": {"content": "B"}}]},
        {"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "A"}}]},
        {"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]

    response = answer(*frames)

    assert (response.output_text, response.finish_reason) == ("A", "stop")


def test_cost_that_is_itemised_is_read() -> None:
    """Perplexity tells the parts of its price."""
    cost = {"input_tokens_cost": 0.1, "output_tokens_cost": 0.2, "total_cost": 0.3}

    usage = answer(chunk(finish="stop", usage={"total_tokens": 3, "cost": cost})).usage

    assert (usage.input_cost, usage.output_cost, usage.total_cost) == (0.1, 0.2, 0.3)


@pytest.mark.parametrize("number", [True, "12", 1.5, 10**400, None])
def test_count_that_is_none_is_not_reported(number: Any) -> None:
    """Only whole numbers count tokens, only numbers are money."""
    usage = answer(chunk(finish="stop", usage={"total_tokens": number if number != 10**400 else None, "cost": number})).usage

    assert usage.total_tokens is None
    assert usage.total_cost == (1.5 if number == 1.5 else None)


def test_ids_are_the_first_that_are_not_empty() -> None:
    """A first chunk of filter results, without id and model, does not name the answer."""
    frames: list[dict[str, Any]] = [
        {"choices": [], "id": "", "model": "", "prompt_filter_results": []},
        {"id": "a", "model": "m-1", "choices": [{"delta": {"content": "Hi"}}]},
        {"id": "b", "model": "m-2", "choices": [{"delta": {}, "finish_reason": "stop"}]},
    ]

    response = answer(*frames)

    assert (response.id, response.model) == ("a", "m-1")


EMPTY: list[Any] = [
    {"choices": None},
    {"choices": []},
    {},
    {"type": "ping"},
    {"choices": [{"index": 0, "delta": None}]},
    {"choices": [{"index": 0, "delta": {"role": "", "content": None, "tool_calls": None}, "finish_reason": ""}]},
    {"choices": [{"delta": {"content": "", "tool_calls": []}}], "usage": {}},
]


@pytest.mark.parametrize("frame", EMPTY)
def test_frame_that_says_nothing_changes_nothing(frame: Any) -> None:
    """Empty chunks of every kind are passed over."""
    assert answer(text("a"), frame, text("b"), chunk(finish="stop")).output_text == "ab"


def test_text_after_the_finish_reason_is_a_repetition() -> None:
    """A summary after the end is not appended to the answer."""
    assert answer(text("Hi"), chunk(finish="stop"), text("Hi")).output_text == "Hi"


@pytest.mark.parametrize("data", [b"", b" "])
def test_blank_record_is_a_sign_of_life(data: bytes) -> None:
    """A `data:` line without data neither fails nor says anything."""
    assert ChatDecoder(provider="lake").feed(SseRecord(data)) == []


def test_citations_that_are_repeated_count_once() -> None:
    """Lists that come with every chunk give each source once, with its title."""
    lists: dict[str, Any] = {
        "citations": ["https://a.example", "https://b.example"],
        "search_results": [{"title": "A", "url": "https://a.example"}],
    }

    response = answer(chunk({"content": "x"}, **lists), chunk({"content": "y"}, "stop", **lists))

    assert response.sources == (SourcePart(url="https://a.example", title="A"), SourcePart(url="https://b.example"))
    assert response.output_text == "xy"


def test_source_that_was_annotated_is_not_listed_again() -> None:
    """A citation with its span says more than a list that repeats it."""
    annotation = {"type": "url_citation", "url": "https://a.example", "start_index": 0, "end_index": 1}

    lists: Any = {"citations": ["https://a.example"], "search_results": [{"url": "https://a.example"}]}

    response = answer(text("x"), chunk({"annotations": [annotation]}), chunk(finish="stop", **lists))

    assert [source.end for source in response.sources] == [1]


def test_annotations_are_sources_with_their_span() -> None:
    """A citation tells which words it backs."""
    cited = {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2}

    response = answer(text("So"), chunk({"annotations": [{"type": "url_citation", "url_citation": cited}]}), chunk(finish="stop"))

    assert response.sources == (SourcePart(url="https://a.example", title="A", start=0, end=2, block_id="text-0"),)


def test_pictures_come_as_bytes() -> None:
    """A picture in a data URL is a part of the answer."""
    url = f"data:image/png;base64,{base64.b64encode(b'pixels').decode()}"

    response = answer(text("Here:"), chunk({"images": [{"type": "image_url", "image_url": {"url": url}}]}), chunk(finish="stop"))

    assert response.message.content[1] == ImagePart(data=b"pixels", media_type="image/png")


def test_picture_may_stay_where_it_is() -> None:
    """A picture behind a URL is given as one."""
    image = {"image_url": {"url": "https://x.example/p.png"}}

    assert answer(chunk({"images": [image, image]}), chunk(finish="stop")).message.content == (
        ImagePart(url="https://x.example/p.png"),
    )


def test_picture_that_makes_no_sense_is_passed_over() -> None:
    """Broken base64 loses the picture, not the answer."""
    images = [{"image_url": {"url": "data:image/png;base64,a"}}, {"image_url": None}]

    assert answer(text("Hi"), chunk({"images": images}), chunk(finish="stop")).message.content == (TextPart(text="Hi"),)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"RIFF....", "audio/wav"),
        (b"ID3x", "audio/mpeg"),
        (b"\xff\xfbx", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
    ],
)
def test_sound_that_came_whole_is_told_by_its_first_bytes(data: bytes, media_type: str) -> None:
    """The answer does not name the format, its bytes do."""
    audio = {"id": None, "data": base64.b64encode(data).decode()}

    response = whole({"choices": [{"message": {"content": None, "audio": audio}, "finish_reason": "stop"}]})

    assert response.message.content == (AudioPart(data=data, media_type=media_type),)


def test_transcript_without_sound_is_text() -> None:
    """What was said is not lost when the sound is."""
    frames = [chunk({"audio": {"data": "a", "transcript": "x"}}), chunk({"audio": {"transcript": "Hello"}})]

    assert answer(*frames, chunk(finish="stop")).output_text == "Hello"


def test_sound_is_put_together() -> None:
    """Pieces of sound, each encoded by itself, are one part with its transcript and id."""
    pieces = [base64.b64encode(piece).decode() for piece in (b"\x01\x02\x03", b"\x04")]
    frames = [
        chunk({"audio": {"id": "audio_1", "transcript": "Hel"}}),
        *(chunk({"audio": {"data": piece}}) for piece in pieces),
        chunk({"audio": {"transcript": "lo", "expires_at": 9}}),
    ]

    assert answer(*frames, chunk(finish="stop")).message.content == (
        AudioPart(
            data=b"\x01\x02\x03\x04",
            media_type="audio/pcm",
            transcript="Hello",
            provider_data={"openai.chat": {"audio": {"id": "audio_1"}}},
        ),
    )


def test_whole_answer_is_decoded_to_the_same_response() -> None:
    """A server that does not stream says the same."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm", "tool_calls": [call]}
    body = {"id": "chatcmpl-1", "model": "m", "usage": {"total_tokens": 3}}

    response = whole({**body, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})

    assert response == answer(chunk(message, "tool_calls", **{"usage": body["usage"]}))
    assert [part.type for part in response.message.content] == ["reasoning", "text", "tool_call"]


def test_whole_answer_without_finish_reason_is_whole() -> None:
    """A JSON body that parsed has its end."""
    response = whole({"choices": [{"message": {"content": "Hi"}}]})

    assert (response.output_text, response.finish_reason, response.error) == ("Hi", "other", None)


def test_whole_body_that_is_an_error_is_an_error() -> None:
    """Gateways answer 200 with an error inside."""
    response = whole({"error": {"message": "No endpoints found", "code": 404}, "user_id": "u"})

    assert response.error is not None
    assert (response.error.reason, response.error.status) == ("not_found", None)


def test_whole_body_that_is_no_answer_is_malformed() -> None:
    """JSON of something else is not an empty answer."""
    response = whole({"hello": "world"})

    assert response.error is not None
    assert response.error.reason == "malformed_response"


def test_raw_chunks_come_when_asked_for() -> None:
    """Each frame is visible before what it means."""
    events = events_of(text("Hi"), include_raw_chunks=True)

    assert [event.type for event in events[:3]] == ["message_started", "raw_chunk", "text_delta"]


def test_key_in_an_error_is_hidden() -> None:
    """A server that repeats the key does not put it into the failure."""
    response = answer({"error": {"message": "bad key lake-123456"}}, secrets=("lake-123456",))

    assert response.error is not None
    assert "lake-123456" not in response.error.model_dump_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "tool_calls", "function", "name", "id", "index", "usage", "url"]), inner)
    ),
    max_leaves=12,
)
CHOICES: Any = st.fixed_dictionaries({}, optional={"delta": JSON, "message": JSON, "finish_reason": JSON})
FRAMES: Any = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "model": JSON,
        "usage": JSON,
        "error": JSON,
        "citations": JSON,
        "choices": JSON | st.lists(CHOICES, max_size=3),
    },
)


@given(st.lists(FRAMES, max_size=4))
def test_any_frames_give_grammatical_events(frames: list[Any]) -> None:
    """Whatever JSON comes, the decoder gives events in order and never raises."""
    events_of(*frames)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_give_grammatical_events(records: list[bytes]) -> None:
    """Whatever bytes come, the decoder gives events in order and never raises."""
    decoder = ChatDecoder(provider="lake")

    check_grammar([*(event for record in records for event in decoder.feed(SseRecord(record))), *decoder.finish()])
