"""How messages look on the wire: their order, what users and tools say, and their ids."""

import base64
import re
from typing import Any

import pytest

from allm_rx.adapters.anthropic.messages.content import encode_messages
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
from tests.adapters.anthropic.messages_bodies import blocks_of, body_of, said
from tests.adapters.anthropic.messages_frames import OURS

PNG = b"\x89PNG"
PACKED = base64.b64encode(PNG).decode()


# Order and roles.


def test_system_messages_are_the_system_prompt() -> None:
    """One system text is a string, several are blocks in order, wherever they stood."""
    one = body_of(system("Be brief."), user("Hi"))
    two = body_of(system("Be brief."), user("Hi"), system("Be kind."))

    assert one["system"] == "Be brief."
    assert two["system"] == [said("Be brief."), said("Be kind.")]
    assert two["messages"] == one["messages"]


def test_system_message_can_stay_in_its_place() -> None:
    """For models that allow it, a system message says that it belongs where it stands."""
    note = system("The user left.").replace(provider_data={OURS: {"role": "system"}})

    body = body_of(user("Hi"), note)

    assert body["messages"][1] == {"role": "system", "content": [said("The user left.")]}


def test_neighbours_of_one_role_are_one_message() -> None:
    """Roles alternate on the wire."""
    body = body_of(user("One"), user("Two"), assistant("Three"), assistant("Four"), user("Five"))

    assert [(message["role"], [block["text"] for block in message["content"]]) for message in body["messages"]] == [
        ("user", ["One", "Two"]),
        ("assistant", ["Three", "Four"]),
        ("user", ["Five"]),
    ]


def test_results_stand_before_what_the_user_says() -> None:
    """All results of a turn open the next user message, whatever order they came in."""
    calls = assistant([ToolCall(id="a", name="look"), ToolCall(id="b", name="look")])

    body = body_of(user("Go"), calls, tool_result("a", "1"), user("And?"), tool_result("b", "2"))

    assert [block.get("tool_use_id", block.get("text")) for block in body["messages"][2]["content"]] == ["a", "b", "And?"]


@pytest.mark.parametrize("empty", ["", " \n"])
def test_empty_text_is_left_out(empty: str) -> None:
    """Text without a character to read is refused by the API; a message of nothing else is left out with it."""
    body = body_of(system(empty), user(["Hi", empty]), Message(role="assistant", content=empty), user("There"))

    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": [said("Hi"), said("There")]}]


def test_answer_to_go_on_with_has_no_space_at_its_end() -> None:
    """White space at the end of the last answer is refused by the API; elsewhere it stays."""
    body = body_of(user("Hi "), assistant("The best is "))

    assert [message["content"][0]["text"] for message in body["messages"]] == ["Hi ", "The best is"]


# What the user and the tools say.


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (ImagePart(data=PNG, media_type="image/png"), {"type": "base64", "media_type": "image/png", "data": PACKED}),
        (ImagePart(data=PNG, media_type="image/jpg"), {"type": "base64", "media_type": "image/jpeg", "data": PACKED}),
        (ImagePart(url="https://quay.example/a.png"), {"type": "url", "url": "https://quay.example/a.png"}),
        (ImagePart(url=f"data:image/webp;base64,{PACKED}"), {"type": "base64", "media_type": "image/webp", "data": PACKED}),
        (ImagePart(file_id="file_1"), {"type": "file", "file_id": "file_1"}),
    ],
)
def test_picture_has_its_source(part: ImagePart, source: dict[str, Any]) -> None:
    """Pictures are bytes, addresses or files."""
    assert blocks_of(user([part])) == [{"type": "image", "source": source}]


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (FilePart(data=PNG, media_type="application/pdf"), {"type": "base64", "media_type": "application/pdf", "data": PACKED}),
        (FilePart(url="https://quay.example/a.pdf"), {"type": "url", "url": "https://quay.example/a.pdf"}),
        (FilePart(file_id="file_1"), {"type": "file", "file_id": "file_1"}),
        (
            FilePart(data="Tide ☾".encode(), media_type="text/markdown"),
            {"type": "text", "media_type": "text/plain", "data": "Tide ☾"},
        ),
        (FilePart(data=b"{}", media_type="application/json"), {"type": "text", "media_type": "text/plain", "data": "{}"}),
        (FilePart(url="data:,Low%20water"), {"type": "text", "media_type": "text/plain", "data": "Low water"}),
    ],
)
def test_document_has_its_source(part: FilePart, source: dict[str, Any]) -> None:
    """Documents are PDFs, addresses or files; text of any type is text."""
    assert blocks_of(user([part])) == [{"type": "document", "source": source}]


