"""What each kind of content block of an answer gives."""

from typing import Any

import pytest

from allm_rx.data.events import (
    ProviderItem,
    SourceAdded,
    TextCompleted,
    ToolResultReceived,
)
from allm_rx.data.parts import FilePart, ProviderPart, ReasoningPart, SourcePart, TextPart, ToolCall, ToolResultPart
from tests.adapters.anthropic.messages_frames import (
    STOP,
    answer,
    begin,
    delta,
    end,
    events_of,
    start,
    stop,
    text,
    tool,
)

OURS = "anthropic.messages"


def test_signature_without_a_thought_is_kept() -> None:
    """Omitted thinking has a signature only, and that goes back in the next turn."""
    response = answer(
        start(), begin(0, "thinking", thinking="", signature=""), delta(0, "signature_delta", signature="c2ln"), stop(0), *end()
    )

    assert response.message.content == (ReasoningPart(provider_data={OURS: {"signature": "c2ln"}}),)


def test_unsigned_thought_keeps_nothing() -> None:
    """Thinking without a signature is readable, but there is nothing to send back."""
    response = answer(start(), begin(0, "thinking", thinking="Hm"), stop(0), *end())

    assert response.message.content == (ReasoningPart(text="Hm"),)


def test_block_may_begin_with_its_text() -> None:
    """What the start of a block already holds counts."""
    response = answer(start(), begin(0, "text", text="Hel"), delta(0, "text_delta", text="lo"), stop(0), *end())

    assert response.output_text == "Hello"


def test_block_whose_start_got_lost_is_told_by_its_deltas() -> None:
    """Deltas of text and thinking are enough to know their block."""
    response = answer(start(), delta(0, "thinking_delta", thinking="Hm"), delta(1, "text_delta", text="Hi"), *end())

    assert (response.reasoning, response.output_text) == ("Hm", "Hi")


def test_deltas_without_index_belong_to_the_last_block() -> None:
    """A proxy that leaves indexes out is understood."""
    frames = [start(), *text(0, "Hi")[:1], *({k: v for k, v in f.items() if k != "index"} for f in text(0, "Hi")[1:]), *end()]

    assert answer(*frames).output_text == "Hi"


def test_block_that_never_stops_is_whole_at_the_stop_reason() -> None:
    """A missing `content_block_stop` loses nothing."""
    events = events_of(start(), *text(0, "Hi")[:-1], end()[0], STOP)

    assert TextCompleted("block-0", "Hi") in events


def test_index_that_comes_again_is_another_block() -> None:
    """A block that begins where one is open completes that one and gets an id of its own."""
    events = events_of(start(), *text(0, "One")[:-1], *text(0, "Two"), *end())

    assert [event for event in events if isinstance(event, TextCompleted)] == [
        TextCompleted("block-0", "One"),
        TextCompleted("block-1", "Two"),
    ]


def test_input_in_the_start_block_is_the_call() -> None:
    """A call whose whole input stands in its start, with no deltas, has that input."""
    response = answer(start(), begin(0, "tool_use", id="toolu_1", name="roll", input={"die": 6}), stop(0), *end("tool_use"))

    assert [(call.arguments, call.raw_arguments, call.error) for call in response.tool_calls] == [({"die": 6}, None, None)]


def test_deltas_win_over_input_in_the_start_block() -> None:
    """Input that streams is the call's, whatever its start held."""
    frames = [
        begin(0, "tool_use", id="t", name="roll", input={"die": 6}),
        delta(0, "input_json_delta", partial_json="{}"),
        stop(0),
    ]

    assert answer(start(), *frames, *end("tool_use")).tool_calls[0].arguments == {}


@pytest.mark.parametrize("stopped", [True, False])
def test_call_cut_at_the_limit_says_so(stopped: bool) -> None:
    """Arguments that broke off at `max_tokens` are cut, not wrong, whether or not their block was stopped."""
    frames = tool(0, "toolu_1", "write", '{"lines": ["a')

    response = answer(start(), *(frames if stopped else frames[:-1]), *end("max_tokens"))

    (call,) = response.tool_calls
    assert (call.arguments, call.raw_arguments) == ({}, '{"lines": ["a')
    assert call.error == "The call was cut off before its arguments were complete."


def test_broken_arguments_are_told_to_the_model() -> None:
    """Arguments that are no JSON although the answer is whole are an error of the call, and its extras are kept."""
    caller = {"type": "direct"}

    response = answer(start(), *tool(0, "toolu_1", "write", "{lines}", caller=caller), *text(1, "ok"), *end("tool_use"))

    (call,) = response.tool_calls
    assert call.error is not None
    assert "not JSON" in call.error
    assert call.provider_data == {OURS: {"caller": caller}}


