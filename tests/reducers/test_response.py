"""The fold: what the events of one message add up to, row by row of the contract's table."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from allm_rx.data import events as ev
from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, assistant, user
from allm_rx.data.parts import (
    AudioPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCall,
    ToolResultPart,
)
from allm_rx.data.responses import Response
from allm_rx.data.results import ChatResult, StepResult, ToolOutcome
from allm_rx.data.sessions import Session, Turn
from allm_rx.data.threads import Thread
from allm_rx.data.usage import Usage
from allm_rx.reducers.message import CUT_OFF
from allm_rx.reducers.response import ResponseFold, Snapshot
from tests.strategies import content_events
from tests.strategies import events as any_event

SIGNED: dict[str, JsonValue] = {"anthropic.messages": {"signature": "s"}}
BROKEN = Failure(kind="StreamError", reason="stream_interrupted", message="It broke off.")
STARTED = ev.MessageStarted("m1", "openai", "gpt-x", "r1", "p1")


def folded(*events: ev.Event) -> Response:
    """The response of some events."""
    fold = ResponseFold()
    for event in events:
        fold.apply(event)
    return fold.response()


def content(*events: ev.Event) -> tuple[Any, ...]:
    """The parts of the response's message."""
    return folded(*events).message.content


def usage(**numbers: Any) -> ev.RawChunk:
    """A report of usage."""
    return ev.RawChunk("usage", Usage(**numbers))


def test_no_events_at_all_are_an_empty_response() -> None:
    """Nothing was said, and nothing went wrong."""
    assert folded() == Response()
    assert (folded().output_text, folded().finish_reason) == ("", None)


def test_deltas_without_a_terminal_are_a_partial_answer() -> None:
    """A stream that was left early has no finish reason, and certainly not stop."""
    response = folded(STARTED, ev.TextDelta("0", "Hel"), ev.TextDelta("0", "lo"))

    assert (response.output_text, response.finish_reason, response.error) == ("Hello", None, None)


def test_each_block_of_text_settles_for_itself() -> None:
    """F-01: the end of the second block does not wipe the first."""
    parts = content(
        ev.TextDelta("0", "Hel"),
        ev.TextDelta("0", "lo"),
        ev.TextCompleted("0", "Hello"),
        ev.TextDelta("1", " wor"),
        ev.TextCompleted("1", " world", SIGNED),
    )

    assert parts == (TextPart(text="Hello"), TextPart(text=" world", provider_data=SIGNED))


def test_blocks_that_grow_in_turn_are_joined_in_order_of_first_sight() -> None:
    """`output_text` reads like the answer."""
    response = folded(ev.TextDelta("1", "a"), ev.TextDelta("0", "c"), ev.TextDelta("1", "b"), ev.TextCompleted("0", "C"))

    assert response.output_text == "abC"


def test_the_whole_text_beats_its_deltas() -> None:
    """What a block completed with is authoritative, with or without deltas before."""
    assert content(ev.TextDelta("0", "wrong"), ev.TextCompleted("0", "right")) == (TextPart(text="right"),)
    assert content(ev.TextCompleted("0", "right")) == (TextPart(text="right"),)
    assert content(ev.TextDelta("0", "wrong"), ev.TextCompleted("0", "")) == ()


def test_reasoning_is_a_part_of_its_own() -> None:
    """F-27: it stands where it began, with its signature, and is no text."""
    parts = content(
        ev.ReasoningDelta("0", "h"),
        ev.ReasoningDelta("0", "m"),
        ev.TextDelta("0", "So"),
        ev.ReasoningCompleted("0", "hmm", SIGNED),
    )

    assert parts == (ReasoningPart(text="hmm", provider_data=SIGNED), TextPart(text="So"))


def test_a_signature_without_text_is_kept() -> None:
    """The provider wants it back."""
    assert content(ev.ReasoningCompleted("0", "", SIGNED)) == (ReasoningPart(text="", provider_data=SIGNED),)


