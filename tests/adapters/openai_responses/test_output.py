"""Which item an event belongs to, when servers number and name their items well, badly or not at all."""

from typing import Any

import pytest

from allm_rx.data.events import Error, TextDelta, ToolCallCompleted, ToolCallDelta, ToolCallStarted
from allm_rx.data.parts import TextPart, ToolCall
from allm_rx.data.responses import Response
from tests.adapters.openai_responses.frames import added, answer, completed, created, done, ev, events_of, said, text


def arguments(delta: str, **fields: Any) -> dict[str, Any]:
    return ev("function_call_arguments.delta", delta=delta, **fields)


def call(call_id: str, name: str = "sail", arguments: str = "", **fields: Any) -> dict[str, Any]:
    return {"call_id": call_id, "name": name, "arguments": arguments, **fields}


def texts(response: Response) -> list[str]:
    return [part.text for part in response.message.content if isinstance(part, TextPart)]


def calls(*frames: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(part.id, part.arguments) for part in answer(created(), *frames).message.tool_calls]


def test_index_joins_when_ids_rotate() -> None:
    """A vendor that sends a fresh id with every event has one message, not five."""
    response = answer(
        created(),
        added(0, "message", id="a"),
        text("Hi", item_id="b"),
        text(" there", item_id="c"),
        done(0, "message", id="d", content=[{"type": "output_text", "text": "Hi there"}]),
        completed(said("Hi there", id="e"), id="resp_other"),
    )

    assert response.output_text == "Hi there"
    assert response.id == "resp_1"


def test_parallel_calls_are_joined_by_index_when_ids_rotate() -> None:
    """Interleaved arguments find their calls."""
    told = calls(
        added(0, "function_call", **call("c0", id="r0")),
        added(1, "function_call", **call("c1", id="r1")),
        arguments('{"to":', output_index=0, item_id="r2"),
        arguments('{"at":', output_index=1, item_id="r3"),
        arguments('"sea"}', output_index=0, item_id="r4"),
        arguments("4}", output_index=1, item_id="r5"),
        completed(),
    )

    assert told == [("c0", {"to": "sea"}), ("c1", {"at": 4})]


@pytest.mark.parametrize("index", [None, 0])
def test_ids_join_when_indexes_are_missing_or_repeated(index: int | None) -> None:
    """A server that numbers all its items alike, or none, is told apart by its ids."""
    place = {} if index is None else {"output_index": index}
    events = events_of(
        created(),
        added(index, "function_call", **call("c0", id="i0")),
        added(index, "function_call", **call("c1", id="i1")),
        arguments('{"to":', item_id="i0", **place),
        arguments('{"at":', item_id="i1", **place),
        arguments('"sea"}', item_id="i0", **place),
        arguments("4}", item_id="i1", **place),
        done(index, "function_call", **call("c0", arguments='{"to":"sea"}', id="i0")),
        done(index, "function_call", **call("c1", arguments='{"at":4}', id="i1")),
        completed(),
    )

    assert [(event.id, event.arguments_delta) for event in events if isinstance(event, ToolCallDelta)] == [
        ("c0", '{"to":'),
        ("c1", '{"at":'),
        ("c0", '"sea"}'),
        ("c1", "4}"),
    ]
    assert [(event.id, event.arguments) for event in events if isinstance(event, ToolCallCompleted)] == [
        ("c0", {"to": "sea"}),
        ("c1", {"at": 4}),
    ]


def test_texts_under_one_index_are_told_apart_by_their_ids() -> None:
    """Two messages that are open at once, and numbered alike, do not mix."""
    response = answer(
        created(),
        added(0, "message", id="a"),
        added(0, "message", id="b"),
        *(text(piece, item_id=piece[0]) for piece in ("a1", "b1", "a2", "b2")),
        completed(),
    )

    assert texts(response) == ["a1a2", "b1b2"]


def test_new_item_under_an_old_index_is_another_one() -> None:
    """A server that repeats an index, and forgets to end its items, has several messages all the same."""
    frames = [added(0, "message"), text("One"), text("!"), added(0, "message"), text("Two")]

    assert texts(answer(created(), *frames, completed())) == ["One!", "Two"]


