"""`generate` is the fold of `stream_generate`, and of nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allm_rx.adapters.fake import Fake, delay, error, finish, reasoning
from allm_rx.data import events as ev
from allm_rx.data.parts import ProviderPart, ReasoningPart, SourcePart, TextPart, ToolCall
from allm_rx.data.responses import FinishReason, Response
from allm_rx.data.usage import Usage
from allm_rx.execution.calls import generate, stream_generate
from allm_rx.reducers.response import ResponseFold
from allm_rx.runtime.engine import Engine
from allm_rx.testing.marbles import observe
from tests import strategies

FINISHES: list[FinishReason] = ["stop", "length", "content_filter", "other"]

entries = st.one_of(
    st.text(max_size=6),
    st.text(max_size=6).map(reasoning),
    strategies.tool_calls,
    strategies.source_parts,
    strategies.provider_parts,
    strategies.usages,
    st.floats(0, 5).map(delay),
    st.sampled_from(FINISHES).map(finish),
    st.sampled_from([error("overloaded"), error("authentication_failed", status=401)]),
    st.builds(ev.RawChunk, kind=st.just("provider.frame"), data=strategies.json_objects),
)
"""What a Fake can play, in any order."""

filters = st.fixed_dictionaries(
    {}, optional={name: st.booleans() for name in ("emit_text_deltas", "emit_tool_deltas", "include_raw_chunks")}
)


def response_to(*script: Any, **options: Any) -> Response:
    """The one response of a generation in virtual time."""
    engine = Engine(adapter=Fake(script=script), model="m")
    response, completed = observe(generate(engine, "Hi", request_id="r", retry=False, **options), disposed=1e9)
    value: Any = response.value
    assert completed.time == response.time
    return value.value


def folded(*script: Any) -> Response:
    """What the events of the same generation add up to."""
    engine = Engine(adapter=Fake(script=script), model="m")
    fold = ResponseFold()
    for message in observe(stream_generate(engine, "Hi", request_id="r", retry=False, include_raw_chunks=True), disposed=1e9):
        if (event := getattr(message.value, "value", None)) is not None:
            fold.apply(event)
    return fold.response()


@given(st.lists(entries, max_size=8), filters)
def test_generate_is_the_fold_of_the_stream(script: list[Any], options: dict[str, Any]) -> None:
    """Whatever is played and whatever is filtered, both add up to the same response (F-08)."""
    assert response_to(*script, **options) == folded(*script)


def test_a_whole_answer() -> None:
    """Text, reasoning, calls, sources, usage and ids, in the order they came."""
    source, call, item = (
        SourcePart(url="https://example.com"),
        ToolCall(id="c", name="t", arguments={"x": 1}),
        ProviderPart(kind="k"),
    )

    response = response_to(reasoning("Hm"), "Hel", "lo", source, item, call, Usage(input_tokens=3, output_tokens=2))

    assert response.id == "fake-0"
    assert (response.request_id, response.provider, response.model) == ("r", "fake", "m")
    assert (response.output_text, response.reasoning) == ("Hello", "Hm")
    assert (response.finish_reason, response.error) == ("tool_calls", None)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (3, 2)
    assert response.message.content == (
        ReasoningPart(text="Hm"),
        TextPart(text="Hello"),
        source,
        item,
        call.replace(raw_arguments='{"x":1}'),
    )


def test_filters_do_not_change_what_is_folded() -> None:
    """F-08: with every filter shut the response is whole."""
    script = ["Hel", "lo", ToolCall(id="c", name="t", arguments={"x": 1})]

    shut = response_to(*script, emit_text_deltas=False, emit_tool_deltas=False)

    assert (shut.output_text, shut.tool_calls[0].arguments) == ("Hello", {"x": 1})
    assert shut == response_to(*script)


def test_an_empty_answer_is_an_answer() -> None:
    """A model that says nothing gives an empty text and its finish reason."""
    response = response_to()

    assert (response.output_text, response.finish_reason, response.error) == ("", "stop", None)


def test_a_failure_is_in_band_with_the_partial_text_and_the_usage() -> None:
    """A failed call is a response that says so; it raises only when it is asked to."""
    response = response_to("par", "tial", Usage(output_tokens=2), error("overloaded", "Busy.", status=529, retry_after=3.0))

    assert (response.output_text, response.finish_reason) == ("partial", "error")
    assert response.error is not None
    assert (response.error.kind, response.error.reason, response.error.message) == ("AdapterError", "overloaded", "Busy.")
    assert (response.error.status, response.error.retry_after, response.error.request_id) == (529, 3.0, "r")
    assert response.usage.output_tokens == 2
    with pytest.raises(Exception, match="Busy") as caught:
        response.raise_for_error()
    assert type(caught.value).__name__ == "AdapterError"


def test_the_finish_reason_is_the_providers() -> None:
    """A limit is told as such, with the provider's own word."""
    response = response_to("Hel", finish("length", "MAX_TOKENS"))

    assert (response.finish_reason, response.raw_finish_reason) == ("length", "MAX_TOKENS")


def test_successive_calls_are_independent() -> None:
    """Nothing of one response is in the next, also from the same observable."""
    engine = Engine(adapter=Fake(scripts=[["a", Usage(output_tokens=1)], ["b"]]), model="m")
    call = generate(engine, "Hi")

    first, second = (observe(call)[0].value for _ in range(2))
    values: list[Any] = [first, second]

    assert [(value.value.output_text, value.value.usage.output_tokens) for value in values] == [("a", 1), ("b", None)]