def test_document_is_named_and_can_be_cited() -> None:
    """The file's name is the title, and further fields of the block come from the part's own data."""
    own: dict[str, Any] = {"citations": {"enabled": True}, "context": "Of 1912"}
    part = FilePart(data=b"Log", media_type="text/plain", filename="log.txt", provider_data={OURS: own, "gemini": {"x": 1}})

    (block,) = blocks_of(user([part]))

    assert {key: block[key] for key in block if key not in ("type", "source")} == {"title": "log.txt", **own}


def test_result_is_text_or_blocks() -> None:
    """A result that is one text is a string; pictures and documents are blocks; a failed one says so."""
    picture = ImagePart(data=PNG, media_type="image/png")
    results = Message(
        role="tool",
        content=[
            ToolResultPart(id="a", content=(TextPart(text="12 m"),)),
            ToolResultPart(id="b", content=(TextPart(text="Here:"), picture), is_error=True),
            ToolResultPart(id="c"),
        ],
    )

    blocks = blocks_of(results)

    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PACKED}}
    assert blocks == [
        {"type": "tool_result", "tool_use_id": "a", "content": "12 m"},
        {"type": "tool_result", "tool_use_id": "b", "content": [said("Here:"), shown], "is_error": True},
        {"type": "tool_result", "tool_use_id": "c"},
    ]


def test_block_in_the_providers_words_is_sent_as_it_is() -> None:
    """What has no part of ours can be written as the API's own block; one of another protocol is left out."""
    found = {"type": "search_result", "source": "shelf-3", "title": "Tides", "content": [said("Low at noon.")]}
    parts = [
        ProviderPart(kind="search_result", provider_data={OURS: found}),
        ProviderPart(kind="x", provider_data={"gemini": {}}),
    ]

    assert blocks_of(user([*parts, "Cite it."])) == [found, said("Cite it.")]


def test_what_a_user_cannot_say_is_left_out() -> None:
    """Thoughts and sources have no block in a user message, and sound none at all; pre-flight tells of the sound."""
    sound = AudioPart(data=b"RIFF", media_type="audio/wav")

    assert blocks_of(user([ReasoningPart(text="Hm"), SourcePart(url="https://quay.example"), sound, "Hi"])) == [said("Hi")]


def test_data_that_make_no_sense_are_empty() -> None:
    """A `data:` URL that is no base64 is sent as no bytes, and the API says so."""
    (block,) = blocks_of(user([ImagePart(url="data:image/png;base64,x")]))

    assert block["source"]["data"] == ""


# Ids and names.


@pytest.mark.parametrize("given", ["functions.look:0", "call|1", "", "ü"])
def test_id_is_made_of_what_the_api_takes(given: str) -> None:
    """Ids of other providers are rewritten, the same in the call and its result."""
    body = body_of(user("Go"), assistant([ToolCall(id=given, name="look")]), tool_result(given, "1"))

    call, result = body["messages"][1]["content"][0], body["messages"][2]["content"][0]
    assert re.fullmatch("[a-zA-Z0-9_-]+", call["id"])
    assert call["id"] == result["tool_use_id"]


def test_ids_that_differ_stay_different() -> None:
    """Rewriting does not make two ids of one."""
    (message,) = encode_messages([assistant([ToolCall(id="a.b", name="x"), ToolCall(id="a:b", name="x")])]).messages

    assert len({block["id"] for block in message["content"]}) == 2


def test_id_of_an_earlier_answer_is_used_once() -> None:
    """Servers that count their calls from zero in each answer make ids that the API would take for the same call."""
    turn = [assistant([ToolCall(id="call_0", name="look")]), tool_result("call_0", "1")]

    body = body_of(user("Go"), *turn, *turn)

    assert [message["content"][0].get("id") or message["content"][0].get("tool_use_id") for message in body["messages"][1:]] == [
        *("call_0", "call_0"),
        *("call_0_2", "call_0_2"),
    ]


def test_name_is_made_of_what_the_api_takes() -> None:
    """A name that another model made up does not stop the conversation."""
    (message,) = encode_messages([assistant([ToolCall(id="a", name="default_api:look up")])]).messages

    assert message["content"][0]["name"] == "default_api_look_up"
