"""A session's turn from its events."""

import pytest
from reactivex import operators as ops

from allm_rx import operators as lx
from allm_rx.data.results import ChatResult
from allm_rx.sessions import stream_start
from allm_rx.testing.marbles import events, observe
from tests.orchestration import call, engine, giving, observed, texts


def test_it_gives_the_turn_when_the_stream_completes() -> None:
    """That of the stream's own last event."""
    [(_, turn)] = observed(
        stream_start(engine([call("look")], ["done"], tools=[giving(1)]), "hi", id="s").pipe(lx.collect_session())
    )

    assert (turn.session.id, turn.session.status, turn.result.halted_reason) == ("s", "completed", "completed")


@pytest.mark.parametrize(("count", "text"), [(1, None), (2, ""), (3, "par")])
def test_a_stream_left_early_gives_the_started_session(count: int, text: str | None) -> None:
    """Its input is kept, its status is `cancelled`, and the partial text is in the result."""
    [(_, turn)] = observed(stream_start(engine(["par", "tial"]), "hi").pipe(ops.take(count), lx.collect_session()))

    assert isinstance(turn.result, ChatResult)
    assert (turn.session.status, texts(turn.session.thread.messages)) == ("cancelled", ["user: hi"])
    assert (None if turn.result.final_response is None else turn.result.final_response.output_text) == text


def test_events_of_another_call_are_an_error() -> None:
    """Without a session there is none to give."""
    [end] = observe(events("s-a-(d,|)").pipe(lx.collect_session()))

    assert "session_started" in str(end.value)