def test_a_completed_call_is_what_it_completed_with() -> None:
    """Arguments, raw text, error and the provider's data, whatever the deltas were."""
    parts = content(
        ev.ToolCallStarted("c", "weather"),
        ev.ToolCallDelta("c", '{"town":'),
        ev.ToolCallCompleted("c", "weather", {"town": "Oslo"}, '{"town": "Oslo"}', provider_data=SIGNED),
    )

    call = ToolCall(id="c", name="weather", arguments={"town": "Oslo"}, raw_arguments='{"town": "Oslo"}', provider_data=SIGNED)
    assert parts == (call,)


def test_a_call_with_wrong_arguments_keeps_its_error() -> None:
    """F-14: it does not become a call without arguments."""
    (call,) = folded(ev.ToolCallCompleted("c", "f", {}, "[1]", "The arguments are no object.")).tool_calls

    assert (call.arguments, call.raw_arguments, call.error) == ({}, "[1]", "The arguments are no object.")


def test_a_call_that_was_cut_off_carries_an_error() -> None:
    """Its deltas are kept and not guessed at."""
    parts = content(ev.ToolCallStarted("c", "f"), ev.ToolCallDelta("c", '{"a"'), ev.ToolCallDelta("c", ": 1"))

    assert parts == (ToolCall(id="c", name="f", raw_arguments='{"a": 1', error=CUT_OFF),)


def test_deltas_of_a_call_that_never_started_make_a_call() -> None:
    """A stream that broke the grammar loses nothing."""
    assert content(ev.ToolCallDelta("c", "{")) == (ToolCall(id="c", name="", raw_arguments="{", error=CUT_OFF),)


def test_a_call_that_completes_twice_is_what_came_last_where_it_came_first() -> None:
    """One id is one call."""
    calls = folded(
        ev.ToolCallCompleted("a", "f", {"n": 1}), ev.ToolCallCompleted("b", "g", {}), ev.ToolCallCompleted("a", "f", {"n": 2})
    ).tool_calls

    assert calls == (ToolCall(id="a", name="f", arguments={"n": 2}), ToolCall(id="b", name="g"))


def test_calls_of_one_tool_are_several_calls() -> None:
    """F-21: ids tell calls apart, not names."""
    calls = folded(ev.ToolCallCompleted("a", "f", {}), ev.ToolCallCompleted("a-2", "f", {})).tool_calls

    assert [call.id for call in calls] == ["a", "a-2"]


def test_what_the_provider_ran_is_content() -> None:
    """Its call and its result stand in the message, and the application has nothing to run."""
    response = folded(
        ev.ToolCallStarted("s", "web_search", provider_executed=True),
        ev.ToolCallCompleted("s", "web_search", {"q": "x"}, provider_executed=True),
        ev.ToolResultReceived("s", "web_search", (TextPart(text="found"),), is_error=False, provider_data=SIGNED),
    )

    assert response.message.content == (
        ToolCall(id="s", name="web_search", arguments={"q": "x"}, provider_executed=True),
        ToolResultPart(
            id="s", name="web_search", content=(TextPart(text="found"),), provider_executed=True, provider_data=SIGNED
        ),
    )
    assert response.tool_calls == ()


def test_a_result_that_comes_twice_counts_once() -> None:
    """The last one, in the place of the first."""
    parts = content(
        ev.ToolResultReceived("s", "f", (TextPart(text="half"),)),
        ev.TextDelta("0", "a"),
        ev.ToolResultReceived("s", "f", (TextPart(text="whole"),), is_error=True),
    )

    result = ToolResultPart(id="s", name="f", content=(TextPart(text="whole"),), is_error=True, provider_executed=True)
    assert parts == (result, TextPart(text="a"))


def test_sources_media_and_items_stand_in_their_places() -> None:
    """Parts that come whole are in order with those that grow."""
    source, item = SourcePart(url="https://x"), ProviderPart(kind="mcp_list_tools")
    image, audio = ImagePart(url="https://cat"), AudioPart(file_id="f")

    parts = content(
        ev.TextDelta("0", "a"),
        ev.SourceAdded(source),
        ev.MediaCompleted("i", image),
        ev.ProviderItem(item),
        ev.MediaCompleted("s", audio),
        ev.TextDelta("0", "b"),
    )

    assert parts == (TextPart(text="ab"), source, image, item, audio)


