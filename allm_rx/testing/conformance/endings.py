"""Claims about how bodies end: cut anywhere, in any pieces, twice or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reactivex import operators as ops
from reactivex.scheduler import VirtualTimeScheduler

from allm_rx.abc.adapter import Call
from allm_rx.data.events import Error, Event, MessageCompleted, RawChunk
from allm_rx.data.parts import ToolCall
from allm_rx.data.usage import Usage
from allm_rx.testing.answers import Answer
from allm_rx.testing.assertions import assert_grammar
from allm_rx.testing.conformance.answers import OFFERED, WEATHER
from allm_rx.testing.conformance.provider import KEY, Subject, response_of, text_of
from allm_rx.testing.conformance.recording import Replaying
from allm_rx.testing.faults import Cut, Drip, DuplicateTerminal, Fault, Gzip, KeepAlive, NoTerminal, WholeBody
from allm_rx.transport.replay import Replay

if TYPE_CHECKING:
    from allm_rx.testing.conformance.recording import Recording

ANSWER = Answer(chunks=["Hi ", "Zoë 🙂"], usage=Usage(input_tokens=3, output_tokens=4))
TEXT = "Hi Zoë 🙂"
CALL = ToolCall(id="call_1", name="get_weather", arguments={"city": "Å"})


class EndingConformance(Subject):
    """An answer is whole or it is an error, and what came of it is kept."""

    @pytest.mark.parametrize("broken", [False, True], ids=["the body ends", "the connection breaks"])
    def test_a_body_cut_at_any_byte(self, *, broken: bool) -> None:
        """Before the natural end it is one `stream_interrupted`, after it the whole answer; the text that came is kept."""
        recording = self.recorded(ANSWER)
        length, text = 0, ""
        for cut in range(len(recording.body) + 1):
            events = self._played(recording, recording.body[:cut], broken=broken)
            assert_grammar(events)
            response, last = response_of(events), events[-1]
            assert response.output_text.startswith(text), f"cut at byte {cut}: text was lost"
            assert TEXT.startswith(response.output_text), f"cut at byte {cut}: text was made up"
            text = response.output_text
            if isinstance(last, MessageCompleted):
                length = length or cut
                assert cut > recording.content, f"cut at byte {cut}: a success without the provider's own end"
                assert (text, last.finish_reason) == (TEXT, "stop"), f"cut at byte {cut}"
            else:
                assert isinstance(last, Error), f"cut at byte {cut}"
                assert length == 0, f"cut at byte {cut}: a failure, although less was a success"
                assert (last.failure.kind, last.failure.reason) == ("StreamError", "stream_interrupted"), f"cut at byte {cut}"
        assert length > 0, "the whole body is no success"

    @pytest.mark.parametrize("how", ["end", "close", "reset"])
    def test_a_body_cut_on_a_real_connection(self, how: Any) -> None:
        """However the connection ends, it is one `stream_interrupted` after the text that came."""
        content = self.recorded(ANSWER).content
        with self.answering(ANSWER, faults=[Cut(content, how)]) as provider:
            events = self.events(provider)

        last = events[-1]
        assert text_of(events) == TEXT
        assert isinstance(last, Error)
        assert (last.failure.kind, last.failure.reason) == ("StreamError", "stream_interrupted")
        assert last.failure.provider == provider.adapter.provider

    def test_a_call_that_was_cut_does_not_look_whole(self) -> None:
        """A tool is never run with half of its arguments."""
        recording = self.recorded(Answer(tool_calls=[CALL]))
        for cut in range(recording.content):
            response = response_of(self._played(recording, recording.body[:cut], broken=False))
            assert response.finish_reason == "error", f"cut at byte {cut}"
            for call in response.tool_calls:
                assert call.error or call.arguments == CALL.arguments, f"cut at byte {cut}"

    def test_an_answer_without_its_end_is_no_success(self) -> None:
        """A body that HTTP thinks whole is interrupted all the same when the protocol's end is missing."""
        with self.answering(ANSWER, faults=[NoTerminal()]) as provider:
            events = self.events(provider)

        assert [event.failure.reason for event in events if isinstance(event, Error)] == ["stream_interrupted"]
        assert text_of(events) == TEXT

    @pytest.mark.parametrize("fault", [Drip(), Gzip(), KeepAlive(every=0.0, count=3)], ids=lambda fault: type(fault).__name__)
    def test_how_it_travels_makes_no_difference(self, fault: Fault) -> None:
        """Byte by byte, compressed, or after comments: the events are the same."""
        answer = Answer("Hello Zoë 🙂", reasoning="Hm.", tool_calls=[WEATHER])
        with self.answering(answer) as provider, self.answering(answer, faults=[fault]) as odd:
            plain, told = (self.events(one, tools=OFFERED, request_id="r") for one in (provider, odd))

        assert told == plain

    def test_an_end_that_comes_twice_is_one_end(self) -> None:
        """What follows the terminal is not told."""
        with self.answering(ANSWER) as provider, self.answering(ANSWER, faults=[DuplicateTerminal()]) as odd:
            plain, told = (self.events(one, request_id="r") for one in (provider, odd))

        assert told == plain

    def test_one_json_body_in_place_of_a_stream(self) -> None:
        """A server that does not stream gives the same answer, only at once."""
        answer = Answer("Hello Zoë 🙂", tool_calls=[WEATHER], usage=Usage(input_tokens=3, output_tokens=4))
        with self.answering(answer) as provider, self.answering(answer, faults=[WholeBody()]) as odd:
            plain, whole = (response_of(self.events(one, tools=OFFERED, request_id="r")) for one in (provider, odd))

        assert (whole.output_text, whole.finish_reason) == ("Hello Zoë 🙂", "tool_calls")
        assert [(call.name, call.arguments) for call in whole.tool_calls] == [("get_weather", WEATHER.arguments)]
        assert (whole.usage.input_tokens, whole.usage.output_tokens) == (plain.usage.input_tokens, plain.usage.output_tokens)

    def _played(self, recording: Recording, body: bytes, *, broken: bool) -> list[Event]:
        """Give the events of an answer of which only a part comes, in virtual time."""
        replay = Replay([recording.exchange(body, broken=broken)])
        call = Call(host=Replaying(replay), request_id="r")
        scheduler, seen = VirtualTimeScheduler(), list[Event]()
        stream = self.adapter("https://provider.invalid", KEY).stream(self.request(), call)
        stream.pipe(ops.filter(_is_ours)).subscribe(seen.append, scheduler=scheduler)
        scheduler.start()
        return seen


def _is_ours(event: Event) -> bool:
    return not isinstance(event, RawChunk) or event.kind == "usage"
