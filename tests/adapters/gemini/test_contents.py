"""How messages look on the wire: what users, tools and the model said."""

import json
from typing import Any

import pytest

from allm_rx.data.messages import Message, assistant, system, tool_result, user
from allm_rx.data.parts import (
    AudioPart,
    FilePart,
    ImagePart,
    Part,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from tests.adapters.gemini.bodies import CALL, body, contents, own

DUMMY = "skip_thought_signature_validator"


# Roles.


def test_system_messages_are_the_instruction() -> None:
    """All of them, wherever they stand, and none of them in the conversation."""
    given = body(system("Be brief."), user("Hi"), system("And kind."))

    assert given["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "And kind."}]}
    assert given["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_neighbours_of_one_role_are_one_content() -> None:
    """Roles alternate; parts stay apart."""
    assert contents(user("a"), user("b"), assistant("c"), assistant("d"), user("e")) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
        {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "parts": [{"text": "e"}]},
    ]


def test_answer_without_content_is_left_out() -> None:
    """An empty content would be refused."""
    assert contents(user("a"), assistant(""), user("b")) == [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]


def test_empty_user_message_has_a_part() -> None:
    """A content has at least one."""
    assert contents(user("")) == [{"role": "user", "parts": [{"text": ""}]}]


# Tools of the application.


def test_results_have_a_content_of_their_own() -> None:
    """All results of a turn stand together behind their calls, apart from what the user says then."""
    calls = [CALL, ToolCall(id="c2", name="row")]

    sent = contents(user("Go"), assistant(calls), tool_result("c1", "calm"), tool_result("c2", "done"), user("And?"))

    assert sent[1:] == [
        {
            "role": "model",
            "parts": [{"functionCall": {"name": "look", "args": {"at": "sea"}}}, {"functionCall": {"name": "row", "args": {}}}],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "look", "response": {"output": "calm"}}},
                {"functionResponse": {"name": "row", "response": {"output": "done"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "And?"}]},
    ]


def test_failed_result_is_an_error() -> None:
    """The protocol has no flag for it, only the convention of a key."""
    (part,) = contents(user("Go"), assistant([CALL]), tool_result("c1", "no wind", is_error=True))[-1]["parts"]

    assert part["functionResponse"]["response"] == {"error": "no wind"}


def test_id_of_the_provider_is_repeated() -> None:
    """An id that the provider gave goes back with the call and with its result; one of ours does not."""
    call = CALL.replace(provider_data=own(id="fc-1"))

    sent = contents(user("Go"), assistant([call]), tool_result("c1", "calm"))

    assert sent[1]["parts"][0]["functionCall"]["id"] == "fc-1"
    assert sent[2]["parts"][0]["functionResponse"]["id"] == "fc-1"


def test_result_of_a_tool_may_be_given_in_the_providers_words() -> None:
    """`provider_data` replaces the wrapping, and adds further fields."""
    result = ToolResultPart(id="c1", content="x", provider_data=own(response={"metres": 3}, scheduling="SILENT"))

    (part,) = contents(user("Go"), assistant([CALL]), Message(role="tool", content=[result]))[-1]["parts"]

    assert part["functionResponse"] == {"name": "look", "response": {"metres": 3}, "scheduling": "SILENT"}


def test_picture_of_a_tool_goes_with_its_result() -> None:
    """The third generation looks at what tools show."""
    shown = tool_result("c1", [TextPart(text="See:"), ImagePart(data=b"x", media_type="image/png")])

    (part,) = contents(user("Go"), assistant([CALL]), shown, model="gemini-3-pro-preview")[-1]["parts"]

    assert part["functionResponse"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "eA=="}}]
    assert part["functionResponse"]["response"] == {"output": "See:"}


def test_picture_of_a_tool_follows_the_results_of_older_models() -> None:
    """Where results are text, media come in the content after them, with what the user says next."""
    shown = tool_result("c1", [ImagePart(data=b"x", media_type="image/png")])

    sent = contents(user("Go"), assistant([CALL]), shown, user("And?"))

    assert sent[2]["parts"] == [{"functionResponse": {"name": "look", "response": {"output": "The result follows."}}}]
    assert sent[3]["parts"] == [
        {"text": "From the result of 'look':"},
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}},
        {"text": "And?"},
    ]


# What the model said.


def test_signatures_go_back_in_their_places() -> None:
    """Signed text, thoughts, calls and pictures are written as they came; unsigned thoughts have no use."""
    parts: list[Part] = [
        ReasoningPart(text="hm"),
        ReasoningPart(text="so", provider_data=own(thoughtSignature="sig1")),
        TextPart(text="a"),
        TextPart(text="b", provider_data=own(thoughtSignature="sig2")),
        ImagePart(data=b"x", media_type="image/png", provider_data=own(thoughtSignature="sig3")),
        CALL.replace(provider_data=own(id="fc-1", thoughtSignature="sig4")),
        TextPart(text="", provider_data=own(thoughtSignature="sig5")),
    ]

    assert contents(user("Go"), assistant(parts), tool_result("c1", "calm"), model="gemini-3-pro-preview")[1]["parts"] == [
        {"text": "so", "thought": True, "thoughtSignature": "sig1"},
        {"text": "a"},
        {"text": "b", "thoughtSignature": "sig2"},
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}, "thoughtSignature": "sig3"},
        {"functionCall": {"id": "fc-1", "name": "look", "args": {"at": "sea"}}, "thoughtSignature": "sig4"},
        {"text": "", "thoughtSignature": "sig5"},
    ]


