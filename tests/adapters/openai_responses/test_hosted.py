"""What tools that the API knows itself become."""

import base64
from typing import Any

import pytest

from allm_rx.adapters.openai.responses.hosted import client_side
from allm_rx.data.events import (
    MediaCompleted,
    ProviderItem,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
    ToolResultReceived,
)
from allm_rx.data.parts import ImagePart, ProviderPart, TextPart
from allm_rx.data.tools import Tool, provider_tool
from allm_rx.reducers.message import CUT_OFF
from tests.adapters.openai_responses.frames import (
    RECORDINGS,
    added,
    answer,
    completed,
    created,
    done,
    ended,
    events_of,
    read,
    text,
)

HOSTED = (RECORDINGS / "hosted.sse").read_bytes()


def kept(part: Any) -> Any:
    return part.provider_data["openai.responses"]


def test_hosted_tools_are_calls_with_results() -> None:
    """What the provider ran is a call of its own, with what came back."""
    events = read(HOSTED)

    started = [event for event in events if isinstance(event, ToolCallStarted)]
    results = [event for event in events if isinstance(event, ToolResultReceived)]
    assert [(event.id, event.name, event.provider_executed) for event in started] == [
        ("ws_1", "web_search", True),
        ("fs_1", "file_search", True),
        ("ci_1", "code_interpreter", True),
        ("mcp_1", "tide", True),
    ]
    assert [(event.id, event.content, event.is_error) for event in results] == [
        ("ws_1", (TextPart(text="https://maps.example/lake\nhttps://maps.example/deep"),), False),
        ("fs_1", (TextPart(text="chart.pdf: 12 fathoms"),), False),
        ("ci_1", (TextPart(text="21.9456\n"), ImagePart(url="https://files.example/plot.png")), False),
        ("mcp_1", (TextPart(text="low"),), False),
    ]


def test_hosted_tools_tell_what_they_were_given() -> None:
    """Each call has arguments of its own shape, streamed where the wire streams them."""
    events = read(HOSTED)

    made = {event.name: event.arguments for event in events if isinstance(event, ToolCallCompleted)}
    code = "".join(event.arguments_delta for event in events if isinstance(event, ToolCallDelta) and event.id == "ci_1")
    assert made == {
        "web_search": {"type": "search", "query": "lake depth"},
        "file_search": {"queries": ["depth"]},
        "code_interpreter": {"code": "print(12 * 1.8288)  # fäthoms"},
        "tide": {"at": "noon"},
    }
    assert code == '{"code": "print(12 * 1.8288)  # fäthoms"}'


def test_lists_of_mcp_tools_are_kept_whole() -> None:
    """Sent back, they spare the provider from asking again."""
    (item,) = [event.part for event in read(HOSTED) if isinstance(event, ProviderItem)]

    assert item.kind == "mcp_list_tools"
    assert kept(item)["tools"][0]["name"] == "tide"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("adrift", "adrift"),
        ({"type": "mcp_protocol_error", "code": 1, "message": "adrift"}, "adrift"),
        ({"code": 1}, '{"code":1}'),
    ],
)
def test_tool_that_failed_at_the_provider_says_so(error: Any, told: str) -> None:
    """Its result is an error, with the provider's words."""
    item = {"id": "mcp_1", "name": "tide", "arguments": "{}", "error": error, "status": "failed"}

    (result,) = [
        event for event in events_of(created(), done(0, "mcp_call", **item), completed()) if isinstance(event, ToolResultReceived)
    ]

    assert (result.is_error, result.content) == (True, (TextPart(text=told),))


def test_question_for_approval_is_kept_whole() -> None:
    """The application answers it with an item of its own."""
    item = {"id": "mcpr_1", "name": "tide", "arguments": "{}", "server_label": "tides"}

    (part,) = answer(created(), done(0, "mcp_approval_request", **item), completed()).message.content

    assert part == ProviderPart(
        kind="mcp_approval_request", provider_data={"openai.responses": {"type": "mcp_approval_request", **item}}
    )


SHELL = {"id": "sh_1", "call_id": "c1", "action": {"commands": ["ls"]}}


