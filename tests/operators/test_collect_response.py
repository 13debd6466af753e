"""A whole answer from its events."""

from typing import Any

from allm_rx import operators as lx
from allm_rx.data.messages import assistant
from allm_rx.data.responses import Response
from allm_rx.testing.marbles import OVERLOADED, USAGE, events, expect, observe

KNOWN: dict[str, Any] = {"id": "msg-1", "provider": "marbles", "model": "marbles-1"}


def collected(diagram: str) -> list[Any]:
    """What comes of a stream."""
    return observe(events(diagram).pipe(lx.collect_response()))


def test_one_response_comes_when_the_stream_completes() -> None:
    """All text, the finish reason and the usage are on it."""
    whole = Response(**KNOWN, message=assistant("Hello"), finish_reason="stop", raw_finish_reason="stop", usage=USAGE)

    assert collected("s-Hel-lo-u-(d,|)") == expect("-----------(R,|)", {"R": whole})


def test_a_failed_answer_gives_a_response_with_its_partial_text() -> None:
    """The error is a value on it, not an exception."""
    failed = Response(**KNOWN, message=assistant("Hel"), finish_reason="error", error=OVERLOADED)

    assert collected("s-Hel-(e,|)") == expect("------(R,|)", {"R": failed})


def test_a_stream_that_was_left_gives_what_came() -> None:
    """Without a terminal the finish reason is None."""
    left = Response(**KNOWN, message=assistant("Hel"))

    assert collected("s-Hel-|") == expect("------(R,|)", {"R": left})


def test_a_restart_voids_the_text_before_it() -> None:
    """Only the last attempt counts."""
    whole = Response(**KNOWN, message=assistant("b"), finish_reason="stop", raw_finish_reason="stop")

    assert collected("s-a-r-s-b-(d,|)") == expect("----------(R,|)", {"R": whole})


def test_subscriptions_do_not_share_a_fold() -> None:
    """A second run gives the same answer, not twice the text."""
    stream = events("s-a-(d,|)").pipe(lx.collect_response())

    assert observe(stream) == observe(stream)
