"""What a request looks like on the wire."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from allm_rx.adapters.openai.chat_completions import options
from allm_rx.adapters.openai.chat_completions.encode import encode, encode_body, endpoint
from allm_rx.adapters.openai.chat_completions.options import OPENAI, Quirks, quirks_of
from allm_rx.data.messages import Message, assistant, system, tool_result, user
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
from allm_rx.data.requests import AllowedTools, PromptCache, Reasoning, Request, json_schema
from allm_rx.data.tools import Tool, provider_tool
from tests.adapters.openai.chat_frames import answer, call, chunk

LOOK = Tool(name="look", description="Look somewhere.", parameters={"type": "object", "properties": {"at": {"type": "string"}}})
CALL = ToolCall(id="c1", name="look", arguments={"at": "sea"})


def body(*messages: Message, quirks: Quirks = OPENAI, **fields: Any) -> dict[str, Any]:
    request = Request(messages=messages or (user("Hi"),), model="m", **fields)
    return json.loads(encode(request, quirks=quirks, base_url="https://x/v1", key=None, headers={}).body)


def said(*messages: Message, quirks: Quirks = OPENAI) -> list[dict[str, Any]]:
    return body(*messages, quirks=quirks)["messages"]


def test_smallest_request() -> None:
    """What is not given is not sent; usage is asked for."""
    assert body() == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_request_is_deterministic_and_compact() -> None:
    """The same request gives the same bytes, without spaces."""
    request = Request(messages=(system("Be brief."), user("Hi")), model="m", tools=(LOOK,), temperature=0.5)
    twice = [encode(request, quirks=OPENAI, base_url="https://x/v1", key=None, headers={}).body for _ in range(2)]

    assert twice[0] == twice[1]
    assert b'{"model":"m","messages":[{"role":"system","content":"Be brief."},' in twice[0]


def test_key_is_hidden_and_headers_win() -> None:
    """The key is a secret in a header; the caller's headers come last, whatever their case."""
    wire = encode(
        Request(messages=(user("Hi"),)),
        quirks=OPENAI,
        base_url="https://x/v1",
        key=SecretStr("lake-key"),
        headers={"Accept": "text/plain", "OpenAI-Project": "p"},
    )

    assert wire.plain_headers() == {
        "content-type": "application/json",
        "accept": "text/plain",
        "authorization": "Bearer lake-key",
        "openai-project": "p",
    }
    assert "lake-key" not in repr(wire)


def test_key_header_of_azure_has_no_bearer() -> None:
    """Azure takes the bare key under another name."""
    wire = encode(
        Request(messages=(user("Hi"),)), quirks=options.AZURE, base_url="https://x/v1", key=SecretStr("lake-key"), headers={}
    )

    assert wire.plain_headers()["api-key"] == "lake-key"
    assert "authorization" not in wire.headers


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        (
            "https://a.example/openai/deployments/d?api-version=7",
            "https://a.example/openai/deployments/d/chat/completions?api-version=7",
        ),
    ],
)
def test_base_url_means_what_it_means_in_openai_s_package(base_url: str, url: str) -> None:
    """The path is appended, a trailing slash is tolerated, a query stays at the end."""
    assert endpoint(base_url) == url


def test_options_have_their_names() -> None:
    """Every option of the model group has its field."""
    sent = body(
        temperature=0.0,
        top_p=0.9,
        max_tokens=10,
        stop=("END",),
        seed=7,
        reasoning=Reasoning(effort="low"),
        prompt_cache=PromptCache(key="k", retention="long"),
        response_format="json_object",
    )

    assert {name: sent[name] for name in sent if name not in ("model", "messages", "stream", "stream_options")} == {
        "temperature": 0.0,
        "top_p": 0.9,
        "max_completion_tokens": 10,
        "stop": ["END"],
        "seed": 7,
        "reasoning_effort": "low",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "response_format": {"type": "json_object"},
    }


def test_provider_options_are_merged_deeply_and_last() -> None:
    """The provider's own words win, and change only what they name."""
    sent = body(
        temperature=0.5, provider_options={"temperature": 1, "stream_options": {"include_obfuscation": False}, "logprobs": True}
    )

    assert sent["temperature"] == 1
    assert sent["logprobs"] is True
    assert sent["stream_options"] == {"include_usage": True, "include_obfuscation": False}


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


def test_tools_have_their_form() -> None:
    """A function tool with what is known of it, a provider's tool as it is."""
    custom = {"type": "custom", "custom": {"name": "sing"}}

    sent = body(tools=(LOOK, Tool(name="bare"), provider_tool("openai.chat", custom)))

    assert sent["tools"] == [
        {"type": "function", "function": {"name": "look", "description": "Look somewhere.", "parameters": dict(LOOK.parameters)}},
        {"type": "function", "function": {"name": "bare", "parameters": {"type": "object", "properties": {}}}},
        custom,
    ]
    assert "tool_choice" not in sent


def test_strict_tool_gets_a_strict_schema() -> None:
    """Strict mode wants closed objects that require everything."""
    sent = body(tools=(LOOK.replace(strict=True),))["tools"][0]["function"]

    assert sent["strict"] is True
    assert sent["parameters"] == {
        "type": "object",
        "properties": {"at": {"type": "string"}},
        "additionalProperties": False,
        "required": ["at"],
    }


NAMED = {"type": "function", "function": {"name": "look"}}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("look", NAMED),
        (
            AllowedTools(names=("look",), mode="required"),
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
        ),
        ("custom", {"type": "custom", "custom": {"name": "sing"}}),
    ],
)
def test_tool_choice_has_every_form(choice: Any, sent: Any) -> None:
    """A word, a tool, or several tools."""
    tools = (LOOK, provider_tool("openai.chat", {"type": "custom", "custom": {"name": "sing"}}))

    assert body(tools=tools, tool_choice=choice)["tool_choice"] == sent