def test_index_that_comes_late_means_the_item_without_one() -> None:
    """A server that numbers some of its events has one call, not two."""
    told = calls(
        added(None, "function_call", **call("c1", id="fc_1")),
        arguments('{"to":', output_index=0),
        done(0, "function_call", **call("c1", arguments='{"to":"sea"}', id="fc_2")),
        completed(),
    )

    assert told == [("c1", {"to": "sea"})]


@pytest.mark.parametrize("index", [None, 0])
def test_order_joins_when_nothing_else_does(index: int | None) -> None:
    """Items that come one after the other need neither numbers nor names."""
    response = answer(
        created(),
        added(index, "reasoning"),
        ev("reasoning_text.delta", delta="Hm"),
        done(index, "reasoning", content=[{"type": "reasoning_text", "text": "Hm"}]),
        added(index, "message"),
        text("One", index, item_id="x"),
        done(index, "message", content=[{"type": "output_text", "text": "One"}]),
        added(index, "message"),
        text("Two", index, item_id="y"),
        done(index, "message", content=[{"type": "output_text", "text": "Two"}]),
        completed(),
    )

    assert (response.reasoning, response.output_text) == ("Hm", "OneTwo")
    assert [part.type for part in response.message.content] == ["reasoning", "text", "text"]


def test_item_that_was_never_announced_is_read() -> None:
    """Deltas without a beginning, and an end without anything before it, are items all the same."""
    response = answer(
        created(),
        ev("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="Hm"),
        text("Hi", index=1),
        done(2, "function_call", **call("c1", arguments="{}")),
        completed(),
    )

    assert (response.reasoning, response.output_text) == ("Hm", "Hi")
    assert [made.id for made in response.message.tool_calls] == ["c1"]


def test_event_of_an_item_that_is_done_is_late() -> None:
    """What comes after the whole item is a repetition."""
    finished = done(0, "message", content=[{"type": "output_text", "text": "Hi"}])

    assert answer(created(), text("Hi"), finished, text("Hi"), completed()).output_text == "Hi"


def test_item_that_is_done_twice_counts_once() -> None:
    """A server that repeats itself has one call run once."""
    finished = done(0, "function_call", **call("c1", arguments="{}", id="fc_1"))

    events = events_of(created(), finished, finished, completed())

    assert sum(isinstance(event, ToolCallCompleted) for event in events) == 1


def test_terminal_tells_what_the_stream_left_out() -> None:
    """Items that only the final response has are read from it."""
    summary = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]}

    events = events_of(
        created(), completed(summary, said("Hi"), {"type": "function_call", **call("c1", arguments='{"to":"sea"}')})
    )

    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["Hi"]
    assert [event for event in events if isinstance(event, ToolCallStarted)] == [ToolCallStarted("c1", "sail")]


def test_terminal_completes_what_the_stream_began() -> None:
    """The rest of a text that stopped arriving comes as one more delta."""
    events = events_of(created(), added(0, "message"), text("Ha"), completed(said("Half"), said(" more")))

    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["Ha", "lf", " more"]


def test_terminal_repeats_nothing() -> None:
    """An item that ended is not told again, although it is encrypted anew."""
    thought: dict[str, Any] = {"type": "reasoning", "summary": []}
    response = answer(
        created(),
        done(0, "reasoning", id="rs_1", summary=[], encrypted_content="first"),
        text("Hi", index=1),
        completed({**thought, "id": "rs_2", "encrypted_content": "second"}, said("Hi", id="m")),
    )

    assert [part.type for part in response.message.content] == ["reasoning", "text"]
    assert response.message.content[0].provider_data["openai.responses"]["encrypted_content"] == "first"  # type: ignore[index,call-overload]


def test_terminal_without_items_settles_what_there_is() -> None:
    """A vendor that sends an empty list at the end loses nothing."""
    response = answer(
        created(),
        added(0, "message", id="m"),
        text("Hi"),
        added(1, "function_call", **call("c1")),
        arguments('{"to":"sea"}', output_index=1),
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    )

    assert response.message.content == (
        TextPart(text="Hi"),
        ToolCall(id="c1", name="sail", arguments={"to": "sea"}, raw_arguments='{"to":"sea"}'),
    )
    assert response.finish_reason == "tool_calls"


