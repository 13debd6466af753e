"""What a conversation looks like as input."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.openai.responses.messages import encode_input
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
from tests.adapters.openai_responses.frames import RECORDINGS, read
from tests.fixture_cases import fold
from tests.strategies import json_values, messages

CALL = ToolCall(id="c1", name="look", arguments={"at": "sea"})


def ours(**kept: Any) -> dict[str, Any]:
    return {"openai.responses": kept}


def sent(*messages: Message, stored: bool = False) -> list[dict[str, Any]]:
    return encode_input(messages, stored=stored)


def recorded(name: str) -> Message:
    """Give the message of a recorded answer, saved and loaded."""
    message = fold(read((RECORDINGS / f"{name}.sse").read_bytes())).message
    return Message.model_validate_json(message.model_dump_json())


def items_of(name: str) -> list[dict[str, Any]]:
    lines = (RECORDINGS / f"{name}.sse").read_text("utf-8").split("\n")
    frames = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    return [frame["item"] for frame in frames if frame["type"] == "response.output_item.done"]


# What the user says.


def test_text_is_content_as_it_is() -> None:
    """Texts alone are short, and keep their roles and places."""
    assert sent(system("Be brief."), user("Hi"), assistant("Ahoy."), system("Be long."), user(""), user([])) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ahoy."},
        {"role": "system", "content": "Be long."},
        {"role": "user", "content": ""},
        {"role": "user", "content": ""},
    ]


@pytest.mark.parametrize(
    ("part", "wire"),
    [
        (ImagePart(url="https://x/a.png"), {"type": "input_image", "detail": "auto", "image_url": "https://x/a.png"}),
        (ImagePart(file_id="file_1"), {"type": "input_image", "detail": "auto", "file_id": "file_1"}),
        (
            ImagePart(data=b"px", media_type="image/png", provider_data=ours(detail="low")),
            {"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,cHg="},
        ),
        (FilePart(file_id="file_1"), {"type": "input_file", "file_id": "file_1"}),
        (FilePart(url="https://x/a.pdf"), {"type": "input_file", "file_url": "https://x/a.pdf"}),
        (
            FilePart(data=b"px", media_type="application/pdf"),
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,cHg="},
        ),
        (
            FilePart(url="data:text/plain;base64,cHg=", filename="a.txt"),
            {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,cHg="},
        ),
        (
            TextPart(text="Hi", provider_data=ours(prompt_cache_breakpoint={"mode": "explicit"})),
            {"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}},
        ),
        (
            ProviderPart(kind="input_smell", provider_data=ours(type="input_smell", of="tar")),
            {"type": "input_smell", "of": "tar"},
        ),
    ],
)
def test_part_is_written_in_the_words_of_the_api(part: Any, wire: Any) -> None:
    """Bytes, addresses and ids; what the caller adds goes in last."""
    assert sent(user(["See:", part])) == [{"role": "user", "content": [{"type": "input_text", "text": "See:"}, wire]}]


def test_text_that_the_model_said_is_quoted_as_text() -> None:
    """What surrounded it in an answer does not travel into a question."""
    (quoted,) = recorded("text").content

    assert sent(user([quoted])) == [{"role": "user", "content": "The lake is çalm 🌊 today."}]


def test_item_of_the_user_stands_by_itself() -> None:
    """An approval is an item between what is said before and after it."""
    approval = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    part = ProviderPart(kind="mcp_approval_response", provider_data={"openai.responses": approval})

    assert sent(user(["Yes.", part, "Go on."])) == [
        {"role": "user", "content": "Yes."},
        approval,
        {"role": "user", "content": "Go on."},
    ]


def test_items_of_other_protocols_are_left_out() -> None:
    """What another provider meant, this one would not understand."""
    foreign = ProviderPart(kind="document", provider_data={"anthropic.messages": {"type": "document"}})

    assert sent(user(["Hi", foreign])) == [{"role": "user", "content": "Hi"}]


# What tools say.


def test_result_answers_its_call() -> None:
    """Text travels as text."""
    assert sent(assistant([CALL]), tool_result("c1", "calm")) == [
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":"sea"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "calm"},
    ]


def test_result_with_media_is_a_list() -> None:
    """Pictures and documents of a tool stay in its result."""
    result = tool_result("c1", [TextPart(text="See:"), ImagePart(file_id="f"), FilePart(file_id="g")])

    assert sent(result)[0]["output"] == [
        {"type": "input_text", "text": "See:"},
        {"type": "input_image", "detail": "auto", "file_id": "f"},
        {"type": "input_file", "file_id": "g"},
    ]


def test_several_results_of_one_message_are_several_items() -> None:
    """Each in the order given; texts of one are one."""
    results = Message(
        role="tool",
        content=[ToolResultPart(id="c1", content=["a", "b"]), ToolResultPart(id="c2", content=())],
    )

    assert [(item["call_id"], item["output"]) for item in sent(results)] == [("c1", "ab"), ("c2", "")]


def test_result_knows_who_called() -> None:
    """A call by a program of the model's is answered to that program."""
    caller = {"type": "program", "caller_id": "call_p"}
    call = CALL.replace(provider_data=ours(type="function_call", id="fc_1", caller=caller))

    assert sent(assistant([call]), tool_result("c1", "calm"))[-1]["caller"] == caller


