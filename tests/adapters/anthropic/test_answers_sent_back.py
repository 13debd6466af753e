"""What the model said, as it goes back with the next request."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from allm_rx.adapters.anthropic.messages.encode import encode, encode_body
from allm_rx.data.messages import Message, assistant, tool_result, user
from allm_rx.data.parts import AudioPart, ImagePart, ReasoningPart, SourcePart, TextPart, ToolCall, ToolResultPart
from allm_rx.data.requests import Request
from allm_rx.data.threads import Thread
from allm_rx.data.validation import check_request
from tests.adapters.anthropic.messages_bodies import blocks_of, body_of, said
from tests.adapters.anthropic.messages_frames import RECORDINGS, answer, begin, end, read, start, stop, text, tool
from tests.fixture_cases import fold
from tests.strategies import messages

PNG = b"\x89PNG"


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
