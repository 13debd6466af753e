"""Tool calls, in every way that servers cut them up."""

from typing import Any

import pytest

from allm_rx.data.events import ToolCallCompleted, ToolCallDelta, ToolCallStarted
from allm_rx.data.parts import ToolCall
from tests.adapters.openai.chat_frames import answer, call, chunk, events_of

WHOLE = '{"at": "sea"}'


def calls(*frames: dict[str, Any], finish: str | None = "tool_calls") -> list[tuple[str, str, dict[str, Any]]]:
    response = answer(*frames, chunk(finish=finish))
    return [(call.id, call.name, dict(call.arguments)) for call in response.tool_calls]


def test_index_may_be_missing() -> None:
    """Deltas without an index are joined by id."""
    frames = [
        call(id="a", name="look", arguments='{"at":'),
        call(id="b", name="look", arguments="{}"),
        call(id="a", arguments=' "sea"}'),
    ]

    assert calls(*frames) == [("a", "look", {"at": "sea"}), ("b", "look", {})]


def test_index_and_id_may_be_missing() -> None:
    """A delta with a name begins a call, one without continues the last."""
    frames = [
        call(name="look", arguments='{"at":'),
        call(arguments=' "sea"}'),
        call(name="look", arguments='{"at": "sky"}'),
    ]

    assert calls(*frames) == [("call_0", "look", {"at": "sea"}), ("call_1", "look", {"at": "sky"})]


def test_equal_calls_without_ids_are_both_made() -> None:
    """Rolling a dice twice is two calls."""
    frames = [call(name="roll", arguments="{}"), call(name="roll", arguments="{}")]

    assert [name for _, name, _ in calls(*frames)] == ["roll", "roll"]


def test_index_is_a_key() -> None:
    """A first index of 1, gaps and any order are fine."""
    frames = [
        call(index=1, id="a", name="look", arguments=""),
        call(index=5, id="b", name="hear", arguments=""),
        call(index=1, arguments=WHOLE),
        call(index=5, arguments="{}"),
    ]

    assert calls(*frames) == [("a", "look", {"at": "sea"}), ("b", "hear", {})]


def test_one_index_with_another_id_and_name_is_another_call() -> None:
    """Servers that never count send every call under index 0."""
    frames = [
        call(index=0, id="a", name="look", arguments=WHOLE),
        call(index=0, id="b", name="look", arguments='{"at": "sky"}'),
    ]

    assert calls(*frames) == [("a", "look", {"at": "sea"}), ("b", "look", {"at": "sky"})]


def test_one_index_with_empty_ids_and_whole_arguments_is_another_call() -> None:
    """Without ids, a new object after a whole one begins a call."""
    frames = [
        call(index=0, id="", name="look", arguments=WHOLE),
        call(index=0, id="", name="look", arguments='{"at": "sky"}'),
    ]

    assert [arguments for _, _, arguments in calls(*frames)] == [{"at": "sea"}, {"at": "sky"}]


def test_id_and_name_repeated_in_every_delta_are_one_call() -> None:
    """Only the arguments are appended."""
    frames = [call(index=0, id="a", name="look", arguments=piece) for piece in ("", '{"at"', ": ", '"sea"}')]

    assert calls(*frames) == [("a", "look", {"at": "sea"})]


def test_empty_id_and_name_are_absent() -> None:
    """Later deltas may fill what they do not know with empty strings."""
    frames = [
        call(index=0, id="a", name="look", arguments=""),
        call(index=0, id="", name="", arguments='{"at": "sea'),
        call(index=0, id="", name="", arguments='"}'),
    ]

    assert calls(*frames) == [("a", "look", {"at": "sea"})]


def test_id_that_changes_without_a_name_is_the_same_call() -> None:
    """Some gateways make up an id per delta."""
    frames = [call(index=0, id="a", name="look", arguments='{"at":'), call(index=0, id="z", arguments=' "sea"}')]

    assert calls(*frames) == [("a", "look", {"at": "sea"})]


def test_call_begins_when_its_name_is_there() -> None:
    """What came before the name follows it."""
    frames = [call(index=0, id="a", arguments='{"at":'), call(index=0, name="look"), call(index=0, arguments=' "sea"}')]

    events = events_of(*frames, chunk(finish="tool_calls"))

    assert [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta))] == [
        ToolCallStarted("a", "look"),
        ToolCallDelta("a", '{"at":'),
        ToolCallDelta("a", ' "sea"}'),
    ]


def test_id_that_comes_after_the_name_is_kept_beside_ours() -> None:
    """A call has begun under an id of ours by then; the provider's stays with it."""
    frames = [call(index=0, name="look", arguments=""), call(index=0, id="a", arguments="{}")]

    made = answer(*frames, chunk(finish="tool_calls")).tool_calls[0]

    assert (made.id, made.provider_data) == ("call_0", {"openai.chat": {"id": "a"}})


def test_delta_that_belongs_to_no_call_is_dropped() -> None:
    """Arguments of nothing mean nothing."""
    assert calls(call(arguments="{}")) == []


def test_call_that_is_no_object_is_dropped() -> None:
    """A list of calls may hold anything."""
    assert calls(chunk({"tool_calls": ["look", None]})) == []