def test_choice_without_tools_is_left_out() -> None:
    """Servers refuse a choice among nothing."""
    assert "tool_choice" not in body(tool_choice="none")


def test_allowed_tools_are_the_only_ones_where_no_form_exists() -> None:
    """A service that cannot be told which tools are allowed is offered only those."""
    sent = body(tools=(LOOK, Tool(name="hear")), tool_choice=AllowedTools(names=("hear",)), quirks=options.COMPATIBLE)

    assert [tool["function"]["name"] for tool in sent["tools"]] == ["hear"]
    assert sent["tool_choice"] == "auto"


def test_schema_of_an_answer_has_its_form() -> None:
    """A schema goes with its name, description and strictness; strict ones are closed."""
    wanted = json_schema({"type": "object", "properties": {"a": {"type": "integer"}}}, name="My[int]", description="d")

    assert body(response_format=wanted)["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "My_int_",
            "description": "d",
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "additionalProperties": False,
                "required": ["a"],
            },
            "strict": True,
        },
    }


def test_schema_that_is_not_strict_stays_as_it_is() -> None:
    """Without strictness nothing is added."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}

    assert body(response_format=json_schema(schema, strict=False))["response_format"]["json_schema"]["schema"] == schema


def test_pydantic_class_becomes_a_strict_schema() -> None:
    """Nested classes are closed too, and a reference has no neighbours."""

    class Point(BaseModel):
        x: int = 0

    class Line(BaseModel):
        begin: Point
        end: Point | None = None

    schema = body(response_format=Line)["response_format"]["json_schema"]["schema"]

    assert schema["required"] == ["begin", "end"]
    assert schema["$defs"]["Point"]["additionalProperties"] is False
    assert "default" not in schema["properties"]["end"]


def test_reasoning_has_the_form_of_the_service() -> None:
    """The same wish, in four ways."""
    low, off = Reasoning(effort="low"), Reasoning(budget_tokens=0)

    assert body(reasoning=off)["reasoning_effort"] == "none"
    assert body(reasoning=low, quirks=options.OPENROUTER)["reasoning"] == {"effort": "low"}
    assert body(reasoning=Reasoning(budget_tokens=500), quirks=options.OPENROUTER)["reasoning"] == {"max_tokens": 500}
    assert body(reasoning=off, quirks=options.OPENROUTER)["reasoning"] == {"enabled": False}
    assert body(reasoning=Reasoning(summary="none"), quirks=options.OPENROUTER)["reasoning"] == {"exclude": True}
    assert body(reasoning=off, quirks=options.DEEPSEEK)["thinking"] == {"type": "disabled"}
    assert body(reasoning=low, quirks=options.QWEN)["enable_thinking"] is True


@pytest.mark.parametrize(("budget", "effort"), [(0, "none"), (1000, "low"), (8000, "medium"), (50_000, "high")])
def test_budget_is_rounded_to_a_word(budget: int, effort: str) -> None:
    """Where only words are known, a number becomes the nearest."""
    assert body(reasoning=Reasoning(budget_tokens=budget))["reasoning_effort"] == effort


def test_mistral_differs_in_data_only() -> None:
    """All differences of one service, together."""
    quirks = options.MISTRAL
    talk = (user("Hi"), assistant([ToolCall(id="toolu_long", name="look")]), tool_result("toolu_long", "1", name="look"))

    sent = body(*talk, tools=(LOOK,), tool_choice="required", seed=1, quirks=quirks)

    call_id = sent["messages"][1]["tool_calls"][0]["id"]
    assert (len(call_id), call_id.isalnum()) == (9, True)
    assert sent["messages"][2] == {"role": "tool", "tool_call_id": call_id, "content": "1", "name": "look"}
    assert (sent["tool_choice"], sent["random_seed"]) == ("any", 1)
    assert "stream_options" not in sent


def test_id_of_nine_characters_stays() -> None:
    """Mistral's own ids go back as they came."""
    sent = said(user("Hi"), assistant([ToolCall(id="g6fVbXS8K", name="look")]), quirks=options.MISTRAL)

    assert sent[1]["tool_calls"][0]["id"] == "g6fVbXS8K"


def test_system_may_be_called_developer() -> None:
    """A model that knows no system messages gets them under another name."""
    sent = said(system("Be brief."), user("Hi"), quirks=replace(OPENAI, system_role="developer"))

    assert sent[0] == {"role": "developer", "content": "Be brief."}


def test_fields_of_a_service_come_before_those_of_the_request() -> None:
    """Fixed fields are a default."""
    quirks = replace(OPENAI, body={"usage": {"include": True}, "store": True})

    sent = encode_body(Request(messages=(user("Hi"),), provider_options={"store": False}), quirks)

    assert (sent["usage"], sent["store"]) == ({"include": True}, False)


@pytest.mark.parametrize(
    ("base_url", "quirks"),
    [
        ("https://api.openai.com/v1", options.OPENAI),
        ("https://res.openai.azure.com/openai/v1", options.AZURE),
        ("https://api.deepseek.com", options.DEEPSEEK),
        ("http://localhost:11434/v1", options.OLLAMA),
        ("http://127.0.0.1:9000/v1", options.LOCAL),
        ("https://llm.example.com/v1", options.COMPATIBLE),
        ("https://notopenrouter.ai/v1", options.COMPATIBLE),
    ],
)
def test_pasted_address_has_its_quirks(base_url: str, quirks: Quirks) -> None:
    """What is known of a host is taken without being asked for."""
    assert quirks_of(base_url) == quirks
