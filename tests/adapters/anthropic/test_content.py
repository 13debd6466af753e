"""How messages are written in the Messages API, and how an answer goes back."""

import base64
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from allm_rx.adapters.anthropic.messages.content import encode_messages
from allm_rx.adapters.anthropic.messages.encode import encode, encode_body
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
from allm_rx.data.requests import Request
from allm_rx.data.threads import Thread
from allm_rx.data.validation import check_request
from tests.adapters.anthropic.accepted import accepted
from tests.adapters.anthropic.messages_frames import RECORDINGS, answer, begin, end, read, start, stop, text, tool
from tests.fixture_cases import fold
from tests.strategies import messages

OURS = "anthropic.messages"
PNG = b"\x89PNG"
PLAIN = {"type": "text", "media_type": "text/plain"}
PACKED = base64.b64encode(PNG).decode()


def body_of(*messages: Message, typed: bool = True) -> dict[str, Any]:
    """The body for some messages, which the vendor's own models take whole."""
    body = encode_body(Request(messages=messages, model="claude-quay-5"))
    assert not typed or accepted(body) == body
    return body


def blocks_of(*messages: Message, typed: bool = True) -> list[dict[str, Any]]:
    """The blocks of the only message on the wire."""
    (message,) = body_of(*messages, typed=typed)["messages"]
    return message["content"]


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


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


# What the model said.


def test_parts_of_other_providers_are_left_out() -> None:
    """Thoughts, server tools, sources and pictures of another model cannot go back to this one; its text and calls can."""
    message = assistant(
        [
            ReasoningPart(text="Hm", provider_data={"openai.responses": {"encrypted_content": "x"}}),
            ReasoningPart(text="unsigned"),
            ToolCall(id="ws_1", name="web_search", provider_executed=True, provider_data={"openai.responses": {"id": "ws_1"}}),
            ToolResultPart(id="ws_1", content=(TextPart(text="Found"),), provider_executed=True),
            TextPart(text="Hi", provider_data={"openai.responses": {"id": "msg"}}),
            SourcePart(url="https://quay.example"),
            ImagePart(data=PNG, media_type="image/png"),
            AudioPart(data=b"", media_type="audio/wav", transcript="Ahoy"),
            AudioPart(data=b"", media_type="audio/wav"),
            ToolCall(id="c1", name="look", arguments={"at": 1}, provider_data={"gemini": {"thought_signature": "x"}}),
        ]
    )

    assert blocks_of(message, typed=False) == [
        said("Hi"),
        said("Ahoy"),
        {"type": "tool_use", "id": "c1", "name": "look", "input": {"at": 1}},
    ]


def test_call_with_broken_arguments_goes_back_empty() -> None:
    """Input has to be an object; what was wrong with it, the result says."""
    call = ToolCall(id="c1", name="look", raw_arguments='{"a', error="cut")

    assert blocks_of(assistant([call]))[0]["input"] == {}


def test_conversation_with_signed_thoughts_goes_back_byte_for_byte() -> None:
    """An answer with thoughts and calls, saved and loaded, is sent as it came: signed thoughts first, then text and calls."""
    came = fold(read((RECORDINGS / "thinking_tools.sse").read_bytes())).message
    thread = Thread(messages=[user("Tides?"), came, tool_result("toolu_bergen", "12:00"), tool_result("toolu_clock", "11:00")])
    loaded = Thread.model_validate_json(thread.model_dump_json())

    live, again = (
        encode(Request(messages=kept.messages, model="m"), base_url="https://quay.example", auth={}, headers={})
        for kept in (thread, loaded)
    )

    assert live.body == again.body
    check_request(Request(messages=loaded.messages))
    assert body_of(*loaded.messages)["messages"][1]["content"] == [
        {
            "type": "thinking",
            "thinking": "Two ports, so two calls — first Bergen.",
            "signature": "c2lnbmVkLWJ5LXRoZS1oYXJib3VyLW1hc3Rlcg==",
        },
        {"type": "redacted_thinking", "data": "aGlkZGVuLWluLXRoZS1ob2xk"},
        said("I will ask both ports."),
        {
            "type": "tool_use",
            "id": "toolu_bergen",
            "name": "tide",
            "input": {"port": "Bergen", "days": 2},
            "caller": {"type": "direct"},
        },
        {"type": "tool_use", "id": "toolu_clock", "name": "clock", "input": {}},
    ]


