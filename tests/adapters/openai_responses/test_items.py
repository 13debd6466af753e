"""What calls of the application's tools become."""

from typing import Any

import pytest

from allm_rx.adapters.openai.responses.hosted import client_side
from allm_rx.data.events import (
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
)
from allm_rx.data.tools import provider_tool
from allm_rx.reducers.message import CUT_OFF
from tests.adapters.openai_responses.frames import (
    added,
    answer,
    completed,
    created,
    done,
    ev,
    events_of,
)


def kept(part: Any) -> Any:
    return part.provider_data["openai.responses"]


def test_arguments_that_come_whole_are_a_delta_too() -> None:
    """A server without deltas is read like one with them."""
    events = events_of(
        created(),
        added(0, "function_call", call_id="c1", name="sail", arguments=""),
        ev("function_call_arguments.done", output_index=0, arguments='{"to":"sea"}'),
        done(0, "function_call", call_id="c1", name="sail", arguments='{"to":"sea"}'),
        completed(),
    )

    assert [event.arguments_delta for event in events if isinstance(event, ToolCallDelta)] == ['{"to":"sea"}']


def test_arguments_may_be_an_object() -> None:
    """JSON that was not made a text is read all the same."""
    (made,) = answer(
        created(), done(0, "function_call", call_id="c", name="f", arguments={"a": 1}), completed()
    ).message.tool_calls

    assert (made.arguments, made.raw_arguments) == ({"a": 1}, '{"a":1}')


def test_call_without_a_name_waits_for_it() -> None:
    """A call begins when its name is known; what came before is not lost."""
    events = events_of(
        created(),
        ev("function_call_arguments.delta", output_index=0, delta='{"to":'),
        ev("function_call_arguments.done", output_index=0, name="sail", arguments='{"to":"sea"}'),
        completed(),
    )

    assert [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta))] == [
        ToolCallStarted("call_0", "sail"),
        ToolCallDelta("call_0", '{"to":'),
        ToolCallDelta("call_0", '"sea"}'),
    ]


def test_call_that_never_got_a_name_is_dropped() -> None:
    """Nobody could run it."""
    frame = ev("function_call_arguments.delta", output_index=0, delta="{}")

    assert answer(created(), frame, completed()).message.content == ()


def test_call_without_a_call_id_takes_that_of_its_item() -> None:
    """Its result needs something to answer."""
    (made,) = answer(created(), done(0, "function_call", id="fc_1", name="f", arguments="{}"), completed()).message.tool_calls

    assert made.id == "fc_1"


@pytest.mark.parametrize("ended", [True, False])
def test_call_that_was_cut_says_so(ended: bool) -> None:
    """A limit in the middle of the arguments is no mistake of the model."""
    item = {"call_id": "c", "name": "f", "arguments": '{"to":"s', "status": "incomplete"}
    limit: dict[str, Any] = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": []}
    frames = [
        added(0, "function_call", call_id="c", name="f"),
        ev("function_call_arguments.delta", output_index=0, delta='{"to":"s'),
        *([done(0, "function_call", **item)] if ended else []),
    ]

    response = answer(created(), *frames, ev("incomplete", response=limit))

    assert (response.finish_reason, response.message.tool_calls[0].error) == ("length", CUT_OFF)


def test_arguments_that_are_not_json_are_an_error_of_the_call() -> None:
    """The model is told, and nothing runs."""
    (made,) = answer(created(), done(0, "function_call", call_id="c", name="f", arguments="{to}"), completed()).message.tool_calls

    assert made.error is not None
    assert "not JSON" in made.error
    assert made.raw_arguments == "{to}"


def test_call_keeps_its_item_for_the_next_turn() -> None:
    """What the call itself holds is not kept twice; who called is."""
    caller = {"type": "program", "caller_id": "call_p"}
    item = {"id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed", "caller": caller}

    (made,) = answer(created(), done(0, "function_call", **item), completed()).message.tool_calls

    assert kept(made) == {"type": "function_call", "id": "fc_1", "status": "completed", "caller": caller}


def test_custom_call_has_its_text_as_input() -> None:
    """Free text streams as the JSON of the arguments it becomes."""
    events = events_of(
        created(),
        added(0, "custom_tool_call", id="ctc_1", call_id="c1", name="helm", input=""),
        ev("custom_tool_call_input.delta", output_index=0, delta='say "a'),
        ev("custom_tool_call_input.delta", output_index=0, delta='hoy"\n'),
        ev("custom_tool_call_input.done", output_index=0, input='say "ahoy"\n!'),
        done(0, "custom_tool_call", id="ctc_1", call_id="c1", name="helm", input='say "ahoy"\n!'),
        completed(),
    )

    streamed = "".join(event.arguments_delta for event in events if isinstance(event, ToolCallDelta))
    (made,) = [event for event in events if isinstance(event, ToolCallCompleted)]
    assert streamed == r'{"input": "say \"ahoy\"\n!"}'
    assert made.arguments == {"input": 'say "ahoy"\n!'}
    assert kept(made) == {"type": "custom_tool_call", "id": "ctc_1"}


def test_end_of_a_free_text_is_the_authority() -> None:
    """Where deltas and the whole input differ, the whole one is what the tool gets."""
    frames = [
        added(0, "custom_tool_call", call_id="c", name="helm"),
        ev("custom_tool_call_input.delta", output_index=0, delta="turn lft"),
        done(0, "custom_tool_call", call_id="c", name="helm", input="turn left"),
    ]

    (made,) = answer(created(), *frames, completed()).message.tool_calls

    assert made.arguments == {"input": "turn left"}


@pytest.mark.parametrize("kind", ["function_call", "custom_tool_call"])
def test_news_of_a_call_changes_nothing(kind: str) -> None:
    """Events of a call that are yet to come are passed over."""
    news = [ev("function_call_arguments.paused", output_index=0), ev("custom_tool_call_input.paused", output_index=0)]
    begun = added(0, kind, call_id="c", name="f")

    events = events_of(created(), begun, *news, done(0, kind, call_id="c", name="f", arguments="{}", input=""), completed())

    assert [event.id for event in events if isinstance(event, ToolCallCompleted)] == ["c"]


def test_custom_call_without_input_has_an_empty_one() -> None:
    """Nothing is a text too."""
    (made,) = answer(created(), done(0, "custom_tool_call", call_id="c", name="helm", input=""), completed()).message.tool_calls

    assert made.arguments == {"input": ""}


def test_custom_call_that_was_cut_is_not_run() -> None:
    """The beginning of a text looks like a text; only the status tells."""
    item = {"call_id": "c", "name": "helm", "input": "turn le", "status": "incomplete"}

    (made,) = answer(created(), done(0, "custom_tool_call", **item), completed()).message.tool_calls

    assert (made.arguments, made.error, made.raw_arguments) == ({}, CUT_OFF, '{"input": "turn le')


def test_custom_tools_of_xai_are_its_own() -> None:
    """Calls that the provider runs and lists as custom ones are not for the application, unless it offers that tool."""
    frames = [created(), done(0, "custom_tool_call", call_id="c", name="x_keyword_search", input="{}"), completed()]
    offered = client_side([provider_tool("openai.responses", {"type": "custom", "name": "x_keyword_search"})])

    assert answer(*frames).message.tool_calls == ()
    assert answer(*frames).finish_reason == "stop"
    assert len(answer(*frames, client=offered).message.tool_calls) == 1
