"""How messages look on the wire: what users, tools and the model said."""

import base64
from typing import Any

import pytest

from allm_rx.adapters.openai.chat_completions import options
from allm_rx.adapters.openai.chat_completions.options import Quirks
from allm_rx.data.messages import Message, assistant, tool_result, user
from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from tests.adapters.openai.chat_bodies import CALL, said
from tests.adapters.openai.chat_frames import answer, call, chunk


def test_user_parts_have_their_forms() -> None:
    """Text, pictures, documents and sound, in order."""
    message = user(
        [
            "See:",
            ImagePart(data=b"p", media_type="image/png"),
            ImagePart(url="https://x/p.png"),
            FilePart(data=b"d", media_type="application/pdf", filename="a.pdf"),
            FilePart(file_id="file-1"),
            AudioPart(data=b"s", media_type="audio/mpeg"),
        ]
    )

    assert said(message)[0]["content"] == [
        {"type": "text", "text": "See:"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(b'p').decode()}"}},
        {"type": "image_url", "image_url": {"url": "https://x/p.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,ZA=="}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "cw==", "format": "mp3"}},
    ]


def test_own_data_of_a_part_extends_it_and_foreign_data_do_not() -> None:
    """A part carries fields of this protocol; those of others are dropped."""
    image = ImagePart(
        url="https://x/p.png",
        provider_data={"openai.chat": {"image_url": {"detail": "low"}}, "anthropic.messages": {"cache_control": {}}},
    )

    assert said(user([image]))[0]["content"] == [{"type": "image_url", "image_url": {"url": "https://x/p.png", "detail": "low"}}]


def test_what_a_model_made_can_be_sent_by_the_user() -> None:
    """Notes that the decoder left on a part are not fields of the wire."""
    spoken = AudioPart(data=b"s", media_type="audio/wav", provider_data={"openai.chat": {"audio": {"id": "audio_1"}}})

    assert said(user([spoken]))[0]["content"] == [{"type": "input_audio", "input_audio": {"data": "cw==", "format": "wav"}}]


def test_item_of_this_protocol_is_sent_whole() -> None:
    """What we do not model can be sent in the protocol's own words; a foreign item is dropped."""
    video = {"type": "video_url", "video_url": {"url": "https://x/v.mp4"}}
    items = [
        ProviderPart(kind="video_url", provider_data={"openai.chat": video}),
        ProviderPart(kind="other", provider_data={"gemini": {"x": 1}}),
    ]

    assert said(user(items))[0]["content"] == [video]


def test_message_without_content_is_empty() -> None:
    """A message of sources alone still takes its turn."""
    assert said(user([SourcePart(url="https://x")]), user("Hi"))[0] == {"role": "user", "content": ""}


def test_results_in_a_user_message_come_first() -> None:
    """Results are messages of their own, wherever they stand."""
    mixed = Message(role="user", content=(ToolResultPart(id="a", content="1"), TextPart(text="And?")))

    assert [message["role"] for message in said(mixed)] == ["tool", "user"]
    assert [message["role"] for message in said(mixed.replace(content=mixed.content[:1]))] == ["tool"]


def test_speaker_has_a_name() -> None:
    """Several users can be told apart."""
    assert said(user("Hi", name="ann")) == [{"role": "user", "content": "Hi", "name": "ann"}]


def test_assistant_message_has_text_and_calls() -> None:
    """Text blocks are one text, calls follow; sources and pictures are left out."""
    message = assistant(["One. ", "Two.", SourcePart(url="https://x"), ImagePart(data=b"p", media_type="image/png"), CALL])

    assert said(user("Hi"), message, tool_result("c1", "Fog."))[1:] == [
        {
            "role": "assistant",
            "content": "One. Two.",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at":"sea"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "Fog."},
    ]


def test_content_is_null_only_beside_calls() -> None:
    """A message without text and calls has empty text."""
    assert said(user("Hi"), assistant([CALL]))[1]["content"] is None
    assert said(user("Hi"), assistant(""))[1]["content"] == ""


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (ToolCall(id="c", name="f", arguments={"a": 1}, raw_arguments='{ "a": 1 }'), '{ "a": 1 }'),
        (ToolCall(id="c", name="f", raw_arguments=""), "{}"),
        (ToolCall(id="c", name="f", raw_arguments="null"), "{}"),
        (ToolCall(id="c", name="f", raw_arguments='{"a', error="cut"), "{}"),
    ],
)
def test_arguments_are_as_the_model_wrote_them_if_that_is_an_object(call: ToolCall, sent: str) -> None:
    """The prompt cache still fits, and no server chokes on broken JSON."""
    assert said(user("Hi"), assistant([call]))[1]["tool_calls"][0]["function"]["arguments"] == sent


def test_calls_and_results_of_the_provider_are_left_out() -> None:
    """What another provider ran itself means nothing here."""
    parts = [
        ToolCall(id="s1", name="search", provider_executed=True),
        ToolResultPart(id="s1", content="found", provider_executed=True),
        TextPart(text="Found."),
    ]

    assert said(user("Hi"), assistant(parts))[1] == {"role": "assistant", "content": "Found."}


