"""Events as the UI message stream of the AI SDK, read by the AI SDK itself."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import reactivex as rx
from aiohttp import ClientSession, web
from reactivex import Observable
from reactivex import operators as ops

from allm_rx import AskUser, AudioPart, Engine, Failure, ImagePart, SourcePart, ToolCall, Usage, assistant, events, stream, tool
from allm_rx import operators as lx
from allm_rx.adapters import Fake
from allm_rx.adapters.fake import error, reasoning
from allm_rx.data.parts import TextPart
from allm_rx.integrations.vercel_ui import UiMessageStream, ui_message_response
from tests.integrations import node
from tests.integrations.serving import serving

READER = Path(__file__).with_name("read_ui_messages.mjs")
FAILURE = Failure(kind="AdapterError", reason="server_error", message="It broke.")
VERSIONS = pytest.mark.parametrize("version", ["ai5", "ai6", "ai7"])


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    if city == "Atlantis":
        raise LookupError("It is under water.")
    return f"7 degrees and rain in {city}"


@tool
def ask(question: str) -> AskUser:
    """Ask the user."""
    return AskUser(question)


def chatting(*scripts: Sequence[Any]) -> Observable[events.Event]:
    """The events of a chat in which the model does this."""
    engine = Engine(adapter=Fake(scripts=[list(script) for script in scripts]), model="fake-1", retry=False)
    return stream(engine, "How is the weather in Oslo?", tools=[weather, ask])


def calling(name: str = "weather", **arguments: Any) -> ToolCall:
    return ToolCall(id="call_1", name=name, arguments=arguments)


def parts_of(*happened: events.Event) -> list[dict[str, Any]]:
    """What events become, without the frame of start and step."""
    mapped = UiMessageStream()
    parts = [part for event in happened for part in mapped.feed(event)] + list(mapped.finish())
    return [part for part in parts if part["type"] not in ("start", "start-step", "finish-step", "abort")]


def read_by(version: str, source: Observable[events.Event]) -> Any:
    """What that version of the package makes of the response: the message, errors, and the kinds of parts."""

    async def handler(request: web.Request) -> web.StreamResponse:
        assert (await request.json())["messages"][0]["parts"][0]["text"] == "How is the weather in Oslo?"
        return await ui_message_response(request, source, message_id="m1")

    async def main() -> Any:
        async with serving(handler) as url:
            return await node.printed(READER, version, url)

    return asyncio.run(main())


@VERSIONS
def test_a_chat_with_a_tool_is_one_message(version: str) -> None:
    """`useChat` gets reasoning, text, the call with its input and output, and the words after it."""
    first = [reasoning("Hm."), "Let me see.", calling(city="Oslo"), Usage(input_tokens=3, output_tokens=4)]

    read = read_by(version, chatting(first, ["It is", " raining."]))

    assert read["errors"] == []
    assert read["message"]["id"] == "m1"
    assert read["message"]["metadata"] == {"model": "fake-1", "usage": {"input_tokens": 3, "output_tokens": 4}}
    assert [(part["type"], part.get("text", part.get("output"))) for part in read["message"]["parts"]] == [
        ("step-start", None),
        ("reasoning", "Hm."),
        ("text", "Let me see."),
        ("tool-weather", "7 degrees and rain in Oslo"),
        ("step-start", None),
        ("text", "It is raining."),
    ]
    assert {part.get("state") for part in read["message"]["parts"]} == {None, "done", "output-available"}


@VERSIONS
def test_a_tool_that_fails_is_told(version: str) -> None:
    """The part of the call holds why."""
    read = read_by(version, chatting([calling(city="Atlantis")], ["Oh."]))

    call = read["message"]["parts"][1]
    assert (call["type"], call["state"], call["input"]) == ("tool-weather", "output-error", {"city": "Atlantis"})
    assert "It is under water." in call["errorText"]


@VERSIONS
def test_a_failure_reaches_the_client(version: str) -> None:
    """The client hears of the error and keeps the text before it."""
    read = read_by(version, chatting(["Well", error("server_error", status=500, message="It broke.")]))

    assert read["errors"] == ["It broke."]
    assert [part["text"] for part in read["message"]["parts"] if part["type"] == "text"] == ["Well"]
    assert read["kinds"][-1] == "finish"


@VERSIONS
def test_every_kind_of_part_is_one_the_client_knows(version: str) -> None:
    """The client's own schema refuses none of what can be written."""
    source = rx.of(
        events.MessageStarted(model="m"),
        events.ToolCallStarted(id="1", name="web_search", provider_executed=True),
        events.ToolCallCompleted(id="1", name="web_search", arguments={}, provider_executed=True),
        events.ToolResultReceived(id="1", name="web_search", content=(TextPart(text="found"),)),
        events.ToolCallCompleted(id="2", name="weather", arguments={}, raw_arguments="{", error="It is not JSON."),
        events.SourceAdded(part=SourcePart(url="https://example.org/", title="Example")),
        events.SourceAdded(part=SourcePart(document_id="7")),
        events.MediaCompleted(id="3", part=ImagePart(data=b"png", media_type="image/png")),
        events.AskUserRequested(tool_call_id="4", tool_name="ask", question="Which?"),
        events.MessageCompleted(message=assistant(""), finish_reason="content_filter"),
    )

    read = read_by(version, source)

    assert read["errors"] == []
    assert [part["type"] for part in read["message"]["parts"][1:]] == [
        "tool-web_search",
        "tool-weather",
        "source-url",
        "source-document",
        "file",
        "data-ask-user",
    ]
    assert [part.get("state") for part in read["message"]["parts"][1:3]] == ["output-available", "output-error"]