@pytest.mark.parametrize(
    ("kind", "content", "wire"),
    [
        ("custom_tool_call", "aye", {"type": "custom_tool_call_output", "output": "aye"}),
        ("local_shell_call", "a.txt", {"type": "local_shell_call_output", "output": "a.txt"}),
        ("apply_patch_call", "done", {"type": "apply_patch_call_output", "status": "completed", "output": "done"}),
        (
            "shell_call",
            "a.txt",
            {
                "type": "shell_call_output",
                "output": [{"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
                "max_output_length": 99,
            },
        ),
        (
            "computer_call",
            [ImagePart(url="https://x/s.png")],
            {"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": "https://x/s.png"}},
        ),
    ],
)
def test_result_has_the_form_of_its_call(kind: str, content: Any, wire: Any) -> None:
    """Each tool of the API is answered in its own way."""
    call = ToolCall(id="c1", name="x", provider_data=ours(type=kind, id="i", action={"max_output_length": 99}))

    assert sent(assistant([call]), tool_result("c1", content))[-1] == {"call_id": "c1", **wire}


@pytest.mark.parametrize(("kind", "field"), [("apply_patch_call", "status"), ("shell_call", "output")])
def test_failure_of_a_tool_is_told_where_there_is_a_place_for_it(kind: str, field: str) -> None:
    """An error is a status, or an exit code."""
    call = ToolCall(id="c1", name="x", provider_data=ours(type=kind))
    told = {"status": "failed", "output": [{"stdout": "no", "stderr": "", "outcome": {"type": "exit", "exit_code": 1}}]}

    assert sent(assistant([call]), tool_result("c1", "no", is_error=True))[-1][field] == told[field]


def test_result_can_be_said_in_the_words_of_the_api() -> None:
    """What a result keeps for this protocol goes in last."""
    part = ToolResultPart(id="c1", content=("no",), provider_data=ours(status="incomplete"))

    assert sent(Message(role="tool", content=[part]))[0]["status"] == "incomplete"


# What the model said.


@pytest.mark.parametrize("name", ["text", "tools", "hosted"])
def test_answer_is_sent_back_as_it_came(name: str) -> None:
    """Every item of an answer, after a trip through JSON, is what the provider sent."""
    assert sent(recorded(name)) == items_of(name)


def test_thoughts_stand_directly_before_what_they_led_to() -> None:
    """With id, summary and what is encrypted in them, as one item again."""
    first, second, *_ = sent(recorded("tools"))

    assert (first["type"], first["id"], len(first["summary"])) == ("reasoning", "rs_sail", 2)
    assert (second["type"], second["phase"]) == ("message", "commentary")


def test_words_that_were_changed_are_sent_changed() -> None:
    """An application may edit what the model said; the rest of the item stays."""
    message = recorded("text")
    (part,) = message.content
    assert isinstance(part, TextPart)

    (item,) = sent(message.replace(content=(part.replace(text="Rough."),)))

    assert (item["id"], item["content"][0]["text"]) == ("msg_lake", "Rough.")


def test_refusal_is_sent_back_as_one() -> None:
    """The model sees that it refused."""
    part = TextPart(text="No.", provider_data=ours(message={"type": "message", "id": "m", "role": "assistant"}, refusal=True))

    assert sent(assistant([part])) == [
        {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    ]


def test_parts_of_one_message_are_one_item_again() -> None:
    """Texts of one item belong together, also with sources and parts that are not modelled between them; others do not."""
    one, two = {"type": "message", "id": "m1"}, {"type": "message", "id": "m2"}
    parts = [
        TextPart(text="a", provider_data=ours(message=one, annotations=[])),
        SourcePart(url="https://x"),
        ProviderPart(kind="output_smell", provider_data=ours(message=one, type="output_smell", of="tar")),
        TextPart(text="b", provider_data=ours(message=two)),
    ]

    assert sent(assistant(parts)) == [
        {**one, "content": [{"type": "output_text", "text": "a", "annotations": []}, {"type": "output_smell", "of": "tar"}]},
        {**two, "content": [{"type": "output_text", "text": "b"}]},
    ]


def test_message_without_content_is_sent_without() -> None:
    """A text that stands for nothing makes no part."""
    part = TextPart(text="", provider_data=ours(message={"type": "message", "id": "m"}))

    assert sent(assistant([part])) == [{"type": "message", "id": "m", "content": []}]


def test_answers_of_other_protocols_lose_what_is_theirs() -> None:
    """Text and calls stay; foreign thoughts, signatures, ids and hosted tools go."""
    theirs = {"anthropic.messages": {"signature": "s"}}
    message = assistant(
        [
            ReasoningPart(text="Hm", provider_data=theirs),
            TextPart(text="Let me ", provider_data=theirs),
            SourcePart(url="https://x"),
            TextPart(text="see."),
            ToolCall(id="srv", name="web_search", provider_executed=True, provider_data=theirs),
            ToolResultPart(id="srv", content=(), provider_executed=True, provider_data=theirs),
            CALL.replace(provider_data=theirs),
            ImagePart(data=b"px", media_type="image/png"),
            AudioPart(data=b"px", media_type="audio/wav", transcript="Ahoy."),
        ]
    )

    assert sent(message) == [
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":"sea"}'},
        {"role": "assistant", "content": "Ahoy."},
    ]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (CALL.replace(raw_arguments='{ "at" : "sea" }'), '{ "at" : "sea" }'),
        (CALL.replace(raw_arguments=""), '{"at":"sea"}'),
        (CALL.replace(arguments={}, raw_arguments="{at", error="not JSON"), "{}"),
    ],
)
def test_arguments_are_those_of_the_model_unless_they_are_broken(call: ToolCall, arguments: str) -> None:
    """Byte for byte, so that the cache fits; broken JSON would be refused."""
    assert sent(assistant([call]))[0]["arguments"] == arguments


