"""Responses: what is read from one, and what is raised from one."""

from datetime import date

import pydantic
import pytest

from allm_rx.data.failures import Failure
from allm_rx.data.messages import Message, assistant
from allm_rx.data.parts import ReasoningPart, SourcePart, ToolCall
from allm_rx.data.responses import Response
from allm_rx.data.usage import Usage
from allm_rx.errors import AdapterError, StreamError

CUT = Failure(kind="StreamError", reason="stream_interrupted", message="It broke off.", provider="x", status=200)


class Trip(pydantic.BaseModel):
    """Where and when."""

    town: str
    day: date


def answer(text: str, **fields: object) -> Response:
    """A response that says a text."""
    return Response.model_validate({"message": assistant(text), **fields})


def test_an_empty_response_is_an_answer_that_says_nothing() -> None:
    """There is always a message and a usage, so nobody has to check for None."""
    response = Response()

    assert (response.output_text, response.finish_reason, response.error) == ("", None, None)
    assert (response.message, response.usage) == (Message(role="assistant"), Usage())
    assert (response.tool_calls, response.reasoning, response.sources) == ((), "", ())


def test_properties_read_the_message() -> None:
    """What the answer holds is kept once, in the message."""
    call, source = ToolCall(id="c", name="f"), SourcePart(url="https://x")

    response = Response(message=assistant(["a", ReasoningPart(text="hm"), call, source, "b"]))

    assert (response.output_text, response.reasoning) == ("ab", "hm")
    assert (response.tool_calls, response.sources) == ((call,), (source,))


def test_json_holds_each_fact_once() -> None:
    """What can be computed is not saved."""
    assert answer("only once").model_dump_json().count("only once") == 1


def test_an_answer_that_did_not_fail_raises_nothing() -> None:
    """`raise_for_error` can stand in a chain."""
    response = answer("hi", finish_reason="content_filter")

    assert response.raise_for_error() is response


def test_a_failed_answer_raises_its_failure() -> None:
    """The exception tells what the failure tells, and is of its class."""
    with pytest.raises(StreamError, match="It broke off") as caught:
        answer("par", error=CUT, finish_reason="error").raise_for_error()

    assert Failure.of(caught.value) == CUT


def test_a_structured_answer_becomes_an_instance() -> None:
    """The text is read as JSON, not as Python: dates are dates."""
    assert answer('{"town":"Oslo","day":"2025-02-01"}').parsed(Trip) == Trip(town="Oslo", day=date(2025, 2, 1))


def test_a_class_of_ours_can_be_parsed_too() -> None:
    """Our models raise our errors, which are no different here."""
    assert answer('{"input_tokens":3}').parsed(Usage) == Usage(input_tokens=3)
    with pytest.raises(AdapterError, match="The answer does not fit Usage: input_tokens: Input should be"):
        answer('{"input_tokens":"three"}').parsed(Usage)


def test_an_answer_that_does_not_fit_says_where() -> None:
    """The message has the class, the path, what is wrong, and how the text begins."""
    with pytest.raises(AdapterError) as caught:
        answer('{"town":5,"day":"2025-02-01"}', provider="x", request_id="r", provider_request_id="p").parsed(Trip)

    assert str(caught.value) == (
        "The answer does not fit Trip: town: Input should be a valid string."
        """ It begins '{"town":5,"day":"2025-02-01"}'."""
    )
    facts = (caught.value.reason, caught.value.provider, caught.value.request_id, caught.value.provider_request_id)
    assert facts == ("malformed_response", "x", "r", "p")


def test_an_answer_that_is_no_json_says_so() -> None:
    """There is no path in what is no JSON."""
    with pytest.raises(AdapterError, match=r"does not fit Trip: the whole: Invalid JSON: .*It begins 'Sure! Here"):
        answer("Sure! Here it is: {}").parsed(Trip)


def test_an_answer_that_was_cut_off_says_what_to_do() -> None:
    """The commonest cause of broken JSON is a limit."""
    with pytest.raises(AdapterError, match="It was cut off: raise `max_tokens`"):
        answer('{"town":"Os', finish_reason="length").parsed(Trip)


def test_a_long_answer_is_quoted_from_its_beginning() -> None:
    """A log line stays a line."""
    with pytest.raises(AdapterError) as caught:
        answer("x" * 10_000).parsed(Trip)

    assert "x" * 60 in str(caught.value)
    assert "x" * 81 not in str(caught.value)


def test_a_failed_answer_is_not_parsed() -> None:
    """Why it failed matters more than what its text is."""
    with pytest.raises(StreamError, match="It broke off"):
        answer("{}", error=CUT).parsed(Trip)