def test_signature_of_a_call_goes_back() -> None:
    """What came with a call is sent with it."""
    extra = {"google": {"thought_signature": "c2ln"}}
    call = CALL.replace(provider_data={"openai.chat": {"extra_content": extra}})

    assert said(user("Hi"), assistant([call]))[1]["tool_calls"][0]["extra_content"] == extra


def test_custom_call_goes_back_as_one() -> None:
    """A call with free text keeps its form."""
    call = ToolCall(id="c", name="sing", arguments={"input": "la"}, provider_data={"openai.chat": {"type": "custom"}})

    assert said(user("Hi"), assistant([call]))[1]["tool_calls"] == [
        {"id": "c", "type": "custom", "custom": {"name": "sing", "input": "la"}}
    ]


def test_several_results_are_several_messages() -> None:
    """A message with two results becomes two tool messages."""
    results = Message(role="tool", content=(ToolResultPart(id="a", content="1"), ToolResultPart(id="b", content="2")))

    assert said(results) == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]


def test_result_without_text_points_at_what_follows() -> None:
    """An empty tool message would look like a failure."""
    sent = said(tool_result("a", [ImagePart(url="https://x/p.png")]))

    assert (sent[0]["content"], sent[1]["role"]) == ("The result follows.", "user")


def test_picture_of_a_tool_follows_all_results() -> None:
    """A tool message holds text, so pictures come in a user message after the last of them."""
    picture = ImagePart(url="https://x/p.png")

    sent = said(tool_result("a", [TextPart(text="Chart:"), picture]), tool_result("b", "2"), user("And?"))

    assert sent == [
        {"role": "tool", "tool_call_id": "a", "content": "Chart:"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "From the result of tool call a:"},
                {"type": "image_url", "image_url": {"url": "https://x/p.png"}},
            ],
        },
        {"role": "user", "content": "And?"},
    ]


def test_refusal_goes_back_as_one_where_that_is_known() -> None:
    """OpenAI gets its refusal back, others get the text."""
    refused = assistant([TextPart(text="No.", provider_data={"openai.chat": {"refusal": True}})])

    assert said(user("Hi"), refused)[1]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert said(user("Hi"), refused, quirks=options.COMPATIBLE)[1]["content"] == "No."


def test_spoken_answer_goes_back_by_its_id() -> None:
    """OpenAI keeps what it said; of other sound the transcript is sent."""
    spoken = AudioPart(data=b"s", media_type="audio/pcm", transcript="Hello")
    known = spoken.replace(provider_data={"openai.chat": {"audio": {"id": "audio_1"}}})

    assert said(user("Hi"), assistant([known]))[1]["audio"] == {"id": "audio_1"}
    assert said(user("Hi"), assistant([spoken]))[1]["content"] == "Hello"


def test_reasoning_is_given_back_where_the_service_wants_it() -> None:
    """OpenAI refuses the field, DeepSeek demands it, Ollama calls it otherwise."""
    message = assistant([ReasoningPart(text="Hm.", provider_data={"openai.chat": {"reasoning": True}}), CALL])

    assert "reasoning_content" not in said(user("Hi"), message)[1]
    assert said(user("Hi"), message, quirks=options.DEEPSEEK)[1]["reasoning_content"] == "Hm."
    assert said(user("Hi"), message, quirks=options.OLLAMA)[1]["reasoning"] == "Hm."


@pytest.mark.parametrize("theirs", [{"anthropic.messages": {"signature": "s"}}, {}], ids=["signed", "unsigned"])
def test_reasoning_of_another_protocol_is_not_given_back(theirs: Any) -> None:
    """A foreign signature marks foreign reasoning, and what no one marked is nobody's."""
    foreign = ReasoningPart(text="Hm.", provider_data=theirs)

    assert said(user("Hi"), assistant([foreign, CALL]), quirks=options.DEEPSEEK)[1].keys() == {"role", "content", "tool_calls"}


@pytest.mark.parametrize(("quirks", "field"), [(options.DEEPSEEK, "reasoning_content"), (options.OLLAMA, "reasoning")])
def test_reasoning_that_was_read_is_given_back_after_a_file(quirks: Quirks, field: str) -> None:
    """What the protocol itself has read goes back, also after the way through JSON."""
    read = answer(chunk({field: "Calm "}), chunk({field: "sea."}), call(index=0, id="c1", name="look", arguments="{}"))
    message = Message.model_validate_json(read.message.model_dump_json())

    assert said(user("Hi"), message, quirks=quirks)[1][field] == "Calm sea."


def test_reasoning_of_a_message_of_the_protocol_is_given_back() -> None:
    """The message's own mark stands for its thoughts."""
    message = Message(role="assistant", content=[ReasoningPart(text="Hm."), CALL], provider_data={"openai.chat": {}})

    assert said(user("Hi"), message, quirks=options.DEEPSEEK)[1]["reasoning_content"] == "Hm."


def test_signed_reasoning_is_given_back_unchanged() -> None:
    """The list that came is the list that goes, to a service that knows it."""
    details: Any = [{"type": "reasoning.text", "text": "Hm", "signature": "c2ln+/==", "index": 0}]
    message = Message(role="assistant", content="Yes.", provider_data={"openai.chat": {"reasoning_details": details}})

    assert said(user("Hi"), message, quirks=options.OPENROUTER)[1]["reasoning_details"] == details
    assert "reasoning_details" not in said(user("Hi"), message)[1]