def test_search_goes_back_as_it_came() -> None:
    """A server tool's call and result and the cited text are the blocks that came, encrypted fields and all."""
    came = fold(read((RECORDINGS / "search.sse").read_bytes())).message
    loaded = Message.model_validate_json(came.model_dump_json())

    call, result, cited, rest = body_of(user("Tides?"), loaded, user("Thanks."))["messages"][1]["content"]

    assert call == {"type": "server_tool_use", "id": "srvtoolu_tides", "name": "web_search", "input": {"query": "tide Bergen"}}
    assert result["content"][0] == {
        "type": "web_search_result",
        "title": "Tides at Bergen",
        "url": "https://tides.example/bergen",
        "encrypted_content": "ZW5jcnlwdGVk",
        "page_age": None,
    }
    assert cited["citations"][0]["encrypted_index"] == "ZW5jcnlwdGVkLWluZGV4"
    assert rest == said(".")


def test_items_go_back_in_their_places() -> None:
    """Compactions, fallbacks and what is yet to come are sent where they stood."""
    frames = [
        begin(0, "compaction", content="So far"),
        stop(0),
        *text(1, "Go on"),
        begin(2, "fallback", to={"model": "m"}),
        stop(2),
    ]

    came = answer(start(), *frames, *end()).message

    assert blocks_of(came, typed=False) == [
        {"type": "compaction", "content": "So far"},
        said("Go on"),
        {"type": "fallback", "to": {"model": "m"}},
    ]


def test_mcp_call_goes_back_with_its_server() -> None:
    """An MCP call names its server, and a dangling one is sent as it is."""
    came = answer(
        start(), *tool(0, "mcptoolu_1", "read", '{"page": 7}', kind="mcp_tool_use", server_name="library"), *end("pause_turn")
    )

    assert blocks_of(came.message, typed=False) == [
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "read", "server_name": "library", "input": {"page": 7}}
    ]


def test_paused_turn_and_what_followed_are_one_message() -> None:
    """The answer that a pause cut in two goes back as one."""
    first = answer(start(), *tool(0, "srvtoolu_1", "web_search", "{}", kind="server_tool_use"), *end("pause_turn")).message
    second = answer(start(), *text(0, "Found."), *end()).message

    body = body_of(user("Go"), first, second, user("Thanks."))

    assert [len(message["content"]) for message in body["messages"]] == [1, 2, 1]


def container_of(*after: Message, calls: bool = True) -> str | None:
    blocks = tool(0, "toolu_1", "look", "{}") if calls else text(0, "Done.")
    came = answer(start(), *blocks, *end(container={"id": "container_1"})).message
    return body_of(user("Go"), came, *after).get("container")


def test_container_goes_with_the_results_its_code_waits_for() -> None:
    """While a turn goes on its container is named; a new turn begins without."""
    result = tool_result("toolu_1", "1")

    assert container_of() == "container_1"
    assert container_of(result) == "container_1"
    assert container_of(result, user("And be quick.")) == "container_1"
    assert container_of(result, assistant("Done."), user("Next")) is None
    assert container_of(user("Next"), calls=False) is None


def test_repaired_ids_go_back_apart() -> None:
    """Two calls that the provider gave one id are two on the way back, each with its result."""
    came = answer(start(), *tool(0, "toolu_1", "look", "{}"), *tool(1, "toolu_1", "look", "{}"), *end("tool_use")).message
    results = [tool_result(call.id, "1") for call in came.tool_calls]

    _, calls, answers = body_of(user("Go"), came, *results)["messages"]

    ids = [block["id"] for block in calls["content"]]
    assert len(set(ids)) == 2
    assert [block["tool_use_id"] for block in answers["content"]] == ids


@given(st.lists(messages, max_size=5))
def test_any_messages_are_written_the_same_again(any_messages: list[Message]) -> None:
    """Whatever a conversation holds, it is written, with roles that alternate, and from JSON it is written alike."""
    request = Request(messages=tuple(any_messages), model="claude-quay-5")

    body = encode_body(request)

    assert to_json(encode_body(Request.model_validate_json(request.model_dump_json()))) == to_json(body)
    roles = [message["role"] for message in body["messages"]]
    assert all(one != next_one for one, next_one in pairwise(roles))
    assert all(message["content"] for message in body["messages"])