def test_a_better_version_of_a_picture_replaces_it() -> None:
    """Media are told apart by their ids."""
    coarse, fine = ImagePart(url="https://coarse"), ImagePart(url="https://fine")

    assert content(ev.MediaCompleted("i", coarse), ev.TextDelta("0", "a"), ev.MediaCompleted("i", fine)) == (
        fine,
        TextPart(text="a"),
    )


def test_usage_is_merged() -> None:
    """F-13: a later report without the prompt's tokens does not wipe them, and later numbers win."""
    response = folded(usage(input_tokens=9, output_tokens=1), ev.TextDelta("0", "a"), usage(output_tokens=5))

    assert response.usage == Usage(input_tokens=9, output_tokens=5)


@pytest.mark.parametrize("chunk", [ev.RawChunk("chunk", {"usage": 1}), ev.RawChunk("usage", {"input_tokens": 5})])
def test_other_raw_chunks_change_nothing(chunk: ev.RawChunk) -> None:
    """They are the provider's own frames."""
    assert folded(chunk) == Response()


def test_the_start_tells_ids_and_model() -> None:
    """F-26: nothing of it is lost on the way to the response."""
    response = folded(STARTED)

    assert response == Response(
        id="m1", provider="openai", model="gpt-x", request_id="r1", provider_request_id="p1", message=assistant("")
    )


def test_a_second_start_fills_in_what_was_missing() -> None:
    """None does not overwrite."""
    response = folded(STARTED, ev.MessageStarted())

    assert response == folded(STARTED)
    assert folded(ev.MessageStarted(provider="x"), ev.MessageStarted(message_id="m1")) == folded(ev.MessageStarted("m1", "x"))


def test_the_message_of_the_end_is_authoritative() -> None:
    """Whatever was folded before, and whatever metadata it has."""
    whole = Message(role="assistant", content="right", provider_data=SIGNED)

    response = folded(ev.TextDelta("0", "wrong"), ev.MessageCompleted(whole, "stop", "end_turn"), ev.TextDelta("0", "late"))

    assert response.message == whole
    assert (response.finish_reason, response.raw_finish_reason) == ("stop", "end_turn")


def test_an_end_without_a_reason_keeps_the_earlier_one() -> None:
    """Some servers send two ends, and only one has the reason."""
    response = folded(ev.MessageCompleted(assistant("a"), "length", "max"), ev.MessageCompleted(assistant("ab")))

    assert (response.output_text, response.finish_reason, response.raw_finish_reason) == ("ab", "length", "max")


def test_an_end_without_any_reason_has_none() -> None:
    """A reason is not made up."""
    assert folded(ev.MessageCompleted(assistant("a"))).finish_reason is None


def test_a_restart_forgets_the_message_and_keeps_the_usage() -> None:
    """What was said is void; what was consumed was consumed, and whose call it is stays."""
    response = folded(
        STARTED,
        ev.TextDelta("0", "old"),
        ev.ReasoningDelta("0", "old"),
        ev.ToolCallStarted("c", "old"),
        usage(input_tokens=9),
        ev.MessageRestarted(2, BROKEN),
        ev.TextDelta("0", "new"),
    )

    assert response == Response(
        request_id="r1", provider="openai", model="gpt-x", message=assistant("new"), usage=Usage(input_tokens=9)
    )


def test_a_restart_forgets_the_end_too() -> None:
    """Of an attempt that is void, no finish reason is left."""
    response = folded(ev.MessageCompleted(assistant("old"), "stop", "end"), ev.MessageRestarted(2, BROKEN))

    assert response == Response()


def test_a_restart_after_an_error_begins_anew() -> None:
    """The new attempt is not bound by the failure of the old one."""
    response = folded(
        ev.TextDelta("0", "old"),
        ev.Error(BROKEN),
        ev.MessageRestarted(2, BROKEN),
        ev.MessageCompleted(assistant("new"), "stop"),
    )

    assert (response.output_text, response.finish_reason, response.error) == ("new", "stop", None)


def test_an_error_keeps_the_partial_text() -> None:
    """What the caller has paid for and read is still there."""
    response = folded(STARTED, ev.TextDelta("0", "par"), usage(input_tokens=9), ev.Error(BROKEN))

    assert (response.output_text, response.finish_reason, response.error) == ("par", "error", BROKEN)
    assert response.usage == Usage(input_tokens=9)


