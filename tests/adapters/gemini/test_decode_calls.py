"""What the decoder makes of calls, whole and in pieces, and of what the provider runs itself."""

from typing import Any

import pytest

from allm_rx.data.events import ToolCallCompleted, ToolCallDelta, ToolCallStarted, ToolResultReceived
from allm_rx.data.parts import TextPart, ToolCall
from tests.adapters.gemini.frames import BODIES, STOP, answer, chunk, events_of, partial, read, signed, text
from tests.fixture_cases import fold

# Calls.


def test_calls_come_whole() -> None:
    """A call is told at once; its own id and signature are kept, a missing id is made up, missing arguments are none."""
    events = read(BODIES["tools"])

    assert [event for event in events if isinstance(event, (ToolCallStarted, ToolCallDelta, ToolCallCompleted))] == [
        ToolCallStarted("fc-7", "depth"),
        ToolCallDelta("fc-7", '{"at":"nörth","metres":true'),
        ToolCallDelta("fc-7", "}"),
        ToolCallCompleted(
            "fc-7",
            "depth",
            {"at": "nörth", "metres": True},
            provider_data={"gemini": {"id": "fc-7", "thoughtSignature": "c2FpbA=="}},
        ),
        ToolCallStarted("call_1", "anchor"),
        ToolCallCompleted("call_1", "anchor", {}),
    ]


def test_stop_with_calls_is_tool_calls() -> None:
    """The provider says STOP for calls too."""
    response = fold(read(BODIES["tools"]))

    assert (response.finish_reason, response.raw_finish_reason) == ("tool_calls", "STOP")


def test_repeated_ids_are_made_unique() -> None:
    """Two calls with one id are two calls, and each gives the provider its own id back."""
    call = {"functionCall": {"name": "f", "id": "1"}}

    calls = answer(chunk(call, call, finish="STOP")).tool_calls

    assert [call.id for call in calls] == ["1", "1-2"]
    assert [call.provider_data for call in calls] == [{"gemini": {"id": "1"}}] * 2


def test_partial_arguments_are_put_together() -> None:
    """Arguments by path become one object, in arrays too; a call without a closing part is complete."""
    calls = fold(read(BODIES["partial_arguments"])).tool_calls

    assert [(call.name, call.arguments) for call in calls] == [
        ("moor", {"boats": [{"name": "Möwe II", "flags": None}, {"name": "Kiel", "crew": 3}]}),
        ("rest", {}),
        ("row", {"fast": False}),
    ]
    assert calls[0].provider_data == signed("bW9vcg==")


def test_partial_arguments_are_told_as_json() -> None:
    """The deltas of a call are the text of its arguments, as far as each chunk goes."""
    events = read(BODIES["partial_arguments"])

    assert [event.arguments_delta for event in events if isinstance(event, ToolCallDelta) and event.id == "call_0"] == [
        '{"boats":[{"name":"Möwe',
        " II",
        '","flags":null',
        '},{"name":"Kiel',
        '","crew":3',
        "}]}",
    ]


def test_call_whose_last_part_is_missing_is_complete_at_stop() -> None:
    """The provider forgets to close calls; its STOP closes them."""
    start = {"functionCall": {"name": "f", "willContinue": True}}

    (call,) = answer(chunk(start), chunk(partial(("$.a", "string", "x"))), STOP).tool_calls

    assert (call.arguments, call.error) == ({"a": "x"}, None)


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "SAFETY"])
def test_call_that_was_cut_is_not_run(finish: str) -> None:
    """Arguments that did not come to their end are told to be cut, be they as complete as they may."""
    start = {"functionCall": {"name": "f", "willContinue": True}}

    (call,) = answer(chunk(start), chunk(partial(("$.a", "string", "x"))), chunk(finish=finish)).tool_calls

    assert (call.arguments, call.raw_arguments) == ({}, '{"a":"x')
    assert call.error == "The call was cut off before its arguments were complete."


def test_call_that_was_complete_is_not_cut() -> None:
    """A call is over with its own part, whatever ends the answer later."""
    done = {"functionCall": {"name": "f", "args": {"a": 1}}}

    (call,) = answer(chunk(done), chunk(text("and th"), finish="MAX_TOKENS")).tool_calls

    assert (call.arguments, call.error) == ({"a": 1}, None)


def test_call_of_an_interrupted_stream_is_cut() -> None:
    """A body that ends inside a call gives no call that could be run."""
    start = {"functionCall": {"name": "f", "willContinue": True}}

    response = answer(chunk(start), chunk(partial(("$.a", "string", "x"))))

    assert response.error is not None
    assert response.tool_calls[0].error == "The call was cut off before its arguments were complete."


def test_new_call_ends_the_open_one() -> None:
    """A name begins a call, whatever the one before announced."""
    frames = (chunk({"functionCall": {"name": name, "willContinue": True}}) for name in "fg")

    assert [call.name for call in answer(*frames, STOP).tool_calls] == ["f", "g"]


def test_end_of_no_call_is_ignored() -> None:
    """A closing part that comes twice closes nothing."""
    response = answer(chunk({"functionCall": {"name": "f"}}, {"functionCall": {}}, finish="STOP"))

    assert [call.name for call in response.tool_calls] == ["f"]


# What the provider runs itself.


def test_code_is_a_call_of_the_provider() -> None:
    """Code and what came out of it are a call and its result, and each keeps its whole part."""
    events = read(BODIES["search"])

    code: dict[str, Any] = {"id": "x-1", "language": "PYTHON", "code": "print(6 * 7)"}
    assert [event for event in events if getattr(event, "id", "") == "x-1" and not isinstance(event, ToolCallDelta)] == [
        ToolCallStarted("x-1", "codeExecution", provider_executed=True),
        ToolCallCompleted(
            "x-1",
            "codeExecution",
            {"language": "PYTHON", "code": "print(6 * 7)"},
            provider_executed=True,
            provider_data={"gemini": {"executableCode": code}},
        ),
        ToolResultReceived(
            "x-1",
            "codeExecution",
            (TextPart(text="42\n"),),
            provider_data={"gemini": {"codeExecutionResult": {"id": "x-1", "outcome": "OUTCOME_OK", "output": "42\n"}}},
        ),
    ]


def test_search_is_a_call_of_the_provider() -> None:
    """So are its other tools, with their signatures."""
    call, result, *_ = fold(read(BODIES["search"])).message.content

    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.arguments) == ("t-1", "GOOGLE_SEARCH_WEB", {"queries": ["lake"]})
    assert call.provider_executed
    assert call.provider_data["gemini"] == {
        "toolCall": {"id": "t-1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["lake"]}},
        "thoughtSignature": "c2Vhcmno",
    }
    assert result.model_dump()["content"][0]["text"] == '{"hits":2}'


def test_provider_calls_are_not_for_the_application() -> None:
    """An answer whose only calls ran already has stopped."""
    response = fold(read(BODIES["search"]))

    assert (response.tool_calls, response.finish_reason) == ((), "stop")


def test_code_that_failed_is_an_error() -> None:
    """Any outcome but success is one; a result without output has no content."""
    failed = {"codeExecutionResult": {"outcome": "OUTCOME_DEADLINE_EXCEEDED"}}

    events = events_of(chunk({"executableCode": {"code": "while 1: pass"}}, failed, finish="STOP"))

    (result,) = (event for event in events if isinstance(event, ToolResultReceived))
    assert (result.id, result.is_error, result.content) == ("call_0", True, ())