@pytest.mark.parametrize(("first", "second"), [("toolu_1", "toolu_1"), ("", "")])
def test_call_ids_are_repaired(first: str, second: str) -> None:
    """Repeated and empty ids become unique; a repeated one is kept beside the new one."""
    response = answer(start(), *tool(0, first, "look", "{}"), *tool(1, second, "look", "{}"), *end("tool_use"))

    ids = [call.id for call in response.tool_calls]
    assert len(set(ids)) == 2
    assert "" not in ids
    assert [call.provider_data for call in response.tool_calls][1] == ({OURS: {"id": second}} if second else {})


def test_call_without_a_name_is_a_call_of_no_tool() -> None:
    """A call that names no tool is passed on, so that the model hears of it."""
    response = answer(start(), begin(0, "tool_use", id="toolu_1", input={}), stop(0), *end("tool_use"))

    assert [call.name for call in response.tool_calls] == ["unnamed"]


def test_mcp_call_and_result_are_the_providers() -> None:
    """An MCP server's tool is called and answered by the provider; both blocks are kept whole."""
    result = {"tool_use_id": "mcptoolu_1", "is_error": True, "content": [{"type": "text", "text": "No such page"}]}

    response = answer(
        start(),
        *tool(0, "mcptoolu_1", "read", '{"page": 7}', kind="mcp_tool_use", server_name="library"),
        begin(1, "mcp_tool_result", **result),
        stop(1),
        *end(),
    )

    call, got = response.message.content
    assert isinstance(call, ToolCall)
    assert isinstance(got, ToolResultPart)
    assert call.provider_data[OURS] == {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "read", "server_name": "library"}
    assert (got.name, got.is_error, got.text) == ("read", True, "No such page")
    assert got.provider_data[OURS] == {"type": "mcp_tool_result", **result}
    assert response.tool_calls == ()


@pytest.mark.parametrize(
    ("kind", "content", "expected", "failed"),
    [
        ("web_search", {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}, "max_uses_exceeded", True),
        (
            "bash_code_execution",
            {"type": "bash_code_execution_result", "stdout": "34\n", "stderr": "slow", "return_code": 0, "content": []},
            "34\n\nslow",
            False,
        ),
        (
            "web_fetch",
            {
                "type": "web_fetch_result",
                "url": "https://quay.example",
                "content": {"type": "document", "title": "Quay", "source": {"type": "text", "data": "Ships leave at six."}},
            },
            "https://quay.example\nQuay\nShips leave at six.",
            False,
        ),
        (
            "tool_search",
            {
                "type": "tool_search_tool_search_result",
                "tool_references": [
                    {"type": "tool_reference", "tool_name": "tide"},
                    {"type": "tool_reference", "tool_name": "wind"},
                ],
            },
            "tide\nwind",
            False,
        ),
        ("text_editor_code_execution", {"type": "x_result", "lines": ["-a", "+b"]}, "-a\n+b", False),
        ("advisor", "Turn back.", "Turn back.", False),
        ("unheard_of", None, "", False),
    ],
)
def test_result_is_readable(kind: str, content: Any, expected: str, failed: bool) -> None:
    """What a tool of the provider gave back has text, whatever its shape, and says whether it failed."""
    events = events_of(
        start(), begin(0, f"{kind}_tool_result", tool_use_id="srvtoolu_0", content=content), stop(0), *end("pause_turn")
    )

    (result,) = [event for event in events if isinstance(event, ToolResultReceived)]
    assert "".join(part.text for part in result.content if isinstance(part, TextPart)) == expected
    assert (result.name, result.is_error) == (kind, failed)


def test_result_that_is_nested_without_end_is_read_so_far() -> None:
    """A result is read only as deep as results are."""
    content: Any = "bottom"
    for _ in range(50):
        content = [content]

    events = events_of(start(), begin(0, "x_tool_result", tool_use_id="s", content=content), stop(0), *end())

    (result,) = [event for event in events if isinstance(event, ToolResultReceived)]
    assert result.content == ()


@pytest.mark.parametrize("kind", ["text", "thinking", "tool_use", "x_tool_result"])
def test_delta_of_another_kind_changes_nothing(kind: str) -> None:
    """A block takes only the deltas it knows."""
    strange = [delta(0, f"{name}_delta", text="x", thinking="x", partial_json="x") for name in {"text", "thinking"} - {kind}]
    block = begin(0, kind, name="look", id="toolu_1")

    assert events_of(start(), block, *strange, stop(0), *end()) == events_of(start(), block, stop(0), *end())


def test_empty_citation_is_none() -> None:
    """A citation that says nothing cites nothing."""
    response = answer(start(), begin(0, "text", text="Hi"), delta(0, "citations_delta"), stop(0), *end())

    assert (response.sources, response.message.content) == ((), (TextPart(text="Hi"),))