def test_what_the_provider_ran_goes_back_whole() -> None:
    """Its calls, results and items are repeated from what was kept; an unsigned picture that was a thought is not."""
    code = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "sign"}
    out = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
    item = {"audioTranscription": {"text": "hi"}}
    draft = {"inlineData": {"mimeType": "image/png", "data": "eA=="}, "thought": True}
    parts: list[Part] = [
        ToolCall(id="x", name="codeExecution", provider_executed=True, provider_data=own(**code)),
        ToolResultPart(id="x", provider_executed=True, provider_data=own(**out)),
        ProviderPart(kind="audioTranscription", provider_data=own(**item)),
        ProviderPart(kind="inlineData", provider_data=own(**draft)),
        SourcePart(url="https://lake.example"),
    ]

    assert contents(user("Go"), assistant(parts))[1]["parts"] == [code, out, item]


def test_what_others_said_keeps_its_text_only() -> None:
    """Reasoning, signatures, items and calls of another provider's tools stay behind; its words and pictures go on."""
    foreign: dict[str, Any] = {"anthropic.messages": {"signature": "s"}}
    parts: list[Part] = [
        ReasoningPart(text="hm", provider_data=foreign),
        TextPart(text="a", provider_data=foreign),
        ToolCall(id="s", name="web_search", provider_executed=True, provider_data=foreign),
        ToolResultPart(id="s", provider_executed=True, provider_data=foreign),
        ProviderPart(kind="x", provider_data=foreign),
        ImagePart(data=b"x", media_type="image/png", provider_data=foreign),
    ]

    assert contents(user("Go"), assistant(parts))[1]["parts"] == [
        {"text": "a"},
        {"inlineData": {"mimeType": "image/png", "data": "eA=="}},
    ]


def test_first_call_from_elsewhere_gets_the_documented_signature() -> None:
    """The third generation refuses calls without one; only the first of a turn is looked at."""
    calls = [TextPart(text="Well."), CALL, CALL.replace(id="c2")]

    sent = contents(user("Go"), assistant(calls), tool_result("c1", "a"), tool_result("c2", "b"), model="gemini-3-pro-preview")

    assert [part.get("thoughtSignature") for part in sent[1]["parts"]] == [None, DUMMY, None]
    assert all("thoughtSignature" not in part for content in sent[2:] for part in content["parts"])


def test_older_models_get_no_signature_that_nobody_made() -> None:
    """They do not ask for one."""
    assert DUMMY not in json.dumps(contents(user("Go"), assistant([CALL]), tool_result("c1", "a")))


def test_request_does_not_change_its_messages() -> None:
    """Signing happens in the copy that is sent."""
    message = assistant([ProviderPart(kind="functionCall", provider_data=own(functionCall={"name": "f"}))])
    before = message.model_dump_json()

    contents(user("Go"), message, user("On"), model="gemini-3-pro-preview")

    assert message.model_dump_json() == before


# Media.


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (ImagePart(data=b"hi", media_type="image/png"), {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        (FilePart(data=b"hi", media_type="application/pdf"), {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}}),
        (AudioPart(data=b"hi", media_type="audio/wav"), {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}),
        (ImagePart(url="https://x/p.png"), {"fileData": {"fileUri": "https://x/p.png"}}),
        (
            FilePart(url="gs://b/d.pdf", media_type="application/pdf"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/d.pdf"}},
        ),
        (
            FilePart(file_id="files/abc"),
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        ),
        (FilePart(file_id="https://g/v1beta/files/abc"), {"fileData": {"fileUri": "https://g/v1beta/files/abc"}}),
        (ImagePart(url="data:image/png;base64,aGk="), {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        (ImagePart(url="data:,h%69"), {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}),
        (
            FilePart(url="https://x/v.mp4", provider_data=own(videoMetadata={"endOffset": "5s"})),
            {"fileData": {"fileUri": "https://x/v.mp4"}, "videoMetadata": {"endOffset": "5s"}},
        ),
    ],
)
def test_media_of_the_user(part: Part, written: dict[str, Any]) -> None:
    """Bytes travel inline, everything else by address; `provider_data` adds fields of the wire's part."""
    assert contents(user(["See:", part]))[0]["parts"] == [{"text": "See:"}, written]


def test_item_of_the_user_is_sent_as_it_is() -> None:
    """What we do not model can be said in the protocol's own words."""
    item = ProviderPart(kind="executableCode", provider_data=own(executableCode={"language": "PYTHON", "code": "1"}))

    assert contents(user(["Run:", item]))[0]["parts"][1] == {"executableCode": {"language": "PYTHON", "code": "1"}}