@pytest.mark.parametrize(
    "late",
    [
        ev.MessageCompleted(assistant("fine"), "stop", "end"),
        ev.MessageCompleted(assistant("fine")),
        ev.TextDelta("0", "more"),
        ev.TextCompleted("0", "more"),
        ev.MessageStarted("m2"),
        usage(input_tokens=9),
        ev.Error(BROKEN.replace(message="second")),
    ],
)
def test_an_error_is_final(late: ev.Event) -> None:
    """F-15: no later event of the message hides the failure or adds to it."""
    events = (ev.TextDelta("0", "par"), ev.Error(BROKEN))

    assert folded(*events, late) == folded(*events)


def test_an_error_after_the_end_is_an_error() -> None:
    """The message is kept, and the reason is error."""
    response = folded(ev.MessageCompleted(assistant("all"), "stop"), ev.Error(BROKEN))

    assert (response.output_text, response.finish_reason, response.error) == ("all", "error", BROKEN)


def test_an_error_before_the_start_tells_whose_it_is() -> None:
    """Ids come from the failure when no message began."""
    failure = BROKEN.replace(provider="openai", request_id="r1", provider_request_id="p1")

    response = folded(ev.Error(failure))

    assert (response.provider, response.request_id, response.provider_request_id) == ("openai", "r1", "p1")


EXECUTION = (
    ev.ToolExecutionStarted("c", "f", {}),
    ev.ToolExecutionProgress("c", "f", 1),
    ev.ToolExecutionCompleted("c", "f", ToolOutcome(kind="value")),
    ev.ToolResultEncoded("c", (TextPart(text="x"),)),
    ev.AskUserRequested("c", "f", "Where?"),
    ev.ToolHalt("c", "enough"),
    ev.StepCompleted(0, StepResult(thread=Thread(), response=Response())),
    ev.ChatCompleted(ChatResult(thread=Thread(), halted_reason="completed")),
    ev.SessionStarted(Session(id="s")),
    ev.SessionCompleted(Turn(session=Session(id="s"), result=ChatResult(thread=Thread(), halted_reason="completed"))),
)


@pytest.mark.parametrize("event", EXECUTION, ids=lambda event: event.type)
def test_execution_events_are_for_other_folds(event: ev.Event) -> None:
    """They say nothing about the message."""
    before = (STARTED, ev.TextDelta("0", "a"))

    assert folded(*before, event) == folded(*before)


@given(st.lists(any_event, max_size=12))
@settings(max_examples=200)
def test_the_fold_is_total(events: list[ev.Event]) -> None:
    """Any events in any order make a response that can be saved."""
    fold = ResponseFold()
    views = [fold.apply(event).snapshot().message for event in events]

    response = fold.response()

    assert Response.model_validate_json(response.model_dump_json()) == response
    assert all(Message.model_validate_json(view.model_dump_json()) == view for view in views)


@given(st.lists(content_events, max_size=12))
def test_half_a_character_at_the_end_of_a_delta_does_no_harm(events: list[ev.Event]) -> None:
    """A script may cut where no decoder would; the halves meet again."""
    response = folded(*events, ev.TextDelta("cut", "\ud83d"), ev.TextDelta("cut", "\ude00"), ev.ToolCallDelta("cut", "\ud83d"))

    assert response.output_text.endswith("\U0001f600")
    assert Response.model_validate_json(response.model_dump_json()) == response


@given(st.lists(content_events, max_size=12), st.lists(any_event, max_size=6))
@settings(max_examples=200)
def test_a_snapshot_stays_what_it_was(before: list[ev.Event], after: list[ev.Event]) -> None:
    """Read late or read at once, a view shows its own moment."""
    fold = ResponseFold()
    for event in before:
        fold.apply(event)
    expected = fold.response()

    view = fold.snapshot()
    for event in after:
        fold.apply(event)

    assert (view.message, view.finish_reason, view.usage) == (expected.message, expected.finish_reason, expected.usage)