def test_call_that_never_stops_is_whole_at_the_stop_reason() -> None:
    """Arguments that parse are the call's, also without a `content_block_stop`."""
    response = answer(start(), *tool(0, "toolu_1", "look", '{"at": 1}')[:-1], *end("tool_use"))

    assert [(call.arguments, call.error) for call in response.tool_calls] == [({"at": 1}, None)]


def test_file_that_code_made_is_a_file() -> None:
    """Output files of code are parts that can be fetched by their id."""
    content = {"type": "code_execution_result", "content": [{"type": "code_execution_output", "file_id": "file_plot"}]}

    events = events_of(start(), begin(0, "code_execution_tool_result", tool_use_id="s", content=content), stop(0), *end())

    (result,) = [event for event in events if isinstance(event, ToolResultReceived)]
    assert result.content == (FilePart(file_id="file_plot"),)


CITATIONS: list[tuple[dict[str, Any], SourcePart]] = [
    (
        {"type": "char_location", "document_index": 1, "document_title": "Log", "start_char_index": 3, "end_char_index": 9},
        SourcePart(title="Log", document_id="1"),
    ),
    ({"type": "page_location", "file_id": "file_7", "document_index": 0}, SourcePart(document_id="file_7")),
    ({"type": "content_block_location", "document_index": 0, "start_block_index": 4}, SourcePart(document_id="0")),
    ({"type": "web_search_result_location", "url": "https://a.example"}, SourcePart(url="https://a.example")),
    ({"type": "search_result_location", "source": "https://b.example"}, SourcePart(url="https://b.example")),
    ({"type": "search_result_location", "source": "shelf-3", "title": "B"}, SourcePart(document_id="shelf-3", title="B")),
    ({"type": "of_the_future", "depth": 9}, SourcePart()),
]


@pytest.mark.parametrize(("citation", "expected"), CITATIONS)
def test_citation_is_a_source(citation: dict[str, Any], expected: SourcePart) -> None:
    """Every type of citation is a source of its block; what we have no field for is kept, and the text keeps all of it."""
    citation = {**citation, "cited_text": "Six bells."}
    frames = [begin(0, "text", text="", citations=None), delta(0, "citations_delta", citation=citation), *text(0, "At six.")[1:]]

    events = events_of(start(), *frames, *end())

    (source,) = [event.part for event in events if isinstance(event, SourceAdded)]
    shown = source.replace(provider_data={})
    assert shown == expected.replace(quote="Six bells.", block_id="block-0")
    ours: Any = source.provider_data[OURS]
    assert ours["type"] == citation["type"]
    assert TextCompleted("block-0", "At six.", {OURS: {"citations": [citation]}}) in events


def test_unknown_block_is_kept_whole() -> None:
    """A block that is not modelled is one item, deltas included, in its place."""
    frames = [
        begin(0, "compaction", content=None),
        delta(0, "compaction_delta", content="So far: ", encrypted_content="ZQ=="),
        delta(0, "compaction_delta", content="nothing."),
        stop(0),
    ]

    events = events_of(start(), *frames, *text(1, "Go on."), *end("compaction"))

    kept: dict[str, Any] = {"type": "compaction", "content": "So far: nothing.", "encrypted_content": "ZQ=="}
    assert events[1] == ProviderItem(ProviderPart(kind="compaction", provider_data={OURS: kept}))


@pytest.mark.parametrize(
    "block", [{"type": "container_upload", "file_id": "file_1"}, {"type": "fallback", "to": {"model": "m"}}, {}]
)
def test_item_without_deltas_is_kept_whole(block: dict[str, Any]) -> None:
    """Blocks that only mark something are items too."""
    response = answer(start(), {"type": "content_block_start", "index": 0, "content_block": block}, stop(0), *end())

    kept = {OURS: block} if block else {}
    assert response.message.content == (ProviderPart(kind=block.get("type", "unknown"), provider_data=kept),)


def test_streamed_input_of_an_unknown_block_is_its_input() -> None:
    """A tool call of a kind that is yet to come keeps the input that streamed."""
    frames = [
        begin(0, "robot_use", input={}),
        delta(0, "input_json_delta", partial_json='{"arm": '),
        delta(0, "input_json_delta", partial_json="2}"),
    ]

    response = answer(start(), *frames, stop(0), *end())

    (part,) = response.message.content
    assert part.provider_data[OURS] == {"type": "robot_use", "input": {"arm": 2}}


def test_unknown_frames_and_deltas_are_ignored() -> None:
    """What is not known is no failure."""
    noise: list[dict[str, Any]] = [
        {"type": "ping"},
        {"type": "weather", "index": 0},
        {},
        delta(0, "mood_delta", mood="calm"),
        stop(9),
    ]

    response = answer(*noise[:3], start(), *noise, *text(0, "Hi"), *noise, *end())

    assert (response.output_text, response.error) == ("Hi", None)
