"""Claims about answers: whatever the model says arrives as events in order, and as one response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allm_rx.data.events import (
    Error,
    MessageCompleted,
    MessageStarted,
    RawChunk,
    ReasoningDelta,
    TextCompleted,
    TextDelta,
    ToolCallCompleted,
    ToolCallDelta,
    ToolCallStarted,
)
from allm_rx.data.parts import ReasoningPart, TextPart, ToolCall
from allm_rx.data.tools import Tool
from allm_rx.data.usage import Usage
from allm_rx.execution.calls import generate
from allm_rx.testing.answers import Answer
from allm_rx.testing.conformance.provider import Subject, everything, response_of, text_of

TEXT = Answer(chunks=["Hel", "lo ", "Zoë 🙂"])
WEATHER = ToolCall(id="call_1", name="get_weather", arguments={"city": "Århus", "days": [1, 2]})
TIME = ToolCall(id="call_2", name="get_time", arguments={"zone": "Europe/Oslo", "precise": True})
OFFERED = [Tool(name="get_weather"), Tool(name="get_time")]


class AnswerConformance(Subject):
    """What is said arrives whole, in order, and adds up."""

    def test_text_arrives_in_its_pieces(self) -> None:
        """Deltas add up to the text, which its completion and the message repeat."""
        with self.answering(TEXT) as provider:
            events = self.events(provider)

        last = events[-1]
        assert text_of(events) == "Hello Zoë 🙂"
        assert [event.text for event in events if isinstance(event, TextCompleted)] == ["Hello Zoë 🙂"]
        assert isinstance(last, MessageCompleted)
        assert (last.message.text, last.finish_reason) == ("Hello Zoë 🙂", "stop")

    def test_the_answer_begins_with_its_ids(self) -> None:
        """`message_started` comes once and first, with provider, model and our request id."""
        with self.answering(TEXT) as provider:
            events = self.events(provider, request_id="request-1")
            name = provider.adapter.provider

        started = [event for event in events if isinstance(event, MessageStarted)]
        assert started == events[:1]
        assert (started[0].provider, started[0].model, started[0].request_id) == (name, self.model, "request-1")

    def test_no_delta_is_empty(self) -> None:
        """An event that says nothing costs every subscriber for nothing."""
        with self.answering(Answer("Hm. Hello.", reasoning="Let me see.", tool_calls=[WEATHER])) as provider:
            events = self.events(provider, tools=OFFERED)

        deltas = [event for event in events if isinstance(event, (TextDelta, ReasoningDelta))]
        assert deltas
        assert all(event.delta for event in deltas)
        assert all(event.arguments_delta for event in events if isinstance(event, ToolCallDelta))

    def test_reasoning_comes_before_the_text_and_apart_from_it(self) -> None:
        """What the model thinks is not in what it says."""
        with self.answering(Answer("Hello.", reasoning="Let me think.")) as provider:
            events = self.events(provider)

        response = response_of(events)
        kinds = [type(event) for event in events if isinstance(event, (ReasoningDelta, TextDelta))]
        assert (response.reasoning, response.output_text) == ("Let me think.", "Hello.")
        assert kinds == sorted(kinds, key=[ReasoningDelta, TextDelta].index)
        assert [type(part) for part in response.message.content] == [ReasoningPart, TextPart]

    def test_a_tool_call_arrives_whole(self) -> None:
        """Started, arguments, completed; its pieces are the JSON of its arguments, and the model waits for the result."""
        with self.answering(Answer(tool_calls=[WEATHER])) as provider:
            events = self.events(provider, tools=OFFERED)

        (started,) = [event for event in events if isinstance(event, ToolCallStarted)]
        (completed,) = [event for event in events if isinstance(event, ToolCallCompleted)]
        pieces = "".join(event.arguments_delta for event in events if isinstance(event, ToolCallDelta))
        assert (started.id, started.name) == (completed.id, "get_weather")
        assert (completed.arguments, completed.error) == (WEATHER.arguments, None)
        assert json.loads(pieces) == WEATHER.arguments
        assert response_of(events).finish_reason == "tool_calls"

    def test_parallel_tool_calls_keep_their_order_and_their_arguments(self) -> None:
        """Each call has an id of its own and gets nothing of the other's."""
        with self.answering(Answer(tool_calls=[WEATHER, TIME])) as provider:
            calls = response_of(self.events(provider, tools=OFFERED)).tool_calls

        assert [(call.name, call.arguments) for call in calls] == [
            ("get_weather", WEATHER.arguments),
            ("get_time", TIME.arguments),
        ]
        assert len({call.id for call in calls}) == 2
        assert all(call.id for call in calls)

    def test_two_calls_of_one_tool_are_two(self) -> None:
        """Calls are told apart although they look alike."""
        again = WEATHER.replace(id="call_2")
        with self.answering(Answer(tool_calls=[WEATHER, again])) as provider:
            calls = response_of(self.events(provider, tools=OFFERED)).tool_calls

        assert len({call.id for call in calls}) == 2

    def test_text_and_a_call_are_one_message(self) -> None:
        """The order of the parts is the order they came in."""
        with self.answering(Answer("One moment.", tool_calls=[WEATHER])) as provider:
            response = response_of(self.events(provider, tools=OFFERED))

        assert [type(part) for part in response.message.content] == [TextPart, ToolCall]
        assert response.finish_reason == "tool_calls"

    def test_usage_is_told_before_the_end(self) -> None:
        """`input_tokens` is the whole prompt, `output_tokens` everything generated."""
        with self.answering(Answer("Hi", usage=Usage(input_tokens=12, output_tokens=7))) as provider:
            events = self.events(provider)

        usage = response_of(events).usage
        last = max(at for at, event in enumerate(events) if isinstance(event, RawChunk) and event.kind == "usage")
        assert (usage.input_tokens, usage.output_tokens) == (12, 7)
        assert last < len(events) - 1

    @pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
    def test_why_the_model_stopped(self, reason: Any) -> None:
        """The provider's word is mapped to ours, and kept beside it."""
        with self.answering(Answer("Hel", finish_reason=reason)) as provider:
            last = self.events(provider)[-1]

        assert isinstance(last, MessageCompleted)
        assert last.finish_reason == reason
        assert last.raw_finish_reason

    def test_an_empty_answer_is_an_answer(self) -> None:
        """A model that says nothing did not fail."""
        with self.answering(Answer("")) as provider:
            response = response_of(self.events(provider))

        assert (response.output_text, response.finish_reason, response.error) == ("", "stop", None)

    def test_a_response_is_what_the_events_add_up_to(self) -> None:
        """`generate` and the fold of the stream give the same answer."""
        answer = Answer("Hello.", reasoning="Hm.", tool_calls=[WEATHER], usage=Usage(input_tokens=1, output_tokens=2))
        with self.answering(answer) as provider:
            folded = response_of(self.events(provider, tools=OFFERED))
            (whole,) = everything(generate(self.engine(provider), "Say something.", tools=OFFERED))

        assert (whole.output_text, whole.reasoning, whole.finish_reason) == ("Hello.", "Hm.", "tool_calls")
        assert [type(part) for part in whole.message.content] == [type(part) for part in folded.message.content]
        assert whole.usage == folded.usage

    def test_what_the_provider_sent_is_shown_only_when_it_is_wanted(self) -> None:
        """`include_raw_chunks` adds the frames, and changes nothing else."""
        with self.answering(TEXT) as provider:
            plain = self.events(provider, request_id="r")
            raw = self.events(provider, request_id="r", include_raw_chunks=True)

        frames = [event for event in raw if isinstance(event, RawChunk) and event.kind != "usage"]
        assert [event for event in plain if isinstance(event, RawChunk) and event.kind != "usage"] == []
        assert [event.type for event in raw if event not in frames] == [event.type for event in plain]

    def test_nothing_is_sent_before_subscribe(self) -> None:
        """A stream is a description."""
        with self.answering(TEXT) as provider:
            stream = self.stream(provider)
            before = provider.asked
            everything(stream)

            assert (before, provider.asked) == (0, 1)

    def test_each_subscription_is_a_request_of_its_own(self) -> None:
        """The same stream asks again, and its second answer owes nothing to the first."""
        with self.answering(Answer("One."), Answer("Two.")) as provider:
            stream = self.stream(provider)

            texts = [text_of(everything(stream)) for _ in range(2)]

            assert (texts, provider.asked) == (["One.", "Two."], 2)

    def test_a_failure_is_one_event_and_then_the_end(self) -> None:
        """What the provider refuses arrives in band; asking for a second answer in vain is no exception."""
        with self.answering(Answer("One."), Answer("Two.")) as provider:
            for _ in range(2):
                self.events(provider)
            events = self.events(provider)

        assert isinstance(events[-1], Error)
        assert sum(isinstance(event, Error) for event in events) == 1