def test_custom_call_is_sent_back_with_its_text() -> None:
    """Free text is free text again."""
    call = ToolCall(id="c1", name="helm", arguments={"input": "aye"}, provider_data=ours(type="custom_tool_call", id="ctc_1"))

    assert sent(assistant([call])) == [
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "helm", "input": "aye"}
    ]


def test_picture_is_sent_back_with_its_data() -> None:
    """What the provider's item held is in it again."""
    part = ImagePart(data=b"px", media_type="image/png", provider_data=ours(type="image_generation_call", id="ig_1"))

    assert sent(assistant([part])) == [
        {"type": "image_generation_call", "id": "ig_1", "result": base64.b64encode(b"px").decode()}
    ]


KEPT = st.dictionaries(st.sampled_from(["message", "type", "id", "refusal", "item_id", "content"]), json_values, max_size=4)


@given(st.lists(messages, max_size=4), KEPT, st.booleans())
def test_any_conversation_can_be_written(given_messages: list[Message], kept: dict[str, Any], stored: bool) -> None:
    """Whatever parts a conversation has, and keeps for this protocol, it is JSON, and the same each time."""
    marked = [
        message.replace(content=[part.replace(provider_data={"openai.responses": kept}) for part in message.content])
        for message in given_messages
    ]

    assert json.dumps(sent(*marked, stored=stored)) == json.dumps(sent(*marked, stored=stored))


THOUGHT = ReasoningPart(provider_data=ours(type="reasoning", id="rs_1", summary=[]))
SAID = TextPart(text="Hi", provider_data=ours(message={"type": "message", "id": "m", "role": "assistant"}))
SEARCH = ToolCall(id="ws", name="web_search", provider_executed=True, provider_data=ours(type="web_search_call", id="ws"))


def test_thoughts_that_could_only_be_looked_up_are_left_out() -> None:
    """Where nothing is stored, an id leads nowhere; then what follows goes without an id too, and searches go altogether."""
    assert sent(assistant([THOUGHT, SEARCH, SAID])) == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    ]
    assert [item.get("id") for item in sent(assistant([THOUGHT, SEARCH, SAID]), stored=True)] == ["rs_1", "ws", "m"]


@pytest.mark.parametrize("beside", [{"encrypted_content": "xx"}, {"content": [{"type": "reasoning_text", "text": "Hm"}]}])
def test_thoughts_that_say_what_they_are_are_sent(beside: dict[str, Any]) -> None:
    """Encrypted or open, they need no store."""
    thought = ReasoningPart(provider_data=ours(type="reasoning", id="rs_1", summary=[], **beside))

    assert [item.get("id") for item in sent(assistant([thought, SAID]))] == ["rs_1", "m"]


def test_thoughts_that_led_to_nothing_are_left_out() -> None:
    """An answer that was cut while the model was thinking would be refused."""
    thought = ReasoningPart(provider_data=ours(type="reasoning", id="rs_1", summary=[], encrypted_content="xx"))

    assert sent(assistant([SAID, thought]), user("Go on.")) == [*sent(assistant([SAID])), {"role": "user", "content": "Go on."}]