def test_shell_in_a_container_is_the_providers() -> None:
    """Its output is an item of its own."""
    call = {**SHELL, "environment": {"type": "container_reference", "container_id": "cntr_1"}}
    output = {"call_id": "c1", "output": [{"stdout": "boat\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}

    events = events_of(created(), done(0, "shell_call", **call), done(1, "shell_call_output", **output), completed())

    (result,) = [event for event in events if isinstance(event, ToolResultReceived)]
    assert (result.id, result.name, result.content) == ("c1", "shell", (TextPart(text="boat\n"),))


@pytest.mark.parametrize(
    ("spec", "item", "arguments"),
    [
        ({"type": "shell"}, {"type": "shell_call", **SHELL}, {"commands": ["ls"]}),
        (
            {"type": "shell", "environment": {"type": "local"}},
            {"type": "shell_call", **SHELL, "environment": {"type": "local"}},
            {"commands": ["ls"]},
        ),
        (
            {"type": "local_shell"},
            {"type": "local_shell_call", "call_id": "c1", "action": {"command": ["ls"]}},
            {"command": ["ls"]},
        ),
        ({"type": "apply_patch"}, {"type": "apply_patch_call", "call_id": "c1", "operation": {"path": "a"}}, {"path": "a"}),
        (
            {"type": "computer"},
            {"type": "computer_call", "call_id": "c1", "actions": [{"type": "wait"}]},
            {"actions": [{"type": "wait"}]},
        ),
        ({"type": "computer_use_preview"}, {"type": "computer_call", "call_id": "c1", "action": {"x": 1}}, {"x": 1}),
    ],
)
def test_tool_that_runs_at_the_application_is_its_call(spec: Any, item: Any, arguments: Any) -> None:
    """What was offered so is for the application to run; without an offer nobody is known to, and the item is kept."""
    frames = [created(), ended(0, item), completed()]

    offered = answer(*frames, client=client_side([Tool(name="other"), provider_tool("openai.responses", spec)]))
    unasked = answer(*frames)

    (made,) = offered.message.tool_calls
    assert (made.id, made.arguments, offered.finish_reason) == ("c1", arguments, "tool_calls")
    assert [part.type for part in unasked.message.content] == ["provider"]


def test_call_at_the_application_that_never_came_whole_is_not_run() -> None:
    """Without its end nobody knows the command."""
    client = client_side([provider_tool("openai.responses", {"type": "local_shell"})])

    response = answer(created(), added(0, "local_shell_call", call_id="c1"), completed(), client=client)

    assert response.message.tool_calls[0].error == CUT_OFF


def test_picture_is_media_that_can_be_sent_back() -> None:
    """Its bytes are kept once, the rest of the item beside them."""
    data = base64.b64encode(b"pixels").decode()
    item = {"id": "ig_1", "status": "completed", "output_format": "webp", "result": data}

    events = events_of(created(), done(0, "image_generation_call", **item), completed())

    (made,) = [event for event in events if isinstance(event, MediaCompleted)]
    assert (made.id, made.part.data, made.part.media_type) == ("ig_1", b"pixels", "image/webp")
    assert kept(made.part) == {"type": "image_generation_call", "id": "ig_1", "status": "completed", "output_format": "webp"}


def test_picture_that_is_written_in_another_way_is_kept_so() -> None:
    """What cannot be written again letter for letter is kept beside the bytes."""
    item = {"id": "ig_1", "result": "cGl4\nZWxz"}

    (part,) = answer(created(), done(0, "image_generation_call", **item), completed()).message.content

    assert isinstance(part, ImagePart)
    assert (part.data, kept(part)["result"]) == (b"pixels", "cGl4\nZWxz")


@pytest.mark.parametrize("result", [None, "", "!", "a"])
def test_picture_that_cannot_be_read_is_kept_as_an_item(result: Any) -> None:
    """A picture that failed is no picture, and no failure of the answer."""
    (part,) = answer(
        created(), done(0, "image_generation_call", id="ig_1", status="failed", result=result), completed()
    ).message.content

    assert isinstance(part, ProviderPart)
    assert kept(part)["status"] == "failed"


def test_item_that_is_yet_to_come_is_kept_whole() -> None:
    """What is not modelled stays in its place."""
    response = answer(created(), done(0, "compaction", id="cmp_1", encrypted_content="xx"), text("Hi", index=1), completed())

    assert [part.type for part in response.message.content] == ["provider", "text"]
    assert kept(response.message.content[0]) == {"type": "compaction", "id": "cmp_1", "encrypted_content": "xx"}
