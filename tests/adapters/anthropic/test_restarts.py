"""Messages that begin twice."""

import pytest

from allm_rx.data.events import (
    MessageCompleted,
    MessageStarted,
    ReasoningCompleted,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolResultReceived,
)
from allm_rx.data.parts import TextPart
from tests.adapters.anthropic.messages_frames import answer, begin, delta, end, events_of, start, stop, text, tool


def test_second_message_drops_what_was_open() -> None:
    """Under another id the message begins again: open text and thoughts are void, what was whole stays."""
    events = events_of(
        start("msg_1"),
        *text(0, "Kept."),
        begin(1, "thinking", thinking="Hm"),
        *text(2, "Void")[:-1],
        start("msg_2"),
        *text(0, "New."),
        *end(),
    )

    assert [event for event in events if isinstance(event, (TextCompleted, ReasoningCompleted))] == [
        TextCompleted("block-0", "Kept."),
        ReasoningCompleted("block-1", ""),
        TextCompleted("block-2", ""),
        TextCompleted("block-3", "New."),
    ]
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert last.message.content == (TextPart(text="Kept."), TextPart(text="New."))


def test_second_message_drops_an_open_call() -> None:
    """A call that was still growing is completed as one that is not run, and is no part of the message."""
    events = events_of(start("msg_1"), *tool(0, "toolu_1", "look", '{"a')[:-1], start("msg_2"), *text(0, "New."), *end())

    (call,) = [event for event in events if isinstance(event, ToolCallCompleted)]
    assert call.error is not None
    assert "does not count" in call.error
    last = events[-1]
    assert isinstance(last, MessageCompleted)
    assert (last.message.content, last.finish_reason) == ((TextPart(text="New."),), "stop")


def test_second_message_drops_what_has_not_shown() -> None:
    """Blocks that said nothing yet leave no trace, be they text, thoughts or items."""
    hidden = [begin(0, "text", text=""), begin(1, "thinking", thinking=""), begin(2, "compaction"), begin(3, "x_tool_result")]

    events = events_of(start("msg_1"), *hidden, start("msg_2"), *text(0, "New."), *end())

    kinds = [type(event) for event in events if not isinstance(event, (MessageStarted, MessageCompleted))]
    assert kinds == [ToolResultReceived, TextDelta, TextCompleted]


def test_second_message_counts_anew() -> None:
    """Usage and stop reason of the message that was given up are not those of the answer."""
    response = answer(
        start("msg_1", input_tokens=5, cache_read_input_tokens=100, output_tokens=1),
        end("max_tokens")[0],
        start("msg_2", input_tokens=7, output_tokens=1),
        *text(0, "New."),
        *end("end_turn", usage={"output_tokens": 3}),
    )

    assert (response.finish_reason, response.usage.input_tokens, response.usage.output_tokens) == ("stop", 7, 3)


@pytest.mark.parametrize("again", ["msg_1", None])
def test_repeated_start_changes_nothing(again: str | None) -> None:
    """The same start twice, or one without an id, goes on with what is open."""
    response = answer(start("msg_1"), *text(0, "Hel")[:-1], start(again), delta(0, "text_delta", text="lo"), stop(0), *end())

    assert response.output_text == "Hello"