@pytest.mark.parametrize(
    "later",
    [
        (ev.TextDelta("0", "c"),),
        (ev.TextCompleted("0", "other", SIGNED),),
        (ev.TextCompleted("0", ""), ev.TextDelta("0", "again")),
        (ev.MessageCompleted(assistant("whole"), "stop"),),
        (ev.MessageRestarted(2, BROKEN), ev.TextDelta("0", "new"), ev.MessageCompleted(assistant("new"), "stop")),
        (ev.Error(BROKEN),),
    ],
)
def test_a_snapshot_of_two_deltas_is_two_deltas(later: tuple[ev.Event, ...]) -> None:
    """Also when its block settles with another text, or is void."""
    fold = ResponseFold().apply(ev.TextDelta("0", "a")).apply(ev.TextDelta("0", "b"))

    view = fold.snapshot()
    for event in later:
        fold.apply(event)

    assert (view.text, view.finish_reason, view.message) == ("ab", None, assistant("ab"))


def test_a_snapshot_of_an_open_call_stays_open() -> None:
    """A view from before its end has no arguments."""
    fold = ResponseFold().apply(ev.ToolCallStarted("c", "f")).apply(ev.ToolCallDelta("c", "{"))

    view = fold.snapshot()
    fold.apply(ev.ToolCallDelta("c", "}")).apply(ev.ToolCallCompleted("c", "f", {}))

    assert view.tool_calls == (ToolCall(id="c", name="f", raw_arguments="{", error=CUT_OFF),)
    assert fold.snapshot().tool_calls == (ToolCall(id="c", name="f"),)


def test_a_snapshot_tells_all_of_its_moment() -> None:
    """Text, reasoning, usage, and the end when it has come."""
    fold = ResponseFold()
    for event in (ev.ReasoningDelta("0", "hm"), ev.TextDelta("0", "a"), usage(output_tokens=2)):
        fold.apply(event)

    view = fold.snapshot()
    assert (view.reasoning, view.text, view.usage, view.finish_reason) == ("hm", "a", Usage(output_tokens=2), None)
    last = fold.apply(ev.MessageCompleted(assistant("all"), "stop")).snapshot()
    assert (last.text, last.reasoning, last.finish_reason) == ("all", "", "stop")


def test_a_response_does_not_change_with_the_fold() -> None:
    """What leaves the fold is frozen."""
    fold = ResponseFold().apply(ev.TextDelta("0", "a"))

    response = fold.response()
    fold.apply(ev.TextDelta("0", "b")).apply(ev.MessageCompleted(user("x"), "stop"))

    assert response == Response(message=assistant("a"))


def test_the_pieces_of_a_long_answer_stay_apart() -> None:
    """F-34: a delta is one append; nothing is joined until somebody reads."""
    fold = ResponseFold()

    for _ in range(100_000):
        fold.apply(ev.TextDelta("0", "ab"))

    (block,) = fold.builder.blocks
    assert len(block.pieces) == 100_000
    assert fold.response().output_text == "ab" * 100_000


def calls_made(work: Callable[[], object]) -> int:
    """How many functions are called, those written in C included."""
    count = 0

    def seen(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def growing(events: int) -> None:
    """Fold deltas of text, reasoning and arguments."""
    fold = ResponseFold()
    for _ in range(events):
        fold.apply(ev.TextDelta("0", "a"))
        fold.apply(ev.ReasoningDelta("0", "a"))
        fold.apply(ev.ToolCallDelta("c", "a"))
    fold.response()


def watched(events: int) -> None:
    """Take a view after every delta, and read the last."""
    fold, view = ResponseFold(), Snapshot(ResponseFold())
    for _ in range(events):
        view = fold.apply(ev.TextDelta("0", "a")).snapshot()
    assert len(view.text) == events


def many_blocks(events: int) -> None:
    """Fold an answer of many short blocks."""
    fold = ResponseFold()
    for index in range(events):
        fold.apply(ev.TextCompleted(str(index), "a")).apply(ev.SourceAdded(SourcePart()))
    fold.response()


@pytest.mark.parametrize("work", [growing, watched, many_blocks])
def test_work_is_linear_in_the_events(work: Callable[[int], None]) -> None:
    """Ten times the events are ten times the calls."""
    work(10)  # builds the models' validators, which happens once

    assert calls_made(lambda: work(10_000)) <= 10 * calls_made(lambda: work(1_000))