def test_call_without_a_name_is_dropped() -> None:
    """Nobody could run it."""
    assert calls(call(index=0, id="a", arguments="{}")) == []


def test_arguments_may_be_an_object() -> None:
    """A server may send the object itself."""
    assert calls(call(index=0, id="a", name="look", arguments={"at": "sea"})) == [("a", "look", {"at": "sea"})]


@pytest.mark.parametrize("arguments", ["", "{}", "null", None])
def test_no_arguments_are_an_empty_object(arguments: str | None) -> None:
    """All spellings of nothing mean the same."""
    assert calls(call(index=0, id="a", name="look", arguments=arguments)) == [("a", "look", {})]


def test_absent_arguments_are_an_empty_object() -> None:
    """A call may have no field for them."""
    assert calls(call(index=0, id="a", name="look")) == [("a", "look", {})]


def test_whole_call_repeated_at_the_end_is_one_call() -> None:
    """A summary of what was streamed is not a second call."""
    frames = [
        call(index=0, id="a", name="look", arguments='{"at":'),
        call(index=0, arguments=' "sea"}'),
        call(index=0, id="a", name="look", arguments='{"at": "sea"}'),
    ]

    assert calls(*frames) == [("a", "look", {"at": "sea"})]


def test_whole_call_repeated_without_index_is_one_call() -> None:
    """The summary may forget the index."""
    frames = [
        call(index=0, id="a", name="look", arguments=WHOLE),
        call(id="a", name="look", arguments=WHOLE),
    ]

    assert calls(*frames) == [("a", "look", {"at": "sea"})]


def test_equal_ids_are_made_unique() -> None:
    """Two calls with one id can be answered apart; the provider's id is kept."""
    frames = [
        call(index=0, id="call_1", name="look", arguments=WHOLE),
        call(index=1, id="call_1", name="hear", arguments="{}"),
    ]

    first, second = answer(*frames, chunk(finish="tool_calls")).tool_calls

    assert (first.id, second.id) == ("call_1", "call_1-2")
    assert second.provider_data == {"openai.chat": {"id": "call_1"}}


def test_prefix_that_parses_is_not_complete() -> None:
    """A call ends with the answer, not when its arguments happen to parse."""
    frames = [call(index=0, id="a", name="look", arguments='{"at": "sea"}'), call(index=0, arguments="\n")]

    events = events_of(*frames, chunk(finish="tool_calls"))

    completed = [event for event in events if isinstance(event, ToolCallCompleted)]
    assert [event.raw_arguments for event in completed] == ['{"at": "sea"}\n']


def test_last_delta_in_the_finish_chunk_counts() -> None:
    """The delta is read before the finish reason."""
    last = call(index=0, arguments=' "sea"}')
    last["choices"][0]["finish_reason"] = "tool_calls"

    assert calls(call(index=0, id="a", name="look", arguments='{"at":'), last, finish=None) == [("a", "look", {"at": "sea"})]


def test_arguments_cut_at_the_limit_are_cut_off() -> None:
    """A call that ran into the limit of tokens is not run, and says why."""
    response = answer(call(index=0, id="a", name="look", arguments='{"at": "s'), chunk(finish="length"))

    assert response.finish_reason == "length"
    assert response.tool_calls[0].error == "The call was cut off before its arguments were complete."


def test_arguments_that_are_wrong_are_wrong() -> None:
    """A call whose arguments are no JSON is kept with what is wrong, and what the model wrote."""
    wrong = answer(call(index=0, id="a", name="look", arguments="at sea"), chunk(finish="tool_calls")).tool_calls[0]

    assert wrong.error is not None
    assert "not JSON" in wrong.error
    assert (wrong.raw_arguments, wrong.arguments) == ("at sea", {})


def test_character_in_halves_is_joined() -> None:
    """An emoji cut between two deltas of arguments is whole."""
    frames = [call(index=0, id="a", name="look", arguments='{"at":"\ud83d'), call(index=0, arguments='\ude00"}')]

    assert calls(*frames) == [("a", "look", {"at": "😀"})]


def test_legacy_function_call_is_a_call() -> None:
    """The form before `tool_calls` is read too."""
    frames = [
        chunk({"function_call": {"name": "look", "arguments": ""}}),
        chunk({"function_call": {"arguments": WHOLE}}),
    ]

    assert calls(*frames, finish="function_call") == [("call_0", "look", {"at": "sea"})]


def test_custom_tool_gets_its_text() -> None:
    """A call with free text carries it as `input`, and says what kind it was."""
    custom = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sing", "input": "la la"}}

    assert answer(chunk({"tool_calls": [custom]}), chunk(finish="tool_calls")).tool_calls == (
        ToolCall(
            id="a",
            name="sing",
            arguments={"input": "la la"},
            provider_data={"openai.chat": {"type": "custom"}},
        ),
    )


def test_signature_of_a_call_is_kept() -> None:
    """What Google signs a call with goes back with it."""
    extra = {"google": {"thought_signature": "c2ln"}}

    response = answer(call(index=0, id="a", name="look", arguments="{}", extra_content=extra), chunk(finish="tool_calls"))

    assert response.tool_calls[0].provider_data == {"openai.chat": {"extra_content": extra}}