def test_the_head_names_the_protocol() -> None:
    """The header and the last record are what the protocol wants."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return await ui_message_response(request, chatting(["Hi."]))

    async def main() -> tuple[str, str]:

        async with serving(handler) as url, ClientSession() as client, client.post(url) as response:
            return response.headers["x-vercel-ai-ui-message-stream"], await response.text()

    version, body = asyncio.run(main())

    assert version == "v1"
    assert body.endswith("data: [DONE]\n\n")


def test_a_block_without_deltas_is_said_at_its_end() -> None:
    """A stream whose deltas were filtered out loses no text."""
    assert parts_of(events.TextCompleted(id="0", text="whole")) == [
        {"type": "text-start", "id": "0"},
        {"type": "text-delta", "id": "0", "delta": "whole"},
        {"type": "text-end", "id": "0"},
    ]


def test_what_deltas_left_out_is_said_at_the_end() -> None:
    """The text of the completed block is the one that counts."""
    parts = parts_of(events.TextDelta(id="0", delta="who"), events.TextCompleted(id="0", text="whole"))

    assert [part["delta"] for part in parts if part["type"] == "text-delta"] == ["who", "le"]


def test_a_stream_left_early_is_an_abort() -> None:
    """What was open is closed, and nothing claims that the answer is whole."""
    mapped = UiMessageStream()

    parts = [*mapped.feed(events.TextDelta(id="0", delta="Well")), *mapped.finish()]

    assert [part["type"] for part in parts] == [
        "start",
        "start-step",
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "abort",
    ]


def test_a_cancelled_chat_is_an_abort() -> None:
    """A stop button of the server is told like one of the client."""
    cancelled = chatting(["Well", " then"]).pipe(lx.cancel_on(rx.of("now")), ops.to_list())
    mapped = UiMessageStream()

    for event in lx.run(cancelled):
        mapped.feed(event)

    assert [part["type"] for part in mapped.finish()][-1] == "abort"


def test_a_call_that_never_became_whole_is_answered() -> None:
    """No part is left that a client would show as still being written."""
    parts = parts_of(events.ToolCallStarted(id="1", name="weather"), events.Error(failure=FAILURE))

    assert [part["type"] for part in parts] == ["tool-input-start", "tool-input-error", "error", "finish"]


def test_a_call_that_was_refused_is_answered_once() -> None:
    """Arguments that are no good are told by the input; the tool that did not run adds nothing."""
    broken = ToolCall(id="call_1", name="weather", raw_arguments='{"city": ', error="It is not JSON.")

    parts = parts_of(*lx.run(chatting([broken], ["Oh."]).pipe(ops.to_list())))

    about = [part["type"] for part in parts if part.get("toolCallId") == "call_1" and part["type"] != "tool-input-delta"]
    assert about == ["tool-input-start", "tool-input-error"]


def test_a_restart_begins_another_step() -> None:
    """What was sent cannot be taken back, so the new attempt is set apart from it."""
    mapped = UiMessageStream()
    happened = [
        events.TextDelta(id="0", delta="Wel"),
        events.MessageRestarted(attempt=2, failure=FAILURE),
        events.TextDelta(id="0", delta="Well"),
    ]

    kinds = [part["type"] for event in happened for part in mapped.feed(event)]

    assert kinds[-6:] == ["text-delta", "text-end", "finish-step", "start-step", "text-start", "text-delta"]


def test_progress_is_a_preliminary_output() -> None:
    """What a tool reports on its way is shown, and replaced by its result."""
    parts = parts_of(events.ToolExecutionProgress(id="1", name="weather", value={"done": 0.5}))

    assert parts == [{"type": "tool-output-available", "toolCallId": "1", "output": {"done": 0.5}, "preliminary": True}]


def test_a_question_is_data() -> None:
    """A tool that asks the user leaves its call without an output, and the question beside it."""
    parts = parts_of(*lx.run(chatting([calling("ask", question="Which Oslo?")]).pipe(ops.to_list())))

    assert [part["data"]["question"] for part in parts if part["type"] == "data-ask-user"] == ["Which Oslo?"]
    assert not [part for part in parts if part["type"].startswith("tool-output")]


def test_media_that_a_browser_cannot_show_is_left_out() -> None:
    """A provider's file id has no address."""
    assert parts_of(events.MediaCompleted(id="1", part=AudioPart(file_id="file_1", media_type="audio/wav"))) == []
