"""Claims about the key: it is sent, and it is nowhere else."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest

from allm_rx.data import events as ev
from allm_rx.testing.answers import Answer, ErrorAnswer
from allm_rx.testing.conformance.provider import KEY, ServedProvider, Subject, response_of
from allm_rx.testing.faults import Cut, Garbage, HtmlPage, Redirect

ECHO = f"Nobody is known as {KEY} here: look into the settings."


class SecretConformance(Subject):
    """A key appears in no event, error, repr, log or dump."""

    def test_the_key_is_sent(self) -> None:
        """It goes out in a header, and neither in the address nor in the body."""
        with self.answering(Answer("Hi")) as provider:
            assert isinstance(provider, ServedProvider)
            self.events(provider)
            (request,) = provider.server.requests

        assert [name for name, value in request.headers.items() if KEY in value]
        assert KEY not in request.path
        assert KEY not in str(dict(request.query))
        assert KEY.encode() not in request.raw

    def test_the_key_is_not_shown_by_what_holds_it(self) -> None:
        """Adapter, engine and stream can be printed and logged."""
        adapter: Any = self.adapter("https://provider.invalid", KEY)
        with self.answering(Answer("Hi")) as provider:
            shown = f"{adapter!r} {adapter} {self.engine(provider)!r} {self.stream(provider, api_key=KEY)!r}"
            held = str(getattr(adapter, "__dict__", {}))

        assert KEY not in shown
        assert KEY not in held

    def test_an_adapter_is_not_pickled(self) -> None:
        """It holds a key and sockets; the message says what to do in a worker."""
        with pytest.raises(TypeError, match="build it in the worker") as caught:
            pickle.dumps(self.adapter("https://provider.invalid", KEY))

        assert KEY not in str(caught.value)

    @pytest.mark.parametrize("status", [400, 401, 403, 500])
    @pytest.mark.parametrize("body", [{"error": {"message": ECHO, "type": "x"}}, ECHO, f"<title>{ECHO}</title>"], ids=str)
    def test_a_provider_that_repeats_the_key_is_not_repeated(self, body: Any, status: int) -> None:
        """Whatever an error says, the key is taken out of it."""
        with self.answering(ErrorAnswer(status, body)) as provider:
            events = self.events(provider)

        self._holds_no_key(events)
        assert isinstance(events[-1], ev.Error)

    @pytest.mark.parametrize(
        "fault",
        [
            Garbage(data=f"data: {{not json {KEY}\n\n".encode()),
            Redirect(f"https://provider.invalid/{KEY}?key={KEY}"),
            HtmlPage(200, f"<title>{KEY}</title>"),
            Cut(5),
        ],
        ids=lambda fault: type(fault).__name__,
    )
    def test_a_failure_on_the_way_does_not_tell_the_key(self, fault: Any) -> None:
        """Nor does what a proxy or a broken stream says."""
        with self.answering(Answer("Hi"), faults=[fault]) as provider:
            self._holds_no_key(self.events(provider, include_raw_chunks=True))

    def test_a_whole_call_logs_no_key(self, caplog: pytest.LogCaptureFixture) -> None:
        """At the most talkative level, of every logger, whether the key is the adapter's or the call's."""
        with caplog.at_level(logging.DEBUG):
            for answer in (Answer("Hi"), ErrorAnswer(401, {"error": {"message": ECHO}})):
                with self.answering(answer) as provider:
                    self._holds_no_key(self.events(provider, api_key=KEY))

        assert KEY not in caplog.text

    def _holds_no_key(self, events: list[ev.Event]) -> None:
        response = response_of(events)
        shown = [repr(events), response.model_dump_json(), repr(response), *(ev.dumps(event) for event in events)]
        if response.error is not None:
            error = response.error.exception()
            shown += [repr(error), str(error), repr(error.__cause__), repr(error.details)]
        assert [text for text in shown if KEY in text] == []