def test_missing_item_does_not_shift_the_others() -> None:
    """A final list without the reasoning still finds its message."""
    response = answer(
        created(),
        done(0, "reasoning", id="rs_1", summary=[]),
        added(1, "message", id="m1"),
        text("Hi", index=1),
        completed(said("Hi there", id="m1")),
    )

    assert response.output_text == "Hi there"


def test_terminal_names_what_it_completes() -> None:
    """An item is found by its id where it has no index."""
    frames = [added(None, "message", id="m1"), text("One", None), added(None, "message", id="m2"), text("Tw", None)]

    assert texts(answer(created(), *frames, completed(said("Two", id="m2")))) == ["One", "Two"]


def test_terminal_is_matched_by_index_when_ids_rotate() -> None:
    """Items that began in another order than they stand in are not mixed up."""
    response = answer(created(), text("B", index=1), text("A", index=0), completed(said("A!", id="x"), said("B!", id="y")))

    assert texts(response) == ["B!", "A!"]


def test_call_that_was_whole_before_the_limit_is_run() -> None:
    """The limit cut what came after it."""
    item = {"type": "custom_tool_call", "call_id": "c", "name": "helm", "input": "left", "status": "completed"}
    limit = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [item, said("Hal")]}

    (made,) = answer(created(), ev("incomplete", response=limit)).message.tool_calls

    assert (made.arguments, made.error) == ({"input": "left"}, None)


def test_parts_that_are_counted_otherwise_are_matched_in_order() -> None:
    """A server that counts its parts from one in the stream, and has one in the item, has one text."""
    response = answer(
        created(),
        added(0, "message", id="m"),
        text("Hi", content=1),
        done(0, "message", id="m", content=[{"type": "output_text", "text": "Hi", "annotations": []}]),
        completed(said("Hi", id="m")),
    )

    assert texts(response) == ["Hi"]


def test_parts_that_only_the_item_has_come_after_those_that_are_counted_otherwise() -> None:
    """What the stream began is the first part, whatever its number."""
    response = answer(created(), added(0, "message"), text("On", content=5), completed(said("One", "Two")))

    assert texts(response) == ["One", "Two"]


def test_parts_stay_apart() -> None:
    """Two parts of a message are two texts, however they interleave."""
    response = answer(
        created(),
        added(0, "message", id="m"),
        text("On", content=0),
        text("Tw", content=1),
        text("e", content=0),
        text("o", content=1),
        done(0, "message", id="m", **{"content": said("One", "Two")["content"]}),
        completed(),
    )

    assert texts(response) == ["One", "Two"]


def test_reasoning_stands_before_what_it_led_to() -> None:
    """Thoughts whose end comes late have the place where they began."""
    response = answer(
        created(),
        added(0, "reasoning", id="rs_1"),
        added(1, "message", id="m"),
        text("Hi", index=1),
        done(1, "message", id="m", content=said("Hi")["content"]),
        done(0, "reasoning", id="rs_1", summary=[], encrypted_content="xx"),
        completed(),
    )

    assert [part.type for part in response.message.content] == ["reasoning", "text"]


def test_two_calls_with_one_id_are_two_calls() -> None:
    """Repeated ids are repaired; the server's own stays beside it."""
    response = answer(
        created(),
        done(0, "function_call", **call("c1", arguments="{}", id="fc_1")),
        done(1, "function_call", **call("c1", arguments="{}", id="fc_2")),
        completed(),
    )

    first, second = response.message.tool_calls
    assert (first.id, second.id) == ("c1", "c1-2")
    assert second.provider_data["openai.responses"]["call_id"] == "c1"  # type: ignore[index,call-overload]


def test_interrupted_answer_keeps_its_error() -> None:
    """Items that began and never ended do not make a success."""
    events = events_of(created(), added(0, "function_call", **call("c1")), arguments('{"to"', output_index=0))

    assert isinstance(events[-1], Error)
    assert not any(isinstance(event, ToolCallCompleted) for event in events)
